// SPDX-License-Identifier: Apache-2.0
#include "core/api/taint.hpp"

namespace flotilla::api {

bool tolerates(const Json& toleration, const Json& taint) {
  std::string_view effect = toleration["effect"].as_string();
  if (!effect.empty() && effect != taint["effect"].as_string()) return false;
  std::string_view key = toleration["key"].as_string();
  if (!key.empty() && key != taint["key"].as_string()) return false;
  std::string_view op = toleration["operator"].as_string();
  if (op.empty() || op == "Equal") return toleration["value"].as_string() == taint["value"].as_string();
  return op == "Exists";
}

const Json* find_toleration(std::span<const Json> tolerations, const Json& taint) {
  for (const Json& toleration : tolerations) {
    if (tolerates(toleration, taint)) return &toleration;
  }
  return nullptr;
}

bool is_same_taint(const Json& a, const Json& b) {
  return a["key"].as_string() == b["key"].as_string() && a["effect"].as_string() == b["effect"].as_string();
}

}  // namespace flotilla::api
