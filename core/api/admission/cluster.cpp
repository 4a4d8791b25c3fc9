// SPDX-License-Identifier: Apache-2.0
// Cluster objects, as Karmada's aggregated API server completes and refuses them.
#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/api/admission/rules.hpp"
#include "core/api/karmada.hpp"
#include "core/api/quantity.hpp"
#include "core/api/selector.hpp"
#include "core/api/taint.hpp"

namespace flotilla::api {

namespace {

constexpr std::string_view kUnbounded = "9223372036854775807";

// The grades of nodes that a cluster without models is measured by.
constexpr std::array<std::string_view, 9> kCpuBounds = {"0", "1", "2", "4", "8", "16", "32", "64", "128"};
constexpr std::array<std::string_view, 9> kMemoryBounds = {"0",     "4Gi",   "16Gi",  "32Gi", "64Gi",
                                                           "128Gi", "256Gi", "512Gi", "1Ti"};

Json model_range(std::string_view name, std::span<const std::string_view> bounds, std::size_t grade) {
  std::string_view max = grade + 1 < bounds.size() ? bounds[grade + 1] : kUnbounded;
  return Json::object({{"name", name}, {"min", bounds[grade]}, {"max", max}});
}

Json default_models() {
  Json models = Json::array();
  for (std::size_t grade = 0; grade < kCpuBounds.size(); ++grade) {
    Json ranges =
        Json::array({model_range("cpu", kCpuBounds, grade), model_range("memory", kMemoryBounds, grade)});
    models.push_back(Json::object({{"grade", grade}, {"ranges", std::move(ranges)}}));
  }
  return models;
}

// Ascending by grade, the first from nothing, the last without a bound.
void straighten_models(Json& models) {
  auto list = models.elements();
  std::stable_sort(list.begin(), list.end(),
                   [](const Json& a, const Json& b) { return a["grade"].as_int() < b["grade"].as_int(); });
  for (Json& range : list.front()["ranges"].elements()) range.set("min", "0");
  for (Json& range : list.back()["ranges"].elements()) range.set("max", kUnbounded);
}

void complete_models(Json& spec, const Admission& admission) {
  if (!admission.options.customized_cluster_resource_modeling) return;
  if (!std::as_const(spec)["resourceModels"].empty()) {
    straighten_models(spec["resourceModels"]);
  } else if (admission.is_create()) {
    spec.set("resourceModels", default_models());
  }
}

void complete_taints(Json& spec, WallTime now) {
  Json* taints = spec.find("taints");
  if (taints == nullptr) return;
  for (Json& taint : taints->elements()) {
    const Json& written = taint;
    if (written["effect"].as_string() == kNoExecute && written["timeAdded"].is_null()) {
      taint.set("timeAdded", format_time(now));
    }
  }
}

// The one zone of old becomes the first of the list.
void complete_zones(Json& spec) {
  const Json& written = spec;
  if (written["zone"].as_string().empty() || !written["zones"].empty()) return;
  spec.set("zones", Json::array({written["zone"]}));
  spec.erase("zone");
}

void drop_empty_texts(Json& spec) {
  for (const std::string& key : spec.keys()) {
    if (std::as_const(spec)[key].is_string() && std::as_const(spec)[key].as_string().empty()) spec.erase(key);
  }
}

void review_label(const std::string& field, const Json& value, FieldErrors& errors) {
  invalid_each(errors, field, value, validate_label_value(value.as_string()));
}

void review_secret(const Json& secret, const std::string& field, FieldErrors& errors) {
  if (secret.is_null()) return;
  for (std::string_view member : {"namespace", "name"}) {
    if (secret[member].as_string().empty()) errors.required(field + "." + std::string(member));
  }
}

void review_proxy(std::string_view url, FieldErrors& errors) {
  if (url.empty()) return;
  std::string_view scheme = url.substr(0, url.find("://"));
  if (scheme.size() == url.size()) scheme = {};
  if (scheme == "http" || scheme == "https" || scheme == "socks5") return;
  errors.invalid("spec.proxyURL", url,
                 "unsupported scheme \"" + std::string(scheme) + "\", must be http, https, or socks5");
}

void review_taints(const Json& taints, FieldErrors& errors) {
  for (std::size_t i = 0; i < taints.size(); ++i) {
    const Json& taint = taints.element(i);
    std::string path = at_index("spec.taints", i);
    invalid_each(errors, path + ".key", taint["key"], validate_label_key(taint["key"].as_string()));
    review_label(path + ".value", taint["value"], errors);
    std::string_view effect = taint["effect"].as_string();
    if (effect.empty()) {
      errors.required(path + ".effect");
    } else if (effect != kNoSchedule && effect != "PreferNoSchedule" && effect != kNoExecute) {
      errors.not_supported(path + ".effect", taint["effect"], {kNoSchedule, "PreferNoSchedule", kNoExecute});
    }
    auto earlier = taints.elements().first(i);
    bool repeated = std::any_of(earlier.begin(), earlier.end(),
                                [&](const Json& other) { return is_same_taint(other, taint); });
    if (repeated) errors.duplicate(path, taint);
  }
}

// Equal as Karmada compares the ends of two models: by value and as written, so 1000m does not meet 1.
bool meet(const Json& max, const Json& min) {
  auto a = Quantity::from_json(max);
  auto b = Quantity::from_json(min);
  auto is_fraction = [](std::string_view text) {
    return text.ends_with('m') || text.ends_with('u') || text.ends_with('n');
  };
  return a && b && *a == *b && a->format() == b->format() &&
         is_fraction(max.as_string()) == is_fraction(min.as_string());
}

std::string_view model_complaint(const Json& model, const Json* before) {
  auto ranges = model["ranges"].elements();
  if (before != nullptr && (*before)["grade"] == model["grade"]) {
    return "The grade of each models should not be the same";
  }
  if (before != nullptr && (*before)["ranges"].size() != ranges.size()) {
    return "The number of resource types should be the same";
  }
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    auto min = Quantity::from_json(ranges[i]["min"]);
    auto max = Quantity::from_json(ranges[i]["max"]);
    if (!min || !max) return "quantities must match the regular expression of Kubernetes";
    if (*max <= *min) return "The max value of each resource must be greater than the min value";
    if (before == nullptr) continue;
    const Json& below = (*before)["ranges"].element(i);
    if (below["name"] != ranges[i]["name"]) return "The resource types of each models should be the same";
    if (!meet(below["max"], ranges[i]["min"])) {
      return "Model intervals for resources must be contiguous and non-overlapping";
    }
  }
  return {};
}

void review_models(const Json& models, FieldErrors& errors) {
  for (std::size_t i = 0; i < models.size(); ++i) {
    std::string_view complaint =
        model_complaint(models.element(i), i == 0 ? nullptr : &models.element(i - 1));
    if (complaint.empty()) continue;
    errors.invalid("spec.resourceModels", models, complaint);
    return;
  }
}

void review_name(const Json& name, FieldErrors& errors) {
  bool has_dots = name.as_string().find('.') != std::string_view::npos;
  invalid_each(
      errors, "metadata.name", name,
      has_dots ? std::vector<std::string>{"must not contain dots"} : check_cluster_name(name.as_string()));
}

void review_place(const Json& spec, FieldErrors& errors) {
  review_label("spec.provider", spec["provider"], errors);
  review_label("spec.region", spec["region"], errors);
  review_label("spec.zone", spec["zone"], errors);
  for (const Json& zone : spec["zones"].elements()) review_label("spec.Zones", zone, errors);
  std::string_view zone = spec["zone"].as_string();
  if (!zone.empty() && !spec["zones"].empty() && spec["zones"].element(0).as_string() != zone) {
    errors.invalid("spec.spec", spec, "zone and zones can not co-exist");
  }
}

}  // namespace

