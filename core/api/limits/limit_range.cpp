// SPDX-License-Identifier: Apache-2.0
#include "core/api/limits/limit_range.hpp"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "core/api/quantity.hpp"
#include "core/api/resource_list.hpp"

namespace flotilla::api {
namespace {

constexpr const char* kAnnotation = "kubernetes.io/limit-ranger";

ResourceList amounts_of(const Json& list) {
  auto read = ResourceList::from_json(list);
  return read ? *std::move(read) : ResourceList();
}

// By value: to be walked in place.
ResourceList::Amounts map_of(const ResourceList& list) {
  return list.amounts();
}

// Sets what is absent; the names that were set, joined.
std::string fill(const Json& defaults, Json& container, const char* which) {
  std::string names;
  for (const auto& [name, value] : defaults.members()) {
    if (std::as_const(container)["resources"][which].contains(name)) continue;
    container.make({"resources", which}).set(name, value);
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  return names;
}

struct Defaults {
  Json requests = Json::object(), limits = Json::object();
};

void merge(const Defaults& defaults, Json& containers, std::string_view what, std::string& notes) {
  for (Json& container : containers.elements()) {
    const std::string name(std::as_const(container)["name"].as_string());
    const std::string limits = fill(defaults.limits, container, "limits");
    const std::string requests = fill(defaults.requests, container, "requests");
    const auto note = [&](const std::string& set, const char* kind) {
      if (set.empty()) return;
      notes += (notes.empty() ? "" : "; ") + fmt::format("{} {} for {} {}", set, kind, what, name);
    };
    note(requests, "request");
    note(limits, "limit");
  }
}

class Checker {
 public:
  Checker(std::string_view type, const Json& limit) : type_(type), limit_(limit) {}

  // One container, or the sums of a pod.
  void check(const ResourceList& requests, const ResourceList& limits) {
    for (const auto& [name, bound] : map_of(amounts_of(limit_["min"])))
      check_least(name, bound, requests, limits);
    for (const auto& [name, bound] : map_of(amounts_of(limit_["max"])))
      check_most(name, bound, requests, limits);
    for (const auto& [name, bound] : map_of(amounts_of(limit_["maxLimitRequestRatio"])))
      check_ratio(name, bound, requests, limits);
  }

  void check_claim(const ResourceList& requests) {
    for (const auto& [name, bound] : map_of(amounts_of(limit_["min"])))
      check_least(name, bound, requests, ResourceList());
    for (const auto& [name, bound] : map_of(amounts_of(limit_["max"]))) {
      const auto request = find(requests, name);
      if (!request) {
        say("maximum {} usage per {} is {}. No request is specified", name, bound);
      } else if (*request > bound) {
        say("maximum {} usage per {} is {}, but request is {}", name, bound, request->to_string());
      }
    }
  }

  std::vector<std::string> faults;

 private:
  static std::optional<Quantity> find(const ResourceList& list, const std::string& name) {
    const auto found = list.amounts().find(name);
    if (found == list.amounts().end()) return std::nullopt;
    return found->second;
  }

  void say(const char* text, const std::string& name, const Quantity& bound, const std::string& seen = {}) {
    const std::string limit = bound.to_string();
    faults.push_back(fmt::vformat(text, fmt::make_format_args(name, type_, limit, seen)));
  }

  void check_least(const std::string& name, const Quantity& bound, const ResourceList& requests,
                   const ResourceList& limits) {
    const auto request = find(requests, name);
    const auto limit = find(limits, name);
    if (!request) {
      say("minimum {} usage per {} is {}.  No request is specified", name, bound);
    } else if (*request < bound) {
      say("minimum {} usage per {} is {}, but request is {}", name, bound, request->to_string());
    } else if (limit && *limit < bound) {
      say("minimum {} usage per {} is {}, but limit is {}", name, bound, limit->to_string());
    }
  }

  void check_most(const std::string& name, const Quantity& bound, const ResourceList& requests,
                  const ResourceList& limits) {
    const auto request = find(requests, name);
    const auto limit = find(limits, name);
    if (!limit) {
      say("maximum {} usage per {} is {}.  No limit is specified", name, bound);
    } else if (*limit > bound) {
      say("maximum {} usage per {} is {}, but limit is {}", name, bound, limit->to_string());
    } else if (request && *request > bound) {
      say("maximum {} usage per {} is {}, but request is {}", name, bound, request->to_string());
    }
  }

  void check_ratio(const std::string& name, const Quantity& bound, const ResourceList& requests,
                   const ResourceList& limits) {
    const auto request = find(requests, name);
    const auto limit = find(limits, name);
    if (!request || request->is_zero()) {
      say("{} max limit to request ratio per {} is {}, but no request is specified or request is 0", name,
          bound);
    } else if (!limit || limit->is_zero()) {
      say("{} max limit to request ratio per {} is {}, but no limit is specified or limit is 0", name, bound);
    } else if (const double ratio = limit->as_double() / request->as_double(); ratio > bound.as_double()) {
      say("{} max limit to request ratio per {} is {}, but provided ratio is {}", name, bound,
          fmt::format("{:.6f}", ratio));
    }
  }

  std::string_view type_;
  const Json& limit_;
};

std::string joined(const std::vector<std::string>& faults) {
  if (faults.empty()) return "";
  if (faults.size() == 1) return faults.front();
  return fmt::format("[{}]", fmt::join(faults, ", "));
}

ResourceList pod_total(const Json& spec, const char* which) {
  ResourceList total;
  for (const Json& container : spec["containers"].elements())
    total.add(amounts_of(container["resources"][which]));
  for (const Json& container : spec["initContainers"].elements())
    total.raise_to(amounts_of(container["resources"][which]));
  return total;
}

}  // namespace

void apply_limit_defaults(const Json& limit_range, Json& pod) {
  Defaults defaults;
  for (const Json& limit : limit_range["spec"]["limits"].elements()) {
    if (limit["type"].as_string() != "Container") continue;
    for (const auto& [name, value] : limit["defaultRequest"].members()) defaults.requests.set(name, value);
    for (const auto& [name, value] : limit["default"].members()) defaults.limits.set(name, value);
  }
  std::string notes;
  const Json& spec = std::as_const(pod)["spec"];
  const bool has_init = spec["initContainers"].size() > 0;
  merge(defaults, pod["spec"]["containers"], "container", notes);
  if (has_init) merge(defaults, pod["spec"]["initContainers"], "init container", notes);
  if (!notes.empty()) pod.make({"metadata", "annotations", kAnnotation}) = "LimitRanger plugin set: " + notes;
}

std::string check_pod_limits(const Json& limit_range, const Json& pod) {
  std::vector<std::string> faults;
  const Json& spec = pod["spec"];
  for (const Json& limit : limit_range["spec"]["limits"].elements()) {
    const std::string_view type = limit["type"].as_string();
    Checker checker(type, limit);
    if (type == "Container") {
      for (const char* list : {"containers", "initContainers"}) {
        for (const Json& container : spec[list].elements())
          checker.check(amounts_of(container["resources"]["requests"]),
                        amounts_of(container["resources"]["limits"]));
      }
    } else if (type == "Pod") {
      checker.check(pod_total(spec, "requests"), pod_total(spec, "limits"));
    }
    faults.insert(faults.end(), checker.faults.begin(), checker.faults.end());
  }
  return joined(faults);
}

std::string check_claim_limits(const Json& limit_range, const Json& claim) {
  std::vector<std::string> faults;
  for (const Json& limit : limit_range["spec"]["limits"].elements()) {
    if (limit["type"].as_string() != "PersistentVolumeClaim") continue;
    Checker checker("PersistentVolumeClaim", limit);
    checker.check_claim(amounts_of(claim["spec"]["resources"]["requests"]));
    faults.insert(faults.end(), checker.faults.begin(), checker.faults.end());
  }
  return joined(faults);
}

}  // namespace flotilla::api
