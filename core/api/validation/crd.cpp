// SPDX-License-Identifier: Apache-2.0
// CustomResourceDefinition: names, versions, and the rules of structural schemas (k8s-api 9.1, 9.3).
#include <algorithm>
#include <regex>
#include <set>

#include "core/api/schema/schema.hpp"
#include "core/api/validation/kinds.hpp"
#include "core/api/validation/validation.hpp"

namespace flotilla::api::validation {
namespace {

constexpr std::string_view kApproval = "api-approved.kubernetes.io";

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  return out;
}

void mixed_case_label(const FieldView& name) {
  for (const std::string& one : check_dns1035_label(lower(name.text()))) {
    name.invalid("may have mixed case, but should otherwise match: " + one);
  }
}

void validate_names(const FieldView& names) {
  for (const std::string_view name : {"plural", "singular"}) {
    if (name == "plural" && !names[name].given()) {
      names[name].require();
      continue;
    }
    if (names[name].given()) names[name].messages(check_dns1035_label(names[name].text()));
  }
  if (names["kind"].require()) mixed_case_label(names["kind"]);
  if (names["listKind"].given()) mixed_case_label(names["listKind"]);
  for (const FieldView& one : names["shortNames"].each()) one.messages(check_dns1035_label(one.text()));
  for (const FieldView& one : names["categories"].each()) one.messages(check_dns1035_label(one.text()));
  if (names["kind"].given() && names["kind"].value() == names["listKind"].value()) {
    names["listKind"].invalid("kind and listKind may not be the same");
  }
}

bool protected_group(std::string_view group) {
  return group == "k8s.io" || group == "kubernetes.io" || group.ends_with(".k8s.io") ||
         group.ends_with(".kubernetes.io");
}

void validate_approval(const Subject& subject) {
  const FieldView annotations = subject.object["metadata"]["annotations"];
  if (!protected_group(subject.spec()["group"].text()) || !subject.creates()) return;
  const std::string path = at_key("metadata.annotations", kApproval);
  const std::string detail =
      "protected groups must have approval annotation \"api-approved.kubernetes.io\", see "
      "https://github.com/kubernetes/enhancements/pull/1111";
  const std::string_view value = annotations.value()[kApproval].as_string();
  if (value.empty()) {
    annotations.errors().required(path, detail);
  } else if (!value.starts_with("unapproved") && value.find("://") == value.npos) {
    annotations.errors().invalid(path, value, detail);
  }
}

// One node of a schema. `root` and inside junctors other rules hold.
class StructuralCheck {
 public:
  void node(const FieldView& schema, bool root, bool nested) {
    const FieldView type = schema["type"];
    const bool free_type = schema["x-kubernetes-int-or-string"].value().as_bool() ||
                           schema["x-kubernetes-preserve-unknown-fields"].value().as_bool();
    if (nested) {
      forbidden_inside(schema);
    } else if (!type.given() && !free_type && schema["$ref"].value().is_null()) {
      type.errors().required(type.path(), root ? "must not be empty at the root"
                                               : "must not be empty for specified object fields");
    }
    if (type.given()) type.one_of({"array", "boolean", "integer", "number", "object", "string"});
    if (root && type.given() && type.text() != "object") type.invalid("must be object at the root");
    extensions(schema);
    unsupported(schema);
    if (schema["pattern"].given()) pattern(schema["pattern"]);
    if (!schema["properties"].value().empty() && !schema["additionalProperties"].value().is_null()) {
      schema["additionalProperties"].forbid("additionalProperties and properties are mutual exclusive");
    }
    if (type.text() == "array" && schema["items"].value().is_null() && !nested)
      schema["items"].errors().required(schema["items"].path(), "must be specified");
    default_value(schema);
    rules(schema);
    children(schema, nested);
  }

 private:
  static void forbidden_inside(const FieldView& schema) {
    for (const std::string_view name : {"type", "title", "description"}) {
      if (schema[name].given()) schema[name].forbid("must be empty to be structural");
    }
    for (const std::string_view name : {"additionalProperties", "default", "nullable"}) {
      const Json& value = schema[name].value();
      if (!value.is_null() && !(value.is_bool() && !value.as_bool()))
        schema[name].forbid("must be undefined to be structural");
    }
  }

