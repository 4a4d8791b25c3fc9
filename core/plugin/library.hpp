// SPDX-License-Identifier: Apache-2.0
// Shared libraries. library.cpp is the only file that knows Boost.DLL. A library is never unloaded: code
// stays mapped for the life of the process, so no pointer into a plugin ever dangles.
#pragma once

#include <flotilla/abi/entry.h>

#include <filesystem>

#include "core/base/result.hpp"

namespace flotilla::plugin {

// Loads the file and finds its flt_plugin_v1; nothing in it was checked. Runs the library's constructors:
// check the file first (file_check.hpp, elf_check.hpp). Errors: Invalid with the dynamic loader's own words.
Result<const flt_plugin_v1_t*> load_library(const std::filesystem::path& absolute_path);

}  // namespace flotilla::plugin
