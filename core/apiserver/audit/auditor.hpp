// SPDX-License-Identifier: Apache-2.0
// Writes down who asked for what and what became of it, in Kubernetes' format (k8s-api 12.5). Off unless
// there is a policy; then a request that no rule wants costs one walk over the rules.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/apiserver/audit/audit_log.hpp"
#include "core/apiserver/audit/policy.hpp"
#include "core/apiserver/call.hpp"

namespace flotilla::apiserver {

// What is remembered of a request until its answer is known.
struct AuditRecord {
  AuditDecision decision;
  std::string id;
  UserInfo user;                         // who authenticated
  std::optional<UserInfo> impersonated;  // as whom the request was judged
  WallTime received;
  std::string uri, verb, address, agent;
  api::Json object_reference;
};

class Auditor {
 public:
  Auditor(const Executor& executor, AuditPolicy policy, AuditLogOptions options);

  Status open() { return log_->open(); }
  Task<void> run() { return log_->run(); }
  void flush() { log_->flush(); }

  // After authentication. Null: no rule wants this request.
  std::shared_ptr<const AuditRecord> begin(const Call& call, const UserInfo& requester, WallTime now);
  // With the answer, before it is sent. A stream's end is noted when it ends.
  void complete(const Call& call, const std::shared_ptr<const AuditRecord>& record, http::Response& response,
                const std::function<Result<api::Json>(std::string_view)>& parse_yaml);

  const AuditLog& log() const { return *log_; }

 private:
  void emit(const AuditRecord& record, AuditStage stage, api::Json more);

  const Executor& executor_;
  const AuditPolicy policy_;
  std::shared_ptr<AuditLog> log_;
};

}  // namespace flotilla::apiserver
