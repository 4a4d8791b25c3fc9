// SPDX-License-Identifier: Apache-2.0
// A fleet at work with many templates: until all is healthy and aggregated, what one change costs, what a
// policy edit over 10,000 templates does to others, and how soon a control plane with 30,000 bindings is of
// use after a start. In this process, on sqlite, members of the driver "simulated" (which are empty again
// after a restart).
#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "core/api/conditions.hpp"
#include "core/api/karmada.hpp"
#include "core/controllers/kinds.hpp"
#include "core/daemon/daemon.hpp"
#include "core/daemon/wait.hpp"
#include "core/http/http.hpp"
#include "core/store/writer.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/fleet.hpp"

namespace flotilla::bench {
namespace {

using api::Json;
using controllers::kinds::kWork;
using store::Collection;

constexpr int kMembers = 3;
constexpr int kTemplates = 5'000;
constexpr int kPolicyTemplates = 10'000;
constexpr int kColdBindings = 30'000;
constexpr int kClients = 16;
constexpr int kProbes = 100;
constexpr auto kPatience = std::chrono::seconds(300);

// Objects of one collection that have come to satisfy a condition, by name.
class Reached {
 public:
  using Condition = std::function<bool(const Json&)>;

  Reached(daemon::Daemon& fleet, Collection collection, Condition condition)
      : condition_(std::move(condition)), scope_(fleet.executor().strand(), "reached") {
    store::WatchRequest request;
    request.collection = std::move(collection);
    request.after = fleet.store().revision();
    request.limit = 1'000'000;
    auto watch = fleet.store().watch(request);
    if (watch) scope_.spawn(follow(*std::move(watch), *this));
  }
  ~Reached() {
    scope_.cancel();
    scope_.join_blocking();
  }

  bool wait_for_count(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return names_.size() >= count; });
  }
  bool wait_for(const std::string& name) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return names_.contains(name); });
  }

 private:
  static Task<void> follow(std::shared_ptr<store::Subscription> events, Reached& self) {
    for (;;) {
      auto waiting = events->next();
      const auto some = co_await std::move(waiting);
      if (!some || some->empty()) co_return;
      for (const store::Event& event : *some) {
        if (event.object && self.condition_(*event.object->content())) self.note(event.object->key());
      }
    }
  }
  void note(const api::ObjectKey& key) {
    std::lock_guard lock(mutex_);
    names_.insert(key.text());
    changed_.notify_all();
  }

  Condition condition_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> names_;
  FiberScope scope_;
};

// A control plane with members, and its administrator.
struct Site {
  explicit Site(const std::string& dir) : fleet(control_plane_in(dir), clock) {}
  Status start() {
    if (Status started = fleet.start(); !started) return started;
    auto options = client_of(fleet.kubeconfig_path());
    if (!options) return options.error();
    client = std::make_unique<http::Client>(fleet.executor(), *std::move(options));
    return {};
  }
  ~Site() {
    if (client) client->close();
    fleet.stop();
  }
  Status send(std::string method, std::string path, const Json& body) {
    return daemon::wait_for(fleet.executor(),
                            bench::send(*client, std::move(method), std::move(path), body.dump()));
  }

  SystemClock clock;
  daemon::Daemon fleet;
  std::unique_ptr<http::Client> client;
};

Json deployment(const std::string& name) {
  Json object =
      *Json::parse(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"namespace":"default"},
    "spec":{"replicas":2,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},
    "spec":{"containers":[{"name":"web","image":"nginx:1.27","resources":{"requests":{"cpu":"10m","memory":"16Mi"}}}]}}}})");
  object.make({"metadata", "name"}) = name;
  return object;
}

Json policy(const std::string& name, const char* api_version, const char* kind, const std::string& ns,
            int clusters) {
  Json names = Json::array();
  for (int i = 1; i <= clusters; ++i) names.push_back("member" + std::to_string(i));
  return Json::object(
      {{"apiVersion", "policy.karmada.io/v1alpha1"},
       {"kind", "PropagationPolicy"},
       {"metadata", Json::object({{"name", name}, {"namespace", ns}})},
       {"spec", Json::object({{"resourceSelectors",
                               Json::array({Json::object({{"apiVersion", api_version}, {"kind", kind}})})},
                              {"placement", Json::object({{"clusterAffinity",
                                                           Json::object({{"clusterNames", names}})}})}})}});
}

Task<void> post_share(http::Client& client, std::string path, int first, int count,
                      const std::function<Json(int)>& object) {
  for (int i = first; i < count; i += kClients) {
    auto posting = send(client, "POST", path, object(i).dump());
    const Status posted = co_await std::move(posting);
    if (!posted) co_return;  // what is missing tells
  }
}

