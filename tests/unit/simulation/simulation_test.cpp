// SPDX-License-Identifier: Apache-2.0
#include "core/simulation/simulation.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>

#include "core/api/conditions.hpp"
#include "core/simulation/world.hpp"
#include "tests/unit/store/store_fixture.hpp"

namespace flotilla::simulation {
namespace {

constexpr auto kPatience = std::chrono::seconds(20);

// A cluster of one namespace; a test waits for the state of the world, never for time.
class Simulation_Cluster : public store::StoreFixture {
 protected:
  void begin_cluster(Settings settings = fast()) {
    open();
    writer_ = std::make_unique<store::Writer>(*store_, clock_, [](const auto&, Json&) { return Status(); });
    informers_ = std::make_unique<informer::Informers>(executor_, *store_);
    simulation_ = std::make_unique<Simulation>(executor_, *writer_, *informers_, std::move(settings));
    informers_->on_any([this](const store::Event&) {
      std::lock_guard lock(mutex_);
      changed_.notify_all();
    });
    const Status prepared = run(simulation_->prepare());
    ASSERT_TRUE(prepared.ok());
    informers_->start();
    simulation_->start();
  }

  ~Simulation_Cluster() override {
    if (!simulation_) return;
    simulation_->stop();
    informers_->stop();
    simulation_.reset();
    informers_.reset();
  }

  static Settings fast() {
    Settings settings;
    settings.nodes = 3;
    settings.delay = {Duration(0), Duration(0), Duration(0), std::chrono::milliseconds(1), Duration(0)};
    return settings;
  }

  static Json parsed(std::string_view text) {
    auto value = Json::parse(text);
    EXPECT_TRUE(value.ok()) << text;
    return value ? *std::move(value) : Json();
  }

  void create(const store::StoredKind& kind, std::string_view text) {
    const auto made = run(writer_->create(kind, parsed(text)));
    ASSERT_TRUE(made.ok()) << made.error().message();
  }
  void change(const store::StoredKind& kind, const std::string& name, std::function<void(Json&)> edit) {
    const auto changed =
        run(writer_->modify(kind, store::Part::Main, {"default", name}, [edit](Json& object) {
          edit(object);
          return Result<bool>(true);
        }));
    ASSERT_TRUE(changed.ok()) << changed.error().message();
  }
  Json get(const store::StoredKind& kind, const std::string& name, const std::string& ns = "default") {
    const ObjectPtr object = store_->get(kind.collection(), ns, name);
    return object ? *object->content() : Json();
  }
  bool eventually(const std::function<bool()>& holds) {
    std::unique_lock lock(mutex_);
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!holds()) {
      if (changed_.wait_until(
              lock, std::min(deadline, std::chrono::steady_clock::now() + std::chrono::milliseconds(20))) ==
              std::cv_status::timeout &&
          std::chrono::steady_clock::now() >= deadline) {
        return false;
      }
    }
    return true;
  }
  std::int64_t status_of(const store::StoredKind& kind, const std::string& name, const char* field) {
    return get(kind, name)["status"][field].as_int();
  }
  std::set<std::string> pods() {
    std::set<std::string> names;
    for (const ObjectPtr& pod : store_->list(kinds::kPod.collection(), "default").objects)
      names.insert(pod->name());
    return names;
  }

  static std::string deployment(std::string_view name, int replicas, std::string_view extra = "{}") {
    return R"({"metadata":{"name":")" + std::string(name) +
           R"(","namespace":"default"},"spec":{"replicas":)" + std::to_string(replicas) +
           R"(,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"},"annotations":)" +
           std::string(extra) +
           R"(},"spec":{"containers":[{"name":"c","image":"nginx:1","resources":{"requests":{"cpu":"1"}}}]}}}})";
  }

  std::unique_ptr<store::Writer> writer_;
  std::unique_ptr<informer::Informers> informers_;
  std::unique_ptr<Simulation> simulation_;
  std::mutex mutex_;
  std::condition_variable changed_;
};

TEST_F(Simulation_Cluster, a_deployment_becomes_available_and_follows_its_replicas) {
  begin_cluster();
  create(kinds::kDeployment, deployment("web", 4));
  ASSERT_TRUE(eventually([&] { return status_of(kinds::kDeployment, "web", "availableReplicas") == 4; }));
  EXPECT_TRUE(api::is_condition_true(get(kinds::kDeployment, "web")["status"]["conditions"], "Available"));
  change(kinds::kDeployment, "web", [](Json& object) { object["spec"].set("replicas", 2); });
  ASSERT_TRUE(eventually(
      [&] { return pods().size() == 2 && status_of(kinds::kDeployment, "web", "replicas") == 2; }));
  const Json done = get(kinds::kDeployment, "web");
  EXPECT_EQ(done["status"]["observedGeneration"].as_int(), done["metadata"]["generation"].as_int());
}

TEST_F(Simulation_Cluster, a_new_template_replaces_the_pods_without_going_below_the_wanted_number) {
  begin_cluster();
  create(kinds::kDeployment, deployment("web", 4));
  ASSERT_TRUE(eventually([&] { return status_of(kinds::kDeployment, "web", "availableReplicas") == 4; }));
  const std::set<std::string> before = pods();
  change(kinds::kDeployment, "web", [](Json& object) {
    object["spec"]["template"]["spec"]["containers"].elements()[0].set("image", "nginx:2");
  });
  std::int64_t least = 4;
  ASSERT_TRUE(eventually([&] {
    const Json live = get(kinds::kDeployment, "web");
    const Json& status = live["status"];
    if (status["observedGeneration"].as_int() != live["metadata"]["generation"].as_int()) return false;
    least = std::min(least, status["availableReplicas"].as_int());
    return status["updatedReplicas"].as_int() == 4 && status["replicas"].as_int() == 4 && pods().size() == 4;
  }));
  EXPECT_GE(least, 3);  // maxUnavailable 25 %
  for (const std::string& name : pods()) EXPECT_FALSE(before.contains(name)) << name;
}

