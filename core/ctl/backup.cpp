// SPDX-License-Identifier: Apache-2.0
// flotillactl backup FILE: everything that a running control plane stores, at one revision, in one file.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "core/backup/backup_file.hpp"
#include "core/ctl/command.hpp"

namespace flotilla::ctl {
namespace {

// Appears under its name once it is whole and on disk; until then it is NAME.part.
class WholeFile {
 public:
  explicit WholeFile(std::string path) : path_(std::move(path)), part_(path_ + ".part") {}
  ~WholeFile() {
    if (file_ >= 0) ::close(file_);
    if (file_ >= 0 && !kept_) ::unlink(part_.c_str());
  }
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  Status open() {
    file_ = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return file_ < 0 ? refuse() : Status();
  }
  Status write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(file_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return refuse();
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }
  Status keep() {
    if (::fsync(file_) != 0 || std::rename(part_.c_str(), path_.c_str()) != 0) return refuse();
    kept_ = true;
    const auto folder = std::filesystem::absolute(path_).parent_path();
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || ::fsync(fd) != 0) return refuse();
    ::close(fd);
    return {};
  }

 private:
  Error refuse() const { return Error(Code::Invalid, "write " + part_ + ": " + std::strerror(errno)); }

  const std::string path_, part_;
  int file_ = -1;
  bool kept_ = false;
};

struct Flags {
  std::string file;
  bool force = false;
};

int backup_to(const GlobalFlags& global, const Flags& flags) {
  if (!flags.force && std::filesystem::exists(flags.file))
    return print_error(Error(Code::AlreadyExists, flags.file + " exists"),
                       "another name, or --force to replace it once the new one is whole");
  auto session = open_session(global);
  if (!session) return print_error(session.error());
  Stage stage("backup", global.quiet);
  WholeFile file(flags.file);
  if (const Status opened = file.open(); !opened) return print_error(opened.error());
  backup::BackupDecoder seen;
  const Session::Take take = [&](std::string_view bytes) -> Status {
    if (Status written = file.write(bytes); !written) return written;
    seen.feed(bytes);
    for (;;) {
      auto part = seen.next();
      if (!part) return std::move(part).error();
      if (!*part) break;
      stage.note(fmt::format("{} keys", seen.totals().keys));
    }
    return {};
  };
  Status streamed = (*session)->stream("GET", "/flotilla/v1/backup", take);
  if (streamed && !seen.done())
    streamed = Error(Code::DataLoss, "the server ended the backup before its end; its log says why");
  if (streamed) streamed = file.keep();
  if (!streamed) {
    stage.failed();
    return print_error(streamed.error());
  }
  stage.done(fmt::format("{} keys, {:.1f} MB, revision {}", seen.totals().keys,
                         static_cast<double>(seen.totals().bytes) / 1e6, seen.header()->revision.get()));
  if (!global.quiet) fmt::print("{}\n", flags.file);
  return exit_code::kOk;
}

}  // namespace

void add_backup(CLI::App& app, Invocation& invocation) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command =
      app.add_subcommand("backup", "Everything that the control plane stores, at one revision, in one file");
  command->add_option("FILE", flags->file, "Where to; there is never half of it under this name")->required();
  command->add_flag("--force", flags->force, "Replace a file that exists");
  command->callback([&invocation, flags] {
    invocation.run = [&invocation, flags] { return backup_to(invocation.flags, *flags); };
  });
}

}  // namespace flotilla::ctl
