// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/federated_autoscale/federated_autoscale_reconciler.hpp"

#include "core/api/names.hpp"
#include "core/api/scale.hpp"
#include "core/async/together.hpp"
#include "core/controllers/facts.hpp"

namespace flotilla::controllers {
namespace {

// The binding of a claimed template. Errors: why there is none.
Result<ObjectPtr> binding_of(const Context& context, const Json& template_) {
  if (template_["metadata"]["labels"].empty()) return not_found("Target resource has no label. ");
  std::string_view label = api::labels::kPropagationPolicyId;
  if (api::label_of(template_, label).empty()) label = api::labels::kClusterPropagationPolicyId;
  const std::string_view id = api::label_of(template_, label);
  if (id.empty()) return not_found("No label of policy found. ");
  const std::string name = api::binding_name(template_["kind"].as_string(), api::name_of(template_));
  ObjectPtr binding = context.get(kinds::kResourceBinding, {std::string(api::namespace_of(template_)), name});
  if (!binding) return not_found("Length of binding list is zero. ");
  const auto content = binding->content();
  const Json& resource = (*content)["spec"]["resource"];
  const bool same = resource["name"] == template_["metadata"]["name"] &&
                    resource["kind"] == template_["kind"] &&
                    resource["apiVersion"] == template_["apiVersion"] && api::label_of(*content, label) == id;
  if (!same) return not_found("No binding matches the target resource. ");
  return binding;
}

constexpr std::size_t kMembersAtOnce = 32;
constexpr Duration kFirstList = std::chrono::seconds(10);

}  // namespace

FederatedAutoscaleReconciler::FederatedAutoscaleReconciler(Context& context)
    : LoopController(context, "federatedHPA-controller",
                     {.workers = 8,
                      .base_delay = std::chrono::seconds(1),
                      .max_delay = context.options.horizontal_pod_autoscaler_sync_period,
                      .timed_as = "federatedhpa_process_duration_seconds"}),
      metrics_(context.metrics) {
  context.informers.on(kinds::kFederatedHpa.collection(), [this](const Event& event) {
    const bool same =
        event.type == Event::Type::Modified && event.previous->generation() == event.object->generation();
    if (!same) enqueue(event);
  });
}

Task<Outcome> FederatedAutoscaleReconciler::reconcile(Key key) {
  const ObjectPtr object = context_.get(kinds::kFederatedHpa, key.object);
  if (!object || object->deleting()) {
    memories_.erase(key.object);
    selectors_.erase(key.object);
    co_return Outcome::done();
  }
  const SteadyTime began = context_.executor.clock().steady_now();
  Look seen;
  auto looking = look(object->content(), seen);
  Outcome outcome = co_await std::move(looking);
  const bool failed = outcome.kind() == Outcome::Kind::Retry;
  metrics_.reconciled(seen.action, failed ? &outcome.error() : nullptr,
                      context_.executor.clock().steady_now() - began);
  co_return outcome;
}

Task<Outcome> FederatedAutoscaleReconciler::look(Autoscaler autoscaler, Look& look) {
  auto target = find_scale_target(context_, (*autoscaler)["spec"]["scaleTargetRef"],
                                  std::string(api::namespace_of(*autoscaler)));
  if (!target) {
    const std::string& why = target.error().message();
    Obstacle obstacle{"FailedGetScaleTargetRef", "FailedGetScaleTargetRef",
                      "the HPA controller was unable to get the target reference object: " + why,
                      target.error()};
    auto stopping = stop_at(autoscaler, std::move(obstacle));
    co_return co_await std::move(stopping);
  }
  Obstacle obstacle;
  auto found = find_fleet(*target, obstacle);
  if (!found) {
    auto stopping = stop_at(autoscaler, std::move(obstacle));
    co_return co_await std::move(stopping);
  }
  auto fleet = std::make_shared<Fleet>(*std::move(found));
  auto looking = look_at_members(autoscaler, *target, fleet);
  const Status looked = co_await std::move(looking);
  if (!looked) {
    Obstacle unseen{
        "FailedGetScale", "FailedGetScale",
        "the HPA controller was unable to get the target's current scale: " + looked.error().message(),
        looked.error()};
    auto stopping = stop_at(autoscaler, std::move(unseen));
    co_return co_await std::move(stopping);
  }
  auto scaling = scale(autoscaler, *std::move(target), fleet, look);
  co_return co_await std::move(scaling);
}

Result<FederatedAutoscaleReconciler::Fleet> FederatedAutoscaleReconciler::find_fleet(
    const ScaleTarget& target, Obstacle& obstacle) const {
  const auto binding = binding_of(context_, *target.object->content());
  if (!binding) {
    obstacle = {
        "FailedGetBindings", "FailedGetBinding",
        "the HPA controller was unable to get the binding by scaleTargetRef: " + binding.error().message(),
        binding.error()};
    return binding.error();
  }
  const auto content = (*binding)->content();
  const auto targets = (*content)["spec"]["clusters"].elements();
  std::optional<Error> failure;
  if (targets.empty()) failure = not_found("Binding has no schedulable clusters. ");
  Fleet fleet;
  for (const Json& entry : targets) {
    const std::string name(entry["name"].as_string());
    const ObjectPtr cluster = context_.get(kinds::kCluster, {"", name});
    if (!cluster) {
      failure = not_found("clusters.cluster.karmada.io \"" + name + "\" not found");
      break;
    }
    const auto member = context_.clusters.find(name);
    if (member && is_ready(*cluster->content())) fleet.members.push_back(member);
  }
  if (!failure) return fleet;
  obstacle = {"FailedGetTargetClusters", "FailedGetTargetClusters",
              "the HPA controller was unable to get the target clusters from binding: " + failure->message(),
              *failure};
  return *std::move(failure);
}

// A member that does not answer is left out.
Task<Status> FederatedAutoscaleReconciler::look_at_members(Autoscaler autoscaler, ScaleTarget target,
                                                           std::shared_ptr<Fleet> fleet) {
  auto sights = std::make_shared<std::vector<Sight>>(fleet->members.size());
  std::vector<Task<void>> looks;
  for (std::size_t i = 0; i < fleet->members.size(); ++i)
    looks.push_back(look_at(autoscaler, target, fleet->members[i], sights, i));
  auto looking = run_together(std::move(looks), kMembersAtOnce);
  co_await std::move(looking);
  for (std::size_t i = 0; i < sights->size(); ++i) {
    Sight& seen = (*sights)[i];
    const std::string& cluster = fleet->members[i]->name();
    fleet->replicas += seen.replicas;
    fleet->status_replicas += seen.status_replicas;
    if (seen.selector.empty()) continue;
    if (fleet->selector.empty()) fleet->selector = seen.selector;
    fleet->selectors[cluster] = std::move(seen.selector);
    for (Json& pod : seen.pods) fleet->pods.push_back({cluster, std::move(pod)});
  }
  if (fleet->replicas == 0) {
    co_return Error(
        Code::Unavailable,
        "failed to get replicas in any of clusters, possibly because all of clusters are not ready");
  }
  co_return Status();
}

Task<void> FederatedAutoscaleReconciler::look_at(Autoscaler autoscaler, ScaleTarget target,
                                                 std::shared_ptr<cluster::Member> member, Sights sights,
                                                 std::size_t index) {
  const std::string ns(api::namespace_of(*autoscaler));
  const api::Gvr gvr{target.resource->group, target.resource->version, target.resource->resource};
  auto getting = member->connection().get(gvr, ns, target.object->name());
  const Result<Json> there = co_await std::move(getting);
  if (!there) co_return;
  const Json scale = api::scale_of(*target.resource, *there);
  Sight& seen = (*sights)[index];
  seen.replicas = scale["spec"]["replicas"].as_int();
  seen.status_replicas = scale["status"]["replicas"].as_int();
  seen.selector = scale["status"]["selector"].as_string();
  if (seen.selector.empty()) {
    context_.events.record(*autoscaler, reconcile::kWarning, "SelectorRequired", "selector is required");
    co_return;
  }
  const auto selector = api::LabelSelector::parse(seen.selector);
  const auto pods = member->roster({"", "v1", "pods"}, trim_scaled_pod);
  auto waiting = pods->wait_synced(kFirstList);
  if (!selector || !co_await std::move(waiting)) co_return;
  for (Json& pod : pods->list(ns)) {
    if (selector->matches(std::as_const(pod)["metadata"]["labels"])) seen.pods.push_back(std::move(pod));
  }
}

// Two autoscalers that count the same pods would work against each other.
std::optional<Error> FederatedAutoscaleReconciler::ambiguity(const ObjectKey& key, const Fleet& fleet) {
  auto selector = api::LabelSelector::parse(fleet.selector);
  if (!selector) {
    return invalid("couldn't convert selector into a corresponding internal selector object: " +
                   selector.error().message());
  }
  selectors_[key] = *std::move(selector);
  std::string names;
  int count = 0;
  for (const auto& [other, known] : selectors_) {
    if (other.ns != key.ns) continue;
    const bool selects =
        std::any_of(fleet.pods.begin(), fleet.pods.end(), [&known = known](const MemberObject& pod) {
          return known.matches(pod.object["metadata"]["labels"]);
        });
    if (!selects) continue;
    ++count;
    names += (names.empty() ? "{" : " {") + other.name + " " + other.ns + "}";
  }
  if (count < 2) return std::nullopt;
  return invalid("pods by selector " + fleet.selector + " are controlled by multiple HPAs: [" + names + "]");
}

Task<Outcome> FederatedAutoscaleReconciler::scale(Autoscaler autoscaler, ScaleTarget target,
                                                  std::shared_ptr<Fleet> fleet, Look& look) {
  const ObjectKey key = api::key_of(*autoscaler);
  const Json template_scale = api::scale_of(*target.resource, *target.object->content());
  const std::int64_t current = template_scale["spec"]["replicas"].as_int();
  const bool measured = needs_metrics(*autoscaler, current, fleet->replicas);
  AutoscaleInput input{*autoscaler, current, fleet->replicas, fleet->status_replicas, fleet->pods, {},
                       {},          {}};
  if (measured) {
    if (const auto error = ambiguity(key, *fleet)) {
      const bool parsed = error->message().starts_with("pods by");
      const std::string reason = parsed ? "AmbiguousSelector" : "InvalidSelector";
      context_.events.record(*autoscaler, reconcile::kWarning, reason, error->message());
      Json status = (*autoscaler)["status"];
      if (!status.is_object()) status = Json::object();
      set_autoscale_condition(status, {"ScalingActive", "False", reason, error->message()}, context_.now());
      status.set("currentReplicas", current);
      auto writing = write_status(key, std::move(status));
      const Status written = co_await std::move(writing);
      co_return Outcome::retry(written ? *error : written.error());
    }
    auto asking = ask_metrics(autoscaler, fleet, look);
    input.metrics = co_await std::move(asking);
  }
  input.now = context_.now();
  const Options& options = context_.options;
  input.tuning = {options.horizontal_pod_autoscaler_tolerance,
                  options.horizontal_pod_autoscaler_cpu_initialization_period,
                  options.horizontal_pod_autoscaler_initial_readiness_delay,
                  options.horizontal_pod_autoscaler_downscale_stabilization};
  AutoscalePlan plan = plan_autoscale(input, memories_[key]);
  count(*autoscaler, input, plan, look);
  if (plan.rescale) {
    auto scaling = scale_to(context_, target, plan.replicas);
    const Status scaled = co_await std::move(scaling);
    note_rescale(plan, *autoscaler, current, scaled ? nullptr : &scaled.error(), context_.now());
    if (scaled)
      note_step(memories_[key], (*autoscaler)["spec"]["behavior"], current, plan.replicas, context_.now());
  }
  for (const PlannedEvent& event : plan.events) {
    context_.events.record(*autoscaler, event.warning ? reconcile::kWarning : reconcile::kNormal,
                           event.reason, event.message);
  }
  auto writing = write_status(key, std::move(plan.status));
  const Status written = co_await std::move(writing);
  if (!written) {
    context_.events.record(*autoscaler, reconcile::kWarning, "FailedUpdateStatus", written.error().message());
    co_return Outcome::retry(written.error());
  }
  if (plan.error) co_return Outcome::retry(*plan.error);
  co_return Outcome::again_in(options.horizontal_pod_autoscaler_sync_period);
}

void FederatedAutoscaleReconciler::count(const Json& autoscaler, const AutoscaleInput& input,
                                         const AutoscalePlan& plan, Look& look) const {
  look.action = scaling_action(input.template_replicas, plan.replicas);
  const auto specs = autoscaler["spec"]["metrics"].elements();
  const Error unknown = internal("the metric is not known");
  for (std::size_t i = 0; i < plan.wishes.size() && i < look.asking.size(); ++i) {
    const MetricWish& wish = plan.wishes[i];
    metrics_.computed(
        specs[i]["type"].as_string(),
        wish.known ? scaling_action(input.template_replicas, wish.replicas) : ScalingAction::None,
        wish.known         ? nullptr
        : input.metrics[i] ? &unknown
                           : &input.metrics[i].error(),
        look.asking[i]);
  }
}

Task<Outcome> FederatedAutoscaleReconciler::stop_at(Autoscaler autoscaler, Obstacle obstacle) {
  context_.events.record(*autoscaler, reconcile::kWarning, obstacle.event, obstacle.error.message());
  Json status = status_after_failure(*autoscaler, obstacle.reason, obstacle.condition, context_.now());
  auto writing = write_status(api::key_of(*autoscaler), std::move(status));
  const Status written = co_await std::move(writing);
  co_return Outcome::retry(written ? obstacle.error : written.error());
}

Task<Status> FederatedAutoscaleReconciler::write_status(ObjectKey key, Json status) {
  auto wanted = std::make_shared<const Json>(std::move(status));
  auto writing = context_.writer.modify(kinds::kFederatedHpa, Part::Status, std::move(key),
                                        [wanted](Json& object) -> Result<bool> {
                                          if (std::as_const(object)["status"] == *wanted) return false;
                                          object.set("status", *wanted);
                                          return true;
                                        });
  const auto written = co_await std::move(writing);
  co_return written || written.error().is(Code::NotFound) ? Status() : Status(written.error());
}

}  // namespace flotilla::controllers
