// SPDX-License-Identifier: Apache-2.0
// What every estimator must do (flotilla/abi/estimator.h), one check per rule. The clusters that are asked
// about are invented: an estimator knows none of them, or cannot reach them.
#pragma once

#include <flotilla/abi/estimator.h>

#include <span>
#include <string>

namespace flotilla::conformance {

struct EstimatorSubject {
  const flt_component_t* component = nullptr;
  std::string config_json = "{}";
};

struct EstimatorCheck {
  const char* id;                                // "EST-ORDER"
  const char* rule;                              // one sentence
  void (*run)(const EstimatorSubject& subject);  // throws
};

std::span<const EstimatorCheck> estimator_checks();

// Empty: passed. Otherwise what was wrong.
std::string run_check(const EstimatorCheck& check, const EstimatorSubject& subject);

}  // namespace flotilla::conformance
