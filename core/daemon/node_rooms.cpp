// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/node_rooms.hpp"

#include <array>
#include <map>

#include "core/controllers/trimmed.hpp"
#include "core/scheduler/node_estimator.hpp"
#include "core/scheduler/quota_estimator.hpp"

namespace flotilla::daemon {
namespace {

constexpr Duration kLook = std::chrono::seconds(1);

// What is known of each cluster, counted from the rosters that it takes, anew when one of them has changed.
template <typename Counted, std::size_t N>
class Rooms {
 public:
  using Rosters = std::array<std::shared_ptr<cluster::Roster>, N>;
  using Follow = Rosters (*)(cluster::Member&);
  using Count = std::shared_ptr<const Counted> (*)(const std::array<cluster::Roster::Listing, N>&);

  Rooms(const cluster::ClusterRegistry& clusters, Follow follow, Count count)
      : clusters_(clusters), follow_(follow), count_(count) {}

  std::shared_ptr<const Counted> of(const std::string& cluster) {
    const std::shared_ptr<cluster::Member> member = clusters_.find(cluster);
    if (!member) {
      known_.erase(cluster);
      return nullptr;
    }
    const Rosters rosters = follow_(*member);
    std::array<std::uint64_t, N> versions{};
    for (std::size_t i = 0; i < N; ++i) {
      if (!rosters[i]->synced()) return nullptr;
      versions[i] = rosters[i]->version();
    }
    Known& known = known_[cluster];
    if (known.member == member && known.versions == versions) return known.counted;
    std::array<cluster::Roster::Listing, N> listings;
    for (std::size_t i = 0; i < N; ++i) {
      listings[i] = rosters[i]->list();
      versions[i] = listings[i].version;
    }
    known = {member, versions, count_(listings)};
    return known.counted;
  }

 private:
  struct Known {
    std::shared_ptr<cluster::Member> member;
    std::array<std::uint64_t, N> versions{};
    std::shared_ptr<const Counted> counted;
  };
  const cluster::ClusterRegistry& clusters_;
  const Follow follow_;
  const Count count_;
  std::map<std::string, Known> known_;
};

using NodeRooms = Rooms<scheduler::ClusterNodes, 2>;
using QuotaRooms = Rooms<scheduler::ClusterQuotas, 1>;

NodeRooms::Rosters follow_nodes(cluster::Member& member) {
  return {member.roster({"", "v1", "nodes"}, controllers::trim_node),
          member.roster({"", "v1", "pods"}, controllers::trim_pod)};
}
std::shared_ptr<const scheduler::ClusterNodes> count_nodes(
    const std::array<cluster::Roster::Listing, 2>& listings) {
  return scheduler::ClusterNodes::make(listings[0].objects, listings[1].objects);
}
QuotaRooms::Rosters follow_quotas(cluster::Member& member) {
  return {member.roster({"", "v1", "resourcequotas"}, controllers::trim_quota)};
}
std::shared_ptr<const scheduler::ClusterQuotas> count_quotas(
    const std::array<cluster::Roster::Listing, 1>& listings) {
  return scheduler::ClusterQuotas::make(listings[0].objects);
}

// Karmada's metrics of what an estimator beside a member does, of the built-in ones: a question is a
// decision.
struct EstimatorMetrics {
  std::array<std::shared_ptr<Counter>, 4> requests;  // [sets][failed]
  std::array<std::shared_ptr<Histogram>, 4> took;
  std::array<std::shared_ptr<Histogram>, 2> point, plugin;  // [sets]

