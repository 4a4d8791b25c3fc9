// SPDX-License-Identifier: Apache-2.0
// flotillactl restore FILE into the storage of a daemon that does not run; restore status, plan, accept of
// the one that was started over it.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/backup/transfer.hpp"
#include "core/base/version.hpp"
#include "core/ctl/command.hpp"
#include "core/ctl/storage_place.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

constexpr const char* kRestore = "/flotilla/v1/restore";

struct Flags {
  std::string file;
  std::string to;
  DaemonPlace daemon;
  bool check_only = false;
  std::string output;
};

Result<int> open_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return Error(Code::NotFound, path + ": " + std::strerror(errno));
  return file;
}

// The first pass: nothing is written before all of the file is known to be good.
Result<backup::BackupDecoder> verify(const std::string& path, Stage& stage) {
  auto file = open_file(path);
  if (!file) return std::move(file).error();
  const int fd = *file;
  backup::BackupDecoder decoder;
  Result<backup::BackupDecoder> failed = Error(Code::DataLoss, path + " is damaged: it was cut short");
  std::vector<char> bytes(1 << 20);
  for (;;) {
    auto part = decoder.next();
    if (!part) {
      failed = std::move(part).context(path);
      break;
    }
    if (*part) {
      stage.note(fmt::format("{} keys", decoder.totals().keys));
      continue;
    }
    const ssize_t got = ::read(fd, bytes.data(), bytes.size());
    if (got <= 0) break;
    decoder.feed({bytes.data(), static_cast<std::size_t>(got)});
  }
  ::close(fd);
  if (!decoder.done()) return failed;
  return decoder;
}

store::KeyValue mark_of(const backup::BackupHeader& header) {
  const SystemClock clock;
  const Json mark = Json::object({{"created", header.created},
                                  {"revision", header.revision.get()},
                                  {"storage", header.storage},
                                  {"version", header.version},
                                  {"restored", format_time(clock.now())},
                                  {"by", std::string("flotillactl ") + kVersion}});
  return {backup::kRestoreKey, mark.dump(), header.revision, header.revision};
}

int restore_file(const GlobalFlags& global, const Flags& flags) {
  if (flags.file.empty())
    return print_error(Error(Code::BadRequest, "name a backup, or one of status, plan, accept"),
                       "flotillactl restore --help");
  Stage checking("backup", global.quiet);
  auto good = verify(flags.file, checking);
  if (!good) {
    checking.failed();
    return print_error(good.error());
  }
  const backup::BackupHeader header = *good->header();
  checking.done(fmt::format("{} keys, {:.1f} MB, revision {}, made {}", good->totals().keys,
                            static_cast<double>(good->totals().bytes) / 1e6, header.revision.get(),
                            header.created));
  if (flags.check_only) return exit_code::kOk;
  auto place = flags.to.empty() ? storage_of(flags.daemon) : StoragePlace::parse(flags.to);
  if (!place) return print_error(place.error(), "flotillactl restore FILE --data-dir DIR");
  std::error_code failed;
  if (flags.to.empty() && std::filesystem::create_directories(place->state_dir, failed))
    std::filesystem::permissions(place->state_dir, std::filesystem::perms::owner_all, failed);
  StorageHost host;
  auto backend = host.open(*place);
  if (!backend) return print_error(backend.error());
  OpenStorage storage(host, *std::move(backend));
  auto file = open_file(flags.file);
  if (!file) return print_error(file.error());
  Stage stage("storage " + place->name, global.quiet);
  backup::TransferOptions options;
  options.mark = mark_of(header);
  options.leap = backup::kRevisionLeap;
  options.progress = [&stage](const backup::BackupTotals& totals) {
    stage.note(fmt::format("{} keys", totals.keys));
  };
  const auto restored =
      host.run(backup::transfer(backup::read_backup(*file), storage.get(), std::move(options)));
  if (!restored) {
    stage.failed();
    return print_error(restored.error());
  }
  stage.done(fmt::format("{} keys restored", restored->keys));
  if (!global.quiet) {
    fmt::print(stderr,
               "The daemon will observe: it serves and watches members, and writes nothing to them. Next:\n"
               "    start flotillad\n    flotillactl restore plan\n    flotillactl restore accept\n");
  }
  return exit_code::kOk;
}

std::string text(const Json& value) {
  return std::string(value.as_string());
}

std::string place_text(const Json& one) {
  std::string out = text(one["resource"]);
  if (!text(one["group"]).empty()) out += "." + text(one["group"]);
  out += "/" + text(one["name"]);
  if (!text(one["namespace"]).empty()) out += " -n " + text(one["namespace"]);
  return out;
}

