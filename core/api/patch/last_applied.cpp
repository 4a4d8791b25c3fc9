// SPDX-License-Identifier: Apache-2.0
#include "core/api/patch/last_applied.hpp"

namespace flotilla::api {
namespace {

// What is in `last` and not in `wanted`, as nulls; then what differs from `live`.
Json diff(const Json& last, const Json& wanted, const Json& live) {
  Json patch = Json::object();
  for (const auto& [key, value] : last.members()) {
    if (!wanted.contains(key) && live.contains(key)) patch.set(key, Json());
  }
  for (const auto& [key, value] : wanted.members()) {
    const Json& there = live[key];
    if (value.is_object() && there.is_object()) {
      Json below = diff(last[key], value, there);
      if (!below.empty()) patch.set(key, std::move(below));
      continue;
    }
    // A list's elements have defaults filled in by the server: it differs when what was applied differs.
    const bool same = value.is_array() && live.contains(key) ? value == last[key] : value == there;
    if (!same) patch.set(key, value);
  }
  return patch;
}

}  // namespace

Json with_last_applied(const Json& object) {
  Json clean = object;
  Json& metadata = clean["metadata"];
  if (Json* annotations = metadata.find("annotations")) annotations->erase(kLastApplied);
  const std::string text = clean.dump() + "\n";
  clean.make({"metadata", "annotations"}).set(kLastApplied, text);
  return clean;
}

Json three_way_patch(const Json& last, const Json& wanted, const Json& live) {
  return diff(last, wanted, live);
}

}  // namespace flotilla::api
