// SPDX-License-Identifier: Apache-2.0
#include "lock_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <flotilla/sdk/plugin.hpp>

#include <cerrno>
#include <system_error>

namespace flotilla::plugins::storage {

LockFile::LockFile(const std::string& database) {
  const std::string path = database + ".lock";
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0) {
    throw sdk::Failure(FLT_UNAVAILABLE, path + ": " + std::generic_category().message(errno) +
                                            "; the folder must exist and be writable");
  }
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    char text[32] = {};
    const ssize_t length = ::pread(fd_, text, sizeof text - 1, 0);
    ::close(fd_);
    const std::string owner =
        length > 0 ? "process " + std::string(text, static_cast<std::size_t>(length)) : "another process";
    throw sdk::Failure(FLT_FAILED_PRECONDITION, database + " is in use by " + owner +
                                                    "; stop it, or give this daemon a file of its own");
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, pid.data(), pid.size(), 0) < 0) return;  // only for people
}

LockFile::~LockFile() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace flotilla::plugins::storage
