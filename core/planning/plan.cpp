// SPDX-License-Identifier: Apache-2.0
#include "core/planning/plan.hpp"

#include <algorithm>
#include <set>

#include "core/api/names.hpp"
#include "core/controllers/propagation/claim.hpp"
#include "core/controllers/propagation/event_filter.hpp"
#include "core/planning/effects.hpp"
#include "core/planning/fields.hpp"
#include "core/planning/left_out.hpp"
#include "core/planning/problems.hpp"
#include "core/planning/world_token.hpp"

namespace flotilla::planning {
namespace {

namespace c = controllers;
namespace k = controllers::kinds;

constexpr int kTries = 5;
constexpr std::size_t kMostVersions = 1'000;
constexpr std::size_t kMostUnderWay = 10;

// Lists have no reads of their own: that nothing joined or left them is seen by their sizes.
std::vector<std::size_t> list_sizes(const store::Store& store) {
  std::vector<std::size_t> sizes;
  for (const StoredKind* kind : {&k::kCluster, &k::kPropagationPolicy, &k::kClusterPropagationPolicy,
                                 &k::kOverridePolicy, &k::kClusterOverridePolicy})
    sizes.push_back(store.count(kind->collection()));
  return sizes;
}

Json identity(const StoredKind& kind, const ObjectKey& key) {
  Json out =
      Json::object({{"apiVersion", kind.gvk.api_version()}, {"kind", kind.gvk.kind}, {"name", key.name}});
  if (!key.ns.empty()) out.set("namespace", key.ns);
  return out;
}

// What is asked, beside what there is.
Json change_to_json(const Change& change, const ObjectPtr& before, const PlanOptions& options) {
  Json out = identity(change.kind, change.key);
  if (change.removes()) {
    out.set("action", before ? "delete" : "absent");
    return out;
  }
  if (!before) {
    out.set("action", "create");
    return out;
  }
  const Json was = comparable(*before->content());
  const Json is = comparable(change.object);
  const auto fields = field_changes(was, is);
  out.set("action", fields.empty() ? "unchanged" : "update");
  if (!fields.empty()) out.set("fields", changes_to_json(fields, options.fields));
  return out;
}

const char* word_of(ClusterEffect::Kind kind) {
  switch (kind) {
    case ClusterEffect::Kind::Create:
      return "create";
    case ClusterEffect::Kind::Delete:
      return "delete";
    case ClusterEffect::Kind::Update:
      break;
  }
  return "update";
}

Json cluster_to_json(const std::string& name, const ClusterEffect& effect, const PlanOptions& options) {
  Json out = Json::object({{"cluster", name}, {"action", word_of(effect.kind)}, {"work", effect.work}});
  if (effect.suspended) out.set("suspended", true);
  if (effect.preserved) out.set("preservedInMember", true);
  if (!effect.cause.empty()) out.set("cause", effect.cause);
  if (!effect.held.empty()) out.set("held", effect.held);
  if (effect.kind == ClusterEffect::Kind::Update) {
    const auto fields = field_changes(effect.before, effect.after);
    out.set("fields", changes_to_json(fields, options.fields));
  }
  return out;
}

Json moves_to_json(const TemplateEffect& effect) {
  std::set<std::string> clusters;
  for (const auto& [cluster, replicas] : effect.before.replicas) clusters.insert(cluster);
  for (const auto& [cluster, replicas] : effect.after.replicas) clusters.insert(cluster);
  Json list = Json::array();
  for (const std::string& cluster : clusters) {
    const auto before = effect.before.replicas.find(cluster);
    const auto after = effect.after.replicas.find(cluster);
    const bool was = before != effect.before.replicas.end(), is = after != effect.after.replicas.end();
    if (was && is && before->second == after->second) continue;
    Json move = Json::object({{"cluster", cluster}});
    if (was) move.set("before", before->second);
    if (is) move.set("after", after->second);
    list.push_back(std::move(move));
  }
  return list;
}

Json template_to_json(const TemplateEffect& effect, const PlanOptions& options) {
  const Json& reference = effect.reference;
  Json out = Json::object({{"apiVersion", reference["apiVersion"]},
                           {"kind", reference["kind"]},
                           {"name", reference["name"]},
                           {"binding", effect.binding.text()}});
  if (reference.contains("namespace")) out.set("namespace", reference["namespace"]);
  if (effect.policy_before != effect.policy_after || effect.binding_created) {
    Json policy = Json::object();
    if (!effect.policy_before.empty()) policy.set("before", effect.policy_before);
    if (!effect.policy_after.empty()) policy.set("after", effect.policy_after);
    out.set("policy", std::move(policy));
  }
  if (effect.moves()) out.set("replicas", moves_to_json(effect));
  if (!effect.condition.is_null()) out.set("condition", effect.condition);
  Json clusters = Json::array();
  for (const auto& [name, cluster] : effect.clusters)
    clusters.push_back(cluster_to_json(name, cluster, options));
  out.set("clusters", std::move(clusters));
  return out;
}

// What the budgets of removals would say: they let so many go within a window, then hold the rest.
void add_budgets(const Sources& sources, const std::map<ObjectKey, TemplateEffect>& effects, Json& problems) {
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> by_policy;  // removals, of so many
  for (const auto& [key, effect] : effects) {
    auto& [removals, all] = by_policy[effect.policy_before];
    removals += static_cast<std::int64_t>(effect.count(ClusterEffect::Kind::Delete));
    all += static_cast<std::int64_t>(effect.before.replicas.size());
  }
  const c::Options& options = sources.options;
  for (const auto& [policy, counts] : by_policy) {
    const auto& [removals, all] = counts;
    const bool trips =
        options.removal_budget > 0 && removals > options.removal_budget &&
        static_cast<double>(removals) > options.removal_budget_share * static_cast<double>(all);
    if (!trips || policy.empty()) continue;
    const std::string kind = policy.substr(0, policy.find(' '));
    problems.push_back(Json::object(
        {{"apiVersion", api::versions::kPolicy},
         {"kind", kind},
         {"name", policy.substr(kind.size() + 1)},
         {"reason", "RemovalBudget"},
         {"message", std::to_string(removals) + " removals are more than the " +
                         std::to_string(options.removal_budget) + " that one policy may cause within " +
                         format_duration(options.removal_budget_window) + ": the rest is held"},
         {"next", "docs/design/guarded-removal.md: flotilla.io/reset-removal-breaker lets the rest go"}}));
  }
}

struct Totals {
  std::size_t creates = 0, updates = 0, deletes = 0, moved = 0, policies = 0;
  std::map<std::string, std::array<std::size_t, 3>> clusters;

