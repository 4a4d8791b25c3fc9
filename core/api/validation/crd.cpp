// SPDX-License-Identifier: Apache-2.0
// CustomResourceDefinition: names, versions, and the rules of structural schemas (k8s-api 9.1, 9.3).
#include <algorithm>
#include <set>
#include <string>
#include <vector>

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

// Several complaints about one name are one.
bool joined(const FieldView& name, const std::vector<std::string>& messages, std::string detail = {}) {
  if (messages.empty()) return true;
  for (const std::string& one : messages) {
    if (&one != &messages.front()) detail += ',';
    detail += one;
  }
  name.errors().invalid(name.path(), name.text(), detail);
  return false;
}

void name_label(const FieldView& name) {
  if (name.given()) joined(name, check_dns1035_label(name.text()));
}

void mixed_case_label(const FieldView& name) {
  if (name.given()) {
    joined(name, check_dns1035_label(lower(name.text())),
           "may have mixed case, but should otherwise match: ");
  }
}

void validate_accepted(const FieldView& names) {
  name_label(names["plural"]);
  name_label(names["singular"]);
  mixed_case_label(names["kind"]);
  mixed_case_label(names["listKind"]);
  for (const FieldView& one : names["shortNames"].each()) joined(one, check_dns1035_label(one.text()));
  if (names["kind"].given() && names["kind"].value() == names["listKind"].value()) {
    names["listKind"].invalid("kind and listKind may not be the same");
  }
  for (const FieldView& one : names["categories"].each()) joined(one, check_dns1035_label(one.text()));
}

void validate_names(const FieldView& names) {
  for (const std::string_view name : {"plural", "singular", "kind", "listKind"}) names[name].require();
  validate_accepted(names);
}

bool protected_group(std::string_view group) {
  return group == "k8s.io" || group == "kubernetes.io" || group.ends_with(".k8s.io") ||
         group.ends_with(".kubernetes.io");
}

enum class Approval : std::uint8_t { Missing, Bypassed, Approved, Wrong };

Approval approval(std::string_view text) {
  if (text.empty()) return Approval::Missing;
  if (text.starts_with("unapproved")) return Approval::Bypassed;
  const std::size_t scheme = text.find("://");
  const bool url = scheme != text.npos && scheme > 0 && scheme + 3 < text.size() && text[scheme + 3] != '/';
  return url ? Approval::Approved : Approval::Wrong;
}

void validate_approval(const Subject& subject) {
  if (!protected_group(subject.spec()["group"].text())) return;
  const FieldView annotations = subject.object["metadata"]["annotations"];
  const std::string_view value = annotations.value()[kApproval].as_string();
  const Approval now = approval(value);
  // What was let in before stays.
  if (!subject.creates() &&
      now == approval(subject.live.at({"metadata", "annotations"})[kApproval].as_string())) {
    return;
  }
  const std::string path = at_key("metadata.annotations", kApproval);
  std::string detail = "protected groups must have approval annotation \"api-approved.kubernetes.io\"";
  const std::string see = ", see https://github.com/kubernetes/enhancements/pull/1111";
  if (now == Approval::Missing) annotations.errors().required(path, detail + see);
  if (now == Approval::Wrong) {
    detail += " with either a URL or a reason starting with \"unapproved\"";
    annotations.errors().invalid(path, value, detail + see);
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
    const FieldView type = one["type"];
    if (type.given()) {
      one_of_words(type, {"boolean", "date", "integer", "number", "string"});
    } else {
      type.errors().required(type.path(), "must be one of boolean,date,integer,number,string");
    }
    if (one["format"].given()) {
      one_of_words(one["format"],
                   {"byte", "date", "date-time", "double", "float", "int32", "int64", "password"});
    }
    // Kubernetes spells this path as its oldest version did.
    simple_path(FieldView(one["jsonPath"].value(), at_field(one.path(), "JSONPath"), one.errors()));
  }
}

