// SPDX-License-Identifier: Apache-2.0
#include "core/api/conditions.hpp"

namespace flotilla::api {

bool set_condition(Json& conditions, const Condition& condition, WallTime now) {
  for (Json& existing : conditions.elements()) {
    const Json& known = existing;
    if (known["type"].as_string() != condition.type) continue;
    const bool flipped = known["status"].as_string() != condition.status;
    if (!flipped && known["reason"].as_string() == condition.reason &&
        known["message"].as_string() == condition.message) {
      return false;
    }
    if (flipped) existing.set("lastTransitionTime", format_time(now));
    existing.set("status", condition.status);
    existing.set("reason", condition.reason);
    existing.set("message", condition.message);
    return true;
  }
  conditions.push_back(Json::object({{"type", condition.type},
                                     {"status", condition.status},
                                     {"reason", condition.reason},
                                     {"message", condition.message},
                                     {"lastTransitionTime", format_time(now)}}));
  return true;
}

const Json* find_condition(const Json& conditions, std::string_view type) {
  for (const Json& condition : conditions.elements()) {
    if (condition["type"].as_string() == type) return &condition;
  }
  return nullptr;
}

bool is_condition_true(const Json& conditions, std::string_view type) {
  const Json* condition = find_condition(conditions, type);
  return condition != nullptr && (*condition)["status"].as_string() == "True";
}

}  // namespace flotilla::api
