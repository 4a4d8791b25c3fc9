// SPDX-License-Identifier: Apache-2.0
#include "core/planning/simulate.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "core/api/binding.hpp"
#include "core/api/cluster_affinity.hpp"
#include "core/api/conditions.hpp"
#include "core/api/taint.hpp"
#include "core/controllers/facts.hpp"
#include "core/planning/effects.hpp"
#include "core/planning/engine.hpp"
#include "core/planning/plan.hpp"
#include "core/planning/subject.hpp"
#include "core/scheduler/trigger.hpp"

namespace flotilla::planning {
namespace {

namespace c = controllers;
namespace k = controllers::kinds;

constexpr std::size_t kBetweenLooks = 64;

using Replicas = std::map<std::string, std::int64_t>;  // by cluster

Replicas replicas_of(const Json& binding) {
  Replicas replicas;
  for (const api::TargetCluster& target : api::targets_of(binding)) replicas[target.name] = target.replicas;
  return replicas;
}

// What comes of one template.
struct Outcome {
  Json reference;
  std::string binding;
  Replicas before, after;
  std::string unplaceable;  // why, where it was placeable before
  bool still_unplaceable = false;
};

// Any affinity of the placement means the cluster.
bool is_meant(const Json& placement, const Json& cluster) {
  if (const Json* affinity = placement.find("clusterAffinity"))
    return api::ClusterAffinity(*affinity).matches(cluster);
  const auto terms = placement["clusterAffinities"].elements();
  if (terms.empty()) return true;
  return std::any_of(terms.begin(), terms.end(),
                     [&](const Json& term) { return api::ClusterAffinity(term).matches(cluster); });
}

class Simulation {
 public:
  Simulation(const Sources& sources, const SimulationQuestion& question, SimulationProgress& progress)
      : sources_(sources),
        question_(question),
        progress_(progress),
        deadline_(sources.executor.clock().steady_now() +
                  std::chrono::duration_cast<SteadyTime::duration>(question.time)),
        engine_(sources) {}

  Result<Json> make() {
    const Revision revision = sources_.store.revision();
    if (Status changed = change_clusters(); !changed) return changed.error();
    if (Status planned = plan_manifests(); !planned) return planned.error();
    if (Status scaled = find_scaled(); !scaled) return scaled.error();
    if (Status looked = look_at_bindings(); !looked) return looked.error();
    Json out = to_json();
    out.set("revision", std::to_string(revision.get()));
    return out;
  }

 private:
  void note(std::string text) { notes_.push_back(std::move(text)); }

  Error no_cluster(const std::string& name) const {
    return not_found("clusters.cluster.karmada.io \"" + name + "\" not found");
  }

  // Notes how a cluster was and becomes.
  void change(const std::string& name, const Json* after) {
    const Json* before = engine_.cluster(name);
    if (before != nullptr) was_.try_emplace(name, *before);
    changed_.insert(name);
    if (after == nullptr) {
      engine_.remove_cluster(name);
    } else {
      engine_.put_cluster(Json(*after));
    }
  }

  Status change_clusters() {
    for (const Json& cluster : question_.added) {
      const std::string name(api::name_of(cluster));
      if (name.empty()) return Error(Code::BadRequest, "a cluster without metadata.name");
      if (!cluster["status"]["resourceSummary"].is_object())
        note("cluster " + name +
             " says nothing of its resources (status.resourceSummary): no room is seen in it");
      if (cluster["status"]["apiEnablements"].empty())
        note("cluster " + name +
             " says nothing of the APIs it serves (status.apiEnablements): nothing fits it");
      change(name, &cluster);
    }
    for (const TaintChange& taint : question_.taints) {
      const Json* known = engine_.cluster(taint.cluster);
      if (known == nullptr) return no_cluster(taint.cluster);
      Json cluster = *known;
      Json taints = Json::array();
      const Json before = std::as_const(cluster)["spec"]["taints"];
      for (const Json& one : before.elements())
        if (!api::is_same_taint(one, taint.taint)) taints.push_back(one);
      if (!taint.removes) taints.push_back(taint.taint);
      cluster["spec"].set("taints", std::move(taints));
      change(taint.cluster, &cluster);
    }
    for (const std::string& name : question_.lost) {
      if (engine_.cluster(name) == nullptr) return no_cluster(name);
      change(name, nullptr);
    }
    return {};
  }

