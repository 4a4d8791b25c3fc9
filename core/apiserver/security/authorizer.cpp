// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/security/authorizer.hpp"

#include <functional>
#include <map>
#include <set>

#include "core/apiserver/errors.hpp"

namespace flotilla::apiserver {
namespace {

using api::Json;

constexpr std::string_view kGroup = "rbac.authorization.k8s.io";

bool contains(const std::vector<std::string>& list, std::string_view value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

std::vector<std::string> strings_of(const Json& list) {
  std::vector<std::string> out;
  for (const Json& entry : list.elements()) out.emplace_back(entry.as_string());
  return out;
}

bool url_matches(const std::vector<std::string>& urls, std::string_view path) {
  for (const std::string& url : urls) {
    if (url == "*" || url == path) return true;
    if (url.size() > 1 && url.back() == '*' &&
        path.starts_with(std::string_view(url).substr(0, url.size() - 1))) {
      return true;
    }
  }
  return false;
}

bool resource_matches(const std::vector<std::string>& resources, const Attributes& attributes) {
  for (const std::string& entry : resources) {
    if (entry == "*" || entry == attributes.resource_text()) return true;
    if (!attributes.subresource.empty() && entry.starts_with("*/") &&
        std::string_view(entry).substr(2) == attributes.subresource) {
      return true;
    }
  }
  return false;
}

struct Subject {
  std::string kind, name, ns;
  // "User "u"", as reasons name whoever matched.
  std::string text() const { return kind + " " + quoted(kind == "ServiceAccount" ? name + "/" + ns : name); }
};

struct Binding {
  std::string ns, name, role_kind, role_name;
  std::vector<Subject> subjects;
  std::string text() const {
    return ns.empty() ? "ClusterRoleBinding " + quoted(name) : "RoleBinding " + quoted(name + "/" + ns);
  }
};

bool is_subject(const Subject& subject, const UserInfo& user) {
  if (subject.kind == "User") return subject.name == user.name;
  if (subject.kind == "Group") return user.in_group(subject.name);
  return subject.kind == "ServiceAccount" &&
         user.name == std::string(kServiceAccountPrefix) + subject.ns + ":" + subject.name;
}

const Subject* subject_of(const Binding& binding, const UserInfo& user) {
  for (const Subject& subject : binding.subjects) {
    if (is_subject(subject, user)) return &subject;
  }
  return nullptr;
}

Binding read_binding(const Json& object) {
  Binding binding;
  binding.ns = api::namespace_of(object);
  binding.name = api::name_of(object);
  binding.role_kind = object["roleRef"]["kind"].as_string();
  binding.role_name = object["roleRef"]["name"].as_string();
  for (const Json& subject : object["subjects"].elements()) {
    Subject entry{std::string(subject["kind"].as_string()), std::string(subject["name"].as_string()),
                  std::string(subject["namespace"].as_string())};
    if (entry.kind == "ServiceAccount" && entry.ns.empty()) entry.ns = binding.ns;
    binding.subjects.push_back(std::move(entry));
  }
  return binding;
}

std::string role_missing(std::string_view kind, std::string_view name) {
  return (kind == "ClusterRole" ? "clusterrole." : "role.") + std::string(kGroup) + " " + quoted(name) +
         " not found";
}

}  // namespace

PolicyRule read_rule(const Json& rule) {
  return {strings_of(rule["verbs"]), strings_of(rule["apiGroups"]), strings_of(rule["resources"]),
          strings_of(rule["resourceNames"]), strings_of(rule["nonResourceURLs"])};
}

std::vector<PolicyRule> read_rules(const Json& rules) {
  std::vector<PolicyRule> out;
  for (const Json& rule : rules.elements()) out.push_back(read_rule(rule));
  return out;
}

bool rule_allows(const PolicyRule& rule, const Attributes& attributes) {
  if (!contains(rule.verbs, "*") && !contains(rule.verbs, attributes.verb)) return false;
  if (!attributes.is_resource) return url_matches(rule.urls, attributes.path);
  if (!contains(rule.groups, "*") && !contains(rule.groups, attributes.group)) return false;
  if (!resource_matches(rule.resources, attributes)) return false;
  return rule.names.empty() || contains(rule.names, attributes.name);
}

struct Authorizer::Snapshot {
  std::uint64_t generation = 0;
  std::map<std::pair<std::string, std::string>, std::vector<PolicyRule>, std::less<>>
      roles;  // namespace, name
  std::map<std::string, std::vector<PolicyRule>, std::less<>> cluster_roles;
  std::vector<Binding> cluster_bindings;
  std::map<std::string, std::vector<Binding>, std::less<>> bindings;  // by namespace

  const std::vector<PolicyRule>* rules(std::string_view kind, std::string_view ns,
                                       std::string_view name) const {
    if (kind == "ClusterRole") {
      const auto it = cluster_roles.find(name);
      return it == cluster_roles.end() ? nullptr : &it->second;
    }
    const auto it = roles.find(std::pair(std::string(ns), std::string(name)));
    return it == roles.end() ? nullptr : &it->second;
  }