void print_clusters(const Json& answer) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& one : answer["clusters"].elements()) {
    rows.push_back({text(one["name"]), text(one["state"]), std::to_string(one["works"].as_int()),
                    std::to_string(one["create"].as_int()), std::to_string(one["update"].as_int()),
                    std::to_string(one["delete"].as_int())});
  }
  if (!rows.empty()) print_table({"CLUSTER", "STATE", "WORKS", "CREATE", "UPDATE", "DELETE"}, rows);
}

void print_status(const Json& answer) {
  const Json& backup = answer["backup"];
  if (!answer["observing"].as_bool()) {
    fmt::print("{}; members are written\n",
               backup.is_null() ? "not restored from a backup" : "restored and accepted");
    return;
  }
  fmt::print("observing: nothing is written to members\nbackup of {}, revision {}, restored {}\n",
             text(backup["created"]), backup["revision"].as_int(), text(backup["restored"]));
  fmt::print("{} of {} works were compared with their members\n",
             std::min(answer["examined"].as_int(), answer["works"].as_int()), answer["works"].as_int());
  print_clusters(answer);
}

void print_plan(const Json& answer) {
  print_status(answer);
  for (const Json& one : answer["changes"].elements()) {
    fmt::print("{} {} {}\n", text(one["cluster"]), text(one["change"]), place_text(one));
    for (const Json& field : one["fields"].elements()) {
      const bool had = field.contains("before");
      const bool has = field.contains("after");
      fmt::print("    {}: {} -> {}\n", text(field["path"]), had ? field["before"].dump() : "<none>",
                 has ? field["after"].dump() : "<none>");
    }
  }
  for (const Json& one : answer["unknown"].elements())
    fmt::print("{} keep {}   (the backup does not know it)\n", text(one["cluster"]), place_text(one));
  for (const Json& one : answer["unread"].elements())
    fmt::print("{} is not reached: what would change there is not known\n", one.as_string());
}

int ask(const GlobalFlags& global, const Flags& flags, bool plan) {
  auto session = open_session(global, std::chrono::minutes(2));
  if (!session) return print_error(session.error());
  const auto answer = (*session)->get(std::string(kRestore) + (plan ? "?unknown=true" : ""));
  if (!answer) return print_error(answer.error());
  if (flags.output == "json") {
    fmt::print("{}\n", answer->dump_pretty());
  } else {
    plan ? print_plan(*answer) : print_status(*answer);
  }
  return exit_code::kOk;
}

int accept(const GlobalFlags& global) {
  auto session = open_session(global);
  if (!session) return print_error(session.error());
  const auto answer = (*session)->post(kRestore, Json::object({{"accept", true}}));
  if (!answer) return print_error(answer.error());
  print_status(*answer);
  return exit_code::kOk;
}

}  // namespace

void add_restore(CLI::App& app, Invocation& invocation) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand(
      "restore", "A backup into the empty storage of a daemon that does not run; then what it would change");
  command->add_option("FILE", flags->file, "What flotillactl backup wrote");
  command->add_option("--data-dir", flags->daemon.data_dir, "The daemon's data directory")->type_name("DIR");
  command->add_option("--config", flags->daemon.config, "The daemon's configuration file")->type_name("FILE");
  command->add_option("--storage", flags->daemon.storage, "The daemon's storage plugin")->type_name("NAME");
  command->add_option("--set", flags->daemon.assignments, "One configuration key over the file")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command->add_option("--to", flags->to, "Into this storage instead: sqlite:PATH, etcd:ENDPOINTS/PREFIX");
  command->add_flag("--check", flags->check_only, "Only say whether the file is whole");
  command->callback([&invocation, flags] {
    if (!invocation.run)
      invocation.run = [&invocation, flags] { return restore_file(invocation.flags, *flags); };
  });
  const auto add = [&](const char* name, const char* about, std::function<int()> run) {
    CLI::App* sub = command->add_subcommand(name, about);
    sub->callback([&invocation, run = std::move(run)] { invocation.run = run; });
    return sub;
  };
  CLI::App* status = add("status", "Whether the control plane observes, and what it would change by cluster",
                         [&invocation, flags] { return ask(invocation.flags, *flags, false); });
  CLI::App* plan = add("plan", "Each change that accepting would make in members, and what stays untouched",
                       [&invocation, flags] { return ask(invocation.flags, *flags, true); });
  for (CLI::App* sub : {status, plan})
    sub->add_option("-o,--output", flags->output, "json")->check(CLI::IsMember({"json"}));
  add("accept", "Members are written again", [&invocation] { return accept(invocation.flags); });
}

}  // namespace flotilla::ctl