void validate_deprecation(const FieldView& version) {
  constexpr std::size_t kLongest = 256;
  const FieldView warning = version["deprecationWarning"];
  if (warning.value().is_null()) return;
  const std::string_view text = warning.text();
  const auto bad = [&](std::string_view detail) { warning.errors().invalid(warning.path(), text, detail); };
  if (!version["deprecated"].value().as_bool()) return bad("can only be set for deprecated versions");
  if (text.size() > kLongest) bad("must be <= 256 characters long");
  if (text.empty()) bad("must not be an empty string");
  const auto control = std::find_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) < ' ' || c == '\x7f'); });
  if (control != text.end()) {
    bad("must only contain printable UTF-8 characters; non-printable character found at index " +
        std::to_string(control - text.begin()));
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

// What all versions say alike stands at the top of the version in which Kubernetes validates.
struct Hoisted {
  bool schema = true, subresources = true, columns = true;
};

Hoisted hoisted(const FieldView& versions) {
  Hoisted out;
  if (versions.size() == 0) return out;
  const Json& first = versions.value().element(0);
  for (const Json& one : versions.value().elements()) {
    out.schema = out.schema && one["schema"] == first["schema"];
    out.subresources = out.subresources && one["subresources"] == first["subresources"];
    out.columns = out.columns && one["additionalPrinterColumns"] == first["additionalPrinterColumns"];
  }
  return out;
}

// The status' part of a schema is used alone, so the root may not say what would be lost.
void validate_root_with_status(const FieldView& schema) {
  static constexpr std::string_view kAllowed[] = {"description",
                                                  "type",
                                                  "format",
                                                  "title",
                                                  "maximum",
                                                  "exclusiveMaximum",
                                                  "minimum",
                                                  "exclusiveMinimum",
                                                  "maxLength",
                                                  "minLength",
                                                  "pattern",
                                                  "maxItems",
                                                  "minItems",
                                                  "uniqueItems",
                                                  "multipleOf",
                                                  "required",
                                                  "items",
                                                  "properties",
                                                  "externalDocs",
                                                  "example",
                                                  "x-kubernetes-preserve-unknown-fields",
                                                  "x-kubernetes-validations"};
  for (const auto& [name, value] : schema.value().members()) {
    if (name == "type" && value.as_string() != "object") {
      return schema["type"].errors().invalid(
          schema["type"].path(), value,
          "only \"object\" is allowed as the type at the root of the schema if "
          "the status subresource is enabled");
    }
    if (value.is_null() || value.empty() || (value.is_bool() && !value.as_bool())) continue;
    if (std::find(std::begin(kAllowed), std::end(kAllowed), name) != std::end(kAllowed)) continue;
    return schema.errors().invalid(
        schema.path(), schema.value(),
        "only [Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength "
        "MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs "
        "Example XPreserveUnknownFields XValidations] fields are allowed at the root of the schema if the "
        "status subresource is enabled");
  }
}

void validate_schema(const Subject& subject, const FieldView& schema, bool with_status) {
  if (!schema.value().is_object()) return;
  const std::size_t before = schema.errors().size();
  if (with_status) validate_root_with_status(schema);
  if (schema["nullable"].value().as_bool()) schema["nullable"].forbid("nullable cannot be true at the root");
  validate_structural(schema);
  if (schema.errors().size() == before && subject.rules) subject.rules->check_definition(schema);
}

bool has_status(const FieldView& version) {
  return version["subresources"]["status"].value().is_object();
}

void validate_versions(const Subject& subject, const Hoisted& top) {
  const FieldView versions = subject.spec()["versions"];
  for (const FieldView& version : versions.each()) {
    const FieldView schema = version["schema"]["openAPIV3Schema"];
    if (!schema.value().is_object()) schema.errors().required(schema.path(), "schemas are required");
  }
  std::set<std::string_view> names;
  std::size_t stored = 0;
  bool unique = true;
  for (const FieldView& version : versions.each()) {
    const FieldView name = version["name"];
    stored += version["storage"].value().as_bool() ? 1 : 0;
    unique = names.insert(name.text()).second && unique;
    joined(name, check_dns1035_label(name.text()));
    validate_deprecation(version);
    if (!top.schema) validate_schema(subject, version["schema"]["openAPIV3Schema"], has_status(version));
    if (!top.subresources) validate_scale(version["subresources"]["scale"]);
    if (!top.columns) validate_columns(version["additionalPrinterColumns"]);
    validate_selectable(version["selectableFields"], version["schema"]["openAPIV3Schema"].value());
  }
  if (!unique) versions.invalid("must contain unique version names");
  if (stored != 1) versions.invalid("must have exactly one version marked as storage version");
  if (versions.size() == 0) return;
  const Json& first = versions.value().element(0)["name"];
  if (!first.as_string().empty()) {
    joined(FieldView(first, at_field(subject.spec().path(), "version"), versions.errors()),
           check_dns1035_label(first.as_string()));
  }
}

void validate_hoisted(const Subject& subject, const Hoisted& top) {
  const FieldView spec = subject.spec(), versions = spec["versions"];
  if (versions.size() == 0) return;
  bool with_status = false;
  for (const FieldView& version : versions.each()) with_status = with_status || has_status(version);
  const Json& first = versions.value().element(0);
  const auto at = [&](const Json& value, std::string_view path) {
    return FieldView(value, at_field(spec.path(), path), spec.errors());
  };
  if (top.schema) {
    validate_schema(subject, at(first["schema"]["openAPIV3Schema"], "validation.openAPIV3Schema"),
                    with_status);
  }
  if (top.subresources) validate_scale(at(first["subresources"]["scale"], "subresources.scale"));
  if (top.columns) validate_columns(at(first["additionalPrinterColumns"], "additionalPrinterColumns"));
}

void validate_stored_versions(const Subject& subject) {
  const FieldView stored = subject.object["status"]["storedVersions"];
  if (stored.size() == 0) {
    return stored.errors().add_literal("FieldValueInvalid", stored.path(),
                                       "Invalid value: []string(nil): must have at least one stored version");
  }
  const auto listed = stored.value().elements();
  std::set<std::string_view> names;
  for (const Json& version : subject.spec()["versions"].value().elements()) {
    const Json& name = version["name"];
    names.insert(name.as_string());
    if (!version["storage"].as_bool() || std::find(listed.begin(), listed.end(), name) != listed.end())
      continue;
    stored.errors().invalid(stored.path(), version,
                            "must have the storage version " + std::string(name.as_string()));
  }
  for (const FieldView& one : stored.each()) {
    if (!names.contains(one.text())) one.invalid("must appear in spec.versions");
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

void validate_immutable(const Subject& subject) {
  const FieldView spec = subject.spec();
  const Json& before = subject.live["spec"];
  bool established = false;
  for (const Json& one : subject.live.at({"status", "conditions"}).elements()) {
    established =
        established || (one["type"].as_string() == "Established" && one["status"].as_string() == "True");
  }
  if (established) {
    spec["scope"].immutable(before["scope"]);
    spec["names"]["kind"].immutable(before["names"]["kind"]);
  }
  spec["group"].immutable(before["group"]);
  spec["names"]["plural"].immutable(before["names"]["plural"]);
}

}  // namespace

void custom_resource_definition(const Subject& subject) {
  const FieldView spec = subject.spec();
  const FieldView name = subject.object["metadata"]["name"], group = spec["group"];
  const std::string wanted = std::string(spec["names"]["plural"].text()) + "." + std::string(group.text());
  if (name.text() != wanted) name.invalid("must be spec.names.plural+\".\"+spec.group");
  if (group.require() && joined(group, check_dns_subdomain(group.text())) &&
      group.text().find('.') == std::string_view::npos) {
    group.invalid("should be a domain with at least one dot");
  }
  if (spec["scope"].require()) spec["scope"].one_of({"Cluster", "Namespaced"});
  const Hoisted top = hoisted(spec["versions"]);
  validate_versions(subject, top);
  validate_names(spec["names"]);
  validate_hoisted(subject, top);
  validate_conversion(spec["conversion"]);
  if (!subject.creates()) validate_immutable(subject);
  validate_stored_versions(subject);
  validate_approval(subject);
  if (spec["preserveUnknownFields"].value().as_bool() &&
      !subject.live["spec"]["preserveUnknownFields"].as_bool()) {
    spec["preserveUnknownFields"].invalid(
        "cannot set to true, set x-preserve-unknown-fields to true in spec.versions[*].schema instead");
  }
}

void custom_resource_definition_status(const Subject& subject) {
  const FieldView names = subject.object["status"]["acceptedNames"];
  validate_accepted(names);
}

}  // namespace flotilla::api::validation
