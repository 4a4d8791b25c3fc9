// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/audit/policy.hpp"

#include <algorithm>
#include <optional>

namespace flotilla::apiserver {
namespace {

using api::Json;

constexpr std::pair<std::string_view, AuditLevel> kLevels[] = {
    {"None", AuditLevel::None},
    {"Metadata", AuditLevel::Metadata},
    {"Request", AuditLevel::Request},
    {"RequestResponse", AuditLevel::RequestResponse}};
constexpr std::pair<std::string_view, AuditStage> kStages[] = {
    {"RequestReceived", AuditStage::RequestReceived},
    {"ResponseStarted", AuditStage::ResponseStarted},
    {"ResponseComplete", AuditStage::ResponseComplete},
    {"Panic", AuditStage::Panic}};

Error fault(const std::string& field, const std::string& what) {
  return Error(Code::Invalid, field + ": " + what);
}

std::vector<std::string> strings_of(const Json& list) {
  std::vector<std::string> out;
  for (const Json& entry : list.elements()) out.emplace_back(entry.as_string());
  return out;
}

bool has(const std::vector<std::string>& list, std::string_view value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

Status read_stages(const Json& list, const std::string& field, std::set<AuditStage>& into) {
  for (const Json& entry : list.elements()) {
    const auto it = std::find_if(std::begin(kStages), std::end(kStages),
                                 [&](const auto& stage) { return stage.first == entry.as_string(); });
    if (it == std::end(kStages)) return fault(field, "unknown stage " + entry.dump());
    into.insert(it->second);
  }
  return {};
}

bool fits_url(const std::vector<std::string>& urls, std::string_view path) {
  return std::any_of(urls.begin(), urls.end(), [&](std::string_view url) {
    if (url == "*" || url == path) return true;
    return url.ends_with('*') && path.starts_with(url.substr(0, url.size() - 1));
  });
}

bool names_resource(std::string_view entry, const RequestInfo& info) {
  if (entry == "*") return true;
  const auto slash = entry.find('/');
  if (slash == std::string_view::npos) return info.subresource.empty() && entry == info.resource;
  const std::string_view main = entry.substr(0, slash), sub = entry.substr(slash + 1);
  if (main == "*") return !info.subresource.empty() && sub == info.subresource;
  return main == info.resource && (sub == "*" || (!info.subresource.empty() && sub == info.subresource));
}

}  // namespace

std::string_view audit_level_text(AuditLevel level) {
  return kLevels[static_cast<std::size_t>(level)].first;
}

std::string_view audit_stage_text(AuditStage stage) {
  return kStages[static_cast<std::size_t>(stage)].first;
}

Result<AuditPolicy> AuditPolicy::read(const Json& policy) {
  if (policy["kind"].as_string() != "Policy" ||
      !policy["apiVersion"].as_string().starts_with("audit.k8s.io/"))
    return fault("kind", "must be a Policy of audit.k8s.io/v1");
  std::set<AuditStage> omitted;
  if (auto good = read_stages(policy["omitStages"], "omitStages", omitted); !good)
    return std::move(good).error();
  const bool omit_fields = policy["omitManagedFields"].as_bool();
  AuditPolicy out;
  const auto rules = policy["rules"].elements();
  if (rules.empty()) return fault("rules", "at least one is required");
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const std::string at = "rules[" + std::to_string(i) + "]";
    const Json& from = rules[i];
    const auto level = std::find_if(std::begin(kLevels), std::end(kLevels),
                                    [&](const auto& one) { return one.first == from["level"].as_string(); });
    if (level == std::end(kLevels)) return fault(at + ".level", "unknown level " + from["level"].dump());
    Rule rule;
    rule.level = level->second;
    rule.users = strings_of(from["users"]);
    rule.groups = strings_of(from["userGroups"]);
    rule.verbs = strings_of(from["verbs"]);
    rule.namespaces = strings_of(from["namespaces"]);
    rule.urls = strings_of(from["nonResourceURLs"]);
    for (const Json& entry : from["resources"].elements()) {
      rule.resources.push_back({std::string(entry["group"].as_string()), strings_of(entry["resources"]),
                                strings_of(entry["resourceNames"])});
    }
    if (!rule.urls.empty() && (!rule.resources.empty() || !rule.namespaces.empty()))
      return fault(at + ".nonResourceURLs",
                   "rules cannot apply to both regular resources and non-resource URLs");
    rule.omitted = omitted;
    if (auto good = read_stages(from["omitStages"], at + ".omitStages", rule.omitted); !good)
      return std::move(good).error();
    rule.omit_managed_fields = from["omitManagedFields"].as_bool(omit_fields);
    out.rules_.push_back(std::move(rule));
  }
  return out;
}

AuditDecision AuditPolicy::decide(const UserInfo& user, const RequestInfo& info) const {
  for (const Rule& rule : rules_) {
    if (fits(rule, user, info)) return {rule.level, rule.omitted, rule.omit_managed_fields};
  }
  return {};
}

bool AuditPolicy::fits(const Rule& rule, const UserInfo& user, const RequestInfo& info) {
  if (!rule.users.empty() && !has(rule.users, user.name)) return false;
  if (!rule.groups.empty() &&
      std::none_of(user.groups.begin(), user.groups.end(),
                   [&](const std::string& group) { return has(rule.groups, group); })) {
    return false;
  }
  if (!rule.verbs.empty() && !has(rule.verbs, info.verb)) return false;
  if (!rule.namespaces.empty() || !rule.resources.empty())
    return info.is_resource && fits_resource(rule, info);
  if (!rule.urls.empty()) return !info.is_resource && fits_url(rule.urls, info.path);
  return true;
}

bool AuditPolicy::fits_resource(const Rule& rule, const RequestInfo& info) {
  if (!rule.namespaces.empty() && !has(rule.namespaces, info.ns)) return false;
  if (rule.resources.empty()) return true;
  return std::any_of(rule.resources.begin(), rule.resources.end(), [&](const GroupResources& one) {
    if (one.group != info.group) return false;
    if (one.resources.empty()) return true;
    if (!one.names.empty() && !has(one.names, info.name)) return false;
    return std::any_of(one.resources.begin(), one.resources.end(),
                       [&](const std::string& entry) { return names_resource(entry, info); });
  });
}

}  // namespace flotilla::apiserver
