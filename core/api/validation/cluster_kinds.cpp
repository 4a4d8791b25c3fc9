// SPDX-License-Identifier: Apache-2.0
// Nodes, events, certificates, webhooks.
#include <algorithm>
#include <set>

#include "core/api/validation/containers.hpp"
#include "core/api/validation/kinds.hpp"
#include "core/api/validation/network.hpp"
#include "core/base/base64.hpp"

namespace flotilla::api::validation {
namespace {

void validate_star_alone(const FieldView& list, std::string_view what) {
  const auto elements = list.value().elements();
  const bool star =
      std::any_of(elements.begin(), elements.end(), [](const Json& one) { return one.as_string() == "*"; });
  if (!star || list.size() < 2) return;
  list.errors().add_literal("FieldValueInvalid", list.path(),
                            "Invalid value: " + go_strings(list.value()) +
                                ": if '*' is present, must not specify other " + std::string(what));
}

// "*/*", "pods/*", "*/status": what stands for many bears no company of theirs.
void validate_rule_resources(const FieldView& resources) {
  if (!resources.filled()) return resources.errors().required(resources.path());
  std::set<std::string_view> with_all_subresources, of_all_resources;
  bool everything = false, star = false, plain = false;
  for (const FieldView& one : resources.each()) {
    const std::string_view text = one.text();
    if (!one.require()) continue;
    everything = everything || text == "*/*";
    star = star || text == "*";
    const std::size_t slash = text.find('/');
    if (slash == text.npos) {
      plain = text != "*";
      continue;
    }
    const std::string_view resource = text.substr(0, slash), sub = text.substr(slash + 1);
    const auto taken = [&](const std::string& by) {
      one.invalid("if '" + by + "' is present, must not specify " + std::string(text));
    };
    if (with_all_subresources.contains(resource)) taken(std::string(resource) + "/*");
    if (of_all_resources.contains(sub)) taken("*/" + std::string(sub));
    if (sub == "*") with_all_subresources.insert(resource);
    if (resource == "*") of_all_resources.insert(sub);
  }
  const auto bad = [&](const char* why) {
    resources.errors().add_literal("FieldValueInvalid", resources.path(),
                                   "Invalid value: " + go_strings(resources.value()) + ": " + why);
  };
  if (everything && resources.size() > 1) bad("if '*/*' is present, must not specify other resources");
  if (star && plain) bad("if '*' is present, must not specify other resources without subresources");
}

void validate_webhook_rule(const FieldView& rule) {
  if (!rule["operations"].filled()) rule["operations"].errors().required(rule["operations"].path());
  validate_star_alone(rule["operations"], "operations");
  for (const FieldView& one : rule["operations"].each())
    one.one_of({"*", "CONNECT", "CREATE", "DELETE", "UPDATE"});
  if (!rule["apiGroups"].filled()) rule["apiGroups"].errors().required(rule["apiGroups"].path());
  validate_star_alone(rule["apiGroups"], "API groups");
  if (!rule["apiVersions"].filled()) rule["apiVersions"].errors().required(rule["apiVersions"].path());
  validate_star_alone(rule["apiVersions"], "API versions");
  for (const FieldView& one : rule["apiVersions"].each()) {
    if (!one.given()) one.require();
  }
  validate_rule_resources(rule["resources"]);
  if (rule["scope"].given()) rule["scope"].one_of({"*", "Cluster", "Namespaced"});
}

}  // namespace

namespace {

constexpr std::string_view kUrlForm = "; desired format: https://host[/path]";

void validate_webhook_path(const FieldView& path) {
  std::string_view text = path.text();
  if (text.empty() || text == "/") return;
  if (text == "//") {
    path.invalid("segment[0] may not be empty");
    return;
  }
  if (!text.starts_with('/')) path.invalid("must start with a '/'");
  text.remove_prefix(1);
  if (text.ends_with('/')) text.remove_suffix(1);
  for (std::size_t index = 0;; ++index) {
    const std::size_t slash = std::min(text.find('/'), text.size());
    const std::string_view step = text.substr(0, slash);
    const std::string segment = "segment[" + std::to_string(index) + "]";
    if (step.empty()) {
      path.invalid(segment + " may not be empty");
    } else {
      for (const std::string& one : check_dns_subdomain(step)) path.invalid(segment + ": " + one);
    }
    if (slash == text.size()) return;
    text.remove_prefix(slash + 1);
  }
}

void validate_webhook_service(const FieldView& service) {
  const FieldView port = service["port"];
  service["name"].require("service name is required");
  service["namespace"].require("service namespace is required");
  if (port.number(443) < 1 || port.number(443) > 65535)
    port.invalid("port is not valid: must be between 1 and 65535, inclusive");
  validate_webhook_path(service["path"]);
}

void validate_webhook_url(const FieldView& url) {
  const std::string_view text = url.text();
  const std::string form(kUrlForm);
  const std::size_t colon = text.find("://");
  const std::string_view scheme =
      colon == text.npos ? text.substr(0, std::min(text.find(':'), text.size())) : text.substr(0, colon);
  const bool has_scheme = text.find(':') != text.npos;
  std::string_view rest = colon == text.npos ? std::string_view() : text.substr(colon + 3);
  const std::size_t fragment = text.find('#'), query = text.find('?');
  std::string_view authority = rest.substr(0, std::min(rest.find_first_of("/?#"), rest.size()));
  const std::size_t at = authority.rfind('@');
  const std::string_view user = at == authority.npos ? std::string_view() : authority.substr(0, at);
  if (at != authority.npos) authority.remove_prefix(at + 1);
  FieldErrors& errors = url.errors();
  if (!has_scheme || scheme != "https") {
    errors.invalid(url.path(), has_scheme ? scheme : std::string_view(),
                   "'https' is the only allowed URL scheme" + form);
  }
  if (authority.empty()) errors.invalid(url.path(), "", "host must be specified" + form);
  if (!user.empty()) errors.invalid(url.path(), user, "user information is not permitted in the URL");
  if (fragment != text.npos && fragment + 1 < text.size())
    errors.invalid(url.path(), text.substr(fragment + 1), "fragments are not permitted in the URL");
  if (query != text.npos && query < fragment && query + 1 < std::min(fragment, text.size())) {
    errors.invalid(url.path(), text.substr(query + 1, std::min(fragment, text.size()) - query - 1),
                   "query parameters are not permitted in the URL");
  }
}

void validate_review_versions(const FieldView& versions) {
  if (!versions.filled())
    return versions.errors().required(versions.path(), "must specify one of v1, v1beta1");
  std::set<std::string_view> seen;
  bool known = false;
  for (const FieldView& one : versions.each()) {
    if (!seen.insert(one.text()).second) {
      one.invalid("duplicate version");
      continue;
    }
    one.messages(check_dns1035_label(one.text()));
    known = known || one.text() == "v1" || one.text() == "v1beta1";
  }
  if (known) return;
  versions.errors().add_literal(
      "FieldValueInvalid", versions.path(),
      "Invalid value: " + go_strings(versions.value()) + ": must include at least one of v1, v1beta1");
}

}  // namespace

void validate_webhook_client(const FieldView& client) {
  const FieldView url = client["url"], service = client["service"];
  if (url.value().is_null() == service.value().is_null()) {
    client.errors().required(client.path(), "exactly one of url or service is required");
  } else if (service.value().is_object()) {
    validate_webhook_service(service);
  } else {
    validate_webhook_url(url);
  }
}

namespace {

// Nodes' taints stand in metadata, say the errors.
void validate_taints(const FieldView& taints) {
  const FieldView all(taints.value(), "metadata.taints", taints.errors());
  std::set<std::string> seen;
  for (const FieldView& one : all.each()) {
    const FieldView key = one["key"], value = one["value"], effect = one["effect"];
    for (const std::string& message : check_qualified_name(key.text()))
      key.errors().invalid(key.path(), key.text(), message);
    std::string joined;
    for (const std::string& message : check_label_value(value.text()))
      joined += (joined.empty() ? "" : ";") + message;
    if (!joined.empty()) value.invalid(joined);
    if (effect.require()) effect.one_of({"NoSchedule", "PreferNoSchedule", "NoExecute"});
    if (seen.insert(std::string(key.text()) + ":" + std::string(effect.text())).second) continue;
    one.errors().add_literal("FieldValueDuplicate", one.path(),
                             "Duplicate value: core.Taint{Key:" + go_quote(key.text()) +
                                 ", Value:" + go_quote(value.text()) + ", Effect:" + go_quote(effect.text()) +
                                 ", TimeAdded:<nil>}: taints must be unique by key and effect pair");
  }
}

void validate_node_amounts(const FieldView& status) {
  for (const std::string_view list : {"capacity", "allocatable"}) {
    for (const auto& [name, value] : status[list].value().members())
      validate_resource_amount(status.errors(), name, value, at_field(status[list].path(), name));
  }
}

void validate_ranges(const FieldView& ranges) {
  std::set<std::string_view> seen;
  bool four = false, six = false, sound = true;
  const auto bad = [&](const std::string& path, const char* why) {
    ranges.errors().add_literal("FieldValueInvalid", path,
                                "Invalid value: " + go_strings(ranges.value()) + ": " + why);
  };
  for (const FieldView& one : ranges.each()) {
    if (!is_cidr(one.text())) bad(one.path(), "must be valid CIDR");
    sound = sound && is_cidr(one.text());
    (is_ipv4(one.text().substr(0, one.text().find('/'))) ? four : six) = true;
  }
  if (ranges.size() < 2) return;
  if (sound && (!four || !six || ranges.size() > 2))
    bad(ranges.path(), "may specify no more than one CIDR for each IP family");
  for (const FieldView& one : ranges.each()) {
    if (!seen.insert(one.text()).second) one.errors().duplicate(one.path(), one.value());
  }
}

void node_update(const Subject& subject) {
  const FieldView spec = subject.spec(), ranges = spec["podCIDRs"];
  const Json &before = subject.live["spec"], &old = before["podCIDRs"];
  validate_node_amounts(subject.object["status"]);
  if (!old.empty()) {
    constexpr std::string_view kOnce = "node updates may not change podCIDR except from \"\" to valid";
    if (old.size() != ranges.size()) {
      ranges.forbid(kOnce);
    } else {
      for (std::size_t i = 0; i < old.size(); ++i) {
        if (!(old.element(i) == ranges.element(i).value())) ranges.forbid(kOnce);
      }
    }
  }
  if (!before["providerID"].as_string().empty() && !(before["providerID"] == spec["providerID"].value()))
    spec["providerID"].forbid("node updates may not change providerID except from \"\" to valid");
  validate_taints(spec["taints"]);
  if (before["externalID"].as_string() != spec["externalID"].text())
    spec["externalID"].forbid("may not be updated");
}

}  // namespace

void node(const Subject& subject) {
  validate_taints(subject.spec()["taints"]);
  validate_node_amounts(subject.object["status"]);
  validate_ranges(subject.spec()["podCIDRs"]);
  if (!subject.creates()) node_update(subject);
}

namespace {

// What Kubernetes has held of events ever since.
void validate_old_event(const Subject& subject, bool modern) {
  const FieldView object = subject.object, about = object[modern ? "regarding" : "involvedObject"];
  const std::string_view ns = object["metadata"]["namespace"].text(), of = about["namespace"].text();
  const auto bad_namespace = [&] {
    object.errors().invalid("involvedObject.namespace", of, "does not match event.namespace");
  };
  if (!object["eventTime"].given()) {
    if (of.empty() ? ns != "default" && !ns.empty() : ns != of) bad_namespace();
  } else {
    if (of.empty() && ns != "default" && ns != "kube-system") bad_namespace();
    const FieldView reporter = object[modern ? "reportingController" : "reportingComponent"];
    const auto short_enough = [&](std::string_view name, std::string_view said, std::size_t most) {
      if (object[name].text().size() > most)
        object.errors().invalid(said, "", "can have at most " + std::to_string(most) + " characters");
    };
    reporter.require();
    for (const std::string& one : check_qualified_name(reporter.text()))
      reporter.errors().invalid(reporter.path(), reporter.text(), one);
    for (const std::string_view name : {"reportingInstance", "action", "reason"}) {
      object[name].require();
      short_enough(name, name, 128);
    }
    short_enough(modern ? "note" : "message", "message", 1024);
  }
  for (const std::string& one : check_dns_subdomain(ns)) object.errors().invalid("namespace", ns, one);
}

void validate_series(const FieldView& series) {
  if (!series.value().is_object()) return;
  if (series["count"].number() < 2) series.errors().invalid("series.count", "", "should be at least 2");
  if (!series["lastObservedTime"].given()) series.errors().required("series.lastObservedTime");
}

// Names in the objects of events.k8s.io, and as errors say them.
constexpr std::pair<std::string_view, std::string_view> kFixedOfEvents[] = {
    {"regarding", "involvedObject"},
    {"reason", "reason"},
    {"note", "message"},
    {"deprecatedSource", "source"},
    {"deprecatedFirstTimestamp", "firstTimestamp"},
    {"deprecatedLastTimestamp", "lastTimestamp"},
    {"deprecatedCount", "count"},
    {"reason", "reason"},
    {"type", "type"},
    {"eventTime", "eventTime"},
    {"action", "action"},
    {"related", "related"},
    {"reportingController", "reportingController"},
    {"reportingInstance", "reportingInstance"},
};

}  // namespace

void event(const Subject& subject) {
  const FieldView object = subject.object;
  const bool modern = subject.resource.group == "events.k8s.io";
  FieldErrors& errors = object.errors();
  validate_old_event(subject, modern);
  if (!modern) return;
  if (!subject.creates()) {
    if (!(object["series"].value() == subject.live["series"])) validate_series(object["series"]);
    for (const auto& [name, said] : kFixedOfEvents)
      FieldView(object[name].value(), std::string(said), errors).immutable(subject.live[name]);
    return;
  }
  validate_series(object["series"]);
  if (!object["eventTime"].given()) errors.required("eventTime");
  const std::string_view type = object["type"].text();
  if (type != "Normal" && type != "Warning")
    errors.invalid("type", "", "has invalid value: " + std::string(type));
  for (const auto& [name, said] :
       {std::pair("deprecatedFirstTimestamp", "firstTimestamp"),
        std::pair("deprecatedLastTimestamp", "lastTimestamp"), std::pair("deprecatedCount", "count")}) {
    const FieldView field = object[name];
    if (field.given() && !(field.value().is_int() && field.number() == 0))
      errors.invalid(said, "", "needs to be unset");
  }
  const FieldView source = object["deprecatedSource"];
  if (source["component"].given() || source["host"].given())
    errors.invalid("source", "", "needs to be unset");
}

namespace {

// A name of at least three parts.
void validate_full_name(const FieldView& name) {
  if (!name.require()) return;
  if (name.dns_subdomain() && std::count(name.text().begin(), name.text().end(), '.') < 2)
    name.invalid("should be a domain with at least three segments separated by dots");
}

void validate_webhook(const FieldView& hook, bool mutating) {
  validate_full_name(hook["name"]);
  for (const FieldView& rule : hook["rules"].each()) validate_webhook_rule(rule);
  if (!hook["failurePolicy"].value().is_null()) hook["failurePolicy"].one_of({"Fail", "Ignore"});
  if (!hook["matchPolicy"].value().is_null()) hook["matchPolicy"].one_of({"Equivalent", "Exact"});
  const FieldView effects = hook["sideEffects"], timeout = hook["timeoutSeconds"];
  if (effects.value().is_null()) {
    effects.errors().required(effects.path(), "must specify one of None, NoneOnDryRun");
  } else {
    effects.one_of({"None", "NoneOnDryRun"});
  }
  if (!timeout.value().is_null() && (timeout.number() > 30 || timeout.number() < 1))
    timeout.invalid("the timeout value must be between 1 and 30 seconds");
  if (hook["namespaceSelector"].value().is_object()) validate_label_selector(hook["namespaceSelector"]);
  if (hook["objectSelector"].value().is_object()) validate_label_selector(hook["objectSelector"]);
  if (mutating && !hook["reinvocationPolicy"].value().is_null())
    hook["reinvocationPolicy"].one_of({"IfNeeded", "Never"});
  validate_webhook_client(hook["clientConfig"]);
}

}  // namespace

void webhook_configuration(const Subject& subject) {
  const bool mutating = subject.resource.kind == "MutatingWebhookConfiguration";
  std::set<std::string> names;
  for (const FieldView& hook : subject.object["webhooks"].each()) {
    const FieldView name = hook["name"];
    validate_webhook(hook, mutating);
    validate_review_versions(hook["admissionReviewVersions"]);
    if (name.given() && !names.insert(std::string(name.text())).second)
      name.errors().duplicate(name.path(), name.value());
  }
}

}  // namespace flotilla::api::validation
