// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/file_check.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

namespace flotilla::plugin {
namespace {

constexpr off_t kMaxBytes = 512ll << 20;

Status check_owner_and_mode(const std::string& path, const struct stat& info,
                            const std::vector<uid_t>& owners) {
  if (std::find(owners.begin(), owners.end(), info.st_uid) == owners.end()) {
    return Error(Code::Invalid, path + " belongs to uid " + std::to_string(info.st_uid) +
                                    ", not to root or this daemon's user: chown it");
  }
  const bool sticky_folder = S_ISDIR(info.st_mode) && (info.st_mode & S_ISVTX) != 0;
  if (sticky_folder) return {};
  if ((info.st_mode & S_IWOTH) != 0) {
    return Error(Code::Invalid, path + " is writable by everybody: chmod o-w " + path);
  }
  if ((info.st_mode & S_IWGRP) != 0 && info.st_gid != 0 && info.st_gid != getegid()) {
    return Error(Code::Invalid,
                 path + " is writable by a group that is not this daemon's: chmod g-w " + path);
  }
  return {};
}

Status check_plugin_file(const std::string& path, const struct stat& info) {
  if (S_ISLNK(info.st_mode))
    return Error(Code::Invalid, path + " is a symbolic link: put the file itself there");
  if (!S_ISREG(info.st_mode)) return Error(Code::Invalid, path + " is not a regular file");
  if ((info.st_mode & (S_ISUID | S_ISGID)) != 0) return Error(Code::Invalid, path + " is setuid or setgid");
  if (info.st_size > kMaxBytes) return Error(Code::Invalid, path + " is larger than 512 MiB");
  if (access(path.c_str(), R_OK) != 0)
    return Error(Code::Invalid, path + " cannot be read: " + std::strerror(errno));
  return {};
}

}  // namespace

std::vector<uid_t> trusted_owners() {
  std::vector<uid_t> owners{0, geteuid()};
  struct stat info {};
  if (stat("/proc/self/exe", &info) == 0) owners.push_back(info.st_uid);
  return owners;
}

Status check_file(const std::filesystem::path& absolute_path, const std::vector<uid_t>& owners) {
  std::filesystem::path path = absolute_path.lexically_normal();
  if (!path.is_absolute()) return Error(Code::Invalid, path.string() + " is not an absolute path");
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0)
    return Error(Code::Invalid, path.string() + ": " + std::strerror(errno));
  if (Status status = check_plugin_file(path.string(), info); !status) return status;
  if (Status status = check_owner_and_mode(path.string(), info, owners); !status) return status;
  while (path.has_relative_path()) {
    path = path.parent_path();
    if (stat(path.c_str(), &info) != 0)
      return Error(Code::Invalid, path.string() + ": " + std::strerror(errno));
    if (Status status = check_owner_and_mode(path.string(), info, owners); !status) return status;
  }
  return {};
}

}  // namespace flotilla::plugin
