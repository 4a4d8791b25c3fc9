// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/deschedule/deschedule_reconciler.hpp"

#include "core/controllers/estimators.hpp"
#include "core/controllers/facts.hpp"
#include "core/controllers/give_way.hpp"
#include "core/controllers/templates.hpp"
#include "core/controllers/trimmed.hpp"

namespace flotilla::controllers {

DescheduleReconciler::DescheduleReconciler(Context& context) : LoopController(context, "descheduler") {
  // The first look is at the first binding.
  context.informers.on(kinds::kResourceBinding.collection(), [this](const Event& event) {
    if (event.type == Event::Type::Added) loop_.enqueue({event.collection, {}}, reconcile::kBackground);
  });
}

Task<Outcome> DescheduleReconciler::reconcile(Key key) {
  Turns turns;
  const auto bindings = context_.store.list(key.collection).objects;
  for (const ObjectPtr& binding : bindings) {
    auto waiting = turns.give_way();
    co_await std::move(waiting);
    if (binding->deleting() || !mentions(*binding, "\"Deployment\"")) continue;
    auto looking = look_at(binding);
    co_await std::move(looking);
  }
  co_return Outcome::again_in(context_.options.descheduling_interval);
}

Task<void> DescheduleReconciler::look_at(ObjectPtr binding) {
  const auto content = binding->content();
  const Json& resource = (*content)["spec"]["resource"];
  if ((*content)["spec"]["suspension"]["scheduling"].as_bool() || !is_deschedulable(*content)) co_return;
  std::vector<UndesiredCluster> undesired = undesired_clusters(*content);
  if (undesired.empty()) co_return;
  auto hearing = hear_estimators(content, undesired);
  const auto said = co_await std::move(hearing);
  bool any = false;
  for (UndesiredCluster& cluster : undesired) {
    if (const auto known = said.find(cluster.name); known != said.end()) {
      cluster.unschedulable = known->second;
      any = any || cluster.unschedulable > 0;
      continue;
    }
    auto counting = count_unschedulable(cluster.name, std::string(resource["namespace"].as_string()),
                                        std::string(resource["name"].as_string()));
    cluster.unschedulable = co_await std::move(counting);
    any = any || cluster.unschedulable > 0;
  }
  if (!any) co_return;
  auto plan = plan_descheduling(*content, undesired);
  if (!plan) co_return;
  auto descheduling = deschedule(binding, *std::move(plan));
  co_await std::move(descheduling);
}

Task<std::map<std::string, std::int64_t>> DescheduleReconciler::hear_estimators(
    std::shared_ptr<const Json> binding, std::vector<UndesiredCluster> undesired) {
  if (context_.estimators == nullptr || !context_.estimators->counts_unschedulable())
    co_return std::map<std::string, std::int64_t>();
  const Json& resource = (*binding)["spec"]["resource"];
  cluster::UnschedulableQuestion question;
  question.api_version = resource["apiVersion"].as_string();
  question.kind = resource["kind"].as_string();
  question.ns = resource["namespace"].as_string();
  question.name = resource["name"].as_string();
  question.threshold = context_.options.unschedulable_threshold;
  std::vector<std::string> names;
  for (const UndesiredCluster& each : undesired) names.push_back(each.name);
  auto asking = context_.estimators->unschedulable(std::move(question), std::move(names));
  co_return co_await std::move(asking);
}

Task<std::int64_t> DescheduleReconciler::count_unschedulable(std::string cluster, std::string ns,
                                                             std::string name) {
  const auto member = context_.clusters.find(cluster);
  if (!member) co_return 0;
  const auto pods = member->roster({"", "v1", "pods"}, trim_pod);
  if (!pods->synced()) co_return 0;
  const cluster::Roster::Listing listing = pods->list();
  const auto waiting =
      unschedulable_pods(listing.objects, ns, context_.options.unschedulable_threshold, context_.now());
  if (waiting.empty()) co_return 0;
  auto getting = member->connection().get({"apps", "v1", "deployments"}, ns, name);
  const auto deployment = co_await std::move(getting);
  if (!deployment) co_return 0;
  std::int64_t count = 0;
  for (const UnschedulablePods& each : waiting) {
    if (!each.replica_set.starts_with(name)) continue;
    auto asking = member->connection().get({"apps", "v1", "replicasets"}, ns, each.replica_set);
    const auto replica_set = co_await std::move(asking);
    if (replica_set && is_current(*replica_set, *deployment)) count += each.count;
  }
  co_return count;
}

Task<void> DescheduleReconciler::deschedule(ObjectPtr binding, Descheduling plan) {
  const auto content = binding->content();
  const std::int64_t asked = binding->generation();
  auto clusters = std::make_shared<const Json>(std::move(plan.clusters));
  auto writing = context_.writer.modify(
      kinds::kResourceBinding, Part::Main, binding->key(), [clusters, asked](Json& object) -> Result<bool> {
        if (std::as_const(object)["metadata"]["generation"].as_int() != asked)
          return Error(Code::Conflict, "the binding has changed");
        object.make({"spec", "clusters"}) = *clusters;
        return true;
      });
  const auto written = co_await std::move(writing);
  // Changed or gone: looked at the next time.
  if (!written && (written.error().is(Code::Conflict) || written.error().is(Code::NotFound))) co_return;
  const auto type = written ? reconcile::kNormal : reconcile::kWarning;
  const std::string_view reason = written ? "DescheduleBindingSucceed" : "DescheduleBindingFailed";
  const std::string message = written ? plan.message : written.error().message();
  context_.events.record(*content, type, reason, message);
  context_.events.record(template_reference(*content), type, reason, message);
}

}  // namespace flotilla::controllers