  static void extensions(const FieldView& schema) {
    const FieldView preserve = schema["x-kubernetes-preserve-unknown-fields"];
    if (preserve.value().is_bool() && !preserve.value().as_bool())
      preserve.invalid("must be true or undefined");
    const FieldView list_type = schema["x-kubernetes-list-type"], keys = schema["x-kubernetes-list-map-keys"];
    if (list_type.given()) {
      if (schema["type"].text() != "array") {
        schema["type"].errors().invalid(schema["type"].path(), schema["type"].text(),
                                        "must be array if x-kubernetes-list-type is specified");
      }
      list_type.one_of({"atomic", "map", "set"});
      if (list_type.text() == "map" && !keys.filled())
        keys.errors().required(keys.path(), "must not be empty if x-kubernetes-list-type is map");
    } else if (keys.filled()) {
      list_type.errors().required(list_type.path(), "must be map if x-kubernetes-list-map-keys is non-empty");
    }
    if (schema["x-kubernetes-embedded-resource"].value().as_bool()) {
      if (!preserve.value().as_bool() && schema["properties"].value().empty()) {
        schema["properties"].errors().required(schema["properties"].path(),
                                               "must not be empty if x-kubernetes-embedded-resource is true "
                                               "without x-kubernetes-preserve-unknown-fields");
      }
      if (schema["type"].text() != "object") {
        schema["type"].errors().invalid(schema["type"].path(), schema["type"].text(),
                                        "must be object if x-kubernetes-embedded-resource is true");
      }
    }
  }

