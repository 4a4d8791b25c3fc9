// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>

#include "core/api/admission/rules.hpp"
#include "core/api/names.hpp"
#include "core/api/selector.hpp"

namespace flotilla::api {

namespace {

constexpr std::string_view kNoPointer =
    "JSON pointer must be empty or start with a \"/\"\nJSON pointer error";

// Of all overriders but the field overrider, which Karmada does not count here.
bool has_overriders(const Json& overriders) {
  for (std::string_view kind : {"plaintext", "imageOverrider", "commandOverrider", "argsOverrider",
                                "labelsOverrider", "annotationsOverrider"}) {
    if (!overriders[kind].empty()) return true;
  }
  return false;
}

void review_pointer(const std::string& field, const Json& pointer, FieldErrors& errors) {
  std::string_view text = pointer.as_string();
  if (!text.empty() && text.front() != '/') errors.invalid(field, pointer, kNoPointer);
}

void review_labels(const Json& overriders, const std::string& path, FieldErrors& errors) {
  const Json& list = overriders["labelsOverrider"];
  for (std::size_t i = 0; i < list.size(); ++i) {
    std::string field = at_index(path + ".labelsOverrider", i) + ".value";
    for (auto [key, value] : list.element(i)["value"].members()) {
      invalid_each(errors, field, key, validate_label_key(key));
      invalid_each(errors, field, value, validate_label_value(value.as_string()));
    }
  }
}

void review_annotations(const Json& overriders, const std::string& path, FieldErrors& errors) {
  const Json& list = overriders["annotationsOverrider"];
  for (std::size_t i = 0; i < list.size(); ++i) {
    std::string field = at_index(path + ".annotationsOverrider", i) + ".value";
    for (auto [key, value] : list.element(i)["value"].members()) {
      invalid_each(errors, field, key, validate_label_key(to_lower(key)));
    }
  }
}

void review_images(const Json& overriders, const std::string& path, FieldErrors& errors) {
  const Json& list = overriders["imageOverrider"];
  for (std::size_t i = 0; i < list.size(); ++i) {
    review_pointer(at_index(path + ".imageOverrider", i) + ".predicate.path",
                   list.element(i).at({"predicate", "path"}), errors);
  }
}

void review_operations(const Json& operations, const std::string& path, FieldErrors& errors) {
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const Json& operation = operations.element(i);
    std::string place = at_index(path, i);
    review_pointer(place + ".subPath", operation["subPath"], errors);
    std::string_view verb = operation["operator"].as_string();
    const Json& value = operation["value"];
    if ((verb == "add" || verb == "replace") && value.is_null()) {
      errors.invalid(place + ".value", value, "value is required for add or replace operation");
    } else if (verb == "remove" && !value.is_null()) {
      errors.invalid(place + ".value", value, "value is not allowed for remove operation");
    }
  }
}

void review_fields(const Json& overriders, const std::string& path, FieldErrors& errors) {
  const Json& list = overriders["fieldOverrider"];
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Json& overrider = list.element(i);
    std::string place = at_index(path + ".fieldOverrider", i);
    bool has_json = !overrider["json"].empty();
    bool has_yaml = !overrider["yaml"].empty();
    if (has_json && has_yaml) {
      errors.invalid(place, overrider, "FieldOverrider has both YAML and JSON set. Only one is allowed");
    } else if (!has_json && !has_yaml) {
      errors.required(place, "FieldOverrider must have either JSON or YAML set");
    }
    review_pointer(place + ".fieldPath", overrider["fieldPath"], errors);
    review_operations(overrider["json"], place + ".json", errors);
    review_operations(overrider["yaml"], place + ".yaml", errors);
  }
}

void review_spec(const Json& spec, FieldErrors& errors) {
  const Json& rules = spec["overrideRules"];
  if (!rules.is_null() && !spec["targetCluster"].is_null()) {
    errors.invalid("spec.targetCluster", spec["targetCluster"],
                   "overrideRules and targetCluster can't co-exist");
  }
  if (!rules.is_null() && has_overriders(spec["overriders"])) {
    errors.invalid("spec.overriders", spec["overriders"], "overrideRules and overriders can't co-exist");
  }
  review_cluster_affinity(spec["targetCluster"], "spec.targetCluster", errors);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const Json& rule = rules.element(i);
    std::string place = at_index("spec.overrideRules", i);
    std::string path = place + ".overriders";
    const Json& overriders = rule["overriders"];
    review_labels(overriders, path, errors);
    review_annotations(overriders, path, errors);
    review_images(overriders, path, errors);
    review_fields(overriders, path, errors);
    review_cluster_affinity(rule["targetCluster"], place + ".targetCluster", errors);
  }
}

}  // namespace

Status review_override_policy(const Admission& admission) {
  FieldErrors errors;
  review_spec(admission.request.object["spec"], errors);
  review_selector_namespaces(admission.request.object, errors);
  return denial(errors);
}

Status review_cluster_override_policy(const Admission& admission) {
  FieldErrors errors;
  review_spec(admission.request.object["spec"], errors);
  return denial(errors);
}

}  // namespace flotilla::api
