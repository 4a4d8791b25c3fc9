// SPDX-License-Identifier: Apache-2.0
#include "core/planning/why.hpp"

#include <algorithm>
#include <tuple>

#include "core/api/binding.hpp"
#include "core/api/conditions.hpp"
#include "core/api/names.hpp"
#include "core/api/removal_cause.hpp"
#include "core/controllers/propagation/claim.hpp"
#include "core/planning/effects.hpp"
#include "core/planning/openings.hpp"
#include "core/planning/problems.hpp"
#include "core/planning/removals.hpp"
#include "core/planning/verdicts.hpp"

namespace flotilla::planning {
namespace {

namespace c = controllers;
namespace k = controllers::kinds;

std::string text_of(const c::ClaimingPolicy& policy) {
  return policy.cluster_scoped() ? "ClusterPropagationPolicy " + policy.name()
                                 : "PropagationPolicy " + policy.name_space() + "/" + policy.name();
}

const char* precision_text(api::MatchPrecision precision) {
  switch (precision) {
    case api::MatchPrecision::Name:
      return "by name";
    case api::MatchPrecision::Labels:
      return "by labels";
    case api::MatchPrecision::All:
      return "as any of its kind";
    case api::MatchPrecision::None:
      break;
  }
  return "not";
}

struct Match {
  std::shared_ptr<const c::ClaimingPolicy> policy;
  api::MatchPrecision precision;
};

std::vector<Match> matches_of(const Sources& sources, const Json& object) {
  std::vector<Match> found;
  const auto add = [&](const c::PolicyIndex::Policies& policies) {
    for (const auto& policy : policies) {
      const api::MatchPrecision precision = policy->match(object);
      if (precision != api::MatchPrecision::None && !policy->deleting()) found.push_back({policy, precision});
    }
  };
  const std::string_view ns = api::namespace_of(object);
  if (!ns.empty()) add(*sources.controllers.policies().in(ns));
  add(*sources.controllers.policies().cluster());
  return found;
}

// Why `other` does not have what `holder` has.
std::string why_not(const Match& other, const Match& holder) {
  if (other.policy->cluster_scoped() && !holder.policy->cluster_scoped())
    return "cluster-wide policies yield to those of the namespace";
  if (!other.policy->cluster_scoped() && holder.policy->cluster_scoped())
    return "it came after the claim and does not preempt";
  if (other.policy->priority() != holder.policy->priority()) {
    return other.policy->priority() < holder.policy->priority()
               ? "its priority is lower"
               : "its priority is higher, but it came after the claim and does not preempt";
  }
  if (other.precision != holder.precision) {
    return other.precision < holder.precision
               ? std::string("it means the template less precisely (") + precision_text(other.precision) + ")"
               : "it is more precise, but it came after the claim";
  }
  return other.policy->name() > holder.policy->name() ? "equal otherwise, and its name is the later one"
                                                      : "equal otherwise, and it came after the claim";
}

class Explanation {
 public:
  Explanation(const Sources& sources, const Subject& subject, const WhyQuestion& question)
      : sources_(sources), subject_(subject), question_(question), only_(question.only) {
    if (question.decisions && !question.decisions->kept.empty()) last_ = &question.decisions->kept.back();
  }

  Json make() {
    Json reference = Json::object({{"apiVersion", subject_.kind.gvk.api_version()},
                                   {"kind", subject_.kind.gvk.kind},
                                   {"name", subject_.key.name}});
    if (!subject_.key.ns.empty()) reference.set("namespace", subject_.key.ns);
    if (!subject_.template_) note("the template does not exist any more");
    if (subject_.template_ && subject_.template_->deleting()) note("the template is being deleted");
    out_ = Json::object({{"kind", "Explanation"}, {"template", std::move(reference)}});
    explain_claim();
    if (subject_.binding) {
      explain_binding();
      explain_decision();
      explain_clusters();
      explain_openings();
    }
    out_.set("removals", removals_of(sources_, subject_, only_));
    out_.set("notes", Json::strings(notes_));
    if (next_.empty()) next_.push_back("flotillactl timeline " + subject_.typed());
    out_.set("next", Json::strings(next_));
    return std::move(out_);
  }