  // The bindings as they would be once the manifests are applied.
  Status plan_manifests() {
    if (question_.changes.empty()) return {};
    Rehearsal rehearsal(sources_);
    if (Status reached = introduce_reach(sources_, question_.changes, rehearsal); !reached) return reached;
    if (const auto settled = rehearsal.begin(deadline_); !settled) return settled.error();
    for (const Change& change : question_.changes)
      if (Status made = make_change(change, rehearsal); !made) return made;
    if (Status ran = rehearsal.run(deadline_); !ran) return ran;
    for (const Written& written : rehearsal.written()) {
      const bool binding = written.key.collection == k::kResourceBinding.collection() ||
                           written.key.collection == k::kClusterResourceBinding.collection();
      if (binding) planned_[written.key] = written.after;
    }
    return {};
  }

  Status find_scaled() {
    if (!question_.scaled) return {};
    const auto subject = subject_of(sources_, question_.scaled_kind, *question_.scaled);
    if (!subject) return subject.error();
    if (!subject->binding)
      return Error(Code::BadRequest, subject->typed() + " is not propagated: no policy means it");
    scaled_ = Key{subject->scope->kind.collection(), subject->binding->key()};
    return {};
  }

  Status look_at_bindings() {
    std::vector<std::pair<Key, ObjectPtr>> all;  // as they are; null: not yet
    for (const c::BindingScope* scope : {&c::kNamespacedScope, &c::kClusterScope}) {
      const Collection collection = scope->kind.collection();
      for (const ObjectPtr& binding : sources_.store.list(collection).objects)
        all.emplace_back(Key{collection, binding->key()}, binding);
    }
    for (const auto& [key, after] : planned_)
      if (!sources_.store.get(key.collection, key.object.ns, key.object.name)) all.emplace_back(key, nullptr);
    progress_.of.store(all.size());
    in_order_of_decision(all);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (i % kBetweenLooks == 0 && sources_.executor.clock().steady_now() > deadline_) {
        return Error(Code::Timeout, "there is more to look at than time allows (" + std::to_string(i) +
                                        " of " + std::to_string(all.size()) + " bindings done)");
      }
      if (sources_.stopping != nullptr && sources_.stopping->load())
        return Error(Code::Cancelled, "the daemon is stopping");
      look_at(all[i].first, all[i].second);
      progress_.looked.store(i + 1);
    }
    return {};
  }

  // The most important first, where priorities count.
  void in_order_of_decision(std::vector<std::pair<Key, ObjectPtr>>& all) const {
    if (!sources_.options.feature_gates.priority_based_scheduling) return;
    std::map<Key, std::int64_t> priorities;
    for (const auto& [key, now] : all) {
      const auto planned = planned_.find(key);
      const ObjectPtr& future = planned == planned_.end() ? now : planned->second;
      if (future && c::mentions(*future, "\"schedulePriority\""))
        priorities[key] = (*future->content())["spec"]["schedulePriority"]["priority"].as_int();
    }
    if (priorities.empty()) return;
    const auto priority = [&](const Key& key) {
      const auto it = priorities.find(key);
      return it == priorities.end() ? 0 : it->second;
    };
    std::stable_sort(all.begin(), all.end(),
                     [&](const auto& a, const auto& b) { return priority(a.first) > priority(b.first); });
  }

  // The answer of a rehearsal goes: it was given without the room that others take.
  static void forget_rehearsed(Json& binding, const Json& before) {
    const Json& clusters = before["spec"]["clusters"];
    if (clusters.empty()) {
      binding["spec"].erase("clusters");
    } else {
      binding["spec"].set("clusters", clusters);
    }
    if (before["status"].is_object()) {
      binding.set("status", before["status"]);
    } else {
      binding.erase("status");
    }
  }

  void take_room(const scheduler::Attempt& tried, const Replicas& was, const Replicas& after) {
    for (const auto& [cluster, replicas] : after) {
      const auto had = was.find(cluster);
      const bool new_sets = had == was.end() && tried.binding.components.size() > 1;
      const std::int64_t further = replicas - (had == was.end() ? 0 : had->second);
      if (further > 0 || new_sets) engine_.take_room(cluster, tried.binding, further);
    }
  }

  void look_at(const Key& key, const ObjectPtr& now) {
    const auto planned = planned_.find(key);
    const ObjectPtr future = planned == planned_.end() ? now : planned->second;
    const Json before = now ? *now->content() : Json::object();
    const Replicas was = replicas_of(before);
    if (!future || future->deleting()) {
      if (now && !now->deleting()) settle(key, before, was, {}, before, std::nullopt);
      return;
    }
    const bool is_planned = planned != planned_.end();
    Json binding = *future->content();
    const bool redecided = is_planned && (replicas_of(binding) != was || failure_of(binding));
    const std::optional<std::string> rehearsed = is_planned ? failure_of(binding) : std::nullopt;
    if (redecided) forget_rehearsed(binding, before);
    const std::optional<scheduler::Attempt> tried = decide(key, binding, redecided);
    if (!tried && !is_planned) {
      add_totals(was, was);
      return;
    }
    std::optional<std::string> failure;
    Replicas after = replicas_of(binding);
    if (tried) {
      if (tried->decision.ok()) {
        after.clear();
        for (const scheduler::Target& target : tried->decision.targets)
          after[std::string(engine_.table().name(target.row))] = target.replicas;
        take_room(*tried, was, after);
      } else {
        failure = tried->decision.failure.message;
        if (tried->failures.front().kind == scheduler::FailureKind::NoClusterFit) after.clear();
      }
    } else {
      failure = rehearsed;
    }
    settle(key, before, was, std::move(after), binding, std::move(failure));
  }