  static void unsupported(const FieldView& schema) {
    for (const std::string_view name :
         {"$ref", "definitions", "dependencies", "patternProperties", "additionalItems", "id"}) {
      if (!schema[name].value().is_null()) schema[name].forbid(std::string(name) + " is not supported");
    }
    if (schema["uniqueItems"].value().as_bool()) {
      schema["uniqueItems"].forbid(
          "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
    }
  }

  static void pattern(const FieldView& pattern) {
    try {
      const std::regex compiled(std::string(pattern.text()), std::regex::ECMAScript);
    } catch (const std::regex_error& error) {
      const bool paren = error.code() == std::regex_constants::error_paren;
      const std::string why = paren ? "missing closing ): `" + std::string(pattern.text()) + "`"
                                    : "invalid syntax: `" + std::string(pattern.text()) + "`";
      pattern.invalid("must be a valid regular expression, but isn't: error parsing regexp: " + why);
    }
  }

  // A default has to obey its own schema.
  static void default_value(const FieldView& schema) {
    const FieldView preset = schema["default"];
    if (preset.value().is_null()) return;
    auto made = read_custom_schema(
        Json::object({{"type", "object"}, {"properties", Json::object({{"x", schema.value()}})}}));
    if (!made) return;
    FieldErrors found;
    validate_custom(*made->root->field("x")->schema, preset.value(), "", found);
    for (const Cause& one : found.causes()) {
      preset.errors().add_literal(
          one.reason, one.field.empty() ? preset.path() : at_field(preset.path(), one.field), one.message);
    }
  }

  static void rules(const FieldView& schema) {
    for (const FieldView& rule : schema["x-kubernetes-validations"].each()) {
      std::string_view text = rule["rule"].text();
      text.remove_prefix(std::min(text.find_first_not_of(" \t\n"), text.size()));
      if (text.empty()) rule["rule"].errors().required(rule["rule"].path(), "rule is not specified");
    }
  }

  void children(const FieldView& schema, bool nested) {
    const FieldView properties = schema["properties"];
    for (const auto& [name, value] : properties.value().members()) {
      node(FieldView(value, at_key(properties.path(), name), schema.errors()), false, nested);
    }
    if (schema["items"].value().is_object()) node(schema["items"], false, nested);
    if (schema["additionalProperties"].value().is_object())
      node(schema["additionalProperties"], false, nested);
    const bool int_or_string = schema["x-kubernetes-int-or-string"].value().as_bool();
    for (const std::string_view name : {"allOf", "anyOf", "oneOf"}) {
      if (int_or_string) break;
      for (const FieldView& one : schema[name].each()) node(one, false, true);
    }
    if (schema["not"].value().is_object()) node(schema["not"], false, true);
  }
};

void validate_versions(const Subject& subject) {
  const FieldView versions = subject.spec()["versions"];
  std::set<std::string_view> names;
  std::size_t stored = 0;
  bool unique = true;
  for (const FieldView& version : versions.each()) {
    stored += version["storage"].value().as_bool() ? 1 : 0;
    unique = names.insert(version["name"].text()).second && unique;
    if (version["name"].require()) version["name"].messages(check_dns1035_label(version["name"].text()));
    const FieldView schema = version["schema"]["openAPIV3Schema"];
    if (!schema.value().is_object()) {
      schema.errors().required(schema.path(), "schemas are required");
      continue;
    }
    const std::string path = versions.size() == 1 ? "spec.validation.openAPIV3Schema" : schema.path();
    StructuralCheck().node(FieldView(schema.value(), path, schema.errors()), true, false);
  }
  if (!unique) versions.invalid("must contain unique version names");
  if (stored != 1) versions.invalid("must have exactly one version marked as storage version");
  const FieldView stored_versions = subject.object["status"]["storedVersions"];
  if (stored > 1) stored_versions.invalid("must have exactly one stored version");
  std::size_t index = 0;
  for (const FieldView& one : stored_versions.each()) {
    if (!names.contains(one.text()))
      one.errors().invalid(at_index(stored_versions.path(), index), one.value(),
                           "must appear in spec.versions");
    ++index;
  }
}

void validate_conversion(const FieldView& conversion) {
  const FieldView strategy = conversion["strategy"];
  if (!strategy.one_of({"None", "Webhook"}) || strategy.text() != "Webhook") return;
  const FieldView client = conversion["webhook"]["clientConfig"];
  FieldErrors& errors = conversion.errors();
  if (!client.value().is_object()) {
    errors.required(at_field(conversion.path(), "webhookClientConfig"),
                    "required when strategy is set to Webhook");
  } else if (client["url"].value().is_null() == client["service"].value().is_null()) {
    errors.required(at_field(conversion.path(), "webhookClientConfig"),
                    "exactly one of url or service is required");
  }
  if (!conversion["webhook"]["conversionReviewVersions"].filled())
    errors.required(at_field(conversion.path(), "conversionReviewVersions"));
}

}  // namespace

void custom_resource_definition(const Subject& subject) {
  const FieldView spec = subject.spec();
  const FieldView name = subject.object["metadata"]["name"], group = spec["group"];
  const std::string wanted = std::string(spec["names"]["plural"].text()) + "." + std::string(group.text());
  if (name.text() != wanted) name.invalid("must be spec.names.plural+\".\"+spec.group");
  if (group.require()) {
    if (group.dns_subdomain() && group.text().find('.') == std::string_view::npos)
      group.invalid("should be a domain with at least one dot");
  }
  if (spec["scope"].require()) spec["scope"].one_of({"Cluster", "Namespaced"});
  if (spec["preserveUnknownFields"].value().as_bool()) {
    spec["preserveUnknownFields"].invalid("must be false in order to use defaults in the schema");
  }
  validate_names(spec["names"]);
  validate_versions(subject);
  validate_conversion(spec["conversion"]);
  validate_approval(subject);
  if (subject.creates()) return;
  const Json& before = subject.live["spec"];
  bool established = false;
  for (const Json& one : subject.live.at({"status", "conditions"}).elements()) {
    established =
        established || (one["type"].as_string() == "Established" && one["status"].as_string() == "True");
  }
  group.immutable(before["group"]);
  spec["names"]["plural"].immutable(before["names"]["plural"]);
  if (!established) return;
  spec["scope"].immutable(before["scope"]);
  spec["names"]["kind"].immutable(before["names"]["kind"]);
}

}  // namespace flotilla::api::validation