 private:
  void note(std::string text) { notes_.push_back(std::move(text)); }
  void advise(std::string command) {
    if (std::find(next_.begin(), next_.end(), command) == next_.end()) next_.push_back(std::move(command));
  }

  void explain_claim() {
    const ObjectPtr& claimed = subject_.template_ ? subject_.template_ : subject_.binding;
    if (!claimed) return;
    const auto content = claimed->content();
    const auto claim = c::claim_on(*content);
    std::vector<Match> matches;
    if (subject_.template_) matches = matches_of(sources_, *content);
    const auto holder = std::find_if(matches.begin(), matches.end(), [&](const Match& match) {
      return claim && match.policy->name() == claim->name && match.policy->name_space() == claim->name_space;
    });
    Json out = Json::object();
    if (claim) {
      out.set("policy", policy_of(*content));
      if (holder != matches.end()) {
        out.set("priority", holder->policy->priority());
        out.set("reason", std::string("it means the template ") + precision_text(holder->precision) +
                              (matches.size() == 1 ? ", and is the only one that does" : ""));
        if (holder->policy->lazy()) note("the policy is lazy: its changes wait for a change of the template");
      } else {
        out.set("reason", "its claim is written on the template, but it does not mean it any more");
      }
    } else {
      explain_no_claim(*content, matches, out);
    }
    Json others = Json::array();
    for (const Match& match : matches) {
      if (holder != matches.end() && match.policy == holder->policy) continue;
      Json other = Json::object({{"policy", text_of(*match.policy)}, {"priority", match.policy->priority()}});
      if (holder != matches.end()) other.set("why", why_not(match, *holder));
      others.push_back(std::move(other));
    }
    out.set("others", std::move(others));
    out_.set("claim", std::move(out));
  }

  void explain_no_claim(const Json& object, const std::vector<Match>& matches, Json& out) {
    const std::string_view by = api::label_of(object, api::labels::kClaimedBy);
    if (!by.empty()) {
      out.set("reason", "the label " + std::string(api::labels::kClaimedBy) + "=" + std::string(by) +
                            " keeps policies away");
    } else if (!is_propagated_kind(sources_, object)) {
      out.set("reason", "objects of this kind or namespace are not propagated by policies");
    } else if (matches.empty()) {
      out.set("reason", "no policy means it: it stays in the control plane");
      advise("flotillactl get propagationpolicies,clusterpropagationpolicies -A");
    } else {
      out.set("reason", "a policy means it, but has not been applied yet");
      advise("flotillactl timeline " + subject_.typed());
    }
  }

  void explain_binding() {
    const auto content = subject_.binding->content();
    const Json& spec = (*content)["spec"];
    const Json& status = (*content)["status"];
    Json out = reference_to(*subject_.binding);
    out.set("generation", subject_.binding->generation());
    out.set("observedGeneration", status["schedulerObservedGeneration"]);
    if (spec["replicas"].is_int()) out.set("replicas", spec["replicas"]);
    if (const auto term = status["schedulerObservingAffinityName"].as_string(); !term.empty())
      out.set("affinity", term);
    const Json* scheduled = api::find_condition(status["conditions"], api::conditions::kScheduled);
    if (scheduled != nullptr) {
      out.set("scheduled", *scheduled);
      if ((*scheduled)["status"].as_string() != "True")
        advise("flotillactl why " + subject_.typed() + " --not CLUSTER");
    } else {
      note("the scheduler has not decided about it yet");
    }
    Json required = Json::array();
    for (const Json& by : spec["requiredBy"].elements()) {
      required.push_back(Json::object({{"namespace", by["namespace"]}, {"name", by["name"]}}));
    }
    if (!required.empty()) out.set("requiredBy", std::move(required));
    if (spec["suspension"]["scheduling"].as_bool()) note("scheduling is suspended");
    if (spec["suspension"]["dispatching"].as_bool()) note("dispatching is suspended for all clusters");
    if (subject_.binding->deleting()) note("the binding is being deleted");
    out_.set("binding", std::move(out));
  }