  EstimatorMetrics(Metrics* metrics, const char* plugin_name) {
    const std::string prefix = "karmada_scheduler_estimator_estimating_";
    for (std::size_t i = 0; i < 4; ++i) {
      const char* type = (i & 2) != 0 ? "MaxAvailableComponentSets" : "MaxAvailableReplicas";
      const char* result = (i & 1) != 0 ? "error" : "success";
      requests[i] = counter_in(metrics, prefix + "request_total", "Questions to built-in estimators.",
                               {{"result", result}, {"type", type}});
      took[i] = histogram_in(metrics, prefix + "algorithm_duration_seconds", "How long an estimate takes.",
                             exponential_buckets(0.001, 2, 10),
                             {{"result", result}, {"type", type}, {"step", "Total"}});
    }
    for (std::size_t i = 0; i < 2; ++i) {
      const MetricLabels where = {
          {"estimating_plugin_extension_point", i == 0 ? "Estimate" : "EstimateComponents"}};
      point[i] =
          histogram_in(metrics, prefix + "plugin_extension_point_duration_seconds",
                       "How long an extension point takes.", exponential_buckets(0.0001, 2, 12), where);
      plugin[i] = histogram_in(metrics, prefix + "plugin_execution_duration_seconds",
                               "How long an estimating plugin takes.", exponential_buckets(0.00001, 1.5, 20),
                               {{"estimating_plugin", plugin_name}, where.front()});
    }
  }
};

// Counts what an estimator does, and keeps it from looking for changes all the time.
class BuiltIn final : public scheduler::Policy {
 public:
  BuiltIn(std::unique_ptr<scheduler::Policy> estimator, const Clock& clock, Metrics* metrics,
          const char* plugin_name)
      : estimator_(std::move(estimator)), clock_(clock), metrics_(metrics, plugin_name) {}

  std::string_view name() const override { return estimator_->name(); }
  std::uint32_t steps() const override { return estimator_->steps(); }
  Status observe(const scheduler::ClusterTable& table, scheduler::Reasons& reasons) override {
    const SteadyTime now = clock_.steady_now();
    if (table.shared_identity() == identity_ && now - looked_ < kLook) return {};
    looked_ = now;
    identity_ = table.shared_identity();
    return estimator_->observe(table, reasons);
  }
  void refresh(const scheduler::ClusterTable& table) override {
    const SteadyTime now = clock_.steady_now();
    if (now - looked_ < kLook) return;
    looked_ = now;
    estimator_->refresh(table);
  }
  Status estimate(const scheduler::Workload& workload, scheduler::RowRange rows,
                  std::span<const std::uint64_t> fits, std::span<std::int64_t> replicas) const override {
    const SteadyTime began = clock_.steady_now();
    Status done = estimator_->estimate(workload, rows, fits, replicas);
    const Duration took = clock_.steady_now() - began;
    const std::size_t sets = workload.whole_sets ? 1 : 0;
    const std::size_t which = 2 * sets + (done ? 0 : 1);
    metrics_.requests[which]->add();
    metrics_.took[which]->observe(took);
    metrics_.point[sets]->observe(took);
    metrics_.plugin[sets]->observe(took);
    return done;
  }

 private:
  const std::unique_ptr<scheduler::Policy> estimator_;
  const Clock& clock_;
  const EstimatorMetrics metrics_;
  SteadyTime looked_{};
  std::shared_ptr<const scheduler::ClusterIdentity> identity_;  // its rows are those that are known
};

}  // namespace

std::vector<std::unique_ptr<scheduler::Policy>> make_built_in_estimators(
    const cluster::ClusterRegistry& clusters, const Clock& clock, bool quotas, Metrics* metrics) {
  std::vector<std::unique_ptr<scheduler::Policy>> made;
  auto nodes = std::make_shared<NodeRooms>(clusters, follow_nodes, count_nodes);
  made.push_back(
      std::make_unique<BuiltIn>(std::make_unique<scheduler::NodeEstimator>(
                                    [nodes](const std::string& cluster) { return nodes->of(cluster); }),
                                clock, metrics, "NodeResourceEstimator"));
  if (!quotas) return made;
  auto free = std::make_shared<QuotaRooms>(clusters, follow_quotas, count_quotas);
  made.push_back(
      std::make_unique<BuiltIn>(std::make_unique<scheduler::QuotaEstimator>(
                                    [free](const std::string& cluster) { return free->of(cluster); }),
                                clock, metrics, "ResourceQuotaEstimator"));
  return made;
}

}  // namespace flotilla::daemon
