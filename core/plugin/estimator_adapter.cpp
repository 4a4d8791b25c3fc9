// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/estimator_adapter.hpp"

#include <flotilla/abi/estimator.h>

#include <utility>

#include "core/base/log.hpp"
#include "core/plugin/host_state.hpp"

namespace flotilla::plugin {
namespace {

using cluster::AskedCluster;
using cluster::ClusterAnswer;

const Logger kLog("plugin");

flt_str_t borrowed(const std::string& text) {
  return {text.empty() ? nullptr : text.data(), text.size()};
}

// Requests own their texts: an operation that waits for a thread may outlive its caller.
struct RoomCall {
  cluster::RoomQuestion question;
  std::vector<AskedCluster> clusters;
  std::vector<flt_str_t> names, assumed;
  flt_room_request_t raw{};

  void fill() {
    bool promises = false;
    for (const AskedCluster& each : clusters) {
      names.push_back(borrowed(each.name));
      assumed.push_back(borrowed(each.assumed));
      promises = promises || !each.assumed.empty();
    }
    raw.struct_size = sizeof raw;
    raw.clusters = names.data();
    raw.n_clusters = names.size();
    raw.ns = borrowed(question.ns);
    raw.object = borrowed(question.object);
    raw.requirements_json = borrowed(question.requirements);
    raw.components_json = borrowed(question.components);
    raw.assumed_json = promises ? assumed.data() : nullptr;
  }
};

struct UnschedulableCall {
  cluster::UnschedulableQuestion question;
  std::vector<std::string> clusters;
  std::vector<flt_str_t> names;
  flt_unschedulable_request_t raw{};

  void fill() {
    for (const std::string& each : clusters) names.push_back(borrowed(each));
    raw.struct_size = sizeof raw;
    raw.clusters = names.data();
    raw.n_clusters = names.size();
    raw.api_version = borrowed(question.api_version);
    raw.kind = borrowed(question.kind);
    raw.ns = borrowed(question.ns);
    raw.name = borrowed(question.name);
    raw.threshold_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(question.threshold).count();
  }
};

std::string failure_of(const flt_estimate_t& estimate) {
  if (estimate.message.p != nullptr && estimate.message.n != 0)
    return {estimate.message.p, static_cast<std::size_t>(estimate.message.n)};
  return estimate.status == FLT_DEADLINE_EXCEEDED ? "no answer in time"
                                                  : "failed with status " + std::to_string(estimate.status);
}

class PluginEstimator final : public cluster::ReplicaEstimator {
 public:
  using Answers = Result<std::vector<ClusterAnswer>>;

  PluginEstimator(std::shared_ptr<Instance> instance, const EstimatorLimits& limits)
      : instance_(std::move(instance)),
        ops_(*instance_->ops<flt_estimator_ops_t>()),
        grace_(limits.grace),
        budget_(limits.budget) {}

  std::string name() const override { return instance_->name(); }
  bool estimates_sets() const override { return FLT_HAS(&ops_, max_available_component_sets); }
  bool counts_unschedulable() const override { return FLT_HAS(&ops_, unschedulable_replicas); }

  Task<Answers> room(cluster::RoomQuestion question, std::vector<AskedCluster> clusters,
                     Duration timeout) override {
    auto request = std::make_shared<RoomCall>();
    request->question = std::move(question);
    request->clusters = std::move(clusters);
    request->fill();
    const bool of_sets = request->question.of_sets();
    if (of_sets && !estimates_sets()) co_return std::vector<ClusterAnswer>(request->clusters.size());
    const std::size_t count = request->clusters.size();
    Op op = [request = std::move(request), instance = instance_, ops = &ops_, of_sets](flt_call_t* call) {
      const auto operation = of_sets ? ops->max_available_component_sets : ops->max_available_replicas;
      operation(instance->self(), &request->raw, call);
    };
    auto asking = ask(std::move(op), count, timeout);
    co_return co_await std::move(asking);
  }

  Task<Answers> unschedulable(cluster::UnschedulableQuestion question, std::vector<std::string> clusters,
                              Duration timeout) override {
    if (!counts_unschedulable()) co_return std::vector<ClusterAnswer>(clusters.size());
    auto request = std::make_shared<UnschedulableCall>();
    request->question = std::move(question);
    request->clusters = std::move(clusters);
    request->fill();
    const std::size_t count = request->clusters.size();
    Op op = [request = std::move(request), instance = instance_, ops = &ops_](flt_call_t* call) {
      ops->unschedulable_replicas(instance->self(), &request->raw, call);
    };
    auto asking = ask(std::move(op), count, timeout);
    co_return co_await std::move(asking);
  }

 private:
  Task<Answers> ask(Op op, std::size_t count, Duration timeout) {
    if (budget_.resting(now())) {
      co_return Error(Code::Unavailable,
                      "rests after too many faults, the last of them: " + budget_.last_fault());
    }
    auto waiting = instance_->services()->call(std::move(op), {.timeout = timeout, .grace = grace_});
    const Completion answer = co_await std::move(waiting);
    if (answer.status == FLT_CANCELLED) co_return answer.error;
    if (!answer.ok()) {
      charge(answer.error.message());
      co_return answer.error;
    }
    co_return read(answer.as<flt_estimates_t>(), count);
  }

  Answers read(const flt_estimates_t* result, std::size_t count) {
    if (result == nullptr || result->n_estimates != count) {
      return fault("answered about " + std::to_string(result == nullptr ? 0 : result->n_estimates) + " of " +
                   std::to_string(count) + " clusters");
    }
    std::vector<ClusterAnswer> answers(count);
    for (std::size_t i = 0; i < count; ++i) {
      const flt_estimate_t& estimate = result->estimates[i];
      if (estimate.status != FLT_OK) {
        answers[i].failure = failure_of(estimate);
      } else if (estimate.value < FLT_ESTIMATE_UNKNOWN) {
        return fault("estimated fewer than no replicas");
      } else {
        answers[i].value = estimate.value;
      }
    }
    return answers;
  }

  Error fault(const std::string& what) {
    instance_->services()->state().misbehaved(what);
    charge(what);
    return internal("estimator " + name() + " " + what);
  }

  void charge(std::string_view what) {
    if (!budget_.spend(now(), what)) return;
    kLog.error("estimator rests for being wrong too often", {{"estimator", name()}, {"last", what}});
  }

  SteadyTime now() const { return instance_->services()->environment().executor().clock().steady_now(); }

  const std::shared_ptr<Instance> instance_;
  const flt_estimator_ops_t& ops_;
  const Duration grace_;
  ErrorBudget budget_;
};

}  // namespace

Result<std::shared_ptr<cluster::ReplicaEstimator>> adapt_estimator(std::shared_ptr<Instance> instance,
                                                                   const EstimatorLimits& limits) {
  const flt_component_t& component = instance->component();
  const auto* ops = instance->ops<flt_estimator_ops_t>();
  if (std::string_view(component.kind) != FLT_KIND_ESTIMATOR || ops == nullptr ||
      !FLT_HAS(ops, max_available_replicas)) {
    return invalid(instance->name() + " is of kind " + component.kind + ", not a " + FLT_KIND_ESTIMATOR +
                   " that estimates replicas");
  }
  return std::shared_ptr<cluster::ReplicaEstimator>(
      std::make_shared<PluginEstimator>(std::move(instance), limits));
}

}  // namespace flotilla::plugin
