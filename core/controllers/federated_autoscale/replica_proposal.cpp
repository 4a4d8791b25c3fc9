// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/federated_autoscale/replica_proposal.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/api/conditions.hpp"
#include "core/api/object.hpp"

namespace flotilla::controllers {

using api::Json;

namespace {

using Requests = std::map<std::string, std::int64_t>;

struct Groups {
  std::int64_t ready = 0;
  std::set<std::string> unready, missing, ignored;
};

std::optional<WallTime> time_of(const Json& text) {
  const auto time = parse_time(text.as_string());
  return time ? std::optional(*time) : std::nullopt;
}

// While it starts, and until a whole window was measured since it became ready, a pod's cpu says little.
bool is_unready(const Json& pod, const PodSample& sample, const AutoscaleView& view) {
  const Json& status = pod["status"];
  const Json* condition = api::find_condition(status["conditions"], "Ready");
  const auto started = time_of(status["startTime"]);
  if (condition == nullptr || !started) return true;
  const bool not_ready = (*condition)["status"].as_string() == "False";
  const WallTime since = time_of((*condition)["lastTransitionTime"]).value_or(WallTime());
  if (*started + view.tuning.cpu_initialization_period > view.now)
    return not_ready || sample.timestamp < since + sample.window;
  return not_ready && *started + view.tuning.initial_readiness_delay > since;
}

Groups group_pods(const PodSamples& samples, std::string_view resource, const AutoscaleView& view) {
  Groups groups;
  for (const MemberObject& pod : view.pods) {
    const std::string key = member_key(pod.cluster, api::name_of(pod.object));
    const std::string_view phase = pod.object["status"]["phase"].as_string();
    if (!pod.object["metadata"]["deletionTimestamp"].is_null() || phase == "Failed") {
      groups.ignored.insert(key);
    } else if (phase == "Pending") {
      groups.unready.insert(key);
    } else if (const auto sample = samples.find(key); sample == samples.end()) {
      groups.missing.insert(key);
    } else if (resource == "cpu" && is_unready(pod.object, sample->second, view)) {
      groups.unready.insert(key);
    } else {
      ++groups.ready;
    }
  }
  return groups;
}

void leave_out(PodSamples& samples, const Groups& groups) {
  std::erase_if(samples, [&](const auto& entry) {
    return groups.ignored.contains(entry.first) || groups.unready.contains(entry.first);
  });
}

Result<Requests> requests_of(std::string_view resource, std::string_view container,
                             const AutoscaleView& view) {
  Requests requests;
  for (const MemberObject& pod : view.pods) {
    std::int64_t sum = 0;
    for (const Json& one : pod.object["spec"]["containers"].elements()) {
      const std::string_view name = one["name"].as_string();
      if (!container.empty() && name != container) continue;
      const Json& request = one["resources"]["requests"][resource];
      if (request.is_null()) {
        return invalid("missing request for " + std::string(resource) + " in container " + std::string(name) +
                       " of Pod " + std::string(api::name_of(pod.object)));
      }
      sum += milli_of(request);
    }
    requests[member_key(pod.cluster, api::name_of(pod.object))] = sum;
  }
  return requests;
}

struct Ratio {
  double ratio = 0;
  std::int64_t usage = 0;
  std::optional<std::int64_t> utilization;
};

Result<Ratio> utilization_ratio(const PodSamples& samples, const Requests& requests, std::int64_t target) {
  std::int64_t used = 0, requested = 0, count = 0;
  for (const auto& [key, sample] : samples) {
    const auto request = requests.find(key);
    if (request == requests.end()) continue;
    used += sample.value;
    requested += request->second;
    ++count;
  }
  if (requested == 0) return invalid("no metrics returned matched known pods");
  const std::int64_t utilization = used * 100 / requested;
  return Ratio{static_cast<double>(utilization) / static_cast<double>(target), used / count, utilization};
}

Ratio usage_ratio(const PodSamples& samples, std::int64_t target) {
  std::int64_t used = 0;
  for (const auto& [key, sample] : samples) used += sample.value;
  const std::int64_t average = used / static_cast<std::int64_t>(samples.size());
  return {static_cast<double>(average) / static_cast<double>(target), average, std::nullopt};
}

std::int64_t rounded_up(double value) {
  return static_cast<std::int64_t>(std::ceil(value));
}

bool is_close(double ratio, const AutoscaleView& view) {
  return std::abs(1.0 - ratio) <= view.tuning.tolerance;
}

// Both kinds of targets in one: `measure` answers the ratio of some samples, `full` what a pod is said to use
// of which nothing is known when the answer would shrink.
template <typename Measure, typename Full>
Result<Proposal> propose(PodSamples samples, std::string_view resource, const AutoscaleView& view,
                         const Measure& measure, const Full& full) {
  if (view.pods.empty()) return invalid("no pods returned by selector while calculating replica count");
  const Groups groups = group_pods(samples, resource, view);
  leave_out(samples, groups);
  if (samples.empty()) return invalid("did not receive metrics for any ready pods");
  const Result<Ratio> first = measure(samples);
  if (!first) return first.error();
  Proposal proposal{view.replicas, first->usage, first->utilization};
  const bool grows_with_unready = !groups.unready.empty() && first->ratio > 1.0;
  if (!grows_with_unready && groups.missing.empty()) {
    if (!is_close(first->ratio, view))
      proposal.replicas = rounded_up(first->ratio * static_cast<double>(groups.ready) / view.calibration);
    return proposal;
  }
  for (const std::string& key : groups.missing) {
    if (first->ratio < 1.0) samples[key].value = full(key);
    if (first->ratio > 1.0) samples[key].value = 0;
  }
  if (grows_with_unready) {
    for (const std::string& key : groups.unready) samples[key].value = 0;
  }
  const Result<Ratio> second = measure(samples);
  if (!second) return second.error();
  const double ratio = second->ratio;
  const bool turned = (first->ratio < 1.0 && ratio > 1.0) || (first->ratio > 1.0 && ratio < 1.0);
  if (is_close(ratio, view) || turned) return proposal;
  const std::int64_t wanted = rounded_up(ratio * static_cast<double>(samples.size()) / view.calibration);
  const bool contrary = (ratio < 1.0 && wanted > view.replicas) || (ratio > 1.0 && wanted < view.replicas);
  if (!contrary) proposal.replicas = wanted;
  return proposal;
}

}  // namespace

Result<Proposal> propose_for_utilization(PodSamples samples, std::int64_t target_percent,
                                         std::string_view resource, std::string_view container,
                                         const AutoscaleView& view) {
  if (view.pods.empty()) return invalid("no pods returned by selector while calculating replica count");
  const Result<Requests> requests = requests_of(resource, container, view);
  if (!requests) return requests.error();
  const std::int64_t share = std::max<std::int64_t>(100, target_percent);
  const auto measure = [&](const PodSamples& some) {
    return utilization_ratio(some, *requests, target_percent);
  };
  const auto full = [&](const std::string& key) { return requests->at(key) * share / 100; };
  return propose(std::move(samples), resource, view, measure, full);
}

Result<Proposal> propose_for_average(PodSamples samples, std::int64_t target, std::string_view resource,
                                     const AutoscaleView& view) {
  const auto measure = [&](const PodSamples& some) -> Result<Ratio> { return usage_ratio(some, target); };
  const auto full = [&](const std::string&) { return target; };
  return propose(std::move(samples), resource, view, measure, full);
}

Result<Proposal> propose_for_value(std::int64_t usage, std::int64_t target, const AutoscaleView& view) {
  const double ratio = static_cast<double>(usage) / static_cast<double>(target);
  Proposal proposal{view.replicas, usage, std::nullopt};
  if (view.replicas == 0) {
    proposal.replicas = rounded_up(ratio);  // from nothing to something
    return proposal;
  }
  if (is_close(ratio, view)) return proposal;
  if (view.pods.empty())
    return invalid(
        "unable to calculate ready pods: no pods returned by selector while calculating replica count");
  const auto ready = std::count_if(view.pods.begin(), view.pods.end(), [](const MemberObject& pod) {
    const Json& status = pod.object["status"];
    return status["phase"].as_string() == "Running" && api::is_condition_true(status["conditions"], "Ready");
  });
  proposal.replicas = rounded_up(ratio * static_cast<double>(ready) / view.calibration);
  return proposal;
}

Proposal propose_for_value_per_pod(std::int64_t usage, std::int64_t target, const AutoscaleView& view) {
  const double pods = static_cast<double>(view.status_replicas);
  const double ratio = static_cast<double>(usage) / (static_cast<double>(target) * pods);
  Proposal proposal{view.status_replicas, 0, std::nullopt};
  if (!is_close(ratio, view))
    proposal.replicas = rounded_up(static_cast<double>(usage) / static_cast<double>(target));
  proposal.replicas = rounded_up(static_cast<double>(proposal.replicas) / view.calibration);
  proposal.usage = pods > 0 ? rounded_up(static_cast<double>(usage) / pods) : usage;
  return proposal;
}

}  // namespace flotilla::controllers
