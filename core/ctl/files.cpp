// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "core/ctl/kubeconfig.hpp"

namespace flotilla::ctl {

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const Code code = errno == ENOENT ? Code::NotFound : Code::Invalid;
    return Error(code, path + ": " + std::strerror(errno));
  }
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (file.bad()) return Error(Code::Invalid, path + " cannot be read");
  return text;
}

Status write_file(const std::string& path, std::string_view text, unsigned mode) {
  const std::string beside = path + ".new";
  const auto refuse = [&] { return Error(Code::Invalid, "write " + path + ": " + std::strerror(errno)); };
  const int file = open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (file < 0) return refuse();
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = write(file, rest.data(), rest.size());
    if (written < 0) {
      const Error error = refuse();
      close(file);
      unlink(beside.c_str());
      return error;
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  const bool safe = fchmod(file, mode) == 0 && fsync(file) == 0;
  close(file);
  if (!safe || rename(beside.c_str(), path.c_str()) != 0) return refuse();
  return {};
}

}  // namespace flotilla::ctl
