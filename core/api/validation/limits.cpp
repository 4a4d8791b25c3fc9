// SPDX-License-Identifier: Apache-2.0
// LimitRange, ResourceQuota.
#include <algorithm>
#include <cstdio>
#include <set>

#include "core/api/quantity.hpp"
#include "core/api/resource_list.hpp"
#include "core/api/validation/containers.hpp"
#include "core/api/validation/kinds.hpp"

namespace flotilla::api::validation {
namespace {

// All but the one that only claims ask for.
bool standard_quota(std::string_view name) {
  return name != "storage" && is_standard_resource(name);
}

void compare_limits(const FieldView& item, std::string_view small, std::string_view large,
                    const std::string& path, std::string_view name) {
  const Json *a = item[small].value().find(name), *b = item[large].value().find(name);
  if (!a || !b) return;
  auto left = Quantity::from_json(*a), right = Quantity::from_json(*b);
  if (!left || !right || !(*left > *right)) return;
  // The value shown is the one that the path names, but for a minimum above the default.
  const bool shows_small =
      small != "default" && (path == at_key(item[small].path(), name) || large == "default");
  const auto words = [](std::string_view which) {
    return which == "default"          ? std::string("default")
           : which == "defaultRequest" ? std::string("default request")
                                       : std::string(which);
  };
  const std::string said = large == "default" && small == "defaultRequest" ? "default limit" : words(large);
  item.errors().add_literal("FieldValueInvalid", path,
                            "Invalid value: " + go_quantity(shows_small ? *a : *b) + ": " + words(small) +
                                " value " + std::string(a->as_string()) + " is greater than " + said +
                                " value " + std::string(b->as_string()));
}

void bad_ratio(const FieldView& item, const std::string& path, const Json& ratio, const std::string& detail) {
  item.errors().add_literal(
      "FieldValueInvalid", path,
      "Invalid value: " + go_quantity(ratio) + ": ratio " + std::string(ratio.as_string()) + " is " + detail);
}

void validate_ratio(const FieldView& item, std::string_view name) {
  const Json* ratio = item["maxLimitRequestRatio"].value().find(name);
  if (!ratio) return;
  const std::string path = at_key(item["maxLimitRequestRatio"].path(), name);
  auto most = Quantity::from_json(*ratio);
  if (!most) return;
  if (*most < Quantity(1)) bad_ratio(item, path, *ratio, "less than 1");
  const Json *min = item["min"].value().find(name), *max = item["max"].value().find(name);
  if (!min || !max) return;
  auto least = Quantity::from_json(*min), largest = Quantity::from_json(*max);
  if (!least || !largest || least->is_zero()) return;
  const double limit =
      static_cast<double>(largest->milli_value()) / static_cast<double>(least->milli_value());
  if (most->as_double() <= limit) return;
  char printed[64];
  std::snprintf(printed, sizeof printed, "%f", limit);
  bad_ratio(item, path, *ratio, std::string("greater than max/min = ") + printed);
}

// What cannot be promised twice is asked for as it is limited.
void validate_fixed_default(const FieldView& item, std::string_view name) {
  const Json *limit = item["default"].value().find(name),
             *request = item["defaultRequest"].value().find(name);
  if (may_overcommit(name) || !limit || !request) return;
  auto left = Quantity::from_json(*limit), right = Quantity::from_json(*request);
  if (!left || !right || *left == *right) return;
  item.errors().add_literal("FieldValueInvalid", at_key(item["defaultRequest"].path(), name),
                            "Invalid value: " + go_quantity(*request) + ": default value " +
                                std::string(limit->as_string()) + " must equal to defaultRequest value " +
                                std::string(request->as_string()) + " in " + std::string(name));
}

void validate_limit_type(const FieldView& type) {
  const auto found = check_qualified_name(type.text());
  for (const std::string& one : found) type.errors().invalid(type.path(), type.text(), one);
  const std::string_view text = type.text();
  const bool known = text == "Pod" || text == "Container" || text == "PersistentVolumeClaim";
  if (found.empty() && text.find('/') == text.npos && !known)
    type.invalid("must be a standard limit type or fully qualified");
}

// Gives the resources that are named.
std::set<std::string> validate_limit_names(const FieldView& item) {
  const std::string_view type = item["type"].text();
  const bool of_pods = type == "Pod", of_containers = of_pods || type == "Container";
  std::set<std::string> names;
  const auto add = [&](std::string_view list) {
    for (const auto& [name, value] : item[list].value().members()) {
      validate_limit_name(item.errors(), name, at_key(item[list].path(), name), of_containers);
      names.insert(std::string(name));
    }
  };
  add("max");
  add("min");
  for (const std::string_view list : {"default", "defaultRequest"}) {
    if (!of_pods) add(list);
    if (of_pods && item[list].filled()) item[list].forbid("may not be specified when `type` is 'Pod'");
  }
  if (type == "PersistentVolumeClaim" && !item["min"].value().contains("storage") &&
      !item["max"].value().contains("storage")) {
    item.errors().required(item.path() + ".limits",
                           "either minimum or maximum storage value is required, but neither was provided");
  }
  add("maxLimitRequestRatio");
  return names;
}

void validate_limit(const FieldView& item) {
  for (const std::string& name : validate_limit_names(item)) {
    const auto at = [&](std::string_view list) { return at_key(item[list].path(), name); };
    compare_limits(item, "min", "max", at("min"), name);
    if (item["type"].text() != "Pod") {
      compare_limits(item, "min", "defaultRequest", at("defaultRequest"), name);
      compare_limits(item, "defaultRequest", "max", at("defaultRequest"), name);
      compare_limits(item, "defaultRequest", "default", at("defaultRequest"), name);
      compare_limits(item, "min", "default", at("default"), name);
      compare_limits(item, "default", "max", at("default"), name);
    }
    validate_ratio(item, name);
    if (item["type"].text() != "Pod") validate_fixed_default(item, name);
  }
}

constexpr std::string_view kScopes[] = {"Terminating",   "NotTerminating", "BestEffort",
                                        "NotBestEffort", "PriorityClass",  "CrossNamespacePodAffinity"};

bool quota_scope(std::string_view scope) {
  return std::find(std::begin(kScopes), std::end(kScopes), scope) != std::end(kScopes);
}

// A scope of pods cannot count what is no pod.
bool scope_counts(std::string_view scope, std::string_view name) {
  const bool compute = name == "cpu" || name == "memory" || name == "ephemeral-storage" ||
                       name == "requests.cpu" || name == "requests.memory" ||
                       name == "requests.ephemeral-storage" || name == "limits.cpu" ||
                       name == "limits.memory" || name == "limits.ephemeral-storage";
  if (scope == "BestEffort") return name == "pods";
  if (!quota_scope(scope)) return true;
  return name == "pods" || compute;
}

// Which scopes go together, and what they may count; `bad` takes what is wrong.
template <typename Bad>
void validate_scope(const FieldView& spec, std::string_view scope, Bad bad) {
  std::set<std::string_view> names;
  for (const auto& [name, value] : spec["hard"].value().members()) names.insert(name);
  for (const std::string_view name : names) {
    if (standard_quota(name) && !scope_counts(scope, name)) bad("unsupported scope applied to resource");
  }
}

template <typename Bad>
void validate_scope_pairs(const std::set<std::string_view>& scopes, Bad bad) {
  if (scopes.contains("BestEffort") && scopes.contains("NotBestEffort")) bad("conflicting scopes");
  if (scopes.contains("Terminating") && scopes.contains("NotTerminating")) bad("conflicting scopes");
}

void validate_scopes(const FieldView& spec) {
  const FieldView scopes = spec["scopes"];
  std::set<std::string_view> seen;
  const auto bad = [&](const char* why) { scopes.invalid(why); };
  for (const FieldView& one : scopes.each()) {
    if (!quota_scope(one.text())) bad("unsupported scope");
    validate_scope(spec, one.text(), bad);
    seen.insert(one.text());
  }
  validate_scope_pairs(seen, bad);
}

void validate_scope_expression(const FieldView& one, const std::string& path) {
  constexpr std::string_view kExists =
      "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, "
      "ResourceQuotaScopeNotTerminating, "
      "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
      "ResourceQuotaScopeCrossNamespacePodAffinity";
  const std::string_view scope = one["scopeName"].text(), op = one["operator"].text();
  const FieldView values(one["values"].value(), at_field(path, "values"), one.errors());
  const std::string op_path = at_field(path, "operator");
  if (quota_scope(scope) && scope != "PriorityClass" && op != "Exists")
    one.errors().invalid(op_path, op, kExists);
  if (op == "In" || op == "NotIn") {
    if (!values.filled()) {
      one.errors().required(
          values.path(), "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector");
    }
  } else if (op == "Exists" || op == "DoesNotExist") {
    if (values.filled())
      values.invalid("must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector");
  } else {
    one.errors().invalid(op_path, op, "not a valid selector operator");
  }
}

// Kubernetes leaves the index out of these paths.
void validate_scope_selector(const FieldView& spec) {
  const FieldView selector = spec["scopeSelector"], expressions = selector["matchExpressions"];
  std::set<std::string_view> seen;
  const auto bad = [&](const char* why) { spec.errors().invalid(expressions.path(), selector.value(), why); };
  for (const FieldView& one : expressions.each()) {
    const std::string_view scope = one["scopeName"].text();
    if (!quota_scope(scope))
      one.errors().invalid(at_field(expressions.path(), "scopeName"), scope, "unsupported scope");
    validate_scope(spec, scope, bad);
    validate_scope_expression(one, expressions.path());
    seen.insert(scope);
  }
  validate_scope_pairs(
      seen, [&](const char* why) { spec.errors().invalid(expressions.path(), spec["scopes"].value(), why); });
}

void validate_quantities(const FieldView& list) {
  for (const auto& [name, value] : list.value().members()) {
    const std::string path = at_key(list.path(), name);
    validate_resource_name(list.errors(), name, path);
    if (name.find('/') == name.npos && !standard_quota(name))
      list.errors().invalid(path, name, "must be a standard resource for quota");
    validate_resource_amount(list.errors(), name, value, path);
  }
}

}  // namespace

void limit_range(const Subject& subject) {
  std::set<std::string_view> types;
  for (const FieldView& item : subject.spec()["limits"].each()) {
    const FieldView type = item["type"];
    validate_limit_type(type);
    if (!types.insert(type.text()).second) type.errors().duplicate(type.path(), type.text());
    validate_limit(item);
  }
}

void resource_quota(const Subject& subject) {
  const FieldView spec = subject.spec(), scopes = spec["scopes"];
  validate_quantities(spec["hard"]);
  validate_scopes(spec);
  validate_scope_selector(spec);
  if (subject.creates()) return resource_quota_status(subject);
  const auto as_set = [](const Json& list) {
    std::set<std::string_view> all;
    for (const Json& one : list.elements()) all.insert(one.as_string());
    return all;
  };
  if (as_set(scopes.value()) != as_set(subject.live["spec"]["scopes"])) scopes.invalid("field is immutable");
}

void resource_quota_status(const Subject& subject) {
  for (const std::string_view list : {"hard", "used"}) validate_quantities(subject.object["status"][list]);
}

}  // namespace flotilla::api::validation
