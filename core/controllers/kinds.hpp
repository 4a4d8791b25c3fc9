// SPDX-License-Identifier: Apache-2.0
// The kinds that controllers keep, and the two scopes of bindings in one shape: every controller of bindings
// is written once over BindingScope.
#pragma once

#include <string_view>

#include "core/api/karmada.hpp"
#include "core/store/writer.hpp"

namespace flotilla::controllers {

using api::Json;
using api::ObjectKey;
using api::ObjectPtr;
using store::Collection;
using store::Event;
using store::Part;
using store::StoredKind;

namespace kinds {
extern const StoredKind kNamespace, kSecret, kLease, kCluster, kClusterTaintPolicy, kWork, kResourceBinding,
    kClusterResourceBinding, kPropagationPolicy, kClusterPropagationPolicy, kOverridePolicy,
    kClusterOverridePolicy;
extern const StoredKind kService, kEndpointSlice, kDeployment, kHorizontalPodAutoscaler;
extern const StoredKind kFederatedResourceQuota, kWorkloadRebalancer, kFederatedHpa, kCronFederatedHpa,
    kRemedy, kMultiClusterService, kServiceImport;
}  // namespace kinds

struct BindingScope {
  const StoredKind& kind;
  std::string_view finalizer;  // the binding controller's
  std::string_view id_label;   // on the binding and on its Works
  bool namespaced;
};

extern const BindingScope kNamespacedScope;
extern const BindingScope kClusterScope;

const BindingScope& scope_of_template(std::string_view ns);
const BindingScope& scope_of(const Collection& collection);
// Of both scopes.
std::vector<Collection> binding_collections();

// The binding that a Work belongs to, by the annotations on it. Nullopt: none.
struct BindingRef {
  const BindingScope* scope;
  ObjectKey key;
};
std::optional<BindingRef> binding_of_work(const Json& work);

}  // namespace flotilla::controllers
