// SPDX-License-Identifier: Apache-2.0
// What every storage backend must do (flotilla/abi/storage.h), one check per rule. flotilla-storage-check
// runs them against any shared library; tests do so with a subject of their own.
#pragma once

#include <flotilla/abi/entry.h>

#include <cstdint>
#include <span>
#include <string>

namespace flotilla::conformance {

struct StorageSubject {
  const flt_component_t* component = nullptr;
  std::string config_json = "{}";  // of a store without keys; of others' writes it may have seen any
  std::string state_dir;           // fresh and empty for each check
  std::uint64_t seed = 1;
};

struct StorageCheck {
  const char* id;                              // "STO-COMMIT-GUARD"
  const char* rule;                            // one sentence
  void (*run)(const StorageSubject& subject);  // throws Violation or NotApplicable
};

std::span<const StorageCheck> storage_checks();

struct Verdict {
  enum Outcome : std::uint8_t { Passed, Failed, NotApplicable };
  Outcome outcome = Passed;
  std::string why;  // what was wrong, or the capability that excludes the rule
};
Verdict run_check(const StorageCheck& check, const StorageSubject& subject);

}  // namespace flotilla::conformance
