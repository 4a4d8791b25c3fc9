// SPDX-License-Identifier: Apache-2.0
// Karmada's metrics of its scheduler, and a few of ours.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/async/metrics.hpp"
#include "core/scheduler/policy.hpp"

namespace flotilla::controllers {

// How long the queues are.
struct QueueLengths {
  std::size_t active = 0, backoff = 0, unschedulable = 0;
  std::size_t waiting = 0, in_work = 0;  // of all keys, those of clusters included
};

// What made a binding due.
enum class Incoming : std::uint8_t { Added, Updated, Failed, ClusterChanged };

// Thread: any.
class ScheduleMetrics {
 public:
  // Null: nobody counts.
  ScheduleMetrics(Metrics* metrics, std::function<QueueLengths()> lengths);

  void came(Incoming why, std::size_t count = 1) {
    incoming_[static_cast<std::size_t>(why)]->add(count);
    adds_->add(count);
  }
  // One try: how it ended, why it was made, how long its steps took, those of the policies where they were
  // timed, and how long everything.
  void tried(const scheduler::Decision& decision, std::string_view reason,
             const scheduler::Policies& policies, Duration all);
  // A cluster became due.
  void cluster_came() { adds_->add(); }
  // A key was worked on. For the series that every controller has.
  void worked(bool failed, Duration took);
  // A change of clusters: bindings it made due, and all those it left alone.
  void woke(std::size_t woken, std::size_t spared);

 private:
  using PolicySeries = std::tuple<const scheduler::Policy*, scheduler::Step, scheduler::PolicyTime::Result>;
  void policy_took(const scheduler::Policy& policy, const scheduler::PolicyTime& time);

  Metrics* metrics_;
  std::array<std::shared_ptr<Counter>, 4> incoming_;
  std::array<std::shared_ptr<Counter>, 4> attempts_;                 // [ok][scales]
  std::array<std::shared_ptr<Histogram>, 4> all_;                    // likewise
  std::array<std::shared_ptr<Histogram>, 4> steps_;                  // Filter, Score, Select, AssignReplicas
  std::array<std::array<std::shared_ptr<Histogram>, 3>, 2> points_;  // [Filter, Score][result]
  std::mutex mutex_;
  std::map<PolicySeries, std::shared_ptr<Histogram>> by_policy_;  // under the mutex
  std::array<std::shared_ptr<Counter>, 2> worked_;
  std::shared_ptr<Histogram> took_;
  std::shared_ptr<Counter> adds_, woken_, spared_;
  std::vector<std::shared_ptr<void>> computed_;
};

}  // namespace flotilla::controllers
