// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/options.hpp"

#include <algorithm>

#include "core/controllers/propagation/event_filter.hpp"
#include "core/controllers/scheduler_profiles.hpp"
#include "core/controllers/skipped_namespaces.hpp"

namespace flotilla::controllers {

bool is_enabled(const Options& options, std::string_view name, bool by_default) {
  bool all = false;
  for (const std::string& listed : options.controllers) {
    if (listed == name) return true;
    if (listed.starts_with('-') && std::string_view(listed).substr(1) == name) return false;
    all |= listed == "*";
  }
  return all && by_default;
}

Status check(const Options& options) {
  if (const auto skipped = SkippedApis::parse(options.skipped_propagating_apis); !skipped) {
    return Error(Code::Invalid, "controllers.skipped_propagating_apis: " + skipped.error().message());
  }
  if (const auto skipped = SkippedNamespaces::parse(options.skipped_propagating_namespaces); !skipped) {
    return Error(Code::Invalid, "controllers.skipped_propagating_namespaces: " + skipped.error().message());
  }
  if (!options.scheduler_estimators.is_null() && !options.scheduler_estimators.is_object())
    return Error(Code::Invalid, "scheduler.estimators: must be a map of estimators to their configuration");
  if (const auto profiles = scheduler_profiles(options); !profiles) return profiles.error();
  if (options.scheduler_policy_deadline < std::chrono::milliseconds(10))
    return Error(Code::Invalid, "scheduler.policy_deadline: at least 10ms");
  return {};
}

}  // namespace flotilla::controllers