  void explain_decision() {
    if (last_ == nullptr) return;
    const Decisions& decisions = *question_.decisions;
    const Json decision = decision_to_json(decisions, *last_, true);
    Json out = Json::object({{"name", decision["metadata"]["name"]},
                             {"number", decision["spec"]["number"]},
                             {"kept", decisions.kept.size()},
                             {"time", decision["metadata"]["creationTimestamp"]},
                             {"trigger", decision["spec"]["trigger"]},
                             {"result", decision["status"]["result"]},
                             {"fitting", decision["status"]["fitting"]},
                             {"verdicts", verdicts_to_json(decisions, last_->record, false)},
                             {"nanoseconds", decision["status"]["nanoseconds"]["total"]}});
    for (const char* step : {"estimators", "selection", "division"})
      if (const Json* told = decision["status"].find(step)) out.set(step, *told);
    out_.set("decision", std::move(out));
    read_findings();
    if (!question_.diff) return;
    if (decisions.kept.size() < 2) {
      note("there is one decision alone: nothing to compare it with");
    } else {
      out_.set("diff", decision_changes(decisions, decisions.kept[decisions.kept.size() - 2], *last_));
    }
  }

  // What the last decision found, by cluster.
  void read_findings() {
    const scheduler::DecisionRecord& record = last_->record;
    const Decisions& decisions = *question_.decisions;
    std::vector<bool> selected(record.candidates(), false);
    for (std::uint32_t place : record.selected) selected[place] = true;
    std::size_t place = 0;
    for (std::size_t row = 0; row < record.verdicts.size(); ++row) {
      ClusterVerdict& verdict = recorded_[decisions.name(record.clusters[row])];
      verdict.fits = record.verdicts[row] == 0;
      if (!verdict.fits) {
        const scheduler::RecordedReason& reason =
            record.reasons[static_cast<std::size_t>(record.verdicts[row] - 1)];
        verdict.reason = reason.text;
        if (reason.policy >= 0)
          verdict.policy = decisions.name(record.policies[static_cast<std::size_t>(reason.policy)]);
      } else if (place < record.candidates()) {
        verdict.score = record.scores[place];
        verdict.room = record.room[place];
        verdict.selected = selected[place++];
      }
    }
    for (const scheduler::NumberedTarget& target : record.targets) {
      ClusterVerdict& verdict = recorded_[decisions.name(target.cluster)];
      verdict.chosen = true;
      verdict.replicas = target.replicas;
    }
  }

  void explain_openings() {
    const auto content = subject_.binding->content();
    if (only_.empty() || !(*content)["spec"].contains("placement")) return;
    const auto targets = api::targets_of(*content);
    if (std::any_of(targets.begin(), targets.end(),
                    [&](const api::TargetCluster& target) { return target.name == only_; }))
      return;
    const std::string policy =
        subject_.template_ ? policy_of(*subject_.template_->content()) : policy_of(*content);
    out_.set("openings", what_would_have_to_change(sources_, *content, only_, policy));
  }

  void explain_clusters() {
    const auto content = subject_.binding->content();
    const bool placed = (*content)["spec"].contains("placement");
    if (placed) verdicts_ = ask_scheduler(sources_, *content);
    std::set<std::string> names;
    for (const ObjectPtr& cluster : sources_.store.list(k::kCluster.collection()).objects)
      names.insert(cluster->name());
    for (const std::string& name : api::clusters_with_works(*content)) names.insert(name);
    Json list = Json::array();
    for (const std::string& name : names) {
      if (only_.empty() || name == only_) list.push_back(explain_cluster(name, *content));
    }
    if (!verdicts_.failure.empty()) out_.set("decisionNow", verdicts_.failure);
    out_.set("clusters", std::move(list));
  }

  Json explain_cluster(const std::string& name, const Json& binding) {
    Json out = Json::object({{"cluster", name}});
    const auto targets = api::targets_of(binding);
    const auto target = std::find_if(targets.begin(), targets.end(),
                                     [&](const api::TargetCluster& one) { return one.name == name; });
    const bool is_target = target != targets.end();
    out.set("target", is_target);
    if (is_target && binding["spec"]["replicas"].as_int() > 0) out.set("replicas", target->replicas);
    const auto now = verdicts_.clusters.find(name);
    const auto then = recorded_.find(name);
    if (then != recorded_.end()) add_verdict(then->second, is_target, out);
    if (now != verdicts_.clusters.end()) {
      if (then == recorded_.end())
        add_verdict(now->second, is_target, out);
      else
        add_difference(then->second, now->second, out);
    }
    const ObjectPtr cluster = sources_.get(k::kCluster, {"", name});
    const bool ready = cluster && api::is_condition_true((*cluster->content())["status"]["conditions"],
                                                         api::conditions::kReady);
    out.set("ready", ready);
    for (const Json& task : binding["spec"]["gracefulEvictionTasks"].elements()) {
      if (task["fromCluster"].as_string() == name) out.set("eviction", task);
    }
    if (const ObjectPtr work = work_in(subject_, name)) {
      out.set("work", explain_work(*work, name, binding));
    } else if (is_target) {
      out.set("missingWork", true);
    }
    return out;
  }

