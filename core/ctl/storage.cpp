// SPDX-License-Identifier: Apache-2.0
// flotillactl storage check, compact, stats: of a running daemon, or with --data-dir or --at of one that does
// not run; storage migrate from one backend to another.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "core/backup/transfer.hpp"
#include "core/ctl/command.hpp"
#include "core/ctl/storage_place.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

struct Flags {
  std::string at;
  DaemonPlace daemon;
  std::string from, to;
  std::string output;

  bool offline() const { return !at.empty() || !daemon.data_dir.empty(); }
  Result<StoragePlace> place() const { return at.empty() ? storage_of(daemon) : StoragePlace::parse(at); }
};

// What a check or compaction told so far.
struct Told {
  bool faults = false;
  bool ended = false;
  std::string error;
};

void tell(const std::string& kind, const std::string& text, std::uint64_t done, std::uint64_t total,
          Stage& stage, Told& told) {
  if (kind == "Progress") {
    stage.note(total == 0 ? text : fmt::format("{} {} of {}", text, done, total));
  } else if (kind == "End") {
    told.ended = true;
  } else if (kind == "Error") {
    told.error = text;
  } else {
    told.faults |= kind == "Fault";
    fmt::print("{}{}\n", kind == "Fault" ? "FAULT: " : "", text);
  }
}

int conclude(const Status& status, const Told& told, Stage& stage) {
  if (!status || !told.error.empty() || !told.ended) {
    stage.failed();
    if (!status) return print_error(status.error());
    return print_error(Error(Code::Unavailable, told.error.empty() ? "it ended too soon" : told.error));
  }
  told.faults ? stage.failed() : stage.done();
  return told.faults ? exit_code::kNo : exit_code::kOk;
}

Task<Result<bool>> maintain_here(store::StorageBackend* backend, store::Maintenance what, Stage* stage,
                                 Told* told) {
  auto reports = store::maintain(*backend, what, true);
  if (!reports) co_return std::move(reports).error();
  for (;;) {
    auto reading = (*reports)->next();
    const auto report = co_await std::move(reading);
    if (!report) co_return report.error();
    if (!*report) break;
    const auto& one = **report;
    const char* kind = one.kind == store::MaintenanceReport::Kind::Progress  ? "Progress"
                       : one.kind == store::MaintenanceReport::Kind::Finding ? "Finding"
                                                                             : "Fault";
    tell(kind, one.text, one.done, one.total, *stage, *told);
  }
  told->ended = true;
  co_return true;
}

int maintain(const GlobalFlags& global, const Flags& flags, store::Maintenance what) {
  const std::string word = what == store::Maintenance::Check ? "check" : "compact";
  Stage stage(word, global.quiet);
  Told told;
  if (flags.offline()) {
    const auto place = flags.place();
    if (!place) return print_error(place.error());
    StorageHost host;
    auto backend = host.open(*place);
    if (!backend) return print_error(backend.error());
    OpenStorage storage(host, *std::move(backend));
    const auto done = host.run(maintain_here(storage.get(), what, &stage, &told));
    return conclude(done ? Status() : Status(done.error()), told, stage);
  }
  auto session = open_session(global);
  if (!session) return print_error(session.error());
  std::string waiting;
  const Session::Take take = [&](std::string_view bytes) -> Status {
    waiting += bytes;
    for (std::size_t end = 0; (end = waiting.find('\n')) != std::string::npos; waiting.erase(0, end + 1)) {
      const auto line = Json::parse(waiting.substr(0, end));
      if (!line) return line.error();
      tell(std::string((*line)["kind"].as_string()), std::string((*line)["text"].as_string()),
           static_cast<std::uint64_t>((*line)["done"].as_int()),
           static_cast<std::uint64_t>((*line)["total"].as_int()), stage, told);
    }
    return {};
  };
  const Status streamed = (*session)->stream("POST", "/flotilla/v1/storage?do=" + word, take);
  return conclude(streamed, told, stage);
}

Task<Result<Json>> figures_here(store::StorageBackend* backend) {
  auto stating = backend->status(false);
  const auto status = co_await std::move(stating);
  if (!status) co_return status.error();
  auto asking = store::figures_of(backend);
  const auto figures = co_await std::move(asking);
  if (!figures) co_return figures.error();
  Json list = Json::array();
  for (const store::StorageFigure& figure : *figures)
    list.push_back(Json::object({{"name", figure.name}, {"help", figure.help}, {"value", figure.value}}));
  co_return Json::object({{"storage", backend->name()},
                          {"revision", status->revision.get()},
                          {"compacted", status->compacted.get()},
                          {"readOnly", status->read_only},
                          {"alarm", status->alarm},
                          {"figures", std::move(list)}});
}

Result<Json> read_figures(const GlobalFlags& global, const Flags& flags) {
  if (!flags.offline()) {
    auto session = open_session(global);
    if (!session) return session.error();
    return (*session)->get("/flotilla/v1/storage");
  }
  const auto place = flags.place();
  if (!place) return place.error();
  StorageHost host;
  auto backend = host.open(*place);
  if (!backend) return backend.error();
  OpenStorage storage(host, *std::move(backend));
  return host.run(figures_here(storage.get()));
}

