// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/dispatch/execution_reconciler.hpp"

#include <boost/asio/this_coro.hpp>

#include "core/api/names.hpp"
#include "core/controllers/agency.hpp"
#include "core/controllers/dispatch/member_update.hpp"
#include "core/controllers/facts.hpp"
#include "core/controllers/interpretation.hpp"
#include "core/controllers/manifest_status.hpp"

namespace flotilla::controllers {
namespace {

constexpr int kConflictTries = 5;
constexpr int kWorkers = 256;
constexpr std::size_t kWorkersOfSlowCluster = 32;
constexpr Duration kSlow = std::chrono::seconds(1);

// Some of it was withheld: until the gate opens what would be written may still change.
Outcome look_again() {
  return Outcome::again_in(std::chrono::seconds(2));
}

std::span<const Json> manifests_of(const Json& work) {
  return work["spec"]["workload"]["manifests"].elements();
}

// What the template is to events: its identity travels in the manifest's annotations.
Json template_reference(const Json& manifest) {
  Json metadata = Json::object({{"name", api::name_of(manifest)},
                                {"uid", api::annotation_of(manifest, api::annotations::kTemplateUid)}});
  if (!api::namespace_of(manifest).empty()) metadata.set("namespace", api::namespace_of(manifest));
  return Json::object({{"apiVersion", manifest["apiVersion"]},
                       {"kind", manifest["kind"]},
                       {"metadata", std::move(metadata)}});
}

WorkCondition dispatching(bool suspended) {
  if (suspended) {
    return {api::conditions::kDispatching, "False", "SuspendDispatching",
            "Work dispatching is in a suspended state."};
  }
  return {api::conditions::kDispatching, "True", "Dispatching",
          "Work is being dispatched to member clusters."};
}

// Namespaces and what else belongs to no binding go before what may live in them.
bool is_of_binding(const api::Object& work) {
  return work.labels().find(api::labels::kResourceBindingId) != nullptr ||
         work.labels().find(api::labels::kClusterResourceBindingId) != nullptr;
}

Error not_ready(const api::Object& work) {
  return {Code::Unavailable,
          "cluster(" + work.ns().substr(api::kExecutionNamespacePrefix.size()) + ") not ready"};
}

}  // namespace

ExecutionReconciler::ExecutionReconciler(Context& context)
    : LoopController(context, "execution",
                     {.workers = kWorkers,
                      .max_delay = std::chrono::seconds(30),
                      .timed_as = "work_sync_workload_duration_seconds"}),
      reinterpretation_(context, loop_, {interpreter::Operation::Retain}) {
  context.informers.on(kinds::kWork.collection(), [this](const Event& event) { on_work(event); });
  context.informers.on(kinds::kCluster.collection(), [this](const Event& event) { on_cluster(event); });
  context.clusters.on_change([this](const cluster::MemberChange& change) { on_member_change(change); });
  context_.clusters.gate().on_open([this] {
    for (const ObjectPtr& work : context_.store.list(kinds::kWork.collection()).objects)
      loop_.enqueue({kinds::kWork.collection(), work->key()});
  });
}

void ExecutionReconciler::on_work(const Event& event) {
  if (event.type == Event::Type::Deleted) return;
  const bool same = event.previous && event.previous->generation() == event.object->generation() &&
                    event.previous->deleting() == event.object->deleting();
  if (same) return;
  const bool late = !context_.informers.synced() && is_of_binding(*event.object);
  loop_.enqueue({event.collection, event.object->key()}, late ? reconcile::kBackground : reconcile::kNow);
}

// A cluster that becomes Ready gets what it missed.
void ExecutionReconciler::on_cluster(const Event& event) {
  if (event.type == Event::Type::Deleted) return;
  const bool before = event.previous && is_ready(*event.previous->content());
  const bool deleting = event.object->deleting() && !(event.previous && event.previous->deleting());
  if (!deleting && (before || !is_ready(*event.object->content()))) return;
  const std::string space = api::execution_namespace(event.object->name());
  for (const ObjectPtr& work : context_.store.list(kinds::kWork.collection(), space).objects) {
    loop_.enqueue({kinds::kWork.collection(), work->key()},
                  is_of_binding(*work) ? reconcile::kBackground : reconcile::kNow);
  }
}

// Drift: a managed object changed in the member or is gone. What only reports its state, or is what we wrote
// ourselves, is none: a member that fills in defaults would be sent the same again and again.
void ExecutionReconciler::on_member_change(const cluster::MemberChange& change) {
  if (!change.drifted) return;
  if (const auto work = work_of(*change.object, change.cluster))
    loop_.enqueue({kinds::kWork.collection(), *work});
}

Result<ExecutionReconciler::Target> ExecutionReconciler::target_of(const std::string& name) const {
  const ObjectPtr cluster = context_.get(kinds::kCluster, {"", name});
  if (!cluster) return not_found("cluster " + name + " does not exist");
  const auto content = cluster->content();
  Target target;
  target.member = context_.clusters.find(name);
  target.ready = is_ready(*content) && target.member != nullptr;
  target.deleting = cluster->deleting();
  target.served_here = is_served_here(context_, *content);
  return target;
}

Task<Outcome> ExecutionReconciler::reconcile(Key key) {
  if (Reinterpretation::is_key(key)) {
    Reinterpretation::Wake wake = [this, its_own = reinterpretation_.its_own()](const Json& work, Key due) {
      reinterpreted_.insert(due.object);
      its_own(work, std::move(due));
    };
    auto spreading = reinterpretation_.spread(key, {kinds::kWork.collection()}, std::move(wake));
    co_await std::move(spreading);
    co_return Outcome::done();
  }
  const auto cluster = api::cluster_of_execution_namespace(key.object.ns);
  if (!cluster) co_return Outcome::give_up(cluster.error());
  const std::pair<SteadyTime, Key> piece(context_.executor.clock().steady_now(), key);
  {
    Traffic& traffic = traffic_[*cluster];
    if (is_stuck(traffic)) {
      if (traffic.parked_keys.insert(key).second) traffic.parked.push_back(key);
      co_return Outcome::done();  // due again as soon as there is room
    }
    traffic.working.insert(piece);
  }
  auto step = reconcile_in(key, *cluster);
  Outcome outcome = co_await std::move(step);
  Traffic& traffic = traffic_[*cluster];
  traffic.working.erase(piece);
  if (!traffic.parked.empty()) {
    loop_.enqueue(traffic.parked.front());
    traffic.parked_keys.erase(traffic.parked.front());
    traffic.parked.pop_front();
  } else if (traffic.working.empty()) {
    traffic_.erase(*cluster);
  }
  co_return outcome;
}

bool ExecutionReconciler::is_stuck(const Traffic& traffic) const {
  return traffic.working.size() >= kWorkersOfSlowCluster &&
         context_.executor.clock().steady_now() - traffic.working.begin()->first > kSlow;
}

Task<Outcome> ExecutionReconciler::reconcile_in(Key key, std::string cluster) {
  const ObjectPtr work = context_.get(kinds::kWork, key.object);
  if (!work) reinterpreted_.erase(key.object);
  if (!work) co_return Outcome::done();
  auto target = target_of(cluster);
  if (!target) co_return Outcome::retry(target.error());
  if (!target->served_here) co_return Outcome::done();  // its agent does this
  auto step = work->deleting() ? withdraw(work, *target) : dispatch(work, *target);
  Outcome outcome = co_await std::move(step);
  if (target->ready) context_.clusters.gate().examined(work->key());
  co_return outcome;
}

Task<Outcome> ExecutionReconciler::withdraw(ObjectPtr work, Target target) {
  const auto content = work->content();
  if (!api::has_finalizer(*content, api::finalizers::kExecution)) co_return Outcome::done();
  if (!target.ready && !target.deleting) {
    co_return Outcome::retry(not_ready(*work));
  }
  if (target.ready) {
    const bool preserve = (*content)["spec"]["preserveResourcesOnDeletion"].as_bool();
    bool withheld = false;
    for (const Json& manifest : manifests_of(*content)) {
      auto step =
          preserve ? put_back(target.member, without_marks(manifest)) : take_away(target.member, manifest);
      const Status done = co_await std::move(step);
      if (!done && !cluster::is_withheld(done.error())) co_return Outcome::retry(done.error());
      withheld |= !done;
    }
    if (withheld) co_return look_again();
  }
  auto freeing =
      context_.writer.modify(kinds::kWork, Part::Main, work->key(), [](Json& object) -> Result<bool> {
        return api::remove_finalizer(object, api::finalizers::kExecution);
      });
  const auto freed = co_await std::move(freeing);
  if (!freed && !freed.error().is(Code::NotFound)) co_return Outcome::retry(freed.error());
  co_return Outcome::done();
}

Task<Outcome> ExecutionReconciler::dispatch(ObjectPtr work, Target target) {
  const auto content = work->content();
  const bool suspended = (*content)["spec"]["suspendDispatching"].as_bool();
  tell_dispatching(*content, suspended);
  if (suspended || !target.ready) {
    std::vector<WorkCondition> conditions(1, dispatching(suspended));
    auto noting = set_conditions(work->key(), std::move(conditions), nullptr);
    const Status noted = co_await std::move(noting);
    if (!noted) co_return Outcome::retry(noted.error());
    co_return suspended ? Outcome::done() : Outcome::retry(not_ready(*work));
  }

  std::string errors;
  std::vector<Observed> observed;
  std::optional<Error> failure;
  bool withheld = false;
  for (const Json& manifest : manifests_of(*content)) {
    Sent sent;
    sent.anew = reinterpreted_.contains(work->key());
    auto putting = put(target.member, manifest, false, &sent);
    Result<Json> done = co_await std::move(putting);
    if (!done && interpreter::is_still_asked(done.error())) co_return Outcome::retry(std::move(done).error());
    if (!done && cluster::is_withheld(done.error())) {
      withheld = true;
      continue;
    }
    if (sent.overtaken) loop_.enqueue({kinds::kWork.collection(), work->key()});
    if (sent.wrote || !done)
      tell_sync(*content, manifest, target.member->name(), done ? nullptr : &done.error());
    if (done) {
      observed.push_back({*std::move(done), std::move(sent.cache)});
      continue;
    }
    errors += (errors.empty() ? "" : ", ") + done.error().message();
    failure = std::move(done).error();
  }
  if (withheld) co_return look_again();
  auto reporting = report(work, std::move(observed), errors);
  const Status reported = co_await std::move(reporting);
  if (!reported) co_return Outcome::retry(reported.error());
  if (!failure) {
    reinterpreted_.erase(work->key());
    co_return Outcome::done();
  }
  // A conflict here is the member's word, not a race of ours: say it.
  co_return Outcome::retry(
      Error(failure->is(Code::Conflict) ? Code::Forbidden : failure->code(), failure->message()));
}

// Creates what the member does not have, updates what differs; again when the member's object changes
// meanwhile.
Task<Result<Json>> ExecutionReconciler::put(std::shared_ptr<cluster::Member> member, Json manifest,
                                            bool preserve, Sent* sent) {
  auto resolving = member->resource_of(api::Gvk::of(manifest));
  const auto resource = co_await std::move(resolving);
  if (!resource) co_return resource.error();
  const api::Gvr gvr{resource->group, resource->version, resource->resource};
  const std::string ns(api::namespace_of(manifest));
  const std::string name(api::name_of(manifest));
  context_.clusters.gate().reconsider({member->name(), gvr, ns, name});
  const std::shared_ptr<cluster::MemberCache> cache = member->cache(gvr);
  auto syncing = cache->wait_synced(std::chrono::seconds(5));
  const bool synced = co_await std::move(syncing);
  if (sent != nullptr) sent->cache = cache;

  bool ask_member = !synced || preserve;
  for (int tries = 0; tries < kConflictTries; ++tries) {
    std::optional<Json> observed;
    if (!ask_member) {
      auto known = cache->get(ns, name);
      if (known) observed = *std::move(known);
      ask_member = !known;
    }
    if (ask_member) {
      auto getting = member->connection().get(gvr, ns, name);
      auto there = co_await std::move(getting);
      if (!there && !there.error().is(Code::NotFound)) co_return there.error();
      if (there) observed = *std::move(there);
    }
    std::optional<Json> wanted;
    cluster::ApplyMode mode = cluster::ApplyMode::Create;
    if (observed) {
      if (preserve && api::label_of(*observed, api::labels::kManaged) != api::kTrue)
        co_return *std::move(observed);  // never ours, or let go already
      const bool anew = preserve || (sent != nullptr && sent->anew);
      if (!anew && !ask_member && carries_metadata_of(manifest, *observed) && cache->is_as_answered(manifest))
        co_return *std::move(observed);
      Json desired = manifest;
      if (preserve)
        desired.make({"metadata", "annotations", api::annotations::kConflictResolution}) =
            api::annotations::kOverwrite;
      std::function<Result<std::optional<Json>>(const interpreter::Interpreter&)> planning =
          [&](const interpreter::Interpreter& interpreter) {
            return plan_member_update(member->name(), desired, *observed, interpreter);
          };
      auto deciding = decide(context_, std::move(planning));
      auto plan = co_await std::move(deciding);
      if (!plan) co_return plan.error();
      if (!*plan) {
        if (ask_member && !preserve) cache->written(*observed, manifest);  // it may have missed it
        co_return *std::move(observed);
      }
      wanted = **std::move(plan);
      if (preserve) wanted->make({"metadata", "annotations"}).erase(api::annotations::kConflictResolution);
      mode = cluster::ApplyMode::Update;
    } else {
      if (preserve) co_return not_found("nothing to preserve in cluster " + member->name());
      wanted = manifest;
    }
    cache->writing({ns, name});
    auto applying = member->connection().apply(gvr, *std::move(wanted), mode);
    auto answer = co_await std::move(applying);
    count(mode == cluster::ApplyMode::Create ? Write::Create : Write::Update, manifest, member->name(),
          answer.ok());
    if (!answer || preserve) {
      cache->not_written({ns, name});
    } else {
      const bool overtaken = cache->written(*answer, manifest);
      if (sent != nullptr) sent->wrote = true, sent->overtaken = overtaken;
    }
    if (answer) co_return *std::move(answer);
    const bool raced = answer.error().is(Code::Conflict) || answer.error().is(Code::AlreadyExists) ||
                       (mode == cluster::ApplyMode::Update && answer.error().is(Code::NotFound));
    if (!raced) co_return answer.error();
    ask_member = true;  // the cache is behind
  }
  co_return Error(Code::Conflict, "the object in cluster " + member->name() + " keeps changing");
}

void ExecutionReconciler::count(Write write, const Json& manifest, const std::string& cluster, bool ok) {
  MetricLabels labels = {{"result", ok ? "success" : "error"},
                         {"apiversion", std::string(manifest["apiVersion"].as_string())},
                         {"kind", std::string(manifest["kind"].as_string())},
                         {"member_cluster", cluster}};
  const char* const names[] = {"create_resource_to_cluster", "update_resource_to_cluster",
                               "delete_resource_from_cluster"};
  if (write == Write::Create) labels.emplace_back("recreate", "false");
  if (write == Write::Update) labels.emplace_back("operationResult", ok ? "updated" : "none");
  counter_in(context_.metrics, names[static_cast<int>(write)], "Writes to member clusters.", labels)->add();
}

// The object stays in the member without our marks. What is gone there already cannot stay and is let go.
Task<Status> ExecutionReconciler::put_back(std::shared_ptr<cluster::Member> member, Json manifest) {
  auto putting = put(std::move(member), std::move(manifest), true);
  Result<Json> done = co_await std::move(putting);
  if (!done && !done.error().is(Code::NotFound)) co_return std::move(done).error();
  co_return Status();
}

// What is not there, or not ours, is left alone.
Task<Status> ExecutionReconciler::take_away(std::shared_ptr<cluster::Member> member, Json manifest) {
  auto resolving = member->resource_of(api::Gvk::of(manifest));
  const auto resource = co_await std::move(resolving);
  if (!resource) co_return resource.error().is(Code::NotFound) ? Status() : Status(resource.error());
  const api::Gvr gvr{resource->group, resource->version, resource->resource};
  const std::string ns(api::namespace_of(manifest));
  const std::string name(api::name_of(manifest));
  context_.clusters.gate().reconsider({member->name(), gvr, ns, name});
  auto getting = member->connection().get(gvr, ns, name);
  const auto there = co_await std::move(getting);
  if (!there) co_return there.error().is(Code::NotFound) ? Status() : Status(there.error());
  if (api::label_of(*there, api::labels::kManaged) != api::kTrue) co_return Status();
  cluster::RemoveOptions options;
  options.uid = api::uid_of(*there);
  options.propagation = "Background";
  auto removing = member->connection().remove(gvr, ns, name, std::move(options));
  Status removed = co_await std::move(removing);
  if (!removed && removed.error().is(Code::NotFound)) co_return Status();
  count(Write::Delete, manifest, member->name(), removed.ok());
  co_return removed;
}

Task<Status> ExecutionReconciler::set_conditions(ObjectKey work, std::vector<WorkCondition> conditions,
                                                 Json statuses) {
  const WallTime now = context_.now();
  auto writing = context_.writer.modify(
      kinds::kWork, Part::Status, work,
      [conditions = std::move(conditions), statuses = std::move(statuses),
       now](Json& object) -> Result<bool> {
        bool changed = false;
        const Json& seen = std::as_const(object)["status"]["manifestStatuses"];
        if (statuses.is_array() && seen.is_null()) {
          object.make({"status", "manifestStatuses"}) = statuses;
          changed = true;
        }
        Json& known = object.make({"status", "conditions"});
        for (const WorkCondition& one : conditions) {
          changed |= api::set_condition(known, {one.type, one.status, one.reason, one.message}, now);
        }
        return changed;
      });
  const auto written = co_await std::move(writing);
  if (!written && !written.error().is(Code::NotFound)) co_return written.error();
  co_return Status();
}

Json ExecutionReconciler::Observed::newest() const {
  auto known = cache ? cache->get(api::namespace_of(object), api::name_of(object)) : std::optional<Json>();
  return known && *known && api::uid_of(**known) == api::uid_of(object) ? **known : object;
}

// Before the first report WorkStatusReconciler keeps still, so what apply answered is the newest there is;
// later reports could overwrite what the member said since.
Task<Json> ExecutionReconciler::first_statuses(std::shared_ptr<const Json> content,
                                               std::vector<Observed> observed) {
  const Json& work = *content;
  const auto manifests = manifests_of(work);
  const bool reported =
      api::find_condition(work["status"]["conditions"], api::conditions::kApplied) != nullptr;
  if (reported || observed.size() != manifests.size()) co_return nullptr;
  // What the member says of a new object often follows on its heels: behind what is waiting already it need
  // not be said twice.
  const auto own = co_await boost::asio::this_coro::executor;
  auto hop = resume_on(own);
  co_await std::move(hop);
  Json statuses = Json::array();
  for (std::size_t i = 0; i < manifests.size(); ++i) {
    std::optional<Error> health_fault;
    const Json newest = observed[i].newest();
    std::function<Result<Json>(const interpreter::Interpreter&)> reading =
        [&](const interpreter::Interpreter& interpreter) {
          health_fault.reset();
          return manifest_status(interpreter, manifests[i], static_cast<std::int64_t>(i), newest,
                                 &health_fault);
        };
    auto deciding = decide(context_, std::move(reading));
    auto status = co_await std::move(deciding);
    if (health_fault && interpreter::is_still_asked(*health_fault)) co_return nullptr;
    if (!status) co_return nullptr;  // WorkStatusReconciler says why
    tell_manifest_status(context_.events, work, manifests[i], status, health_fault, Json());
    statuses.push_back(*std::move(status));
  }
  co_return statuses;
}

// When it starts, stops, or goes on again.
void ExecutionReconciler::tell_dispatching(const Json& work, bool suspended) {
  const WorkCondition now = dispatching(suspended);
  const Json* known = api::find_condition(work["status"]["conditions"], now.type);
  if (known != nullptr && (*known)["status"].as_string() == now.status) return;
  context_.events.record(work, reconcile::kNormal, "WorkDispatching", now.message);
}

// On the Work and on its template.
void ExecutionReconciler::tell_sync(const Json& work, const Json& manifest, const std::string& cluster,
                                    const Error* error) {
  const std::string name =
      std::string(api::namespace_of(manifest)) + "/" + std::string(api::name_of(manifest));
  const Json template_ = template_reference(manifest);
  for (const Json* object : {&work, &template_}) {
    if (error == nullptr) {
      context_.events.record(*object, reconcile::kNormal, "SyncSucceed",
                             "Successfully applied resource(" + name + ") to cluster " + cluster);
    } else {
      context_.events.record(*object, reconcile::kWarning, "SyncFailed",
                             "Failed to create or update resource(" + name + ") in member cluster(" +
                                 cluster + "): " + error->message());
    }
  }
}

Task<Status> ExecutionReconciler::report(ObjectPtr work, std::vector<Observed> observed, std::string errors) {
  const auto content = work->content();
  const std::size_t total = manifests_of(*content).size();
  const bool ok = observed.size() == total;
  const std::string message = ok ? "Manifest has been successfully applied"
                                 : "Failed to apply all manifests (" + std::to_string(observed.size()) + "/" +
                                       std::to_string(total) + "): " + errors;
  std::vector<WorkCondition> conditions(1, dispatching(false));
  conditions.push_back({api::conditions::kApplied, ok ? "True" : "False",
                        ok ? "AppliedSuccessful" : "AppliedFailed", message});
  auto reading = first_statuses(content, std::move(observed));
  Json statuses = co_await std::move(reading);
  auto setting = set_conditions(work->key(), std::move(conditions), std::move(statuses));
  co_return co_await std::move(setting);
}

}  // namespace flotilla::controllers
