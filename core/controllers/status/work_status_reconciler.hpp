// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cluster/registry.hpp"
#include "core/controllers/controller.hpp"
#include "core/controllers/reinterpretation.hpp"

namespace flotilla::controllers {

// Root: Work. Wakes on: a managed object in the member that appears, changes or vanishes; how its kind is
// read. Reads: the member's cache. Writes: Work.status.manifestStatuses. Holds: only what the member was seen
// to say is written; an object that is not known keeps its last reflected status. Ends: nothing to do.
class WorkStatusReconciler final : public LoopController {
 public:
  explicit WorkStatusReconciler(Context& context);
  Task<Outcome> reconcile(Key key) override;

 private:
  Reinterpretation reinterpretation_;
  // {identifier, status?, health} of one manifest; nullopt: the member's object is not known.
  Task<Result<std::optional<Json>>> look_at(std::shared_ptr<const Json> work,
                                            std::shared_ptr<cluster::Member> member, std::size_t ordinal);
};

}  // namespace flotilla::controllers