int stats(const GlobalFlags& global, const Flags& flags) {
  const auto answer = read_figures(global, flags);
  if (!answer) return print_error(answer.error());
  if (flags.output == "json") {
    fmt::print("{}\n", answer->dump_pretty());
    return exit_code::kOk;
  }
  std::vector<std::vector<std::string>> rows;
  rows.push_back({"revision", std::to_string((*answer)["revision"].as_int()), "The newest."});
  for (const Json& figure : (*answer)["figures"].elements())
    rows.push_back({std::string(figure["name"].as_string()),
                    fmt::format("{:.0f}", figure["value"].as_double()),
                    std::string(figure["help"].as_string())});
  print_table({"FIGURE", "VALUE", "MEANING"}, rows);
  if ((*answer)["readOnly"].as_bool()) print_warning((*answer)["alarm"].as_string());
  return exit_code::kOk;
}

int migrate(const GlobalFlags& global, const Flags& flags) {
  const auto from_place = StoragePlace::parse(flags.from);
  if (!from_place) return print_error(from_place.error());
  const auto to_place = StoragePlace::parse(flags.to);
  if (!to_place) return print_error(to_place.error());
  StorageHost host;
  auto from_backend = host.open(*from_place);
  if (!from_backend) return print_error(from_backend.error());
  OpenStorage from(host, *std::move(from_backend));
  auto to_backend = host.open(*to_place);
  if (!to_backend) return print_error(to_backend.error());
  OpenStorage to(host, *std::move(to_backend));
  Stage copying("copy", global.quiet);
  backup::TransferOptions options;
  options.progress = [&copying](const backup::BackupTotals& totals) {
    copying.note(fmt::format("{} keys", totals.keys));
  };
  const auto copied =
      host.run(backup::transfer(store::save_snapshot(*from.get()), to.get(), std::move(options)));
  if (!copied) {
    copying.failed();
    return print_error(copied.error());
  }
  copying.done(fmt::format("{} keys, {:.1f} MB", copied->keys, static_cast<double>(copied->bytes) / 1e6));
  Stage verifying("verify", global.quiet);
  const backup::Progress progress = [&verifying](const backup::BackupTotals& totals) {
    verifying.note(fmt::format("{} keys", totals.keys));
  };
  const auto there = host.run(backup::hash_content(store::save_snapshot(*to.get()), progress));
  const auto here = host.run(backup::hash_content(store::save_snapshot(*from.get()), progress));
  if (!there || !here || !(*there == *here)) {
    verifying.failed();
    if (!there || !here) return print_error(there ? here.error() : there.error());
    return print_error(Error(Code::DataLoss,
                             fmt::format("the copy differs: {} keys {} there, {} keys {} here",
                                         there->totals.keys, there->sha256, here->totals.keys, here->sha256)),
                       "was somebody writing meanwhile? stop all daemons, empty the target, migrate again");
  }
  verifying.done(fmt::format("{} keys, sha256 {}", there->totals.keys, there->sha256));
  return exit_code::kOk;
}

void add_place(CLI::App& command, const std::shared_ptr<Flags>& flags) {
  command.add_option("--at", flags->at, "Of no running daemon: sqlite:PATH, etcd:ENDPOINTS/PREFIX");
  command
      .add_option("--data-dir", flags->daemon.data_dir,
                  "Of the daemon with this data directory, which is stopped")
      ->type_name("DIR");
  command.add_option("--config", flags->daemon.config, "Its configuration file")->type_name("FILE");
}

}  // namespace

void add_storage(CLI::App& app, Invocation& invocation) {
  CLI::App* group = app.add_subcommand("storage", "Where the control plane keeps its objects");
  group->require_subcommand(1);
  auto flags = std::make_shared<Flags>();
  const auto add = [&](const char* name, const char* about, std::function<int()> run) {
    CLI::App* sub = group->add_subcommand(name, about);
    sub->callback([&invocation, run = std::move(run)] { invocation.run = run; });
    return sub;
  };
  add_place(
      *add("check", "Is everything that was written there, as it was written? Exit code 2: no",
           [&invocation, flags] { return maintain(invocation.flags, *flags, store::Maintenance::Check); }),
      flags);
  add_place(
      *add("compact", "Give back what is not needed: old history, free pages, logs",
           [&invocation, flags] { return maintain(invocation.flags, *flags, store::Maintenance::Compact); }),
      flags);
  CLI::App* figures =
      add("stats", "Sizes and states", [&invocation, flags] { return stats(invocation.flags, *flags); });
  add_place(*figures, flags);
  figures->add_option("-o,--output", flags->output, "json")->check(CLI::IsMember({"json"}));
  CLI::App* moving =
      add("migrate", "Everything from one backend into another, empty one, verified at the end",
          [&invocation, flags] { return migrate(invocation.flags, *flags); });
  moving->add_option("--from", flags->from, "sqlite:PATH or etcd:ENDPOINTS/PREFIX; no daemon uses it")
      ->required();
  moving->add_option("--to", flags->to, "The same; empty")->required();
}

}  // namespace flotilla::ctl
