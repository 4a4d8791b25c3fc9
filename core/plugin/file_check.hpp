// SPDX-License-Identifier: Apache-2.0
// What a plugin file must be before one byte of it is trusted: a regular file that only root, this daemon's
// user or the owner of this program could have put there.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <vector>

#include "core/base/result.hpp"

namespace flotilla::plugin {

// Owners whose files are trusted: root, the effective user, and who owns the running executable.
std::vector<uid_t> trusted_owners();

// Checks the file and every folder above it: owner, not writable by others (a sticky folder is fine), by a
// group only if it is root's or ours. Errors: Invalid, saying which path is wrong and how to repair it.
Status check_file(const std::filesystem::path& absolute_path, const std::vector<uid_t>& owners);

}  // namespace flotilla::plugin
