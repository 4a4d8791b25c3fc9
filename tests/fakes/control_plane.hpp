// SPDX-License-Identifier: Apache-2.0
// What reconcilers stand on, over a store in memory and a clock that stands still: objects are put in, a
// reconciler is asked about one key, and what it wrote is read. Loops do not run, so nothing happens by
// itself.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "core/cluster/registry.hpp"
#include "core/controllers/removal_guard.hpp"
#include "core/overrides/rule.hpp"
#include "core/scheduler/policy.hpp"
#include "tests/fakes/fibers.hpp"
#include "tests/fakes/memory_backend.hpp"

namespace flotilla::fakes {

class ControlPlane {
 public:
  explicit ControlPlane(controllers::Options options = {})
      : clock(*parse_time("2026-05-01T12:00:00Z")),
        executor(clock),
        store(executor, std::make_unique<store::MemoryBackend>()),
        writer(store, clock, [](const store::AdmissionRequest&, api::Json&) { return Status(); }),
        informers(executor, store),
        events(executor, writer, "test"),
        clusters(executor),
        context{executor,
                store,
                writer,
                informers,
                events,
                interpreter,
                clusters,
                policies,
                rules,
                [] {
                  return std::shared_ptr<const api::Registry>(&api::Registry::builtin(),
                                                              [](const api::Registry*) {});
                },
                std::move(options)},
        works(informers),
        guard(context, works) {
    EXPECT_TRUE(run_on(executor, store.open()).ok());
  }
  ~ControlPlane() {
    stop();
    run_on(executor, close());
  }

  // After every reconciler has been made.
  void start() {
    events.start();
    informers.start();
    while (!informers.synced()) std::this_thread::yield();
  }

  // Before any reconciler goes.
  void stop() {
    informers.stop();
    clusters.stop();
    events.stop();
  }

  api::ObjectPtr put(const controllers::StoredKind& kind, std::string_view text) {
    store::WriteOptions options;
    options.with_status = true;
    auto made = run_on(executor, writer.create(kind, *api::Json::parse(text), options));
    EXPECT_TRUE(made.ok()) << made.error().message();
    return *made;
  }
  // Merge patch of everything, as several writers in a row could have left it.
  void patch(const controllers::StoredKind& kind, const api::ObjectKey& key, std::string_view text) {
    const api::Json change = *api::Json::parse(text);
    auto done = run_on(executor, writer.modify(kind, store::Part::Whole, key, [change](api::Json& object) {
      object.apply_merge_patch(change);
      return Result<bool>(true);
    }));
    EXPECT_TRUE(done.ok()) << done.error().message();
  }
  // Pull: nobody has to have spoken with it.
  void cluster(const std::string& name, std::string_view taints = "[]", bool ready = true) {
    put(controllers::kinds::kCluster,
        R"({"apiVersion":"cluster.karmada.io/v1alpha1","kind":"Cluster","metadata":{"name":")" + name +
            R"("},"spec":{"syncMode":"Pull","taints":)" + std::string(taints) +
            R"(},"status":{"conditions":[{"type":"Ready","status":")" + (ready ? "True" : "False") +
            R"(","reason":"x","message":""}]}})");
  }
  // A Work of the binding whose permanent id is "id", applied and reported.
  api::ObjectPtr work(const std::string& cluster, const std::string& health) {
    auto made = put(
        controllers::kinds::kWork,
        R"({"apiVersion":"work.karmada.io/v1alpha1","kind":"Work","metadata":{"name":"web","namespace":"karmada-es-)" +
            cluster +
            R"(","finalizers":["karmada.io/execution-controller"],"labels":{"resourcebinding.karmada.io/permanent-id":"id"},"annotations":{"resourcebinding.karmada.io/namespace":"default","resourcebinding.karmada.io/name":"web-deployment"}},"spec":{"workload":{"manifests":[]}},"status":{"conditions":[{"type":"Applied","status":"True"}],"manifestStatuses":[{"health":")" +
            health + R"("}]}})");
    works.note(*made);
    return made;
  }
  // The binding default/web-deployment; `spec` and `status` are merged into it.
  api::ObjectPtr binding(std::string_view spec, std::string_view status = "{}",
                         std::string_view placement = R"({"clusterTolerations":[]})") {
    api::Json object = *api::Json::parse(
        R"({"apiVersion":"work.karmada.io/v1alpha2","kind":"ResourceBinding","metadata":{"name":"web-deployment","namespace":"default","labels":{"resourcebinding.karmada.io/permanent-id":"id","propagationpolicy.karmada.io/permanent-id":"p"},"annotations":{"propagationpolicy.karmada.io/namespace":"default","propagationpolicy.karmada.io/name":"web"}},"spec":{"resource":{"apiVersion":"apps/v1","kind":"Deployment","namespace":"default","name":"web","uid":"u"}},"status":{}})");
    object["spec"].apply_merge_patch(*api::Json::parse(spec));
    object["status"].apply_merge_patch(*api::Json::parse(status));
    object.make({"metadata", "annotations", "policy.karmada.io/applied-placement"}) = placement;
    return put(controllers::kinds::kResourceBinding, object.dump());
  }

  api::Json get(const controllers::StoredKind& kind, const api::ObjectKey& key) const {
    const api::ObjectPtr object = context.get(kind, key);
    return object ? *object->content() : api::Json();
  }
  api::Json binding() const { return get(controllers::kinds::kResourceBinding, kBinding); }
  api::Json work_in(const std::string& cluster) const {
    return get(controllers::kinds::kWork, {"karmada-es-" + cluster, "web"});
  }
  controllers::Outcome reconcile(reconcile::Reconciler& reconciler, const controllers::StoredKind& kind,
                                 const api::ObjectKey& key) {
    return run_on(executor, reconciler.reconcile({kind.collection(), key}));
  }
  controllers::Outcome reconcile_binding(reconcile::Reconciler& reconciler) {
    return reconcile(reconciler, controllers::kinds::kResourceBinding, kBinding);
  }

  inline static const api::ObjectKey kBinding{"default", "web-deployment"};

  ManualClock clock;
  Executor executor;
  store::Store store;
  store::Writer writer;
  informer::Informers informers;
  reconcile::EventRecorder events;
  interpreter::NativeInterpreter interpreter;
  cluster::ClusterRegistry clusters;
  scheduler::Policies policies;
  overrides::RuleRegistry rules;
  controllers::Context context;
  controllers::WorkIndex works;
  controllers::RemovalGuard guard;

 private:
  Task<bool> close() {
    auto closing = store.close();
    co_await std::move(closing);
    co_return true;
  }
};

}  // namespace flotilla::fakes
