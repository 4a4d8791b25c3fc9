// SPDX-License-Identifier: Apache-2.0
// matchConditions of webhooks and admission policies: CEL over object, oldObject, request and authorizer.
// Compiled once. Thread: immutable.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/apiserver/admission/attributes.hpp"
#include "core/apiserver/authorizer.hpp"
#include "core/cel/cel.hpp"

namespace flotilla::apiserver {

class MatchConditions {
 public:
  // [{"name", "expression"}]. What does not compile is an error whenever it is asked.
  static MatchConditions read(const Json& conditions);

  bool empty() const { return conditions_.empty(); }
  // False as soon as one condition is false; else an error if one could not be evaluated. Errors: Invalid.
  Result<bool> hold(const AdmissionAttributes& attributes, const Authorizer& authorizer) const;

 private:
  struct Condition {
    std::string name;
    cel::ProgramPtr program;
    std::string fault;  // why there is no program
  };
  std::vector<Condition> conditions_;
};

// The variable `request`: what an AdmissionReview says of a request, objects left out.
Json request_variable(const AdmissionAttributes& attributes);

}  // namespace flotilla::apiserver
