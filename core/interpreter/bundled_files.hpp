// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace flotilla::interpreter {

struct BundledFile {
  std::string_view path;  // below config/interpreters
  std::string_view text;
};

// In the program's read-only data; made by core/interpreter/CMakeLists.txt.
std::span<const BundledFile> bundled_files();

}  // namespace flotilla::interpreter
