// SPDX-License-Identifier: Apache-2.0
// Kinds with few rules: leases, runtime classes, namespaces.
#include "core/api/validation/containers.hpp"
#include "core/api/validation/kinds.hpp"
#include "core/api/validation/validation.hpp"

namespace flotilla::api::validation {
void lease(const Subject& subject) {
  const FieldView spec = subject.spec();
  const FieldView seconds = spec["leaseDurationSeconds"], transitions = spec["leaseTransitions"];
  if (!seconds.value().is_null() && seconds.number() <= 0) seconds.invalid("must be greater than 0");
  if (!transitions.value().is_null() && transitions.number() < 0)
    transitions.invalid("must be greater than or equal to 0");
}

void runtime_class(const Subject& subject) {
  const FieldView handler = subject.object["handler"];
  for (const std::string& message : check_dns_label(handler.text()))
    handler.errors().invalid(handler.path(), handler.text(), message);
  const FieldView overhead = subject.object["overhead"]["podFixed"];
  if (overhead.filled()) {
    const Json limits = Json::object({{"limits", overhead.value()}});
    validate_container_resources(FieldView(limits, overhead.path(), overhead.errors()));
  }
  validate_labels(subject.object["scheduling"]["nodeSelector"]);
  validate_tolerations(subject.object["scheduling"]["tolerations"]);
  if (!subject.creates()) handler.immutable(subject.live["handler"]);
}

void namespace_object(const Subject& subject) {
  const FieldView finalizers = subject.spec()["finalizers"];
  for (const FieldView& one : finalizers.each()) {
    // Only where finalizers are the point the path has their index.
    const FieldView finalizer(one.value(), subject.subresource == "finalize" ? one.path() : finalizers.path(),
                              one.errors());
    finalizer.messages(check_qualified_name(one.text()));
    validate_finalizer_domain(finalizer);
  }
}

}  // namespace flotilla::api::validation
