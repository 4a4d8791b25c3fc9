// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/security.hpp"

#include <set>

#include "core/apiserver/security/token_file.hpp"
#include "core/config/yaml.hpp"
#include "core/ctl/kubeconfig.hpp"

namespace flotilla::daemon {
namespace {

Result<std::string> read_named(const std::string& path) {
  auto text = ctl::read_file(path);
  if (text) return text;
  return Error(Code::Invalid, path + " cannot be read: " + text.error().message());
}

apiserver::Anonymous anonymous_of(const std::string& word) {
  if (word == "health") return apiserver::Anonymous::HealthOnly;
  return word == "nowhere" ? apiserver::Anonymous::Nowhere : apiserver::Anonymous::Everywhere;
}

}  // namespace

Result<api::Json> read_document(const std::string& path) {
  const Result<std::string> text = read_named(path);
  if (!text) return text.error();
  Result<api::Json> document = config::parse_yaml(*text);
  if (!document) return Error(Code::Invalid, path + ": " + document.error().message());
  return document;
}

Status apply_security(const config::Settings& settings, const std::string& data_dir,
                      apiserver::ApiServerOptions& options) {
  const config::SecuritySettings& security = settings.security;
  options.anonymous = anonymous_of(security.anonymous);
  options.max_in_flight = settings.api.max_requests_inflight;
  options.max_mutating_in_flight = settings.api.max_mutating_requests_inflight;
  for (const std::string& plugin : security.admission) {
    if (plugin != "ServiceAccount")
      return Error(Code::Invalid,
                   "security.admission: unknown plugin \"" + plugin + "\"; there is ServiceAccount");
    options.plugins.service_account = true;
  }
  if (!security.token_file.empty()) {
    const Result<std::string> text = read_named(security.token_file);
    if (!text) return text.error();
    auto tokens = apiserver::read_token_file(*text);
    if (!tokens) return Error(Code::Invalid, security.token_file + ": " + tokens.error().message());
    options.static_tokens = std::move(*tokens);
  }
  const config::AuditSettings& audit = settings.audit;
  if (audit.policy_file.empty()) return {};
  Result<api::Json> policy = read_document(audit.policy_file);
  if (!policy) return policy.error();
  options.audit_policy = std::move(*policy);
  options.audit_log.path = audit.log_path.empty() ? data_dir + "/audit.log" : audit.log_path;
  options.audit_log.max_bytes = audit.max_size_mb << 20;
  options.audit_log.max_backups = audit.max_backups;
  options.audit_log.max_age_days = audit.max_age_days;
  return {};
}

Task<Result<std::size_t>> rewrite_values(store::Store& store, std::vector<std::string> places) {
  const std::set<std::string> wanted(places.begin(), places.end());
  std::size_t count = 0;
  for (const store::Collection& collection : store.collections()) {
    const std::string prefix = "/registry/" + collection.get() + "/";
    const auto first = wanted.lower_bound(prefix);
    if (first == wanted.end() || !first->starts_with(prefix)) continue;
    for (const api::ObjectPtr& object : store.list(collection).objects) {
      if (!wanted.contains(prefix + object->key().text())) continue;
      auto writing =
          store.update(collection, *object->content(), object->revision(), store::Durability::Wait);
      const auto written = co_await std::move(writing);
      object->release_content();
      if (written) ++count;
      // Whoever wrote or deleted it meanwhile has done it already.
      if (!written && !written.error().is(Code::Conflict) && !written.error().is(Code::NotFound))
        co_return written.error();
    }
  }
  co_return count;
}

}  // namespace flotilla::daemon
