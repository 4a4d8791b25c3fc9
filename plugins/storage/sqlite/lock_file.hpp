// SPDX-License-Identifier: Apache-2.0
// One daemon per database: a lock file beside it that names who has it. The kernel drops the lock with the
// process, however it ends.
#pragma once

#include <string>

namespace flotilla::plugins::storage {

class LockFile {
 public:
  // Throws Failure naming the process that has the database.
  explicit LockFile(const std::string& database);
  ~LockFile();
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace flotilla::plugins::storage
