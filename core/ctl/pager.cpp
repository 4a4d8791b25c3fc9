// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/pager.hpp"

#include <unistd.h>

#include <cstdlib>
#include <string>

#include "core/ctl/paint.hpp"

namespace flotilla::ctl {

Pager::Pager(bool wanted) {
  if (!wanted || isatty(STDOUT_FILENO) == 0) return;
  const char* named = std::getenv("PAGER");
  const std::string command = named == nullptr ? "less -FRX" : named;
  if (command.empty() || command == "cat") return;
  (void)paint(Colour::Plain, "");  // whether there are colours is decided while this is a terminal
  std::fflush(stdout);
  reader_ = popen(command.c_str(), "w");  // NOLINT(cert-env33-c): the user's own choice
  if (reader_ == nullptr) return;
  terminal_ = dup(STDOUT_FILENO);
  dup2(fileno(reader_), STDOUT_FILENO);
}

Pager::~Pager() {
  if (reader_ == nullptr) return;
  std::fflush(stdout);
  dup2(terminal_, STDOUT_FILENO);
  close(terminal_);
  pclose(reader_);
}

}  // namespace flotilla::ctl