  void add_verdict(const ClusterVerdict& verdict, bool is_target, Json& out) {
    out.set("fits", verdict.fits);
    if (!verdict.fits) {
      out.set("reason", verdict.reason);
      if (!verdict.policy.empty()) out.set("refusedBy", verdict.policy);
      if (is_target) note("a target does not fit any more; it stays until it is evicted or scheduled anew");
      return;
    }
    out.set("score", verdict.score);
    if (verdict.room < INT32_MAX) out.set("room", verdict.room);
    if (is_target || !verdicts_.failure.empty()) return;
    out.set("reason", !verdict.selected ? "it fits, but the spread constraints are satisfied without it"
                      : verdict.chosen
                          ? "it fits and would be chosen today; decisions are kept while they hold"
                          : "it fits, but the division of replicas leaves none for it");
  }

  // What the scheduler would say otherwise now.
  static void add_difference(const ClusterVerdict& then, const ClusterVerdict& now, Json& out) {
    if (then.fits == now.fits && then.reason == now.reason) return;
    out.set("now", now.fits ? "it would fit now" : "now: " + now.reason);
  }

  Json explain_work(const api::Object& work, const std::string& cluster, const Json& binding) {
    const auto content = work.content();
    const Json& conditions = (*content)["status"]["conditions"];
    Json out = Json::object({{"namespace", work.ns()}, {"name", work.name()}});
    const Json* applied = api::find_condition(conditions, api::conditions::kApplied);
    out.set("applied", applied == nullptr ? Json("Unknown") : (*applied)["status"]);
    if (applied != nullptr && (*applied)["status"].as_string() != "True") {
      const std::string message((*applied)["message"].as_string());
      out.set("message", message);
      if (message.find("already exists") != std::string::npos) {
        out.set("conflict", true);
        advise("set spec.conflictResolution: Overwrite in the policy to take over what is in " + cluster);
      }
      advise("flotillactl get work " + work.name() + " -n " + work.ns() + " -o yaml");
    }
    for (const Json& item : binding["status"]["aggregatedStatus"].elements()) {
      if (item["clusterName"].as_string() == cluster && item.contains("health"))
        out.set("health", item["health"]);
    }
    if ((*content)["spec"]["suspendDispatching"].as_bool()) {
      out.set("suspended", true);
      note("dispatching to " + cluster + " is suspended: changes are not sent");
    }
    if (work.deleting()) out.set("deleting", true);
    if (const auto cause = api::removal_cause_of_work(*content)) {
      out.set("removalCause", cause->text());
      if (!cause->held.empty()) {
        out.set("held", cause->held);
        advise("kubectl annotate " + subject_.scope->kind.resource + " " + subject_.binding->name() + " -n " +
               subject_.binding->ns() + " " + std::string(api::annotations::kApproveRemoval) + "=" + cluster);
      }
    }
    return out;
  }

  const Sources& sources_;
  const Subject& subject_;
  const WhyQuestion& question_;
  const std::string only_;
  const KeptDecision* last_ = nullptr;
  Verdicts verdicts_;                               // as asked now
  std::map<std::string, ClusterVerdict> recorded_;  // of the last decision
  Json out_;
  std::vector<std::string> notes_, next_;
};

}  // namespace

Result<Json> explain(const Sources& sources, const Subject& subject, const WhyQuestion& question) {
  const std::string& only = question.only;
  if (!only.empty() && !sources.get(k::kCluster, {"", only}))
    return not_found("clusters.cluster.karmada.io \"" + only + "\" not found");
  return Explanation(sources, subject, question).make();
}

}  // namespace flotilla::planning
