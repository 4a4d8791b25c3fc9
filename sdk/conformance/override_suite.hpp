// SPDX-License-Identifier: Apache-2.0
// What every override rule must do (flotilla/abi/override.h), one check per rule.
#pragma once

#include <flotilla/abi/override.h>

#include <span>
#include <string>
#include <vector>

namespace flotilla::conformance {

struct OverrideSubject {
  // Parameters and a manifest that they can be applied to, as JSON.
  struct Example {
    std::string params;
    std::string manifest;
  };

  const flt_component_t* component = nullptr;
  std::string config_json = "{}";
  std::vector<Example> examples;  // at least one
};

struct OverrideCheck {
  const char* id;                               // "OVR-PURE"
  const char* rule;                             // one sentence
  void (*run)(const OverrideSubject& subject);  // throws
};

std::span<const OverrideCheck> override_checks();

// Empty: passed. Otherwise what was wrong.
std::string run_check(const OverrideCheck& check, const OverrideSubject& subject);

}  // namespace flotilla::conformance
