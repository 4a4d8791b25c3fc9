// SPDX-License-Identifier: Apache-2.0
// A topic of recorded behaviour: how one `input` is asked of the production code.
#pragma once

#include <span>
#include <string_view>

#include "core/api/json.hpp"

namespace flotilla::compat {

// Answers one `input` in the shape of `expected`; an error is {"error": {"message", "class"?}}.
using Answer = api::Json (*)(const api::Json& input);

struct Topic {
  std::string_view name;
  Answer answer;
};

// One list per owner of behaviour, each in the file of its name.
std::span<const Topic>
scheduler_topics();  // scheduling, division, spread, estimator, cluster_match, schedule_trigger
std::span<const Topic> override_topics();  // overrides
std::span<const Topic>
propagation_topics();  // names, policy_match, preemption, binding_build, works, prune, ...
std::span<const Topic> interpreter_topics();  // interpreter_*
std::span<const Topic> cluster_topics();      // eviction, cluster_taints, cluster_summary, quota_usage, ...
std::span<const Topic>
admission_topics();                      // webhook_default, webhook_validate, cluster_admission, conversion
std::span<const Topic> schema_topics();  // the kinds of schema.json, one by one

}  // namespace flotilla::compat
