// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>

#include "core/api/admission/rules.hpp"

namespace flotilla::api {

namespace {

constexpr std::string_view kConfigVersion = "config.karmada.io/v1alpha1";
constexpr std::string_view kContextVersion = "v1alpha1";
constexpr std::string_view kAll = "*";
constexpr int kMaxTimeoutSeconds = 30;

// Members of spec.customizations and the operation each is the script of.
struct Customization {
  std::string_view member;
  std::string_view operation;
  bool exclusive = true;  // only one object per kind may have it
};

constexpr std::array kCustomizations = {
    Customization{"retention", "Retain"},
    Customization{"replicaResource", "InterpretReplica"},
    Customization{"componentResource", "InterpretComponent"},
    Customization{"replicaRevision", "ReviseReplica"},
    Customization{"statusReflection", "InterpretStatus"},
    Customization{"statusAggregation", "AggregateStatus"},
    Customization{"healthInterpretation", "InterpretHealth"},
    Customization{"dependencyInterpretation", "InterpretDependency", false},
};

Error denied(std::string text) {
  return Error(Code::Forbidden, std::move(text));
}

std::string_view script_of(const Json& object, const Customization& customization) {
  return object.at({"spec", "customizations", customization.member, "luaScript"}).as_string();
}

bool is_operation(std::string_view name) {
  return name == kAll || std::any_of(kCustomizations.begin(), kCustomizations.end(),
                                     [&](const Customization& known) { return known.operation == name; });
}

// A list of names in which * stands alone.
void review_names(const Json& names, const std::string& path, std::string_view what, FieldErrors& errors) {
  if (names.empty()) errors.required(path);
  auto list = names.elements();
  bool has_all =
      std::any_of(list.begin(), list.end(), [](const Json& name) { return name.as_string() == kAll; });
  if (has_all && names.size() > 1) {
    errors.invalid(path, names, "if '*' is present, must not specify other " + std::string(what));
  }
}

void review_rule(const Json& rule, const std::string& path, FieldErrors& errors) {
  const Json& operations = rule["operations"];
  review_names(operations, path + ".operations", "operations", errors);
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (is_operation(operations.element(i).as_string())) continue;
    errors.not_supported(
        at_index(path + ".operations", i), operations.element(i),
        {kAll, "AggregateStatus", "InterpretComponent", "InterpretDependency", "InterpretHealth",
         "InterpretReplica", "InterpretStatus", "Retain", "ReviseReplica"});
  }
  review_names(rule["apiGroups"], path + ".apiGroups", "API groups", errors);
  for (auto [member, what] : {std::pair("apiVersions", "API versions"), std::pair("kinds", "kinds")}) {
    const Json& names = rule[member];
    std::string list = path + "." + member;
    review_names(names, list, what, errors);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names.element(i).as_string().empty()) errors.required(at_index(list, i));
    }
  }
}

void review_service(const Json& service, const std::string& path, FieldErrors& errors) {
  for (std::string_view member : {"name", "namespace"}) {
    if (service[member].as_string().empty()) {
      errors.required(path + "." + std::string(member), "service " + std::string(member) + " is required");
    }
  }
  const Json& port = service["port"];
  if (!port.is_null() && (port.as_int() < 1 || port.as_int() > 65535)) {
    errors.invalid(path + ".port", port, "must be between 1 and 65535, inclusive");
  }
  std::string_view target = service["path"].as_string("/");
  if (!target.starts_with('/')) errors.invalid(path + ".path", target, "must start with a '/'");
}

void review_client(const Json& client, const std::string& path, FieldErrors& errors) {
  const Json& url = client["url"];
  const Json& service = client["service"];
  if (url.is_null() == service.is_null()) {
    errors.required(path, "exactly one of url or service is required");
  } else if (!service.is_null()) {
    review_service(service, path + ".service", errors);
  } else {
    review_url(path + ".url", url.as_string(), errors);
    if (!url.as_string().starts_with("https://")) {
      errors.invalid(path + ".url", url, "'https' is the only allowed URL scheme");
    }
  }
}

void review_context_versions(const Json& versions, const std::string& path, FieldErrors& errors) {
  if (versions.empty()) {
    errors.required(path, "must specify one of v1alpha1");
    return;
  }
  auto list = versions.elements();
  bool is_spoken = std::any_of(list.begin(), list.end(),
                               [](const Json& version) { return version.as_string() == kContextVersion; });
  if (!is_spoken) errors.invalid(path, versions, "must include at least one of v1alpha1");
}

void review_webhook_name(const Json& name, const std::string& path, std::set<std::string_view>& seen,
                         FieldErrors& errors) {
  std::string_view text = name.as_string();
  if (text.empty()) {
    errors.required(path);
    return;
  }
  invalid_each(errors, path, name, check_dns_subdomain(text));
  if (std::count(text.begin(), text.end(), '.') < 2) {
    errors.invalid(path, name, "should be a domain with at least three segments separated by dots");
  }
  if (!seen.insert(text).second) errors.duplicate(path, name);
}

}  // namespace

Status review_interpreter_customization(const Admission& admission) {
  const Json& object = admission.request.object;
  const Json& name = object.at({"metadata", "name"});
  for (const Json& other : admission.world.list(kConfigVersion, "ResourceInterpreterCustomization", "")) {
    if (other.at({"metadata", "name"}) == name) continue;
    if (other.at({"spec", "target"}) != object.at({"spec", "target"})) continue;
    for (const Customization& known : kCustomizations) {
      if (!known.exclusive || script_of(object, known).empty() || script_of(other, known).empty()) continue;
      return denied("conflicting with InterpreterOperation(" + std::string(known.operation) +
                    ") of existing ResourceInterpreterCustomization(" +
                    std::string(other.at({"metadata", "name"}).as_string()) + ")");
    }
  }
  for (const Customization& known : kCustomizations) {
    std::string_view script = script_of(object, known);
    if (script.empty()) continue;
    Status compiled = admission.world.compile_script(script);
    if (compiled) continue;
    return denied("InterpreterOperation(" + std::string(known.operation) +
                  ") Lua script error: " + compiled.error().message());
  }
  return {};
}

Status review_interpreter_webhooks(const Admission& admission) {
  const Json& webhooks = admission.request.object["webhooks"];
  FieldErrors errors;
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < webhooks.size(); ++i) {
    const Json& webhook = webhooks.element(i);
    std::string path = at_index("webhooks", i);
    review_webhook_name(webhook["name"], path + ".name", names, errors);
    const Json& rules = webhook["rules"];
    for (std::size_t j = 0; j < rules.size(); ++j) {
      review_rule(rules.element(j), at_index(path + ".rules", j), errors);
    }
    review_client(webhook["clientConfig"], path + ".clientConfig", errors);
    const Json& timeout = webhook["timeoutSeconds"];
    if (!timeout.is_null() && (timeout.as_int() < 1 || timeout.as_int() > kMaxTimeoutSeconds)) {
      errors.invalid(path + ".timeoutSeconds", timeout, "the timeout value must be between 1 and 30 seconds");
    }
    review_context_versions(webhook["interpreterContextVersions"], path + ".interpreterContextVersions",
                            errors);
  }
  return denial(errors);
}

}  // namespace flotilla::api
