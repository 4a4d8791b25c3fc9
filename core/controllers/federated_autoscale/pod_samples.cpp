// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/federated_autoscale/pod_samples.hpp"

#include <optional>

#include "core/api/object.hpp"
#include "core/api/quantity.hpp"

namespace flotilla::controllers {

using api::Json;

namespace {

PodSample sample_of(const Json& metrics, std::int64_t value) {
  PodSample sample;
  sample.value = value;
  if (const auto time = parse_time(metrics["timestamp"].as_string())) sample.timestamp = *time;
  if (const auto window = parse_duration(metrics["window"].as_string())) sample.window = *window;
  return sample;
}

std::optional<std::int64_t> sum_of_containers(const Json& metrics, std::string_view resource) {
  const auto containers = metrics["containers"].elements();
  if (containers.empty()) return std::nullopt;
  std::int64_t sum = 0;
  for (const Json& container : containers) {
    const Json& usage = container["usage"][resource];
    if (usage.is_null()) return std::nullopt;
    sum += milli_of(usage);
  }
  return sum;
}

}  // namespace

std::string member_key(std::string_view cluster, std::string_view name) {
  return std::string(cluster) + "/" + std::string(name);
}

Json trim_scaled_pod(const Json& pod) {
  const auto keep = [](const Json& from, std::initializer_list<const char*> fields) {
    Json kept = Json::object();
    for (const char* field : fields) {
      if (const Json* value = from.find(field)) kept.set(field, *value);
    }
    return kept;
  };
  Json containers = Json::array();
  for (const Json& container : pod["spec"]["containers"].elements())
    containers.push_back(keep(container, {"name", "resources"}));
  Json status = keep(pod["status"], {"phase", "startTime"});
  Json conditions = Json::array();
  for (const Json& condition : pod["status"]["conditions"].elements()) {
    if (condition["type"].as_string() == "Ready") conditions.push_back(condition);
  }
  status.set("conditions", std::move(conditions));
  Json trimmed =
      Json::object({{"metadata", keep(pod["metadata"], {"name", "namespace", "labels", "deletionTimestamp"})},
                    {"spec", Json::object({{"containers", std::move(containers)}})},
                    {"status", std::move(status)}});
  trimmed.freeze();
  return trimmed;
}

std::int64_t milli_of(const Json& quantity) {
  const auto read = api::Quantity::from_json(quantity);
  return read ? read->milli_value() : 0;
}

PodSamples pod_usage(const std::vector<MemberObject>& metrics, std::string_view resource) {
  PodSamples samples;
  for (const MemberObject& one : metrics) {
    if (const auto sum = sum_of_containers(one.object, resource))
      samples[member_key(one.cluster, api::name_of(one.object))] = sample_of(one.object, *sum);
  }
  return samples;
}

Result<PodSamples> container_usage(const std::vector<MemberObject>& metrics, std::string_view resource,
                                   std::string_view container) {
  PodSamples samples;
  for (const MemberObject& one : metrics) {
    const Json* found = nullptr;
    for (const Json& candidate : one.object["containers"].elements()) {
      if (candidate["name"].as_string() == container) found = &candidate;
    }
    if (found == nullptr) {
      return invalid("container " + std::string(container) + " not present in metrics for pod " +
                     api::key_of(one.object).text());
    }
    const Json& usage = (*found)["usage"][resource];
    if (!usage.is_null())
      samples[member_key(one.cluster, api::name_of(one.object))] = sample_of(one.object, milli_of(usage));
  }
  return samples;
}

PodSamples custom_values(const std::vector<MemberObject>& metrics) {
  PodSamples samples;
  for (const MemberObject& one : metrics) {
    PodSample sample = sample_of(one.object, milli_of(one.object["value"]));
    if (one.object["windowSeconds"].is_int())
      sample.window = std::chrono::seconds(one.object["windowSeconds"].as_int());
    samples[member_key(one.cluster, one.object["describedObject"]["name"].as_string())] = sample;
  }
  return samples;
}

}  // namespace flotilla::controllers