  static std::optional<std::string> failure_of(const Json& binding) {
    const Json* scheduled = api::find_condition(binding["status"]["conditions"], api::conditions::kScheduled);
    if (scheduled == nullptr || (*scheduled)["status"].as_string() == "True") return std::nullopt;
    return std::string((*scheduled)["message"].as_string());
  }

  // Asks the scheduler, where what is simulated concerns the binding. `binding` becomes what is asked about.
  std::optional<scheduler::Attempt> decide(const Key& key, Json& binding, bool redecided) {
    const Json spec = std::as_const(binding)["spec"];
    const bool ours = spec.contains("placement") && !spec["suspension"]["scheduling"].as_bool();
    if (!ours) return std::nullopt;
    bool due = redecided;
    if (scaled_ && *scaled_ == key) {
      binding["spec"].set("replicas", question_.replicas);
      due = true;
    }
    if (question_.anew && is_workload(spec)) {
      binding["spec"].erase("clusters");
      due = true;
    }
    const bool evicted = leave_clusters(binding);
    const bool concerned =
        evicted || std::any_of(changed_.begin(), changed_.end(),
                               [&](const std::string& name) { return means(spec["placement"], name); });
    if (concerned) {
      const bool unplaced = failure_of(binding).has_value();
      due = due || evicted || unplaced ||
            !scheduler::schedule_reason(binding, false,
                                        sources_.options.feature_gates.multiple_pod_templates_scheduling)
                 .empty();
    }
    if (!due) return std::nullopt;
    return engine_.ask(binding, false);
  }

  static bool is_workload(const Json& spec) { return scheduler::is_workload(spec); }

  bool means(const Json& placement, const std::string& name) const {
    const auto was = was_.find(name);
    const Json* is = engine_.cluster(name);
    return (was != was_.end() && is_meant(placement, was->second)) ||
           (is != nullptr && is_meant(placement, *is));
  }

  // What is in a lost cluster, or in one with a taint that evicts, has to go. False: nothing has.
  bool leave_clusters(Json& binding) const {
    Json stay = Json::array();
    const Json targets = std::as_const(binding)["spec"]["clusters"];
    const Json tolerations = std::as_const(binding)["spec"]["placement"]["clusterTolerations"];
    for (const Json& target : targets.elements()) {
      const std::string name(target["name"].as_string());
      if (changed_.contains(name) && !may_stay(name, tolerations)) continue;
      stay.push_back(target);
    }
    if (stay.size() == targets.size()) return false;
    binding["spec"].set("clusters", std::move(stay));
    return true;
  }

  bool may_stay(const std::string& name, const Json& tolerations) const {
    const Json* cluster = engine_.cluster(name);
    if (cluster == nullptr) return false;
    const auto was = was_.find(name);
    const Json& taints = (*cluster)["spec"]["taints"];
    for (const Json& taint : taints.elements()) {
      if (taint["effect"].as_string() != api::kNoExecute) continue;
      const Json* before = was == was_.end() ? nullptr : &was->second;
      const auto known = before == nullptr ? std::span<const Json>() : (*before)["spec"]["taints"].elements();
      if (std::find(known.begin(), known.end(), taint) != known.end()) continue;  // no news
      const Json* tolerated = api::find_toleration(tolerations.elements(), taint);
      if (tolerated == nullptr || tolerated->contains("tolerationSeconds")) return false;
    }
    return true;
  }

  void add_totals(const Replicas& before, const Replicas& after) {
    for (const auto& [cluster, replicas] : before) {
      totals_[cluster].before += replicas;
      ++totals_[cluster].objects_before;
    }
    for (const auto& [cluster, replicas] : after) {
      totals_[cluster].after += replicas;
      ++totals_[cluster].objects_after;
    }
  }

