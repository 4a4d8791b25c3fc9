// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/estimators.hpp"

#include <algorithm>

namespace flotilla::controllers {
namespace {

using cluster::AskedCluster;
using cluster::ClusterAnswer;
using cluster::RoomQuestion;

constexpr const char* kReplicas = "MaxAvailableReplicas";
constexpr const char* kSets = "MaxAvailableComponentSets";
constexpr const char* kUnschedulable = "GetUnschedulableReplicas";
// Others ask; they have their own deadline, and this much more to say so.
constexpr Duration kPatience = std::chrono::milliseconds(500);
constexpr Duration kSweep = std::chrono::seconds(1);
// Answers that are too old to decide by, for those who ask what would be decided.
constexpr Duration kRemember = std::chrono::minutes(10);
constexpr std::size_t kMostRemembered = 100'000;

}  // namespace

Estimators::Estimators(const Executor& executor, std::vector<EstimatorPtr> estimators, EstimatorRules rules,
                       Metrics* metrics)
    : executor_(executor),
      estimators_(std::move(estimators)),
      rules_(rules),
      scope_(executor.strand(), "estimators") {
  const auto count = [&](const char* type, const char* result) {
    return counter_in(metrics, "flotilla_estimator_requests_total",
                      "Questions to estimators that have to be asked, one per cluster.",
                      {{"result", result}, {"type", type}});
  };
  for (const char* type : {kReplicas, kSets, kUnschedulable})
    requests_[type] = {count(type, "success"), count(type, "error")};
  took_ = histogram_in(metrics, "flotilla_estimator_request_duration_seconds",
                       "How long an estimator takes for all clusters it is asked about.",
                       exponential_buckets(0.001, 2, 13), {});
}

Estimators::~Estimators() {
  stop();
}

void Estimators::stop() {
  scope_.cancel();
  scope_.join_blocking();
}

bool Estimators::fill(SheetPtr sheet, std::string demand, RoomQuestion question, Assumed assumed,
                      std::function<void()> done) {
  auto journey = std::make_shared<Journey>();
  journey->sheet = std::move(sheet);
  journey->demand = std::move(demand) + '\n';
  journey->question = std::move(question);
  journey->assumed = std::move(assumed);
  journey->done = std::move(done);
  return scope_.spawn(run(std::move(journey)));
}

// All estimators at once; all on one strand.
Task<void> Estimators::run(JourneyPtr journey) {
  for (std::size_t i = 0; i < estimators_.size(); ++i) {
    if (journey->sheet->wanted(i).empty()) continue;
    ++journey->running;
    if (!scope_.spawn(fill_one(journey, i))) co_return;
  }
  for (;;) {
    const std::uint64_t seen = journey->ended.version();
    if (journey->running == 0) break;
    auto waiting = journey->ended.wait_past(seen);
    co_await std::move(waiting);
  }
  journey->done();
}

Task<void> Estimators::fill_one(JourneyPtr journey, std::size_t estimator) {
  scheduler::EstimateSheet& sheet = *journey->sheet;
  const SteadyTime deadline = now() + rules_.timeout + kPatience;
  const Count& count = requests_.find(journey->question.of_sets() ? kSets : kReplicas)->second;
  for (;;) {
    const std::uint64_t seen = changed_.version();
    const Errand errand = look(sheet, estimator, journey->demand, journey->assumed);
    if (!errand.ask.empty()) {
      const SteadyTime began = now();
      auto asking = estimators_[estimator]->room(journey->question, errand.ask, rules_.timeout);
      const auto answers = co_await std::move(asking);
      took_->observe(now() - began);
      keep(estimator, journey->demand, errand.ask, answers, began);
      // Straight onto the sheet: what is kept may be outdated already.
      for (std::size_t i = 0; i < errand.ask.size(); ++i) {
        const std::string failure = answers ? (*answers)[i].failure : answers.error().message();
        (failure.empty() ? count.good : count.bad)->add();
        sheet.put(estimator, errand.ask[i].name,
                  {failure.empty() ? (*answers)[i].value : scheduler::kUnknownEstimate, failure});
      }
      continue;
    }
    if (!errand.waits) break;
    auto waiting = changed_.wait_past_for(seen, std::max<Duration>(deadline - now(), Duration(1)));
    const bool moved = co_await std::move(waiting);
    if (moved || now() < deadline) continue;
    const auto late = sheet.wanted(estimator);
    for (const std::string& cluster : late) sheet.put(estimator, cluster, {.failure = "no answer in time"});
  }
  --journey->running;
  journey->ended.notify();
}

std::int64_t Estimators::remembered(std::size_t estimator, const std::string& demand,
                                    std::string_view cluster) {
  const std::string question = demand + '\n';
  std::int64_t last = scheduler::kUnknownEstimate;
  SteadyTime at = SteadyTime::min();
  std::lock_guard lock(mutex_);
  for (auto it = cells_.lower_bound({estimator, std::string(cluster), question});
       it != cells_.end() && it->first.estimator == estimator && it->first.cluster == cluster &&
       it->first.question.starts_with(question);
       ++it) {
    if (!it->second.known || it->second.at < at) continue;
    at = it->second.at;
    last = it->second.answer.replicas;
  }
  return last;
}

Estimators::Errand Estimators::look(scheduler::EstimateSheet& sheet, std::size_t estimator,
                                    const std::string& question, const Assumed& assumed) {
  Errand errand;
  const auto wanted = sheet.wanted(estimator);
  std::lock_guard lock(mutex_);
  const SteadyTime at = now();
  if (at - swept_ > kSweep) forget_old(at);
  for (const std::string& cluster : wanted) {
    const auto rest = rests_.find({estimator, cluster});
    if (rest != rests_.end() && at < rest->second.until) {
      sheet.put(estimator, cluster, {.failure = rest->second.why});
      continue;
    }
    const auto promised = assumed.find(cluster);
    const std::string& assumption = promised == assumed.end() ? std::string() : promised->second;
    Cell& cell = cells_[{estimator, cluster, question + assumption}];
    if (cell.asking) {
      errand.waits = true;
    } else if (at < cell.until) {
      sheet.put(estimator, cluster, cell.answer);
    } else {
      cell.asking = true;
      errand.ask.push_back({cluster, assumption});
    }
  }
  return errand;
}

void Estimators::keep(std::size_t estimator, const std::string& question,
                      const std::vector<AskedCluster>& asked,
                      const Result<std::vector<ClusterAnswer>>& answers, SteadyTime began) {
  {
    std::lock_guard lock(mutex_);
    const SteadyTime until = now() + rules_.keep;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      const std::string& cluster = asked[i].name;
      Cell& cell = cells_[{estimator, cluster, question + asked[i].assumed}];
      cell.asking = false;
      const std::string failure = answers ? (*answers)[i].failure : answers.error().message();
      if (!failure.empty()) {
        note_failure(estimator, cluster, failure);
        continue;
      }
      rests_.erase({estimator, cluster});
      const auto since = outdated_.find(cluster);
      cell.answer = {(*answers)[i].value, {}};
      cell.at = now();
      cell.known = true;
      if (since == outdated_.end() || since->second < began) cell.until = until;
    }
  }
  changed_.notify();
}

