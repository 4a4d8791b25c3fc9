// SPDX-License-Identifier: Apache-2.0
// The folder in which a daemon keeps everything that outlives it: database, certificates, keys, kubeconfig.
// One daemon at a time: the lock is the kernel's, so it is gone with the process however that ends.
#pragma once

#include <string>

#include "core/base/result.hpp"

namespace flotilla::daemon {

class DataDir {
 public:
  // Makes the folder (0700) where it is missing and locks it. Errors: Invalid (cannot be made or written),
  // Conflict naming the pid of the daemon that has it.
  static Result<DataDir> open(const std::string& path);
  DataDir(DataDir&& other) noexcept;
  DataDir& operator=(DataDir&& other) noexcept;
  ~DataDir();

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  // A folder in it, made where it is missing.
  Result<std::string> folder(const std::string& name) const;

 private:
  DataDir(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::string path_;
  int lock_ = -1;
};

}  // namespace flotilla::daemon
