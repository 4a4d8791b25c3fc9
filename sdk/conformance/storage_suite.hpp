// SPDX-License-Identifier: Apache-2.0
// What every storage backend must do (flotilla/abi/storage.h), one check per rule.
#pragma once

#include <flotilla/abi/entry.h>

#include <span>
#include <string>

namespace flotilla::conformance {

struct StorageSubject {
  const flt_component_t* component = nullptr;
  std::string config_json = "{}";
  std::string state_dir;  // fresh and empty for each check
  std::uint64_t seed = 1;
};

struct StorageCheck {
  const char* id;                              // "STO-COMMIT-GUARD"
  const char* rule;                            // one sentence
  void (*run)(const StorageSubject& subject);  // throws Violation
};

std::span<const StorageCheck> storage_checks();

// Empty: passed. Otherwise what was wrong.
std::string run_check(const StorageCheck& check, const StorageSubject& subject);

}  // namespace flotilla::conformance
