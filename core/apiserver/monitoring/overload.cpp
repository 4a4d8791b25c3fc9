// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/monitoring/overload.hpp"

namespace flotilla::apiserver {

bool is_long_running(const RequestInfo& info) {
  if (info.verb == "watch" || info.verb == "proxy") return true;
  for (const std::string_view sub : {"attach", "exec", "proxy", "log", "portforward"}) {
    if (info.subresource == sub) return true;
  }
  return false;
}

bool is_mutating(const RequestInfo& info) {
  return info.verb != "get" && info.verb != "list" && info.verb != "watch" && info.verb != "head";
}

Overload::Place Overload::enter(const RequestInfo& info, bool exempt) {
  Place place;
  if (is_long_running(info)) {
    place.count_ = &long_running_;
    long_running_.fetch_add(1, std::memory_order_relaxed);
    return place;
  }
  Lane& lane = is_mutating(info) ? mutating_ : reading_;
  const std::int64_t before = lane.count.fetch_add(1, std::memory_order_relaxed);
  place.count_ = &lane.count;
  if (lane.bound > 0 && before >= lane.bound && !exempt) {
    lane.refused.fetch_add(1, std::memory_order_relaxed);
    place.refused_ = true;
  }
  return place;
}

}  // namespace flotilla::apiserver
