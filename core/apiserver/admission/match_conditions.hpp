// SPDX-License-Identifier: Apache-2.0
// matchConditions of webhooks and admission policies: whether a request is any of their business.
// Compiled once. Thread: immutable.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/apiserver/admission/attributes.hpp"
#include "core/apiserver/policy/facts.hpp"
#include "core/apiserver/security/authorizer.hpp"
#include "core/cel/cel.hpp"

namespace flotilla::apiserver {

class MatchConditions {
 public:
  // [{"name", "expression"}]. What does not compile is an error whenever it is asked. Webhooks know less of a
  // request than policies do, which say so in `facts`.
  static MatchConditions read(const Json& conditions, const FactChoice& facts = FactChoice::of_webhooks());

  bool empty() const { return conditions_.empty(); }
  // False as soon as one condition is false; else an error if one could not be evaluated. Errors: Invalid.
  Result<bool> hold(const AdmissionAttributes& attributes, const Authorizer& authorizer) const;
  Result<bool> hold(std::span<const cel::Binding> bindings) const;

 private:
  struct Condition {
    std::string expression;
    Result<cel::ProgramPtr> program;
  };
  std::vector<Condition> conditions_;
};

}  // namespace flotilla::apiserver
