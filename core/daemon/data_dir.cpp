// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/data_dir.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace flotilla::daemon {
namespace {

namespace fs = std::filesystem;

Error refuse(const std::string& path, int cause) {
  return Error(Code::Invalid, "data directory " + path + ": " + std::strerror(cause));
}

std::string read_pid(int file) {
  std::array<char, 32> text{};
  const ssize_t size = pread(file, text.data(), text.size() - 1, 0);
  std::string pid(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  pid.erase(pid.find_last_not_of("\n ") + 1);
  return pid.empty() ? "unknown" : pid;
}

}  // namespace

Result<DataDir> DataDir::open(const std::string& path) {
  if (path.empty()) return Error(Code::Invalid, "no data directory; name one with --data-dir DIR");
  std::error_code failed;
  const fs::path absolute = fs::absolute(path, failed);
  const bool made = fs::create_directories(absolute, failed);
  if (failed) return refuse(path, failed.value());
  if (made) fs::permissions(absolute, fs::perms::owner_all, failed);
  const std::string lock_path = (absolute / "flotillad.pid").string();
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0) return refuse(path, errno);
  DataDir opened(absolute.string(), lock);
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return refuse(path, errno);
    return Error(Code::Conflict, "data directory " + path + " is in use by the daemon with pid " +
                                     read_pid(lock) + "; stop it or choose another --data-dir");
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(lock, 0) != 0 || pwrite(lock, pid.data(), pid.size(), 0) < 0) return refuse(path, errno);
  return opened;
}

DataDir::DataDir(DataDir&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

DataDir& DataDir::operator=(DataDir&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(lock_, other.lock_);
  return *this;
}

DataDir::~DataDir() {
  if (lock_ >= 0) close(lock_);
}

Result<std::string> DataDir::folder(const std::string& name) const {
  const std::string path = file(name);
  std::error_code failed;
  if (fs::create_directories(path, failed)) fs::permissions(path, fs::perms::owner_all, failed);
  if (failed) return refuse(path, failed.value());
  return path;
}

}  // namespace flotilla::daemon
