// SPDX-License-Identifier: Apache-2.0
// Plans over HTTPS, admission included, beside few and beside many templates: of one changed template, whose
// cost must not grow with the others, and of a policy, whose cost grows with the templates it means.
#include <thread>

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
constexpr int kFew = 100;
constexpr int kMany = 10'000;
constexpr int kPlans = 50;
constexpr auto kPatience = std::chrono::seconds(300);

api::Json policy_for(const std::string& clusters) {
  return *api::Json::parse(R"({"apiVersion":"policy.karmada.io/v1alpha1","kind":"PropagationPolicy",
    "metadata":{"name":"all","namespace":"default"},"spec":{"schedulerName":"default-scheduler","resourceSelectors":[{"apiVersion":"v1","kind":"ConfigMap"}],
    "placement":{"clusterAffinity":{"clusterNames":)" +
                           clusters + "}}}}");
}

Status create(daemon::Daemon& fleet, const store::StoredKind& kind, api::Json object) {
  auto creating = fleet.writer().create(kind, std::move(object));
  const auto created = daemon::wait_for(fleet.executor(), std::move(creating));
  return created ? Status() : Status(created.error());
}

// `from` to `to` ConfigMaps, until each has its Works and nothing moves.
Status grow(daemon::Daemon& fleet, int from, int to) {
  static const store::StoredKind kConfigMap{{"", "v1", "ConfigMap"}, "configmaps", true, false, false};
  for (int i = from; i < to; ++i) {
    if (Status made = create(fleet, kConfigMap, config_map("map-" + std::to_string(i))); !made) return made;
  }
  const Clock& clock = fleet.executor().clock();
  const SteadyTime until = clock.steady_now() + kPatience;
  const auto works = controllers::kinds::kWork.collection();
  const auto wanted = static_cast<std::size_t>(to) * kMembers;
  int quiet = 0;
  while (quiet < 20) {
    if (clock.steady_now() > until) return Error(Code::Timeout, "the templates did not come to rest");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    quiet = fleet.store().count(works) >= wanted && fleet.idle() ? quiet + 1 : 0;
  }
  return {};
}

Result<Line> plan(daemon::Daemon& fleet, http::Client& client, std::string what, const api::Json& manifest,
                  int times) {
  const Clock& clock = fleet.executor().clock();
  const std::string body = api::Json::object({{"manifests", api::Json::array({manifest})}}).dump();
  std::vector<Duration> took;
  const SteadyTime began = clock.steady_now();
  for (int i = 0; i < times; ++i) {
    const SteadyTime sent = clock.steady_now();
    const Status answered =
        daemon::wait_for(fleet.executor(), send(client, "POST", "/flotilla/v1/plans", body));
    if (!answered) return answered.error();
    took.push_back(clock.steady_now() - sent);
  }
  return summarize(std::move(what), std::move(took), clock.steady_now() - began);
}

Result<std::vector<Line>> measure_at(daemon::Daemon& fleet, http::Client& client, int templates) {
  api::Json changed = config_map("map-7");
  changed.make({"data", "changed"}) = "yes";
  const std::string beside = ", " + std::to_string(templates) + " templates";
  std::vector<Line> lines;
  auto one = plan(fleet, client, "plan of one template" + beside, changed, kPlans);
  if (!one) return one.error();
  lines.push_back(*std::move(one));
  auto policy = plan(fleet, client, "plan of their policy" + beside, policy_for(R"(["member1"])"), 3);
  if (!policy) return policy.error();
  lines.push_back(*std::move(policy));
  return lines;
}

}  // namespace

Result<std::vector<Line>> run_plan() {
  const SystemClock clock;
  const ScratchDir dir;
  daemon::Daemon fleet(control_plane_in(dir.path()), clock);
  if (Status started = fleet.start(); !started) return started.error();
  if (Status attached = attach_members(fleet, kMembers); !attached) return attached.error();
  const Status applied =
      create(fleet, controllers::kinds::kPropagationPolicy, policy_for(R"(["member1","member2"])"));
  if (!applied) return applied.error();
  auto options = client_of(fleet.kubeconfig_path());
  if (!options) return options.error();
  http::Client client(fleet.executor(), *std::move(options));
  std::vector<Line> lines;
  std::optional<Error> failure;
  int there = 0;
  for (const int templates : {kFew, kMany}) {
    if (Status grown = grow(fleet, there, templates); !grown) {
      failure = grown.error();
      break;
    }
    there = templates;
    auto measured = measure_at(fleet, client, templates);
    if (!measured) {
      failure = measured.error();
      break;
    }
    for (Line& line : *measured) lines.push_back(std::move(line));
  }
  client.close();
  fleet.stop();
  if (failure) return *std::move(failure);
  return lines;
}

}  // namespace flotilla::bench
