// SPDX-License-Identifier: Apache-2.0
// Bindings whose decision wants to know what only an estimator can tell: they leave the cycle, are asked for
// while others go on, and come back with the answers.
#include "core/controllers/schedule/schedule_reconciler.hpp"

namespace flotilla::controllers {
namespace {

// Bindings that are asked for at the same time; the others wait in line.
constexpr std::size_t kMostAsking = 64;
// Further questions a binding has beyond one per affinity term: clusters that came while it was asked for.
constexpr std::size_t kFurtherRounds = 2;

cluster::RoomQuestion question_of(const Json& binding, bool resource_quotas) {
  const Json& spec = binding["spec"];
  const Json& resource = spec["resource"];
  cluster::RoomQuestion question;
  question.ns = resource["namespace"].as_string();
  question.object = "kind=" + std::string(resource["kind"].as_string()) +
                    ", name=" + (question.ns.empty() ? "" : question.ns + "/") +
                    std::string(resource["name"].as_string());
  if (spec["replicaRequirements"].is_object()) {
    Json requirements = spec["replicaRequirements"];
    if (!resource_quotas) {
      requirements.erase("namespace");
      requirements.erase("priorityClassName");
    }
    question.requirements = requirements.dump();
  }
  if (!spec["components"].empty()) question.components = spec["components"].dump();
  return question;
}

}  // namespace

void ScheduleReconciler::attach_sheet(Trial& trial) const {
  if (context_.estimators == nullptr || context_.estimators->size() == 0 ||
      !scheduler::room_matters(trial.binding, options_.multiple_pod_templates))
    return;
  cluster::RoomQuestion question =
      question_of(*trial.content, context_.options.feature_gates.resource_quota_estimate);
  const bool same = trial.asked.sheet && trial.asked.question.requirements == question.requirements &&
                    trial.asked.question.components == question.components;
  if (!same) {
    trial.asked = {};
    trial.asked.sheet = std::make_shared<scheduler::EstimateSheet>(context_.estimators->size());
    trial.asked.question = std::move(question);
  }
  trial.binding.estimates = trial.asked.sheet;
}

bool ScheduleReconciler::wants_answers(const Trial& trial) const {
  return trial.asked.sheet && trial.asked.sheet->lacks() &&
         trial.asked.rounds < trial.binding.placement->affinities.size() + kFurtherRounds;
}

void ScheduleReconciler::park(Trial& trial) {
  Parked parked{trial.key, std::move(trial.asked), {}, {}};
  parked.demand = scheduler::demand_of(trial.binding, parked.asked.sheet->whole_sets());
  ++parked.asked.rounds;
  if (!parked.asked.sheet->whole_sets()) parked.asked.question.components.clear();
  if (context_.options.disable_scheduler_estimator_in_pull_mode) exempt_pulled(*parked.asked.sheet);
  if (reservations_) {
    for (std::size_t i = 0; i < parked.asked.sheet->size(); ++i) {
      for (const std::string& cluster : parked.asked.sheet->wanted(i)) {
        const Json assumed = assumed_workloads(cluster, trial.key);
        if (!assumed.empty()) parked.assumed[cluster] = assumed.dump();
      }
    }
  }
  {
    std::lock_guard lock(mutex_);
    parked_.push_back(std::move(parked));
  }
  ask_next();
}

// Members in pull mode, which count as unknown.
void ScheduleReconciler::exempt_pulled(scheduler::EstimateSheet& sheet) const {
  for (std::size_t i = 0; i < sheet.size(); ++i) {
    const auto wanted = sheet.wanted(i);
    for (const std::string& name : wanted) {
      const ObjectPtr cluster = context_.get(kinds::kCluster, {"", name});
      if (cluster && (*cluster->content())["spec"]["syncMode"].as_string() == "Pull") sheet.put(i, name, {});
    }
  }
}

void ScheduleReconciler::ask_next() {
  for (;;) {
    Parked next;
    {
      std::lock_guard lock(mutex_);
      if (asking_ >= kMostAsking || parked_.empty() || shut_down_) return;
      next = std::move(parked_.front());
      parked_.pop_front();
      ++asking_;
    }
    cluster::RoomQuestion question = next.asked.question;
    std::string demand = std::move(next.demand);
    const SheetPtr sheet = next.asked.sheet;
    const auto done = [this, key = next.key, asked = std::move(next.asked)] {
      {
        std::lock_guard lock(mutex_);
        --asking_;
        answered_.insert_or_assign(key, asked);
      }
      changed_.notify();
      ask_next();
    };
    if (!context_.estimators->fill(sheet, std::move(demand), std::move(question), std::move(next.assumed),
                                   done))
      return;
  }
}

// What was given away is no longer there for others.
void ScheduleReconciler::outdate(const Trial& trial) {
  if (!trial.asked.sheet || !trial.attempt.decision.ok()) return;
  for (const scheduler::Target& target : trial.attempt.decision.targets) {
    const std::string name(trial.table->name(target.row));
    std::int32_t before = 0;
    for (const scheduler::TargetCluster& had : trial.binding.clusters) {
      if (had.name == name) before = had.replicas;
    }
    if (target.replicas > before) context_.estimators->outdated(name);
  }
}

// What decisions have promised there to others, as a workload each.
Json ScheduleReconciler::assumed_workloads(const std::string& cluster, const Key& but) const {
  Json list = Json::array();
  for (const auto& [id, promises] : reservations_->promised_in(cluster)) {
    if (id == but.object.text()) continue;
    Json components = Json::array();
    for (const scheduler::Promise& promise : promises) {
      Json request = Json::object();
      for (const scheduler::Request& each : promise.requests)
        request.set(each.resource, each.amount.to_string());
      Json component =
          Json::object({{"name", "c" + std::to_string(components.size())}, {"replicas", promise.replicas}});
      component.make({"replicaRequirements", "resourceRequest"}) = std::move(request);
      components.push_back(std::move(component));
    }
    const std::size_t slash = id.find('/');
    const std::string ns = slash == id.npos ? std::string() : id.substr(0, slash);
    list.push_back(Json::object({{"namespace", ns}, {"components", std::move(components)}}));
  }
  return list;
}

}  // namespace flotilla::controllers
