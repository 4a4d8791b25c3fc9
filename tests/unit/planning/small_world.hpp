// SPDX-License-Identifier: Apache-2.0
// A control plane without members and without threads of its own: a store, the controllers that decide, and
// what drives them one step at a time.
#pragma once

#include "core/daemon/admission.hpp"
#include "core/informer/informers.hpp"
#include "core/planning/blocking_call.hpp"
#include "core/planning/plan.hpp"
#include "core/reconcile/event_recorder.hpp"
#include "tests/fakes/in_tree_overrides.hpp"
#include "tests/fakes/in_tree_policies.hpp"
#include "tests/fakes/memory_backend.hpp"

namespace flotilla::planning {

class SmallWorld {
 public:
  SmallWorld()
      : executor(clock),
        store(executor, std::make_unique<store::MemoryBackend>()),
        opened(*call_blocking(executor.strand(), store.open())),
        writer(store, clock, daemon::make_admission(store, clock, {})),
        informers(executor, store),
        recorder(executor, writer, "test"),
        members(executor),
        set({executor,
             store,
             writer,
             informers,
             recorder,
             interpreter,
             members,
             *policies,
             fakes::in_tree_overrides(),
             [] { return registry(); },
             {},
             nullptr}) {
    recorder.tell_instead([](const Json&, std::string_view, std::string_view, std::string_view) {});
    store::WatchRequest request;
    request.after = store.revision();
    heard = request.after;
    subscription = *store.watch(request);
    informers.tell_synced();
  }
  ~SmallWorld() { subscription.reset(); }

  static std::shared_ptr<const api::Registry> registry() {
    return {std::shared_ptr<const api::Registry>(), &api::Registry::builtin()};
  }

  Sources sources() {
    return {
        executor,
        store,
        interpreter,
        members,
        *rehearsed,
        fakes::in_tree_overrides(),
        [] { return registry(); },
        {},
        set,
        [](const store::Store& fork, const Clock& time) { return daemon::make_admission(fork, time, {}); }};
  }

  static StoredKind kind_of(const Json& object) {
    return StoredKind::of(*registry()->find_kind(api::Gvk::of(object)));
  }
  static Json json(std::string_view text) { return *Json::parse(text); }

  // The status is written for itself: creating a Cluster clears it.
  ObjectPtr put_status(const Json& object) {
    const StoredKind kind = kind_of(object);
    const Json status = object["status"];
    auto writing =
        writer.modify(kind, store::Part::Status, api::key_of(object), [status](Json& stored) -> Result<bool> {
          stored.set("status", status);
          return true;
        });
    return **call_blocking(executor.strand(), std::move(writing));
  }

  ObjectPtr put(const Json& object) {
    const StoredKind kind = kind_of(object);
    store::WriteOptions options;
    options.with_status = true;
    const ObjectPtr there = store.get(kind.collection(), api::namespace_of(object), api::name_of(object));
    Json after = there ? *there->content() : object;
    if (there) after.set("spec", object["spec"]);  // a user's edit leaves the rest alone
    auto writing = there ? writer.update(kind, store::Part::Main, std::move(after), options)
                         : writer.create(kind, std::move(after), options);
    return **call_blocking(executor.strand(), std::move(writing));
  }

  // Lets the controllers come to rest.
  void settle() {
    const auto done = call_blocking(executor.strand(), run());
    (void)done;
  }

  void add_cluster(const std::string& name, const std::string& labels = "{}") {
    const Json cluster = json(R"({"apiVersion":"cluster.karmada.io/v1alpha1","kind":"Cluster",
        "metadata":{"name":")" +
                              name + R"(","labels":)" + labels + R"(},
        "spec":{"syncMode":"Push","apiEndpoint":"https://)" +
                              name + R"("},
        "status":{"conditions":[{"type":"Ready","status":"True"}],
          "apiEnablements":[{"groupVersion":"apps/v1","resources":[{"kind":"Deployment"}]},
                            {"groupVersion":"v1","resources":[{"kind":"ConfigMap"}]}]}})");
    put(cluster);
    put_status(cluster);
  }

  static Json deployment(const std::string& name, int replicas, const std::string& ns = "default") {
    return json(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":")" + name +
                R"(","namespace":")" + ns + R"(","labels":{"app":")" + name + R"("}},"spec":{"replicas":)" +
                std::to_string(replicas) + R"(,"selector":{"matchLabels":{"app":")" + name +
                R"("}},"template":{"metadata":{"labels":{"app":")" + name +
                R"("}},"spec":{"containers":[{"name":"c","image":"nginx:1"}]}}}})");
  }

  // All Deployments of default, divided with equal weights over these clusters.
  static Json divided(const std::string& clusters) {
    return json(R"({"apiVersion":"policy.karmada.io/v1alpha1","kind":"PropagationPolicy",
        "metadata":{"name":"all","namespace":"default"},"spec":{
          "resourceSelectors":[{"apiVersion":"apps/v1","kind":"Deployment"}],
          "placement":{"clusterAffinity":{"clusterNames":)" +
                clusters + R"(},
            "replicaScheduling":{"replicaSchedulingType":"Divided","replicaDivisionPreference":"Weighted"}}}})");
  }

  Change change(const Json& object) {
    const ObjectPtr there =
        store.get(kind_of(object).collection(), api::namespace_of(object), api::name_of(object));
    Json after = object;
    if (there) {
      after = *there->content();
      after.set("spec", object["spec"]);
      after["metadata"].set("generation", there->generation() + 1);
    } else {
      after["metadata"].set("uid", "uid-" + std::string(api::name_of(object)));
      after["metadata"].set("generation", 1);
      if (object["kind"].as_string().ends_with("PropagationPolicy"))
        after.make({"metadata", "labels", "propagationpolicy.karmada.io/permanent-id"}) = "id-of-new";
    }
    return {kind_of(object), api::key_of(object), after, object};
  }
  Change removal(const Json& object) { return {kind_of(object), api::key_of(object), {}, object}; }

  Json plan(const std::vector<Change>& changes) {
    const Sources given = sources();
    auto plan = make_plan(given, changes);
    return plan ? *plan : Json(plan.error().message());
  }

  SystemClock clock;
  Executor executor;
  store::Store store;
  Status opened;
  store::Writer writer;
  informer::Informers informers;
  reconcile::EventRecorder recorder;
  interpreter::NativeInterpreter interpreter;
  cluster::ClusterRegistry members;
  fakes::InTreePolicies policies, rehearsed;
  controllers::ControllerSet set;
  std::unique_ptr<store::Subscription> subscription;
  Revision heard;

 private:
  Task<bool> hear() {
    while (heard < store.revision()) {
      auto waiting = subscription->next();
      const auto events = co_await std::move(waiting);
      for (const store::Event& event : *events) {
        heard = event.revision;
        informers.tell(event);
      }
    }
    co_return true;
  }

  Task<bool> run() {
    for (;;) {
      auto hearing = hear();
      co_await std::move(hearing);
      bool moved = false;
      for (const char* name : {"detector", "scheduler", "binding"}) {
        auto stepping = set.find(name)->step(false);
        const auto step = co_await std::move(stepping);
        moved = moved || step.has_value();
        auto again = hear();
        co_await std::move(again);
      }
      if (!moved) co_return true;
    }
  }
};

}  // namespace flotilla::planning
