// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <set>

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
  void on_member_change(const cluster::MemberChange& change);
  void on_work(const Event& event);
  // The Work, should it have been reported meanwhile; else its first report makes it due.
  ObjectPtr pass_over(const ObjectKey& work);
  // {identifier, status?, health} of one manifest; nullopt: the member's object is not known.
  Task<Result<std::optional<Json>>> look_at(std::shared_ptr<const Json> work,
                                            std::shared_ptr<cluster::Member> member, std::size_t ordinal);

  Reinterpretation reinterpretation_;
  std::mutex mutex_;
  std::set<ObjectKey> passed_over_;  // a member said something of them before their first report
};

}  // namespace flotilla::controllers