TEST_F(Simulation_Cluster, pods_that_fit_nowhere_stay_pending_until_there_is_room) {
  Settings settings = fast();
  settings.nodes = 1;
  settings.node.cpu = "2";
  begin_cluster(settings);
  create(kinds::kDeployment, deployment("web", 3));
  ASSERT_TRUE(eventually([&] { return status_of(kinds::kDeployment, "web", "availableReplicas") == 2; }));
  const auto is_refused = [&] {
    for (const ObjectPtr& pod : store_->list(kinds::kPod.collection(), "default").objects) {
      const Json* scheduled = api::find_condition((*pod->content())["status"]["conditions"], "PodScheduled");
      if (scheduled && (*scheduled)["message"].as_string() == "0/1 nodes are available: 1 Insufficient cpu.")
        return true;
    }
    return false;
  };
  ASSERT_TRUE(eventually(is_refused));
  const auto grown = run(writer_->modify(kinds::kNode, store::Part::Status, {"", "node-1"}, [](Json& node) {
    node["status"]["allocatable"].set("cpu", "8");
    return Result<bool>(true);
  }));
  ASSERT_TRUE(grown.ok());
  EXPECT_TRUE(eventually([&] { return status_of(kinds::kDeployment, "web", "availableReplicas") == 3; }));
}

TEST_F(Simulation_Cluster, stateful_sets_start_in_order_with_their_claims) {
  begin_cluster();
  create(kinds::kStatefulSet,
         R"({"metadata":{"name":"db","namespace":"default"},"spec":{"replicas":3,"serviceName":"db",
    "selector":{"matchLabels":{"app":"db"}},"template":{"metadata":{"labels":{"app":"db"}},
    "spec":{"containers":[{"name":"c","image":"db"}]}},
    "volumeClaimTemplates":[{"metadata":{"name":"data"},"spec":{"resources":{"requests":{"storage":"1Gi"}}}}]}})");
  ASSERT_TRUE(eventually([&] { return status_of(kinds::kStatefulSet, "db", "readyReplicas") == 3; }));
  EXPECT_EQ(pods(), (std::set<std::string>{"db-0", "db-1", "db-2"}));
  EXPECT_LT(store_->get(kinds::kPod.collection(), "default", "db-0")->revision(),
            store_->get(kinds::kPod.collection(), "default", "db-2")->revision());
  EXPECT_TRUE(eventually(
      [&] { return get(kinds::kVolumeClaim, "data-db-2")["status"]["phase"].as_string() == "Bound"; }));
}

TEST_F(Simulation_Cluster, a_job_completes_and_a_daemon_runs_on_every_node) {
  begin_cluster();
  create(kinds::kJob,
         R"({"metadata":{"name":"once","namespace":"default"},"spec":{"completions":3,"parallelism":2,
    "template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}}})");
  create(kinds::kDaemonSet, R"({"metadata":{"name":"agent","namespace":"default"},"spec":{
    "selector":{"matchLabels":{"app":"agent"}},"template":{"metadata":{"labels":{"app":"agent"}},
    "spec":{"containers":[{"name":"c","image":"i"}]}}}})");
  EXPECT_TRUE(eventually([&] {
    return api::is_condition_true(get(kinds::kJob, "once")["status"]["conditions"], "Complete") &&
           status_of(kinds::kJob, "once", "succeeded") == 3;
  }));
  EXPECT_TRUE(eventually([&] { return status_of(kinds::kDaemonSet, "agent", "numberReady") == 3; }));
}

TEST_F(Simulation_Cluster, services_name_the_pods_that_are_ready) {
  begin_cluster();
  create(kinds::kDeployment, deployment("web", 2));
  create(kinds::kService, R"({"metadata":{"name":"web","namespace":"default"},"spec":{"type":"LoadBalancer",
    "selector":{"app":"web"},"ports":[{"port":80,"targetPort":8080}]}})");
  EXPECT_TRUE(eventually([&] {
    const Json endpoints = get(kinds::kEndpoints, "web");
    return endpoints["subsets"].element(0)["addresses"].size() == 2 &&
           endpoints["subsets"].element(0)["ports"].element(0)["port"].as_int() == 8080;
  }));
  EXPECT_FALSE(get(kinds::kService, "web")["status"]["loadBalancer"]["ingress"].empty());
}

TEST_F(Simulation_Cluster, failures_that_were_asked_for_happen) {
  begin_cluster();
  create(kinds::kDeployment, deployment("bad", 1, R"({"simulation.flotilla.io/fail":"crash"})"));
  EXPECT_TRUE(eventually([&] {
    for (const ObjectPtr& pod : store_->list(kinds::kPod.collection(), "default").objects) {
      const auto content = pod->content();
      const Json& state = (*content)["status"]["containerStatuses"].element(0)["state"];
      if (state["waiting"]["reason"].as_string() == "CrashLoopBackOff") return true;
    }
    return false;
  }));
  EXPECT_EQ(status_of(kinds::kDeployment, "bad", "availableReplicas"), 0);
}

}  // namespace
}  // namespace flotilla::simulation
