// SPDX-License-Identifier: Apache-2.0
// CustomResourceDefinition: names, versions, and the rules of structural schemas (k8s-api 9.1, 9.3).
#include <algorithm>
#include <set>

#include "core/api/schema/schema.hpp"
#include "core/api/validation/kinds.hpp"
#include "core/api/validation/structural.hpp"
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

// ".spec.replicas": a path that a scale or a column reads.
bool simple_path(const FieldView& path) {
  if (!path.require()) return false;
  if (path.text().starts_with('.')) return true;
  return path.invalid("must be a simple json path starting with .");
}

void validate_scale(const FieldView& scale) {
  if (!scale.value().is_object()) return;
  const auto below = [](const FieldView& path, std::string_view parent) {
    if (simple_path(path) && !path.text().starts_with(parent))
      path.invalid("should be a json path under " + std::string(parent.substr(0, parent.size() - 1)));
  };
  below(scale["specReplicasPath"], ".spec.");
  below(scale["statusReplicasPath"], ".status.");
  const FieldView selector = scale["labelSelectorPath"];
  if (selector.given() && simple_path(selector) && !selector.text().starts_with(".spec.") &&
      !selector.text().starts_with(".status.")) {
    selector.invalid("should be a json path under either .spec or .status");
  }
}

void one_of_words(const FieldView& field, std::initializer_list<std::string_view> words) {
  std::string joined;
  for (const std::string_view word : words) {
    if (field.text() == word) return;
    joined += (joined.empty() ? "" : ",") + std::string(word);
  }
  field.invalid("must be one of " + joined);
}

void validate_columns(const FieldView& columns) {
  for (const FieldView& one : columns.each()) {
    one["name"].require();
    if (one["type"].require()) one_of_words(one["type"], {"boolean", "date", "integer", "number", "string"});
    if (one["format"].given()) {
      one_of_words(one["format"],
                   {"byte", "date", "date-time", "double", "float", "int32", "int64", "password"});
    }
    simple_path(one["jsonPath"]);
  }
}

void validate_deprecation(const FieldView& version) {
  constexpr std::size_t kLongest = 256;
  const FieldView warning = version["deprecationWarning"];
  if (warning.value().is_null()) return;
  if (!version["deprecated"].value().as_bool()) {
    warning.invalid("can only be set for deprecated versions");
  } else if (warning.text().empty()) {
    warning.errors().invalid(warning.path(), "", "must not be empty");
  } else if (warning.text().size() > kLongest) {
    warning.errors().too_long(warning.path(), kLongest);
  }
}

const Json* schema_at(const Json& schema, std::string_view path) {
  const Json* at = &schema;
  while (at && !path.empty()) {
    path.remove_prefix(1);
    const std::size_t dot = std::min(path.find('.'), path.size());
    at = (*at)["properties"].find(path.substr(0, dot));
    path.remove_prefix(dot);
  }
  return at;
}

void validate_selectable(const FieldView& fields, const Json& schema) {
  constexpr std::int64_t kMost = 8;
  std::set<std::string> seen;
  if (static_cast<std::int64_t>(fields.size()) > kMost)
    fields.errors().too_many(fields.path(), static_cast<std::int64_t>(fields.size()), kMost);
  for (const FieldView& one : fields.each()) {
    const FieldView path = one["jsonPath"];
    if (!path.require()) continue;
    const std::string_view text = path.text();
    const Json* found = text.starts_with('.') ? schema_at(schema, text) : nullptr;
    const std::string_view type = found ? (*found)["type"].as_string() : std::string_view();
    if (text == ".metadata" || text.starts_with(".metadata.")) {
      path.invalid("must not point to fields in metadata");
    } else if (!found) {
      path.invalid("is an invalid path: does not refer to a valid field");
    } else if (type != "string" && type != "boolean" && type != "integer") {
      path.invalid(
          "must point to a field of type string, boolean or integer. Enum string fields and strings "
          "with formats are allowed.");
    }
    if (!seen.insert(std::string(text)).second) path.errors().duplicate(path.path(), path.value());
  }
}

void validate_version(const Subject& subject, const FieldView& version, bool single) {
  if (version["name"].require()) version["name"].messages(check_dns1035_label(version["name"].text()));
  validate_deprecation(version);
  const FieldView schema = version["schema"]["openAPIV3Schema"];
  if (!schema.value().is_object()) {
    schema.errors().required(schema.path(), "schemas are required");
  } else {
    const FieldView root(schema.value(), single ? "spec.validation.openAPIV3Schema" : schema.path(),
                         schema.errors());
    const std::size_t before = root.errors().size();
    validate_structural(root);
    if (root.errors().size() == before && subject.rules) subject.rules->check_definition(root);
    validate_selectable(version["selectableFields"], schema.value());
  }
  validate_scale(version["subresources"]["scale"]);
  validate_columns(version["additionalPrinterColumns"]);
}

void validate_versions(const Subject& subject) {
  const FieldView versions = subject.spec()["versions"];
  std::set<std::string_view> names;
  std::size_t stored = 0;
  bool unique = true;
  for (const FieldView& version : versions.each()) {
    stored += version["storage"].value().as_bool() ? 1 : 0;
    unique = names.insert(version["name"].text()).second && unique;
    validate_version(subject, version, versions.size() == 1);
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
  if (!strategy.one_of({"None", "Webhook"})) return;
  FieldErrors& errors = conversion.errors();
  // The paths are those of the version in which Kubernetes validates.
  const std::string client_path = at_field(conversion.path(), "webhookClientConfig"),
                    versions_path = at_field(conversion.path(), "conversionReviewVersions");
  const FieldView client(conversion["webhook"]["clientConfig"].value(), client_path, errors);
  const FieldView versions(conversion["webhook"]["conversionReviewVersions"].value(), versions_path, errors);
  if (strategy.text() == "None") {
    if (client.value().is_object()) client.forbid("should not be set when strategy is not set to Webhook");
    if (versions.filled()) versions.forbid("should not be set when strategy is not set to Webhook");
    return;
  }
  if (!client.value().is_object()) {
    errors.required(client_path, "required when strategy is set to Webhook");
  } else {
    validate_webhook_client(client);
  }
  if (!versions.filled()) return errors.required(versions_path);
  bool known = false;
  std::set<std::string_view> seen;
  for (const FieldView& one : versions.each()) {
    known = known || one.text() == "v1" || one.text() == "v1beta1";
    if (!seen.insert(one.text()).second) one.invalid("duplicate version");
    one.messages(check_dns1035_label(one.text()));
  }
  if (!known) versions.invalid("must include at least one of v1, v1beta1");
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

void custom_resource_definition_status(const Subject& subject) {
  std::set<std::string_view> names;
  for (const Json& version : subject.spec()["versions"].value().elements())
    names.insert(version["name"].as_string());
  for (const FieldView& one : subject.object["status"]["storedVersions"].each()) {
    if (!names.contains(one.text())) one.invalid("must appear in spec.versions");
  }
}

}  // namespace flotilla::api::validation
