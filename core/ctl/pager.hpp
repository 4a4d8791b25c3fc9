// SPDX-License-Identifier: Apache-2.0
// Long answers on a terminal go through $PAGER (less -FRX without one), as git's do. Nothing happens where
// standard output is no terminal, PAGER is empty or "cat", or nobody wants it.
#pragma once

#include <cstdio>

namespace flotilla::ctl {

// While it lives, standard output is the pager's.
class Pager {
 public:
  explicit Pager(bool wanted);
  ~Pager();  // waits for the reader
  Pager(const Pager&) = delete;
  Pager& operator=(const Pager&) = delete;

 private:
  std::FILE* reader_ = nullptr;
  int terminal_ = -1;
};

}  // namespace flotilla::ctl
