// SPDX-License-Identifier: Apache-2.0
// Whose code ran when the daemon crashed. Before a component's function is called, a note is put up for this
// thread; a crash writes it down, and the next start leaves out who crashed the daemon twice in a short time.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>

#include "core/base/clock.hpp"

namespace flotilla::plugin {

// Two crashes within this time are too many.
inline constexpr Duration kCrashWindow = std::chrono::minutes(10);

// For the duration of one call; costs two stores. `component` outlives it.
class CrashNote {
 public:
  explicit CrashNote(const char* component) noexcept;
  ~CrashNote();
  CrashNote(const CrashNote&) = delete;
  CrashNote& operator=(const CrashNote&) = delete;

 private:
  const char* before_;
};

// From now on a crash of this process appends the name on the note of its thread to this file. Where somebody
// handles such signals already (sanitizers), nothing is done. Once per process: the last file counts.
void note_crashes_in(const std::filesystem::path& file);

// A call of this component did not return: written down like so many crashes, in the file of
// note_crashes_in(); nothing happens without one.
void note_hang(std::string_view component, int times);

// Those that crashed or hung at least twice within kCrashWindow, as of `now`: what was written since the last
// start counts as of now. Forgets what is older. A file that is not there is empty.
std::set<std::string> crashed_too_often(const std::filesystem::path& file, WallTime now);

}  // namespace flotilla::plugin
