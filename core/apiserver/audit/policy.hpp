// SPDX-License-Identifier: Apache-2.0
// The audit policy (audit.k8s.io/v1 Policy): which requests are written down, and how much of each. The first
// rule that fits decides; no rule, no record.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/apiserver/request_info.hpp"
#include "core/apiserver/security/user.hpp"
#include "core/base/result.hpp"

namespace flotilla::apiserver {

enum class AuditLevel : std::uint8_t { None, Metadata, Request, RequestResponse };
enum class AuditStage : std::uint8_t { RequestReceived, ResponseStarted, ResponseComplete, Panic };
std::string_view audit_level_text(AuditLevel level);
std::string_view audit_stage_text(AuditStage stage);

struct AuditDecision {
  AuditLevel level = AuditLevel::None;
  std::set<AuditStage> omitted;
  bool omit_managed_fields = false;
};

class AuditPolicy {
 public:
  // Errors: Invalid with the field that is wrong.
  static Result<AuditPolicy> read(const api::Json& policy);
  AuditDecision decide(const UserInfo& user, const RequestInfo& info) const;

 private:
  struct GroupResources {
    std::string group;
    std::vector<std::string> resources, names;
  };
  struct Rule {
    AuditLevel level = AuditLevel::None;
    std::vector<std::string> users, groups, verbs, namespaces, urls;
    std::vector<GroupResources> resources;
    std::set<AuditStage> omitted;
    bool omit_managed_fields = false;
  };
  static bool fits(const Rule& rule, const UserInfo& user, const RequestInfo& info);
  static bool fits_resource(const Rule& rule, const RequestInfo& info);

  std::vector<Rule> rules_;
};

}  // namespace flotilla::apiserver
