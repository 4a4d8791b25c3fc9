// SPDX-License-Identifier: Apache-2.0
// Reads an ELF file without loading it: nothing in it runs, every offset is checked against the file's size.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace flotilla::plugin {

struct ElfFacts {
  std::vector<std::string> exported;  // dynamic symbols that others could bind to
  std::vector<std::string> needed;    // libraries
  std::vector<std::string> notices;   // allowed, but worth a word: further exports, unique symbols
};

// Errors: Invalid: no ELF shared object of this machine, cut short, no flt_plugin_v1, another ABI major,
// relocations in code, executable stack, a search path that is not absolute.
Result<ElfFacts> check_elf(std::string_view bytes);
Result<ElfFacts> check_elf_file(const std::filesystem::path& path);

}  // namespace flotilla::plugin