void Estimators::note_failure(std::size_t estimator, const std::string& cluster, const std::string& why) {
  Rest& rest = rests_[{estimator, cluster}];
  rest.length =
      rest.length == Duration::zero() ? rules_.first_rest : std::min(rest.length * 2, rules_.longest_rest);
  rest.until = now() + rest.length;
  rest.why = why;
}

void Estimators::outdated(const std::string& cluster) {
  std::lock_guard lock(mutex_);
  outdated_[cluster] = now();
  for (std::size_t i = 0; i < estimators_.size(); ++i) {
    for (auto it = cells_.lower_bound({i, cluster, {}});
         it != cells_.end() && it->first.estimator == i && it->first.cluster == cluster; ++it) {
      it->second.until = SteadyTime{};
    }
  }
}

// Under the mutex.
void Estimators::forget_old(SteadyTime at) {
  swept_ = at;
  const Duration longest = cells_.size() > kMostRemembered ? rules_.keep : kRemember;
  std::erase_if(cells_,
                [&](const auto& cell) { return !cell.second.asking && at - cell.second.at > longest; });
  const Duration stale = rules_.timeout + rules_.keep + kSweep;
  std::erase_if(outdated_, [&](const auto& entry) { return at - entry.second > stale; });
  std::erase_if(rests_, [&](const auto& rest) { return at - rest.second.until > 2 * rules_.longest_rest; });
}

bool Estimators::counts_unschedulable() const {
  return std::any_of(estimators_.begin(), estimators_.end(),
                     [](const EstimatorPtr& each) { return each->counts_unschedulable(); });
}

Task<std::map<std::string, std::int64_t>> Estimators::unschedulable(cluster::UnschedulableQuestion question,
                                                                    std::vector<std::string> clusters) {
  std::map<std::string, std::int64_t> least;
  const Count& count = requests_.find(kUnschedulable)->second;
  for (const EstimatorPtr& estimator : estimators_) {
    if (!estimator->counts_unschedulable()) continue;
    auto asking = estimator->unschedulable(question, clusters, rules_.timeout);
    const auto answers = co_await std::move(asking);
    for (std::size_t i = 0; i < clusters.size(); ++i) {
      const bool answered = answers && (*answers)[i].failure.empty();
      (answered ? count.good : count.bad)->add();
      if (!answered || (*answers)[i].value < 0) continue;
      const auto [known, added] = least.emplace(clusters[i], (*answers)[i].value);
      if (!added) known->second = std::min(known->second, (*answers)[i].value);
    }
  }
  co_return least;
}

}  // namespace flotilla::controllers
