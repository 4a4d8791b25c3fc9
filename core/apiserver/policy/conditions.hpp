// SPDX-License-Identifier: Apache-2.0
// matchConditions of webhooks and admission policies: whether a request is any of their business.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/apiserver/admission/attributes.hpp"
#include "core/apiserver/authorizer.hpp"
#include "core/cel/cel.hpp"

namespace flotilla::apiserver {

// Immutable; thread: any.
class MatchConditions {
 public:
  // Of a list of {name, expression}. A condition that does not compile is an error of every request.
  // `params`: whether expressions may name them.
  static std::shared_ptr<const MatchConditions> read(const Json& list, bool params = false);

  bool empty() const { return conditions_.empty(); }
  // True: all hold. False: one does not, whatever the others say. Errors: none says no, but one cannot be
  // evaluated; what to do is the failurePolicy's business.
  Result<bool> hold(const AdmissionAttributes& attributes, const Resource& version, const store::Store& store,
                    const Authorizer& authorizer) const;
  Result<bool> hold(std::span<const cel::Binding> bindings, cel::Budget& budget) const;

 private:
  struct Condition {
    std::string name, expression;
    Result<cel::ProgramPtr> program;
  };
  std::vector<Condition> conditions_;
};

}  // namespace flotilla::apiserver
