// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/admission/webhook.hpp"

#include <algorithm>

#include "core/apiserver/errors.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::string_view kGroup = "admissionregistration.k8s.io";

std::vector<std::string> strings_of(const Json& list) {
  std::vector<std::string> out;
  for (const Json& entry : list.elements()) out.emplace_back(entry.as_string());
  return out;
}

bool has(const std::vector<std::string>& list, std::string_view value) {
  return std::any_of(list.begin(), list.end(),
                     [&](const std::string& entry) { return entry == "*" || entry == value; });
}

bool names_resource(const std::vector<std::string>& resources, std::string_view resource,
                    std::string_view subresource) {
  return std::any_of(resources.begin(), resources.end(), [&](std::string_view entry) {
    const auto slash = entry.find('/');
    const std::string_view main = entry.substr(0, slash);
    const std::string_view sub =
        slash == std::string_view::npos ? std::string_view() : entry.substr(slash + 1);
    return (main == "*" || main == resource) && (sub == "*" || sub == subresource);
  });
}

// {} where it is absent: everything.
Result<api::LabelSelector> selector_of(const Json& selector) {
  if (selector.is_null()) return api::LabelSelector();
  return api::LabelSelector::from_json(selector);
}

std::string review_version_of(const Json& versions) {
  for (const Json& version : versions.elements()) {
    if (version.as_string() == "v1" || version.as_string() == "v1beta1")
      return std::string(version.as_string());
  }
  return "v1";
}

bool is_same_storage(const Resource& a, const Resource& b) {
  if (a.resource != b.resource) return false;
  if (a.group == b.group) return true;
  const auto is_event = [](const Resource& one) {
    return one.resource == "events" && (one.group.empty() || one.group == "events.k8s.io");
  };
  return is_event(a) && is_event(b);
}

}  // namespace

MatchRule MatchRule::read(const Json& rule) {
  MatchRule out;
  out.operations = strings_of(rule["operations"]);
  out.groups = strings_of(rule["apiGroups"]);
  out.versions = strings_of(rule["apiVersions"]);
  out.resources = strings_of(rule["resources"]);
  out.scope = rule["scope"].as_string("*");
  return out;
}

bool MatchRule::matches(const AdmissionAttributes& attributes, const Resource& resource) const {
  const bool in_namespace = !attributes.is_namespace() && !attributes.ns.empty();
  if (scope == "Namespaced" && !in_namespace) return false;
  if (scope == "Cluster" && in_namespace) return false;
  return has(operations, verb_text(attributes.verb)) && has(groups, resource.group) &&
         has(versions, resource.version) &&
         names_resource(resources, resource.resource, attributes.subresource);
}

std::shared_ptr<Webhook> Webhook::read(const std::string& configuration, const Json& webhook, bool mutating) {
  auto out = std::make_shared<Webhook>();
  out->configuration = configuration;
  out->name = webhook["name"].as_string();
  out->mutating = mutating;
  out->endpoint.read(webhook["clientConfig"]);
  for (const Json& rule : webhook["rules"].elements()) out->rules.push_back(MatchRule::read(rule));
  auto namespaces = selector_of(webhook["namespaceSelector"]);
  auto objects = selector_of(webhook["objectSelector"]);
  if (!namespaces) {
    out->readable = namespaces.error();
  } else if (!objects) {
    out->readable = objects.error();
  } else {
    out->namespaces = *std::move(namespaces);
    out->objects = *std::move(objects);
  }
  out->equivalent = webhook["matchPolicy"].as_string("Equivalent") == "Equivalent";
  out->ignores_failure = webhook["failurePolicy"].as_string("Fail") == "Ignore";
  out->reinvoked = webhook["reinvocationPolicy"].as_string() == "IfNeeded";
  const std::string_view effects = webhook["sideEffects"].as_string();
  out->dry_runs = effects == "None" || effects == "NoneOnDryRun";
  out->review_version = review_version_of(webhook["admissionReviewVersions"]);
  out->timeout_seconds = webhook["timeoutSeconds"].as_int(10);
  out->conditions = MatchConditions::read(webhook["matchConditions"]);
  return out;
}

bool is_exempt(const Resource& resource) {
  if (resource.group != kGroup) return false;
  for (const std::string_view name : {"validatingwebhookconfigurations", "mutatingwebhookconfigurations",
                                      "validatingadmissionpolicies", "validatingadmissionpolicybindings",
                                      "mutatingadmissionpolicies", "mutatingadmissionpolicybindings"}) {
    if (resource.resource == name) return true;
  }
  return false;
}

Result<Json> namespace_labels(const AdmissionAttributes& attributes, const store::Store& store) {
  const bool writes = attributes.verb == Verb::Create || attributes.verb == Verb::Update;
  if (attributes.is_namespace() && attributes.subresource.empty() && writes) {
    const Json& labels = std::as_const(attributes.object)["metadata"]["labels"];
    return labels.is_null() ? Json::object() : labels;
  }
  if (attributes.ns.empty()) return Json();
  const auto space = store.get(store::collection_of("", "namespaces"), "", attributes.ns);
  if (!space) return object_not_found({"", "namespaces"}, attributes.ns);
  Json labels = Json::object();
  for (const auto& [key, value] : space->labels().pairs) labels.set(key, value);
  return labels;
}

ResourcePtr matching_version(const std::vector<MatchRule>& rules, bool equivalent,
                             const AdmissionAttributes& attributes) {
  for (const MatchRule& rule : rules) {
    if (rule.matches(attributes, *attributes.resource)) return attributes.resource;
  }
  if (!equivalent) return nullptr;
  for (const ResourcePtr& other : attributes.served->registry.resources()) {
    if (other == attributes.resource || !is_same_storage(*other, *attributes.resource)) continue;
    if (!attributes.subresource.empty() && other->subresource(attributes.subresource) == nullptr) continue;
    for (const MatchRule& rule : rules) {
      if (rule.matches(attributes, *other)) return other;
    }
  }
  return nullptr;
}

Result<ResourcePtr> wanted_version(const Webhook& webhook, const AdmissionAttributes& attributes,
                                   const store::Store& store) {
  if (is_exempt(*attributes.resource)) return ResourcePtr();
  ResourcePtr version = matching_version(webhook.rules, webhook.equivalent, attributes);
  if (!version) return version;
  if (!webhook.readable) return internal_error(webhook.readable.error().message());
  if (!webhook.namespaces.selects_everything()) {
    const auto labels = namespace_labels(attributes, store);
    if (!labels) return labels.error();
    if (!labels->is_null() && !webhook.namespaces.matches(*labels)) return ResourcePtr();
  }
  if (!webhook.objects.selects_everything()) {
    const auto selects = [&](const Json& object) {
      return object.is_object() && webhook.objects.matches(object["metadata"]["labels"]);
    };
    if (!selects(attributes.object) && !selects(attributes.old_object)) return ResourcePtr();
  }
  return version;
}

}  // namespace flotilla::apiserver