void post_all(Site& site, const std::string& path, int count, const std::function<Json(int)>& object) {
  FiberScope scope(site.fleet.executor().strand(), "posts");
  for (int i = 0; i < kClients; ++i) {
    scope.spawn_on(site.fleet.executor().strand(), post_share(*site.client, path, i, count, object));
  }
  scope.join_blocking();
}

Error late(const std::string& what) {
  return {Code::Timeout, what};
}

Line timed(std::string work, std::int64_t count, Duration took) {
  Line line;
  line.work = std::move(work);
  line.count = count;
  line.rate_per_s = static_cast<double>(count) / std::chrono::duration<double>(took).count();
  line.rss_mb = resident_mb();
  return line;
}

constexpr const char* kPolicies = "/apis/policy.karmada.io/v1alpha1/namespaces/default/propagationpolicies";
constexpr const char* kDeployments = "/apis/apps/v1/namespaces/default/deployments";

// Until every template says what its three members say.
Status measure_fleet(Site& site, std::vector<Line>& lines) {
  const Status made =
      site.send("POST", kPolicies, policy("all", "apps/v1", "Deployment", "default", kMembers));
  if (!made) return made;
  const auto before = site.fleet.store().revision().get();
  const SteadyTime began = site.clock.steady_now();
  {
    Reached healthy(site.fleet, store::collection_of("apps", "deployments"), [](const Json& object) {
      return object["status"]["readyReplicas"].as_int() == 2 * kMembers;
    });
    post_all(site, kDeployments, kTemplates, [](int i) { return deployment("web-" + std::to_string(i)); });
    if (!healthy.wait_for_count(kTemplates)) return late("not all Deployments became healthy");
  }
  lines.push_back(
      timed("Works, 5,000 templates to 3 members", kTemplates * kMembers, site.clock.steady_now() - began));
  Line commits;
  commits.work = "commits per new template";
  commits.count = static_cast<std::int64_t>(site.fleet.store().revision().get() - before) / kTemplates;
  lines.push_back(commits);
  return {};
}

// Commits that follow from one changed template among all.
Status measure_one_change(Site& site, std::vector<Line>& lines) {
  std::vector<Duration> times;
  const auto before = site.fleet.store().revision().get();
  const SteadyTime began = site.clock.steady_now();
  for (int i = 0; i < kProbes; ++i) {
    const std::string name = "web-" + std::to_string(i);
    Reached scaled(site.fleet, store::collection_of("apps", "deployments"), [](const Json& object) {
      return object["status"]["readyReplicas"].as_int() == 3 * kMembers;
    });
    const SteadyTime sent = site.clock.steady_now();
    const Status patched = site.send("PATCH", std::string(kDeployments) + "/" + name,
                                     Json::object({{"spec", Json::object({{"replicas", 3}})}}));
    if (!patched) return patched;
    if (!scaled.wait_for("default/" + name)) return late(name + " was not scaled");
    times.push_back(site.clock.steady_now() - sent);
  }
  lines.push_back(
      summarize("scale one of 5,000, until aggregated", std::move(times), site.clock.steady_now() - began));
  Line commits;
  commits.work = "commits per scaled template";
  commits.count = static_cast<std::int64_t>(site.fleet.store().revision().get() - before) / kProbes;
  lines.push_back(commits);
  return {};
}

bool is_applied(const Json& work) {
  return api::is_condition_true(work["status"]["conditions"], api::conditions::kApplied);
}

// Serial applies of somebody else's objects, until present in a member.
Status probe(Site& site, const std::string& prefix, int count, std::vector<Duration>& times) {
  for (int i = 0; i < count; ++i) {
    const std::string name = prefix + std::to_string(i);
    Reached present(site.fleet, kWork.collection(), [&name](const Json& work) {
      return work["spec"]["workload"]["manifests"].element(0)["metadata"]["name"].as_string() == name &&
             is_applied(work);
    });
    const SteadyTime sent = site.clock.steady_now();
    Json object = config_map(name);
    object.make({"metadata", "namespace"}) = "other";
    const Status posted = site.send("POST", "/api/v1/namespaces/other/configmaps", object);
    if (!posted) return posted;
    if (!present.wait_for_count(1)) return late(name + " did not reach its member");
    times.push_back(site.clock.steady_now() - sent);
  }
  return {};
}

