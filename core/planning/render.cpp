// SPDX-License-Identifier: Apache-2.0
#include "core/planning/render.hpp"

#include <algorithm>

#include "core/api/binding.hpp"
#include "core/controllers/binding/render_works.hpp"
#include "core/planning/effects.hpp"
#include "core/scheduler/trigger.hpp"

namespace flotilla::planning {
namespace {

namespace c = controllers;
namespace k = controllers::kinds;

// An overrider that was seen at work.
struct Seen {
  Hand hand;
  Json before, after;
};

std::string policy_text(const overrides::CompiledPolicy& policy) {
  return policy.name_space().empty() ? "ClusterOverridePolicy " + policy.name()
                                     : "OverridePolicy " + policy.name_space() + "/" + policy.name();
}

bool has_target(const Json& binding, std::string_view cluster) {
  for (const api::TargetCluster& target : api::targets_of(binding)) {
    if (target.name == cluster) return true;
  }
  return false;
}

class Renderer {
 public:
  Renderer(const Sources& sources, const Subject& subject)
      : sources_(sources), template_(*subject.template_->content()), binding_(*subject.binding->content()) {}

  std::vector<RenderedManifest> render(std::vector<std::string> clusters) {
    if (clusters.empty()) {
      for (const api::TargetCluster& target : api::targets_of(binding_)) clusters.push_back(target.name);
    }
    std::vector<std::string> strangers;
    for (const std::string& cluster : clusters) {
      if (has_target(binding_, cluster)) continue;
      strangers.push_back(cluster);
      const Json& replicas = std::as_const(binding_)["spec"]["replicas"];
      Json target = Json::object({{"name", cluster}});
      if (!replicas.is_null()) target.set("replicas", replicas);
      binding_.make({"spec", "clusters"}).push_back(std::move(target));
    }
    const c::Rendered works = render_all();
    std::vector<RenderedManifest> out;
    for (const std::string& cluster : clusters) {
      RenderedManifest rendered;
      rendered.cluster = cluster;
      rendered.is_target = std::find(strangers.begin(), strangers.end(), cluster) == strangers.end();
      fill(works, rendered);
      out.push_back(std::move(rendered));
    }
    return out;
  }

 private:
  c::Rendered render_all() {
    const auto find = [this](std::string_view name) -> const Json* {
      const auto [it, fresh] = clusters_.try_emplace(std::string(name));
      if (fresh) {
        const ObjectPtr cluster = sources_.get(k::kCluster, {"", std::string(name)});
        if (cluster) it->second = cluster->content();
      }
      return it->second.get();
    };
    const auto cluster_policies = sources_.controllers.overrides().cluster_policies();
    const auto policies = sources_.controllers.overrides().policies(api::namespace_of(template_));
    c::RenderInput input{binding_, template_, find, *cluster_policies, *policies, sources_.interpreter};
    input.inject_preserved_state = sources_.options.feature_gates.stateful_failover_injection;
    input.witness = [this](const std::string& cluster, const overrides::AppliedStep& step) {
      seen_[cluster].push_back({{policy_text(step.policy), "overrideRules[" + std::to_string(step.rule) +
                                                               "].overriders." + std::string(step.field)},
                                step.before,
                                step.after});
    };
    return c::render_works(input);
  }

  void fill(const c::Rendered& works, RenderedManifest& rendered) {
    for (const c::RenderFailure& failure : works.failures) {
      if (failure.cluster == rendered.cluster) rendered.failure = failure.error;
    }
    for (const c::RenderedWork& work : works.works) {
      if (work.cluster != rendered.cluster) continue;
      rendered.manifest = work.work["spec"]["workload"]["manifests"].element(0);
      rendered.suspended = work.work["spec"]["suspendDispatching"].as_bool();
      blame(rendered);
    }
  }

  void blame(RenderedManifest& rendered) {
    const std::vector<Seen>& steps = seen_[rendered.cluster];
    rendered.hands.push_back({"template", ""});
    Json current = template_;
    const Json divided = divide(rendered.cluster, steps);
    const auto advance = [&](Hand hand, const Json& next) {
      if (current == next) return;
      rendered.blame.advance(current, next, static_cast<int>(rendered.hands.size()));
      rendered.hands.push_back(std::move(hand));
      current = next;
    };
    advance(division_hand(rendered.cluster), divided);
    for (const Seen& step : steps) advance(step.hand, step.after);
    advance({"flotilla", "bookkeeping"}, rendered.manifest);
  }

  // The template as this cluster gets it before overrides.
  Json divide(const std::string& cluster, const std::vector<Seen>& steps) const {
    if (!steps.empty()) return steps.front().before;
    if (!scheduler::is_workload(binding_["spec"]) ||
        !sources_.interpreter.supports(template_, interpreter::Operation::ReviseReplica))
      return template_;
    auto revised = sources_.interpreter.revise_replica(template_, replicas_in(cluster));
    return revised ? *std::move(revised) : template_;
  }

  std::int64_t replicas_in(std::string_view cluster) const {
    for (const api::TargetCluster& target : api::targets_of(binding_)) {
      if (target.name == cluster) return target.replicas;
    }
    return 0;
  }

  Hand division_hand(const std::string& cluster) const {
    const std::string policy = policy_of(binding_);
    const auto total = std::as_const(binding_)["spec"]["replicas"].as_int();
    return {policy.empty() ? "scheduler" : policy, "placement: " + std::to_string(replicas_in(cluster)) +
                                                       " of " + std::to_string(total) + " replicas for " +
                                                       cluster};
  }

  const Sources& sources_;
  const Json template_;
  Json binding_;
  std::map<std::string, std::shared_ptr<const Json>, std::less<>> clusters_;
  std::map<std::string, std::vector<Seen>> seen_;
};

Json parts_to_json(const std::vector<Blame::Part>& parts) {
  Json list = Json::array();
  for (const Blame::Part& part : parts)
    list.push_back(Json::object({{"pointer", part.pointer}, {"by", part.by}}));
  return list;
}

}  // namespace

Result<std::vector<RenderedManifest>> render(const Sources& sources, const Subject& subject,
                                             const std::vector<std::string>& clusters) {
  if (!subject.template_)
    return not_found(subject.kind.gvk.kind + " " + subject.key.text() + " is gone: nothing to render");
  if (!subject.binding) {
    return not_found("nothing is sent anywhere: " + subject.kind.gvk.kind + " " + subject.key.text() +
                     " has no binding, for no policy claims it\n  try: flotillactl why " + subject.typed());
  }
  return Renderer(sources, subject).render(clusters);
}

Json to_json(const std::vector<RenderedManifest>& rendered) {
  Json list = Json::array();
  for (const RenderedManifest& one : rendered) {
    Json entry = Json::object({{"cluster", one.cluster}, {"target", one.is_target}});
    if (one.suspended) entry.set("suspended", true);
    if (one.failure) entry.set("failure", one.failure->message());
    if (!one.manifest.is_null()) {
      entry.set("manifest", one.manifest);
      Json hands = Json::array();
      for (const Hand& hand : one.hands)
        hands.push_back(Json::object({{"who", hand.who}, {"what", hand.what}}));
      entry.set("hands", std::move(hands));
      entry.set("blame", parts_to_json(one.blame.written()));
      entry.set("removed", parts_to_json(one.blame.removed()));
    }
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace flotilla::planning