Status complete_cluster(Json& object, const Admission& admission) {
  const Json& old = admission.request.old_object;
  Json& spec = object["spec"];
  if (admission.is_create()) {
    object.set("status", Json::object());
    object["metadata"].set("generation", 1);
  } else {
    if (old["status"].is_null()) {
      object.erase("status");
    } else {
      object.set("status", old["status"]);
    }
    std::int64_t generation = old["metadata"]["generation"].as_int();
    bool changed = std::as_const(spec) != old["spec"];
    object["metadata"].set("generation", changed ? generation + 1 : generation);
  }
  complete_models(spec, admission);
  complete_taints(spec, admission.world.now());
  complete_zones(spec);
  drop_empty_texts(spec);
  return {};
}

Status review_cluster(const Admission& admission) {
  const Json& object = admission.request.object;
  const Json& spec = object["spec"];
  FieldErrors errors;
  review_name(object["metadata"]["name"], errors);
  std::string_view mode = spec["syncMode"].as_string();
  if (mode.empty()) errors.required("spec.syncMode");
  if (mode != "Push" && mode != "Pull") errors.not_supported("spec.syncMode", mode, {"Pull", "Push"});
  std::string_view endpoint = spec["apiEndpoint"].as_string();
  if (!endpoint.empty()) review_url("spec.apiEndpoint", endpoint, errors);
  review_secret(spec["secretRef"], "spec.secretRef", errors);
  review_secret(spec["impersonatorSecretRef"], "spec.impersonatorSecretRef", errors);
  review_proxy(spec["proxyURL"].as_string(), errors);
  review_place(spec, errors);
  review_taints(spec["taints"], errors);
  if (admission.options.customized_cluster_resource_modeling) review_models(spec["resourceModels"], errors);
  return errors.empty()
             ? Status()
             : errors.to_error(groups::kCluster, "Cluster", object["metadata"]["name"].as_string());
}

void review_url(const std::string& field, std::string_view url, FieldErrors& errors) {
  std::string_view scheme = url.substr(0, url.find("://"));
  if (scheme.size() == url.size() || scheme.empty()) {
    errors.invalid(field, url, "must be a valid URL: missing protocol scheme");
    return;
  }
  std::string_view rest = url.substr(scheme.size() + 3);
  std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  rest.remove_prefix(authority.size());
  if (auto at = authority.rfind('@'); at != std::string_view::npos) {
    errors.invalid(field, authority.substr(0, at), "user information is not permitted in the URL");
    authority.remove_prefix(at + 1);
  }
  if (authority.empty()) errors.invalid(field, "", "host must be specified");
  if (auto hash = rest.find('#'); hash != std::string_view::npos) {
    if (hash + 1 < rest.size()) {
      errors.invalid(field, rest.substr(hash + 1), "fragments are not permitted in the URL");
    }
    rest = rest.substr(0, hash);
  }
  if (auto mark = rest.find('?'); mark != std::string_view::npos && mark + 1 < rest.size()) {
    errors.invalid(field, rest.substr(mark + 1), "query parameters are not permitted in the URL");
  }
}

}  // namespace flotilla::api
