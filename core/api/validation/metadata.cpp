// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/api/object.hpp"
#include "core/api/selector.hpp"
#include "core/api/validation/field_view.hpp"
#include "core/api/validation/validation.hpp"
#include "core/base/clock.hpp"

namespace flotilla::api {
namespace {

constexpr std::int64_t kMaxAnnotationBytes = 262144;

std::vector<std::string> check_name(NameRule rule, std::string_view name, bool prefix) {
  switch (rule) {
    case NameRule::Free:
      return {};
    case NameRule::Label:
      return check_dns_label(name, prefix);
    case NameRule::Dns1035Label:
      return check_dns1035_label(name, prefix);
    case NameRule::PathSegment:
      return check_path_segment(name, prefix);
    case NameRule::Subdomain:
      break;
  }
  return check_dns_subdomain(name, prefix);
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  return out;
}

void validate_annotations(const FieldView& annotations) {
  std::int64_t total = 0;
  for (const auto& [key, value] : annotations.value().members()) {
    for (const std::string& one : check_qualified_name(lower(key)))
      annotations.errors().invalid(annotations.path(), key, one);
    total += static_cast<std::int64_t>(key.size() + value.as_string().size());
  }
  if (total > kMaxAnnotationBytes) annotations.errors().too_long(annotations.path(), kMaxAnnotationBytes);
}

void validate_owners(const FieldView& owners) {
  std::string controller;
  for (const FieldView& owner : owners.each()) {
    const auto field = [&](std::string_view name) {
      return FieldView(owner.value()[name], at_field(owners.path(), name), owners.errors());
    };
    const auto empty = [&](std::string_view name, std::string_view what) {
      if (!field(name).given())
        owners.errors().invalid(field(name).path(), "", std::string(what) + " must not be empty");
    };
    const std::string_view api_version = owner["apiVersion"].text();
    const bool readable = !api_version.empty() &&
                          std::count(api_version.begin(), api_version.end(), '/') < 2 &&
                          !api_version.ends_with('/');
    if (!readable)
      owners.errors().invalid(field("apiVersion").path(), api_version, "version must not be empty");
    empty("kind", "kind");
    empty("name", "name");
    empty("uid", "uid");
    if (owner["kind"].text() == "Event" && (api_version == "v1" || api_version == "events.k8s.io/v1")) {
      const std::string gvk =
          (api_version == "v1" ? "/v1" : "events.k8s.io/v1") + std::string(", Kind=Event");
      owners.errors().add_literal("FieldValueInvalid", owners.path(),
                                  "Invalid value: v1.OwnerReference{APIVersion:" + go_quote(api_version) +
                                      ", Kind:\"Event\", Name:" + go_quote(owner["name"].text()) +
                                      ", UID:" + go_quote(owner["uid"].text()) +
                                      ", Controller:(*bool)(nil), BlockOwnerDeletion:(*bool)(nil)}: " + gvk +
                                      " is disallowed from being an owner");
    }
    if (!owner["controller"].value().as_bool()) continue;
    const std::string self = std::string(owner["kind"].text()) + "/" + std::string(owner["name"].text());
    if (!controller.empty()) {
      owners.errors().invalid(
          owners.path(), owners.value(),
          "Only one reference can have Controller set to true. Found \"true\" in references for " +
              controller + " and " + self);
    }
    controller = self;
  }
}

void validate_finalizers(const FieldView& finalizers) {
  bool orphan = false, foreground = false;
  for (const FieldView& one : finalizers.each()) {
    orphan = orphan || one.text() == "orphan";
    foreground = foreground || one.text() == "foregroundDeletion";
    for (const std::string& message : check_qualified_name(one.text()))
      finalizers.errors().invalid(finalizers.path(), one.text(), message);
  }
  if (!orphan || !foreground) return;
  finalizers.errors().add_literal("FieldValueInvalid", finalizers.path(),
                                  "Invalid value: " + go_strings(finalizers.value()) +
                                      ": finalizer orphan and foregroundDeletion cannot be both set");
}

}  // namespace

void validate_finalizer_domain(const FieldView& finalizer) {
  const std::string_view name = finalizer.text();
  if (name.find('/') != name.npos || name == "orphan" || name == "foregroundDeletion" || name == "kubernetes")
    return;
  finalizer.errors().invalid(finalizer.path(), name,
                             "name is neither a standard finalizer name nor is it fully qualified");
}

void validate_finalizer_domains(const FieldView& finalizers) {
  for (const FieldView& one : finalizers.each()) validate_finalizer_domain(one);
}

Status check_object_name(const Resource& resource, std::string_view name) {
  const std::vector<std::string> wrong = check_name(resource.traits.name_rule, name, false);
  if (wrong.empty()) return {};
  FieldErrors errors;
  for (const std::string& message : wrong) errors.invalid("metadata.name", name, message);
  return errors.to_status(resource, name);
}

void validate_metadata(const Resource& resource, const Json& object, NameRule rule, FieldErrors& errors) {
  const FieldView metadata(object["metadata"], "metadata", errors);
  if (metadata["generateName"].given())
    metadata["generateName"].messages(check_name(rule, metadata["generateName"].text(), true));
  if (!metadata["name"].given()) {
    errors.required("metadata.name", "name or generateName is required");
  } else {
    metadata["name"].messages(check_name(rule, metadata["name"].text(), false));
  }
  if (resource.namespaced) {
    if (!metadata["namespace"].given()) {
      errors.required("metadata.namespace");
    } else {
      metadata["namespace"].dns_label();
    }
  } else if (metadata["namespace"].given()) {
    metadata["namespace"].forbid("not allowed on this type");
  }
  metadata["generation"].not_negative();
  validate_labels(metadata["labels"]);
  validate_annotations(metadata["annotations"]);
  validate_owners(metadata["ownerReferences"]);
  validate_finalizers(metadata["finalizers"]);
}

void validate_metadata_update(const Json& object, const Json& live, FieldErrors& errors) {
  const FieldView metadata(object["metadata"], "metadata", errors);
  const Json& before = live["metadata"];
  if (before["deletionTimestamp"].is_string()) {
    std::string fresh;
    for (const FieldView& one : metadata["finalizers"].each()) {
      const auto old = before["finalizers"].elements();
      if (std::find(old.begin(), old.end(), one.value()) != old.end()) continue;
      fresh += (fresh.empty() ? "" : ", ") + go_quote(one.text());
    }
    if (!fresh.empty()) {
      metadata["finalizers"].forbid(
          "no new finalizers can be added if the object is being deleted, found new finalizers []string{" +
          fresh + "}");
    }
  }
  metadata["name"].immutable(before["name"]);
  metadata["namespace"].immutable(before["namespace"]);
  metadata["uid"].immutable(before["uid"]);
  metadata["creationTimestamp"].immutable(before["creationTimestamp"]);
  const FieldView deletion = metadata["deletionTimestamp"];
  if (!(deletion.value() == before["deletionTimestamp"])) {
    auto time = parse_time(deletion.text());
    std::string text = time ? format_time(*time) : std::string(deletion.text());
    if (text.size() == 20) text = text.substr(0, 10) + " " + text.substr(11, 8) + " +0000 UTC";
    errors.add_literal("FieldValueInvalid", deletion.path(),
                       "Invalid value: " + text + ": field is immutable");
  }
  metadata["deletionGracePeriodSeconds"].immutable(before["deletionGracePeriodSeconds"]);
  validate_labels(metadata["labels"]);
  validate_annotations(metadata["annotations"]);
  validate_owners(metadata["ownerReferences"]);
}

}  // namespace flotilla::api
