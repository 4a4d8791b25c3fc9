// SPDX-License-Identifier: Apache-2.0
// From `apply` over HTTPS to the object in the members: a control plane in this process on sqlite, members of
// the driver "simulated". An object counts as present when its Work says Applied, which is a moment after it
// is.
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>

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

constexpr int kMembers = 2;
constexpr int kSerial = 200;
constexpr int kBurst = 500;
constexpr int kClients = 16;
constexpr auto kPatience = std::chrono::seconds(60);

// When each ConfigMap was present in all members, by the Works that say Applied.
class Arrivals {
 public:
  explicit Arrivals(const Clock& clock) : clock_(clock) {}

  void see(const api::Json& work) {
    if (!api::is_condition_true(work["status"]["conditions"], api::conditions::kApplied)) return;
    const api::Json& manifest = work["spec"]["workload"]["manifests"].element(0);
    if (manifest["kind"].as_string() != "ConfigMap") return;
    std::lock_guard lock(mutex_);
    Seen& seen = seen_[std::string(api::name_of(manifest))];
    seen.clusters[std::string(api::namespace_of(work))] = true;
    if (seen.clusters.size() < kMembers || seen.complete) return;
    seen.complete = clock_.steady_now();
    ++complete_;
    changed_.notify_all();
  }

  std::optional<SteadyTime> wait_for(const std::string& name) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return seen_.contains(name) && seen_[name].complete; });
    return seen_[name].complete;
  }
  bool wait_for_count(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return complete_ >= count; });
  }
  SteadyTime completed(const std::string& name) {
    std::lock_guard lock(mutex_);
    return *seen_[name].complete;
  }

 private:
  struct Seen {
    std::map<std::string, bool> clusters;
    std::optional<SteadyTime> complete;
  };
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Seen> seen_;
  std::size_t complete_ = 0;
};

Task<void> follow(std::shared_ptr<store::Subscription> works, Arrivals& arrivals) {
  for (;;) {
    auto waiting = works->next();
    const auto events = co_await std::move(waiting);
    if (!events || events->empty()) co_return;
    for (const store::Event& event : *events) {
      if (event.object) arrivals.see(*event.object->content());
    }
  }
}

constexpr const char* kConfigMaps = "/api/v1/namespaces/default/configmaps";

Task<void> post_share(http::Client& client, int first, std::vector<SteadyTime>& sent, const Clock& clock) {
  for (int i = first; i < kBurst; i += kClients) {
    const std::string name = "burst-" + std::to_string(i);
    sent[static_cast<std::size_t>(i)] = clock.steady_now();
    auto posting = send(client, "POST", kConfigMaps, config_map(name).dump());
    const Status posted = co_await std::move(posting);
    if (!posted) co_return;  // missing arrivals tell
  }
}

Status apply_policy(daemon::Daemon& fleet) {
  auto policy = api::Json::parse(R"({"apiVersion":"policy.karmada.io/v1alpha1","kind":"PropagationPolicy",
    "metadata":{"name":"all","namespace":"default"},"spec":{"resourceSelectors":[{"apiVersion":"v1","kind":"ConfigMap"}],
    "placement":{"clusterAffinity":{"clusterNames":["member1","member2"]}}}})");
  auto creating = fleet.writer().create(controllers::kinds::kPropagationPolicy, *std::move(policy));
  const auto created = daemon::wait_for(fleet.executor(), std::move(creating));
  return created ? Status() : Status(created.error());
}

Result<Line> serial(daemon::Daemon& fleet, http::Client& client, Arrivals& arrivals) {
  const Clock& clock = fleet.executor().clock();
  std::vector<Duration> times;
  const SteadyTime began = clock.steady_now();
  for (int i = 0; i < kSerial; ++i) {
    const std::string name = "serial-" + std::to_string(i);
    const SteadyTime sent = clock.steady_now();
    const Status posted =
        daemon::wait_for(fleet.executor(), send(client, "POST", kConfigMaps, config_map(name).dump()));
    if (!posted) return posted.error();
    const auto arrived = arrivals.wait_for(name);
    if (!arrived) return Error(Code::Timeout, name + " did not reach the members");
    times.push_back(*arrived - sent);
  }
  return summarize("apply to present, one by one", std::move(times), clock.steady_now() - began);
}

Result<Line> burst(daemon::Daemon& fleet, http::Client& client, Arrivals& arrivals) {
  const Clock& clock = fleet.executor().clock();
  std::vector<SteadyTime> sent(kBurst);
  const SteadyTime began = clock.steady_now();
  FiberScope scope(fleet.executor().strand(), "burst");
  for (int i = 0; i < kClients; ++i)
    scope.spawn_on(fleet.executor().strand(), post_share(client, i, sent, clock));
  scope.join_blocking();
  if (!arrivals.wait_for_count(kSerial + kBurst))
    return Error(Code::Timeout, "not all ConfigMaps reached the members");
  std::vector<Duration> times;
  SteadyTime last = began;
  for (int i = 0; i < kBurst; ++i) {
    const SteadyTime done = arrivals.completed("burst-" + std::to_string(i));
    last = std::max(last, done);
    times.push_back(done - sent[static_cast<std::size_t>(i)]);
  }
  return summarize(std::to_string(kBurst) + " ConfigMaps to 2 members", std::move(times), last - began);
}

}  // namespace

Result<std::vector<Line>> run_propagation() {
  const SystemClock clock;
  const ScratchDir dir;
  daemon::Daemon fleet(control_plane_in(dir.path()), clock);
  if (Status started = fleet.start(); !started) return started.error();
  if (Status attached = attach_members(fleet, kMembers); !attached) return attached.error();
  if (Status applied = apply_policy(fleet); !applied) return applied.error();
  auto options = client_of(fleet.kubeconfig_path());
  if (!options) return options.error();
  http::Client client(fleet.executor(), *std::move(options));

  Arrivals arrivals(clock);
  store::WatchRequest request;
  request.collection = controllers::kinds::kWork.collection();
  request.after = fleet.store().revision();
  request.limit = 1'000'000;
  auto works = fleet.store().watch(request);
  if (!works) return works.error();
  FiberScope scope(fleet.executor().strand(), "arrivals");
  scope.spawn(follow(*std::move(works), arrivals));

  std::vector<Line> lines;
  std::optional<Error> failure;
  for (const auto measured : {&serial, &burst}) {
    auto line = measured(fleet, client, arrivals);
    if (!line) {
      failure = line.error();
      break;
    }
    lines.push_back(*std::move(line));
  }
  Line commits;
  commits.work = "commits per ConfigMap";
  commits.count = (fleet.store().revision().get() - request.after.get()) / (kSerial + kBurst);
  lines.push_back(commits);
  scope.cancel();
  scope.join_blocking();
  client.close();
  fleet.stop();
  if (failure) return *std::move(failure);
  return lines;
}

}  // namespace flotilla::bench
