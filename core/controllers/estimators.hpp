// SPDX-License-Identifier: Apache-2.0
// The estimators that have to be asked, and what they said a moment ago. Decisions do not wait for them:
// whoever decides has a sheet filled and decides when it is (docs/design/scheduler.md, "Estimators").
//
// An answer belongs to an estimator, a cluster and the content of what was asked. It is good for `keep`, and
// no longer once the cluster's status has changed or replicas were given to it. Equal questions at the same
// time are asked once. A cluster whose estimator failed or was late is not asked for a while, doubled with
// each failure; until then it is left out with that reason at once, so a broken estimator costs one timeout,
// not one per binding.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "core/async/event.hpp"
#include "core/async/executor.hpp"
#include "core/async/fiber_scope.hpp"
#include "core/async/metrics.hpp"
#include "core/cluster/replica_estimator.hpp"
#include "core/scheduler/asked_estimates.hpp"

namespace flotilla::controllers {

struct EstimatorRules {
  Duration timeout = std::chrono::seconds(3);  // for all clusters of a question together
  Duration keep = std::chrono::seconds(2);
  Duration first_rest = std::chrono::seconds(1);  // after a failure
  Duration longest_rest = std::chrono::seconds(10);
};

// Thread: any.
class Estimators {
 public:
  using EstimatorPtr = std::shared_ptr<cluster::ReplicaEstimator>;
  using SheetPtr = std::shared_ptr<scheduler::EstimateSheet>;

  Estimators(const Executor& executor, std::vector<EstimatorPtr> estimators, EstimatorRules rules,
             Metrics* metrics = nullptr);
  ~Estimators();
  void stop();

  std::size_t size() const { return estimators_.size(); }
  std::string name(std::size_t i) const { return estimators_[i]->name(); }

  // Which promises there are in a cluster that it may not have counted; JSON, or empty.
  using Assumed = std::map<std::string, std::string, std::less<>>;
  // Fills in everything the sheet wants, with failures where there is no answer after the timeout, then calls
  // `done`, from any thread, once. Until then the sheet is ours. False: stopped, and `done` never comes.
  // Equal `demand`s are equal questions.
  bool fill(SheetPtr sheet, std::string demand, cluster::RoomQuestion question, Assumed assumed,
            std::function<void()> done);
  // The last answer there was to this demand, however old; kUnknownEstimate: none.
  std::int64_t remembered(std::size_t estimator, const std::string& demand, std::string_view cluster);
  // What was said of a cluster is no longer true.
  void outdated(const std::string& cluster);

  // Replicas that wait in vain, per cluster that some estimator knows: the least that any says.
  Task<std::map<std::string, std::int64_t>> unschedulable(cluster::UnschedulableQuestion question,
                                                          std::vector<std::string> clusters);
  bool counts_unschedulable() const;

 private:
  // One answer, or the place where it will be.
  struct Cell {
    scheduler::AskedAnswer answer;
    SteadyTime until{};  // it is good for others
    SteadyTime at{};     // it came
    bool known = false;  // there was an answer
    bool asking = false;
  };
  struct CellKey {
    std::size_t estimator = 0;
    std::string cluster, question;  // the demand and what is assumed
    auto operator<=>(const CellKey&) const = default;
  };
  struct Rest {
    SteadyTime until{};
    Duration length{0};
    std::string why;
  };
  // What is left to do for one estimator of a sheet.
  struct Errand {
    std::vector<cluster::AskedCluster> ask;
    bool waits = false;  // others ask the rest
  };
  struct Count {
    std::shared_ptr<Counter> good, bad;
  };

  // A sheet on its way.
  struct Journey {
    SheetPtr sheet;
    std::string demand;
    cluster::RoomQuestion question;
    Assumed assumed;
    std::function<void()> done;
    std::size_t running = 0;  // estimators
    flotilla::Event ended{};
  };
  using JourneyPtr = std::shared_ptr<Journey>;
  Task<void> run(JourneyPtr journey);
  Task<void> fill_one(JourneyPtr journey, std::size_t estimator);
  // Takes what is known into the sheet; what is left is the errand.
  Errand look(scheduler::EstimateSheet& sheet, std::size_t estimator, const std::string& question,
              const Assumed& assumed);
  void keep(std::size_t estimator, const std::string& question,
            const std::vector<cluster::AskedCluster>& asked,
            const Result<std::vector<cluster::ClusterAnswer>>& answers, SteadyTime began);
  void note_failure(std::size_t estimator, const std::string& cluster, const std::string& why);
  void forget_old(SteadyTime now);
  SteadyTime now() const { return executor_.clock().steady_now(); }

  const Executor& executor_;
  const std::vector<EstimatorPtr> estimators_;
  const EstimatorRules rules_;
  std::map<std::string, Count, std::less<>> requests_;  // by type
  std::shared_ptr<Histogram> took_;
  flotilla::Event changed_;

  std::mutex mutex_;  // all below
  std::map<CellKey, Cell> cells_;
  std::map<std::pair<std::size_t, std::string>, Rest> rests_;
  std::map<std::string, SteadyTime> outdated_;  // when
  SteadyTime swept_{};

  FiberScope scope_;  // ends first
};

}  // namespace flotilla::controllers
