// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/rebalance/rebalance_reconciler.hpp"

#include "core/api/names.hpp"
#include "core/controllers/rebalance/rebalance_plan.hpp"

namespace flotilla::controllers {

RebalanceReconciler::RebalanceReconciler(Context& context) : LoopController(context, "workload-rebalancer") {
  context.informers.on(kinds::kWorkloadRebalancer.collection(), [this](const Event& event) {
    const bool same = event.previous && event.previous->generation() == event.object->generation();
    if (event.type != Event::Type::Deleted && !same) enqueue(event);
  });
}

Task<Outcome> RebalanceReconciler::reconcile(Key key) {
  const ObjectPtr rebalancer = context_.get(kinds::kWorkloadRebalancer, key.object);
  if (!rebalancer || rebalancer->deleting()) co_return Outcome::done();
  const auto content = rebalancer->content();
  Json workloads = Json::array();
  int retries = 0;
  const Json planned = observed_workloads(*content);
  for (const Json& one : planned.elements()) {
    auto observed = std::make_shared<Json>(one);
    if (!is_settled(one)) {
      auto rebalancing = rebalance(content, observed);
      if (!co_await std::move(rebalancing)) ++retries;
    }
    workloads.push_back(*observed);
  }
  auto status = std::make_shared<const Json>(
      rebalancer_status(*content, std::move(workloads), retries > 0, context_.now()));
  auto writing = context_.writer.modify(kinds::kWorkloadRebalancer, Part::Status, key.object,
                                        [status](Json& object) -> Result<bool> {
                                          if (std::as_const(object)["status"] == *status) return false;
                                          object.set("status", *status);
                                          return true;
                                        });
  const auto written = co_await std::move(writing);
  if (!written && written.error().is(Code::NotFound)) co_return Outcome::done();
  if (!written) co_return Outcome::retry(written.error());
  if (retries > 0) {
    co_return Outcome::retry(Error(
        Code::Unavailable, std::to_string(retries) + " resource reschedule triggered failed and need retry"));
  }
  auto expiring = expire(*written);
  co_return co_await std::move(expiring);
}

Task<bool> RebalanceReconciler::rebalance(std::shared_ptr<const Json> rebalancer,
                                          std::shared_ptr<Json> observed) {
  const Json workload = std::as_const(*observed)["workload"];
  const std::string ns(workload["namespace"].as_string());
  ObjectKey binding{ns, api::binding_name(workload["kind"].as_string(), workload["name"].as_string())};
  auto triggering = context_.writer.modify(
      scope_of_template(ns).kind, Part::Main, std::move(binding),
      [rebalancer](Json& object) -> Result<bool> { return trigger_reschedule(object, *rebalancer); });
  const auto triggered = co_await std::move(triggering);
  if (triggered) {
    succeed(*observed);
  } else if (triggered.error().is(Code::NotFound)) {
    fail_for_missing_binding(*observed);
  } else {
    co_return false;
  }
  co_return true;
}

Task<Outcome> RebalanceReconciler::expire(ObjectPtr rebalancer) {
  const auto left = time_left(*rebalancer->content(), context_.now());
  if (!left) co_return Outcome::done();
  if (*left > Duration::zero()) co_return Outcome::again_in(*left);
  store::DeleteOptions options;
  options.revision = rebalancer->revision();
  auto removing = context_.writer.remove(kinds::kWorkloadRebalancer, rebalancer->key(), std::move(options));
  const auto removed = co_await std::move(removing);
  if (!removed && !removed.error().is(Code::NotFound)) co_return Outcome::retry(removed.error());
  co_return Outcome::done();
}

}  // namespace flotilla::controllers
