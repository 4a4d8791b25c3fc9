// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/federated_autoscale/scaling_limits.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace flotilla::controllers {

using api::Json;
using std::chrono::seconds;

namespace {

using Memory = AutoscaleMemory;

constexpr LimitReason kReady{"ReadyForNewScale", "recommended size matches current size"};
constexpr LimitReason kDownStabilized{
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation"};
constexpr LimitReason kUpStabilized{
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation"};
constexpr LimitReason kWithin{"DesiredWithinRange", "the desired count is within the acceptable range"};
constexpr LimitReason kTooMany{"TooManyReplicas",
                               "the desired replica count is more than the maximum replica count"};
constexpr LimitReason kTooFew{"TooFewReplicas",
                              "the desired replica count is less than the minimum replica count"};
constexpr LimitReason kUpLimit{"ScaleUpLimit",
                               "the desired replica count is increasing faster than the maximum scale rate"};
constexpr LimitReason kDownLimit{
    "ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate"};

// An entry nobody will look at any more gives its place.
void remember(Memory& memory, std::int64_t replicas, WallTime now, WallTime cutoff) {
  std::erase_if(memory.recommendations, [&](const auto& old) { return old.at < cutoff; });
  memory.recommendations.push_back({replicas, now});
}

Limited limit_plainly(Memory& memory, const LimitRequest& request) {
  const WallTime cutoff =
      request.now - std::chrono::duration_cast<WallTime::duration>(request.downscale_stabilization);
  std::int64_t stable = request.wanted;
  for (const auto& old : memory.recommendations) {
    if (old.at >= cutoff) stable = std::max(stable, old.replicas);
  }
  remember(memory, request.wanted, request.now, cutoff);
  Limited result;
  result.stabilized = stable != request.wanted;
  result.able = result.stabilized ? kDownStabilized : kReady;

  // No more than twice as many, but four at any rate, at once.
  const std::int64_t rate = std::max<std::int64_t>(2 * request.current, 4);
  const std::int64_t most = std::min(request.most, rate);
  result.replicas = stable;
  result.limit = kWithin;
  if (stable < request.least) {
    result.replicas = request.least;
    result.limit = kTooFew;
  } else if (stable > most) {
    result.replicas = most;
    result.limit = request.most > rate ? kUpLimit : kTooMany;
  }
  result.limited = result.replicas != stable;
  return result;
}

// Changes that happened within the period of a policy.
std::int64_t changed_within(const std::vector<Memory::Step>& steps, std::int64_t period, WallTime now) {
  std::int64_t sum = 0;
  for (const auto& step : steps) {
    if (step.at > now - seconds(period)) sum += step.change;
  }
  return sum;
}

// The farthest that the policies of one direction let the replicas go. `sign` is 1 for up, -1 for down.
std::int64_t policy_bound(const Memory& memory, const Json& rules, std::int64_t current, int sign,
                          WallTime now) {
  const std::string_view select = rules["selectPolicy"].as_string();
  if (select == "Disabled") return current;
  std::optional<std::int64_t> bound;
  for (const Json& policy : rules["policies"].elements()) {
    const std::int64_t period = policy["periodSeconds"].as_int(), value = policy["value"].as_int();
    const std::int64_t start =
        current - changed_within(memory.ups, period, now) + changed_within(memory.downs, period, now);
    std::int64_t reach = start + sign * value;
    if (policy["type"].as_string() == "Percent") {
      const double share = static_cast<double>(start) * (1 + sign * static_cast<double>(value) / 100);
      reach = static_cast<std::int64_t>(sign > 0 ? std::ceil(share) : share);
    }
    const bool farther = bound && (sign > 0 ? reach > *bound : reach < *bound);
    if (!bound || farther == (select != "Min")) bound = reach;
  }
  if (bound) return *bound;
  // Without policies the greatest change is none upwards, and anything downwards.
  const bool least = (select == "Min") != (sign > 0);
  return least ? std::numeric_limits<std::int32_t>::min() : std::numeric_limits<std::int32_t>::max();
}

void limit_by_policies(const Memory& memory, const LimitRequest& request, std::int64_t stable,
                       Limited& result) {
  result.replicas = stable;
  result.limit = kWithin;
  if (stable > request.current) {
    const std::int64_t reach = std::max(
        policy_bound(memory, request.behavior["scaleUp"], request.current, 1, request.now), request.current);
    const std::int64_t most = std::min(request.most, reach);
    if (stable > most) {
      result.replicas = most;
      result.limit = request.most > reach ? kUpLimit : kTooMany;
    }
  } else if (stable < request.current) {
    const std::int64_t reach =
        std::min(policy_bound(memory, request.behavior["scaleDown"], request.current, -1, request.now),
                 request.current);
    const std::int64_t least = std::max(request.least, reach);
    if (stable < least) {
      result.replicas = least;
      result.limit = request.least < reach ? kDownLimit : kTooFew;
    }
  }
  result.limited = result.replicas != stable;
}

Limited limit_by_behavior(Memory& memory, const LimitRequest& request) {
  const auto window = [&](const char* direction, std::int64_t otherwise) {
    return seconds(request.behavior[direction]["stabilizationWindowSeconds"].as_int(otherwise));
  };
  const auto plain = std::chrono::duration_cast<seconds>(request.downscale_stabilization).count();
  const WallTime up_cutoff = request.now - window("scaleUp", 0);
  const WallTime down_cutoff = request.now - window("scaleDown", plain);
  std::int64_t lowest = request.wanted, highest = request.wanted;
  for (const auto& old : memory.recommendations) {
    if (old.at > up_cutoff) lowest = std::min(lowest, old.replicas);
    if (old.at > down_cutoff) highest = std::max(highest, old.replicas);
  }
  const std::int64_t stable = std::min(std::max(request.current, lowest), highest);
  remember(memory, request.wanted, request.now, std::min(up_cutoff, down_cutoff));
  Limited result;
  result.stabilized = stable != request.wanted;
  result.able = !result.stabilized                  ? kReady
                : request.wanted >= request.current ? kUpStabilized
                                                    : kDownStabilized;
  limit_by_policies(memory, request, stable, result);
  return result;
}

}  // namespace

Limited limit_replicas(AutoscaleMemory& memory, const LimitRequest& request) {
  return request.behavior.is_object() ? limit_by_behavior(memory, request) : limit_plainly(memory, request);
}

void note_step(AutoscaleMemory& memory, const Json& behavior, std::int64_t before, std::int64_t after,
               WallTime now) {
  if (!behavior.is_object() || before == after) return;
  std::int64_t longest = 0;
  for (const char* direction : {"scaleUp", "scaleDown"}) {
    for (const Json& policy : behavior[direction]["policies"].elements())
      longest = std::max(longest, policy["periodSeconds"].as_int());
  }
  for (auto* steps : {&memory.ups, &memory.downs})
    std::erase_if(*steps, [&](const auto& step) { return step.at < now - seconds(longest); });
  (after > before ? memory.ups : memory.downs).push_back({std::abs(after - before), now});
}

}  // namespace flotilla::controllers
