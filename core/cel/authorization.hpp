// SPDX-License-Identifier: Apache-2.0
// The `authorizer` variable: authorizer.group("apps").resource("deployments").namespace("n").check("create")
// asks whoever the host names here.
#pragma once

#include <memory>
#include <string>

#include "core/cel/value.hpp"

namespace flotilla::cel {

struct AccessQuery {
  bool is_resource = true;
  std::string path;  // of non-resource questions
  std::string group, resource, subresource, ns, name;
  std::string verb;
  // Another user than the one who asks: authorizer.serviceAccount(ns, name); both empty otherwise.
  std::string account_ns, account_name;
};

struct AccessDecision {
  bool allowed = false;
  std::string reason;
  std::string error;  // not empty: the question could not be answered
};

// Thread: one evaluation at a time.
class AccessSource {
 public:
  virtual ~AccessSource() = default;
  virtual AccessDecision check(const AccessQuery& query) const = 0;
};

// For `authorizer`, of type Type::authorizer().
Value authorizer_value(std::shared_ptr<const AccessSource> source);
// For `authorizer.requestResource`: a question that lacks only its verb.
Value resource_check_value(std::shared_ptr<const AccessSource> source, AccessQuery query);
const TypePtr& resource_check_type();

}  // namespace flotilla::cel
