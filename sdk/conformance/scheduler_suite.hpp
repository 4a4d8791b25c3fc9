// SPDX-License-Identifier: Apache-2.0
// What every scheduling policy must do (flotilla/abi/scheduler.h), one check per rule.
#pragma once

#include <flotilla/abi/scheduler.h>

#include <span>
#include <string>

namespace flotilla::conformance {

struct SchedulerSubject {
  const flt_component_t* component = nullptr;
  std::string config_json = "{}";
};

struct SchedulerCheck {
  const char* id;                                // "SCH-PURE"
  const char* rule;                              // one sentence
  void (*run)(const SchedulerSubject& subject);  // throws
};

std::span<const SchedulerCheck> scheduler_checks();

// Empty: passed. Otherwise what was wrong.
std::string run_check(const SchedulerCheck& check, const SchedulerSubject& subject);

}  // namespace flotilla::conformance