  void add(const TemplateEffect& effect) {
    if (effect.moves() && !effect.before.replicas.empty()) ++moved;
    if (effect.policy_before != effect.policy_after && !effect.binding_created && !effect.binding_deleted)
      ++policies;
    for (const auto& [name, cluster] : effect.clusters) {
      ++clusters[name][static_cast<std::size_t>(cluster.kind)];
      (cluster.kind == ClusterEffect::Kind::Create   ? creates
       : cluster.kind == ClusterEffect::Kind::Delete ? deletes
                                                     : updates)++;
    }
  }

  Json clusters_to_json() const {
    Json list = Json::array();
    for (const auto& [name, counts] : clusters) {
      list.push_back(Json::object(
          {{"cluster", name}, {"creates", counts[0]}, {"updates", counts[1]}, {"deletes", counts[2]}}));
    }
    return list;
  }
};

Json effects_to_json(const std::map<ObjectKey, TemplateEffect>& effects, const PlanOptions& options,
                     Json plan) {
  Totals totals;
  std::vector<const TemplateEffect*> order;
  for (const auto& [key, effect] : effects) {
    totals.add(effect);
    const bool says = effect.gravity() > 0 || effect.policy_before != effect.policy_after ||
                      effect.binding_created || effect.binding_deleted || !effect.condition.is_null();
    if (says) order.push_back(&effect);
  }
  std::stable_sort(order.begin(), order.end(), [](const TemplateEffect* a, const TemplateEffect* b) {
    return a->gravity() > b->gravity();
  });
  Json templates = Json::array();
  for (std::size_t i = 0; i < order.size() && i < options.details; ++i)
    templates.push_back(template_to_json(*order[i], options));
  plan.set("templates", std::move(templates));
  plan.set("clusters", totals.clusters_to_json());
  plan.set("summary",
           Json::object({{"templates", order.size()},
                         {"templatesNotShown", order.size() - std::min(order.size(), options.details)},
                         {"creates", totals.creates},
                         {"updates", totals.updates},
                         {"deletes", totals.deletes},
                         {"movedTemplates", totals.moved},
                         {"changedPolicies", totals.policies}}));
  return plan;
}

// A binding notes which revision of its template it was made of: nothing follows from that.
Json without_bookkeeping(const ObjectPtr& object) {
  if (!object) return {};
  Json copy = comparable(*object->content());
  Json* spec = copy.find("spec");
  Json* resource = spec == nullptr ? nullptr : spec->find("resource");
  if (resource != nullptr) resource->erase("resourceVersion");
  return copy;
}

// What changes whatever is asked: the world was not at rest.
Json under_way(const std::vector<Written>& written, const PlanOptions& options) {
  Json items = Json::array();
  std::size_t count = 0;
  for (const Written& entry : written) {
    const Json before = without_bookkeeping(entry.before), after = without_bookkeeping(entry.after);
    const bool deleted = entry.before && entry.after && entry.before->deleting() != entry.after->deleting();
    if (before == after && !deleted) continue;
    if (++count > kMostUnderWay) continue;
    Json item = Json::object({{"resource", entry.key.collection.get()}, {"name", entry.key.object.text()}});
    if (entry.before && entry.after)
      item.set("fields", changes_to_json(field_changes(before, after), options.fields));
    items.push_back(std::move(item));
  }
  return Json::object({{"count", count}, {"items", std::move(items)}});
}

std::vector<std::string> request_texts(const std::vector<Change>& changes) {
  std::vector<std::string> texts;
  for (const Change& change : changes) {
    texts.push_back(change.kind.collection().get() + " " + change.key.text());
    texts.push_back(change.removes() ? "delete" : change.asked.dump());
  }
  return texts;
}

// One look at the world. Nothing: it moved meanwhile.
Result<std::optional<Json>> try_plan(const Sources& sources, const std::vector<Change>& changes,
                                     const PlanOptions& options, SteadyTime deadline) {
  const std::vector<std::size_t> sizes = list_sizes(sources.store);
  const Revision revision = sources.store.revision();
  Rehearsal rehearsal(sources);
  if (Status reached = introduce_reach(sources, changes, rehearsal); !reached) return reached.error();
  const auto settled = rehearsal.begin(deadline);
  if (!settled) return settled.error();
  Json plan = Json::object({{"kind", "Plan"}, {"revision", std::to_string(revision.get())}});
  Json asked = Json::array();
  for (const Change& change : changes) {
    asked.push_back(change_to_json(change, rehearsal.look(change.kind.collection(), change.key), options));
    if (Status made = make_change(change, rehearsal); !made)
      return Error(made.error()).context(change.kind.gvk.kind + " " + change.key.text());
  }
  plan.set("changes", std::move(asked));
  if (Status ran = rehearsal.run(deadline); !ran) return ran.error();
  const std::map<ObjectKey, TemplateEffect> effects = effects_of(rehearsal);
  plan = effects_to_json(effects, options, std::move(plan));
  Json problems = problems_of(sources, changes, rehearsal);
  add_budgets(sources, effects, problems);
  plan.set("problems", std::move(problems));
  if (Json omitted = left_out(sources, changes, effects); !omitted.empty())
    plan.set("leftOut", std::move(omitted));
  Json already = under_way(*settled, options);
  if (std::as_const(already)["count"].as_int() > 0) plan.set("underWay", std::move(already));
  if (sources.store.revision() != revision &&
      (list_sizes(sources.store) != sizes || !still_holds(sources.store, rehearsal.reads())))
    return std::optional<Json>();
  plan.set("id", plan_id(rehearsal.reads(), request_texts(changes)));
  plan.set("resourceVersionSet", resource_versions(rehearsal.reads(), kMostVersions));
  return std::optional<Json>(std::move(plan));
}

}  // namespace

Status make_change(const Change& change, Rehearsal& rehearsal) {
  const ObjectPtr there = rehearsal.look(change.kind.collection(), change.key);
  if (!change.removes()) {
    if (there && comparable(*there->content()) == comparable(change.object)) return {};
    return rehearsal.put(change.kind, change.object);
  }
  if (!there) return {};
  const ObjectKey binding = binding_key(*there->content());
  if (Status removed = rehearsal.remove(change.kind, change.key); !removed) return removed;
  // What garbage collection does next.
  const c::BindingScope& scope = c::scope_of_template(change.key.ns);
  const ObjectPtr bound = rehearsal.look(scope.kind.collection(), binding);
  const bool owned = bound && std::find(bound->owner_uids().begin(), bound->owner_uids().end(),
                                        there->uid()) != bound->owner_uids().end();
  if (!owned || rehearsal.look(change.kind.collection(), change.key)) return {};
  return rehearsal.remove(scope.kind, binding);
}

Result<Json> make_plan(const Sources& sources, const std::vector<Change>& changes,
                       const PlanOptions& options) {
  const SteadyTime deadline =
      sources.executor.clock().steady_now() + std::chrono::duration_cast<SteadyTime::duration>(options.time);
  for (int i = 0; i < kTries; ++i) {
    auto plan = try_plan(sources, changes, options, deadline);
    if (!plan) return std::move(plan).error();
    if (*plan) return **std::move(plan);
  }
  return Error(Code::Unavailable,
               "the objects that the plan depends on change faster than it is made: try again");
}

}  // namespace flotilla::planning