Status measure_policy_edit(Site& site, std::vector<Line>& lines) {
  const Json ns = Json::object(
      {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", Json::object({{"name", "other"}})}});
  if (Status made = site.send("POST", "/api/v1/namespaces", ns); !made) return made;
  const std::string others = "/apis/policy.karmada.io/v1alpha1/namespaces/other/propagationpolicies";
  if (Status made = site.send("POST", others, policy("mine", "v1", "ConfigMap", "other", 1)); !made)
    return made;
  if (Status made = site.send("POST", kPolicies, policy("maps", "v1", "ConfigMap", "default", 1)); !made)
    return made;
  {
    Reached present(site.fleet, kWork.collection(), [](const Json& work) {
      return work["spec"]["workload"]["manifests"].element(0)["kind"].as_string() == "ConfigMap" &&
             is_applied(work);
    });
    post_all(site, "/api/v1/namespaces/default/configmaps", kPolicyTemplates,
             [](int i) { return config_map("map-" + std::to_string(i)); });
    if (!present.wait_for_count(kPolicyTemplates)) return late("not all ConfigMaps reached their member");
  }
  std::vector<Duration> calm;
  SteadyTime began = site.clock.steady_now();
  if (Status probed = probe(site, "calm-", kProbes, calm); !probed) return probed;
  lines.push_back(summarize("apply to present, calm", std::move(calm), site.clock.steady_now() - began));

  const double before = resident_mb();
  Reached edited(site.fleet, kWork.collection(),
                 [](const Json& work) { return work["spec"]["preserveResourcesOnDeletion"].as_bool(); });
  const SteadyTime start = site.clock.steady_now();
  const Json change = Json::object({{"spec", Json::object({{"preserveResourcesOnDeletion", true}})}});
  if (Status sent = site.send("PATCH", std::string(kPolicies) + "/maps", change); !sent) return sent;
  std::vector<Duration> busy;
  began = site.clock.steady_now();
  if (Status probed = probe(site, "busy-", kProbes, busy); !probed) return probed;
  lines.push_back(
      summarize("apply to present, during the edit", std::move(busy), site.clock.steady_now() - began));
  if (!edited.wait_for_count(kPolicyTemplates)) return late("not all Works were edited");
  lines.push_back(
      timed("Works edited by a policy's edit", kPolicyTemplates, site.clock.steady_now() - start));
  Line grown;
  grown.work = "memory grown by the edit";
  grown.rss_mb = resident_mb() - before;
  lines.push_back(grown);
  return {};
}

// A client of its own: how long until an object that is created now is in its member.
Result<Duration> first_object(const std::string& kubeconfig) {
  const SystemClock clock;
  const Executor executor(clock);
  auto options = client_of(kubeconfig);
  if (!options) return options.error();
  http::Client client(executor, *std::move(options));
  const SteadyTime sent = clock.steady_now();
  Json object = config_map("first");
  object.make({"metadata", "namespace"}) = "other";
  const Status posted = daemon::wait_for(
      executor, bench::send(client, "POST", "/api/v1/namespaces/other/configmaps", object.dump()));
  if (!posted) return posted.error();
  const std::string binding =
      "/apis/work.karmada.io/v1alpha2/namespaces/other/resourcebindings/first-configmap";
  while (clock.steady_now() - sent < kPatience) {
    http::ClientRequest request;
    request.target = binding;
    const auto answer = daemon::wait_for(executor, client.send(std::move(request)));
    const auto read = answer ? Json::parse(answer->body) : Result<Json>(answer.error());
    if (!read) return read.error();
    if (api::is_condition_true((*read)["status"]["conditions"], api::conditions::kFullyApplied))
      return clock.steady_now() - sent;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return late("the first object did not reach its member");
}

Status measure_cold_start(const std::string& dir, std::vector<Line>& lines) {
  {
    Site site(dir);
    if (Status started = site.start(); !started) return started;
    const int more = kColdBindings - kPolicyTemplates - kTemplates;
    Reached present(site.fleet, kWork.collection(), [](const Json& work) { return is_applied(work); });
    post_all(site, "/api/v1/namespaces/default/configmaps", more,
             [](int i) { return config_map("more-" + std::to_string(i)); });
    if (!present.wait_for_count(static_cast<std::size_t>(more))) return late("not all ConfigMaps arrived");
  }
  // The program itself, as after a crash or an upgrade.
  auto process = DaemonProcess::start(dir);
  if (!process) return process.error();
  auto present = first_object((*process)->kubeconfig());
  if (!present) return present.error();
  Line serving = summarize("start with 30,000 bindings, until serving", {(*process)->until_ready()},
                           (*process)->until_ready());
  const Duration useful = (*process)->until_ready() + *present;
  lines.push_back(serving);
  lines.push_back(summarize("... until a new object is present", {useful}, useful));
  lines.back().rss_mb = (*process)->resident_mb();
  return {};
}

}  // namespace

Result<std::vector<Line>> run_scale() {
  const ScratchDir dir;
  std::vector<Line> lines;
  {
    Site site(dir.path());
    if (Status started = site.start(); !started) return started.error();
    if (Status attached = attach_members(site.fleet, kMembers); !attached) return attached.error();
    for (const auto measured : {&measure_fleet, &measure_one_change, &measure_policy_edit}) {
      if (Status done = measured(site, lines); !done) return done.error();
    }
  }
  if (Status done = measure_cold_start(dir.path(), lines); !done) return done.error();
  return lines;
}

}  // namespace flotilla::bench