  void settle(const Key& key, const Json& before, Replicas was, Replicas after, const Json& binding,
              std::optional<std::string> failure) {
    add_totals(was, after);
    ++looked_;
    Outcome outcome;
    outcome.reference = binding["spec"]["resource"];
    outcome.binding = key.object.text();
    const bool failed_before = before["spec"].is_object() && failure_of(before).has_value();
    if (failure && failed_before) outcome.still_unplaceable = true;
    if (failure && !failed_before) outcome.unplaceable = *failure;
    still_ += outcome.still_unplaceable ? 1 : 0;
    if (!outcome.unplaceable.empty()) ++unplaceable_;
    if (was == after && outcome.unplaceable.empty()) return;
    ++told_;
    if (was != after) ++moved_;
    outcome.before = std::move(was);
    outcome.after = std::move(after);
    // What becomes unplaceable is shown before anything else.
    if (!outcome.unplaceable.empty()) {
      worst_.push_back(std::move(outcome));
    } else {
      others_.push_back(std::move(outcome));
    }
    if (worst_.size() > question_.details) worst_.resize(question_.details);
    if (others_.size() > question_.details) others_.resize(question_.details);
  }

  static Json outcome_to_json(const Outcome& outcome) {
    Json moves = Json::array();
    std::set<std::string> clusters;
    for (const auto* side : {&outcome.before, &outcome.after})
      for (const auto& [cluster, replicas] : *side) clusters.insert(cluster);
    for (const std::string& cluster : clusters) {
      const auto before = outcome.before.find(cluster), after = outcome.after.find(cluster);
      const bool was = before != outcome.before.end(), is = after != outcome.after.end();
      if (was && is && before->second == after->second) continue;
      Json move = Json::object({{"cluster", cluster}});
      if (was) move.set("before", before->second);
      if (is) move.set("after", after->second);
      moves.push_back(std::move(move));
    }
    Json out = Json::object({{"apiVersion", outcome.reference["apiVersion"]},
                             {"kind", outcome.reference["kind"]},
                             {"name", outcome.reference["name"]},
                             {"binding", outcome.binding},
                             {"moves", std::move(moves)}});
    if (!outcome.reference["namespace"].as_string().empty())
      out.set("namespace", outcome.reference["namespace"]);
    if (!outcome.unplaceable.empty()) out.set("unplaceable", outcome.unplaceable);
    return out;
  }

  Json to_json() {
    std::int64_t gained = 0, lost = 0;
    Json clusters = Json::array();
    for (const auto& [name, total] : totals_) {
      const bool quiet = total.before == total.after && total.objects_before == total.objects_after;
      if (quiet && !changed_.contains(name)) continue;
      gained += std::max<std::int64_t>(0, total.after - total.before);
      lost += std::max<std::int64_t>(0, total.before - total.after);
      clusters.push_back(Json::object(
          {{"cluster", name},
           {"replicas", Json::object({{"before", total.before}, {"after", total.after}})},
           {"objects", Json::object({{"before", total.objects_before}, {"after", total.objects_after}})}}));
    }
    Json templates = Json::array();
    for (const auto* outcomes : {&worst_, &others_})
      for (const Outcome& outcome : *outcomes)
        if (templates.size() < question_.details) templates.push_back(outcome_to_json(outcome));
    if (!changed_.empty() && !question_.anew)
      note("replicas that may stay do stay; with --anew everything is divided again");
    note(
        "workloads are placed one after the other: the room that one takes is counted for those after it, "
        "room "
        "that becomes free is not");
    Json notes = Json::strings(notes_);
    return Json::object({{"kind", "Simulation"},
                         {"summary", Json::object({{"bindings", progress_.of.load()},
                                                   {"asked", looked_},
                                                   {"moved", moved_},
                                                   {"unplaceable", unplaceable_},
                                                   {"stillUnplaceable", still_},
                                                   {"gained", gained},
                                                   {"lost", lost},
                                                   {"templatesNotShown", told_ - templates.size()}})},
                         {"clusters", std::move(clusters)},
                         {"templates", std::move(templates)},
                         {"notes", std::move(notes)}});
  }

  struct Total {
    std::int64_t before = 0, after = 0, objects_before = 0, objects_after = 0;
  };

  const Sources& sources_;
  const SimulationQuestion& question_;
  SimulationProgress& progress_;
  const SteadyTime deadline_;
  Engine engine_;
  std::map<std::string, Json> was_;  // changed clusters that were there
  std::set<std::string> changed_;
  std::map<Key, ObjectPtr> planned_;  // null: gone
  std::optional<Key> scaled_;
  std::map<std::string, Total> totals_;
  std::vector<Outcome> worst_, others_;
  std::size_t looked_ = 0, told_ = 0, moved_ = 0, unplaceable_ = 0, still_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace

Result<Json> simulate(const Sources& sources, const SimulationQuestion& question,
                      SimulationProgress& progress) {
  return Simulation(sources, question, progress).make();
}

}  // namespace flotilla::planning
