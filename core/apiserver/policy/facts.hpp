// SPDX-License-Identifier: Apache-2.0
// What expressions of admission can name: object, oldObject, request, namespaceObject, params, authorizer,
// variables. Types for compilation, values for one request.
#pragma once

#include <memory>
#include <vector>

#include "core/apiserver/admission/attributes.hpp"
#include "core/apiserver/security/authorizer.hpp"
#include "core/cel/cel.hpp"

namespace flotilla::apiserver {

struct FactChoice {
  bool params = false;
  bool authorizer = true;
  bool space = true;       // namespaceObject
  cel::TypePtr variables;  // null: there are none

  static FactChoice of_webhooks() {
    FactChoice out;
    out.space = false;
    return out;
  }
};
cel::Environment facts_environment(const FactChoice& choice);

// The values of one request in one version; without a store there is no namespaceObject. Keeps the documents
// alive that the values view: it must outlive every evaluation.
class Facts {
 public:
  Facts(const AdmissionAttributes& attributes, const Resource& version, const store::Store* store,
        const Authorizer& authorizer);

  // Null params: none. Valid while `params` and these facts live.
  std::vector<cel::Binding> bindings(const Json& params) const;
  const Json& object() const { return object_; }
  const Json& old_object() const { return old_object_; }

 private:
  Json object_, old_object_, request_;
  std::shared_ptr<const Json> space_;
  cel::Value authorizer_, request_resource_;
};

}  // namespace flotilla::apiserver