  // Each binding that names the user, cluster-wide ones first. `visit` false: enough.
  void each_binding(const UserInfo& user, std::string_view ns,
                    const std::function<bool(const Binding&, const Subject&)>& visit) const {
    for (const Binding& binding : cluster_bindings) {
      const Subject* subject = subject_of(binding, user);
      if (subject != nullptr && !visit(binding, *subject)) return;
    }
    const auto own = bindings.find(ns);
    if (ns.empty() || own == bindings.end()) return;
    for (const Binding& binding : own->second) {
      const Subject* subject = subject_of(binding, user);
      if (subject != nullptr && !visit(binding, *subject)) return;
    }
  }
};

Authorizer::Authorizer(store::Store& store) : store_(store) {}
Authorizer::~Authorizer() = default;

std::shared_ptr<const Authorizer::Snapshot> Authorizer::snapshot() const {
  const std::uint64_t wanted = wanted_.load(std::memory_order_acquire);
  auto current = built_.load(std::memory_order_acquire);
  if (current && current->generation == wanted) return current;
  auto fresh = std::make_shared<Snapshot>();
  fresh->generation = wanted;
  const auto each = [&](std::string_view resource, const auto& take) {
    for (const auto& object : store_.list(store::collection_of(kGroup, resource)).objects) {
      take(*object, *object->content());
      object->release_content();
    }
  };
  each("clusterroles", [&](const api::Object& object, const Json& content) {
    fresh->cluster_roles.emplace(object.name(), read_rules(content["rules"]));
  });
  each("roles", [&](const api::Object& object, const Json& content) {
    fresh->roles.emplace(std::pair(object.ns(), object.name()), read_rules(content["rules"]));
  });
  each("clusterrolebindings", [&](const api::Object&, const Json& content) {
    fresh->cluster_bindings.push_back(read_binding(content));
  });
  each("rolebindings", [&](const api::Object& object, const Json& content) {
    fresh->bindings[object.ns()].push_back(read_binding(content));
  });
  built_.store(fresh, std::memory_order_release);
  return fresh;
}

Decision Authorizer::authorize(const UserInfo& user, const Attributes& attributes) const {
  if (user.in_group(kMasters)) return {true, ""};
  const auto rbac = snapshot();
  Decision decision;
  std::vector<std::string> missing;
  rbac->each_binding(user, attributes.ns, [&](const Binding& binding, const Subject& subject) {
    const auto* rules = rbac->rules(binding.role_kind, binding.ns, binding.role_name);
    if (rules == nullptr) {
      missing.push_back(role_missing(binding.role_kind, binding.role_name));
      return true;
    }
    for (const PolicyRule& rule : *rules) {
      if (!rule_allows(rule, attributes)) continue;
      decision.allowed = true;
      decision.reason = "RBAC: allowed by " + binding.text() + " of " + binding.role_kind + " " +
                        quoted(binding.role_name) + " to " + subject.text();
      return false;
    }
    return true;
  });
  if (decision.allowed || missing.empty()) return decision;
  decision.reason = "RBAC: ";
  if (missing.size() == 1) {
    decision.reason += missing.front();
  } else {
    decision.reason += "[";
    for (std::size_t i = 0; i < missing.size(); ++i) decision.reason += (i == 0 ? "" : ", ") + missing[i];
    decision.reason += "]";
  }
  return decision;
}

std::vector<PolicyRule> Authorizer::rules_for(const UserInfo& user, std::string_view ns) const {
  std::vector<PolicyRule> out;
  if (user.in_group(kMasters)) out.push_back({{"*"}, {"*"}, {"*"}, {}, {}});
  if (user.in_group(kMasters)) out.push_back({{"*"}, {}, {}, {}, {"*"}});
  const auto rbac = snapshot();
  rbac->each_binding(user, ns, [&](const Binding& binding, const Subject&) {
    const auto* rules = rbac->rules(binding.role_kind, binding.ns, binding.role_name);
    if (rules != nullptr) out.insert(out.end(), rules->begin(), rules->end());
    return true;
  });
  return out;
}

std::optional<std::vector<PolicyRule>> Authorizer::role_rules(std::string_view kind, std::string_view ns,
                                                              std::string_view name) const {
  const auto rbac = snapshot();
  const auto* rules = rbac->rules(kind, ns, name);
  if (rules == nullptr) return std::nullopt;
  return *rules;
}

std::string forbidden_message(const UserInfo& user, const Attributes& attributes) {
  std::string text = "User " + quoted(user.name) + " cannot " + attributes.verb;
  if (!attributes.is_resource) return text + " path " + quoted(attributes.path);
  text += " resource " + quoted(attributes.resource_text()) + " in API group " + quoted(attributes.group);
  return text + (attributes.ns.empty() ? std::string(" at the cluster scope")
                                       : " in the namespace " + quoted(attributes.ns));
}

}  // namespace flotilla::apiserver
