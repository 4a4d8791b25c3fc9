// SPDX-License-Identifier: Apache-2.0
#include "core/planning/openings.hpp"

#include <algorithm>

#include "core/api/cluster_affinity.hpp"
#include "core/api/names.hpp"
#include "core/api/taint.hpp"
#include "core/controllers/facts.hpp"
#include "core/planning/verdicts.hpp"

namespace flotilla::planning {
namespace {

constexpr int kMostObstacles = 8;
constexpr std::int64_t kMostReplicas = 1'000'000;

// A change that may lift an obstacle.
struct Lift {
  std::string change, command;
};

class Openings {
 public:
  Openings(const Sources& sources, Json binding, std::string cluster, std::string policy)
      : sources_(sources),
        engine_(sources),
        binding_(std::move(binding)),
        name_(std::move(cluster)),
        policy_(std::move(policy)) {}

  Json make() {
    Json obstacles = Json::array();
    std::string stuck;
    ClusterVerdict verdict = ask_about(engine_, binding_, name_);
    for (int i = 0; !verdict.chosen; ++i) {
      const std::string reason = reason_of(verdict);
      const std::optional<Lift> lift = i < kMostObstacles ? lift_of(verdict) : std::nullopt;
      if (!lift) {
        stuck = reason;
        break;
      }
      Json entry = Json::object({{"reason", reason}, {"change", lift->change}});
      if (!verdict.policy.empty()) entry.set("policy", verdict.policy);
      if (!lift->command.empty()) entry.set("command", lift->command);
      obstacles.push_back(std::move(entry));
      const ClusterVerdict after = ask_about(engine_, binding_, name_);
      if (after.fits == verdict.fits && after.selected == verdict.selected && !after.chosen &&
          after.reason == verdict.reason && after.policy == verdict.policy) {
        stuck = reason + ", even so";
        break;
      }
      verdict = after;
    }
    Json out = Json::object({{"obstacles", std::move(obstacles)}, {"target", verdict.chosen}});
    if (verdict.chosen && verdict.replicas > 0) out.set("replicas", verdict.replicas);
    if (!stuck.empty()) out.set("stuck", stuck);
    return out;
  }

 private:
  static std::string reason_of(const ClusterVerdict& verdict) {
    if (!verdict.fits) return verdict.reason.empty() ? "it was not looked at" : verdict.reason;
    if (!verdict.selected) return "the spread constraints are satisfied without it";
    return "the division of replicas leaves none for it";
  }

  std::string edit_policy(const std::string& what) const {
    const std::size_t space = policy_.find(' ');
    if (space == policy_.npos) return {};
    const std::string path = policy_.substr(space + 1);
    const std::size_t slash = path.find('/');
    std::string command = "kubectl edit ";
    command += slash == path.npos
                   ? "clusterpropagationpolicy " + path
                   : "propagationpolicy " + path.substr(slash + 1) + " -n " + path.substr(0, slash);
    return command + "   # " + what;
  }

  Json& placement() { return binding_["spec"]["placement"]; }
  Json cluster() const {
    const Json* found = engine_.cluster(name_);
    return found == nullptr ? Json::object() : *found;
  }

  std::optional<Lift> lift_of(const ClusterVerdict& verdict) {
    if (!verdict.fits) {
      if (verdict.policy == "cluster_affinity") return lift_affinity();
      if (verdict.policy == "taint_toleration") return lift_taints();
      if (verdict.policy == "api_enablement") return lift_api();
      if (verdict.policy == "spread_constraint") return lift_missing_property();
      if (verdict.policy == "cluster_eviction") return lift_eviction();
      if (verdict.policy == "workload_affinity") return lift_group(false);
      if (verdict.policy == "workload_anti_affinity") return lift_group(true);
      return std::nullopt;
    }
    return verdict.selected ? lift_division() : lift_selection();
  }

  // The affinity in use: of the placement, else the term that is tried.
  Json* affinity() {
    if (Json* one = placement().find("clusterAffinity")) return one;
    Json* terms = placement().find("clusterAffinities");
    if (terms == nullptr || terms->empty()) return nullptr;
    const std::string observed(
        std::as_const(binding_)["status"]["schedulerObservingAffinityName"].as_string());
    for (Json& term : terms->elements())
      if (std::as_const(term)["affinityName"].as_string() == observed) return &term;
    return &terms->elements()[0];
  }

  std::optional<Lift> lift_affinity() {
    Json* affinity = this->affinity();
    if (affinity == nullptr) return std::nullopt;
    std::vector<std::string> changes, commands;
    lift_names(*affinity, changes);
    if (!changes.empty()) commands.push_back(edit_policy(changes.front()));
    lift_labels(*affinity, changes, commands);
    lift_fields(*affinity, changes, commands);
    if (changes.empty()) return std::nullopt;
    return Lift{joined(changes, "; "), joined(commands, "; ")};
  }

  void lift_names(Json& affinity, std::vector<std::string>& changes) {
    const auto without = [&](const Json& names) {
      Json left = Json::array();
      for (const Json& name : names.elements())
        if (name.as_string() != name_) left.push_back(name);
      return left;
    };
    const Json excluded = std::as_const(affinity)["exclude"];
    if (const Json left = without(excluded); left.size() != excluded.size()) {
      affinity.set("exclude", left);
      changes.push_back("take " + name_ + " out of clusterAffinity.exclude");
    }
    Json names = std::as_const(affinity)["clusterNames"];
    if (!names.empty() && without(names).size() == names.size()) {
      names.push_back(name_);
      affinity.set("clusterNames", std::move(names));
      changes.push_back("add " + name_ + " to clusterAffinity.clusterNames");
    }
  }

  void lift_labels(Json& affinity, std::vector<std::string>& changes, std::vector<std::string>& commands) {
    const Json selector = std::as_const(affinity)["labelSelector"];
    Json changed = cluster();
    std::string arguments;
    const auto label = [&](std::string_view key) -> const Json& {
      return std::as_const(changed)["metadata"]["labels"][key];
    };
    const auto set = [&](std::string_view key, std::string_view value) {
      changed.make({"metadata", "labels", key}) = value;
      arguments += " " + std::string(key) + "=" + std::string(value);
    };
    const auto erase = [&](std::string_view key) {
      changed["metadata"]["labels"].erase(key);
      arguments += " " + std::string(key) + "-";
    };
    for (const auto [key, value] : selector["matchLabels"].members())
      if (label(key).is_null() || label(key) != value) set(key, value.as_string());
    for (const Json& rule : selector["matchExpressions"].elements()) {
      const std::string_view key = rule["key"].as_string(), op = rule["operator"].as_string();
      const auto values = rule["values"].elements();
      const bool listed = std::find(values.begin(), values.end(), label(key)) != values.end();
      if (op == "In" && !listed && !values.empty()) set(key, values[0].as_string());
      if (op == "Exists" && label(key).is_null()) set(key, "");
      if ((op == "NotIn" && listed) || (op == "DoesNotExist" && !label(key).is_null())) erase(key);
    }
    if (arguments.empty()) return;
    engine_.put_cluster(changed);
    changes.push_back("label the cluster" + arguments);
    commands.push_back("kubectl label cluster " + name_ + arguments + " --overwrite");
  }

  void lift_fields(Json& affinity, std::vector<std::string>& changes, std::vector<std::string>& commands) {
    Json changed = cluster();
    bool any = false;
    const Json rules = std::as_const(affinity)["fieldSelector"]["matchExpressions"];
    for (const Json& rule : rules.elements()) {
      const std::string key(rule["key"].as_string());
      const auto values = rule["values"].elements();
      if (rule["operator"].as_string() != "In" || values.empty()) continue;
      const Json& field = std::as_const(changed)["spec"][key == "zone" ? "zones" : key];
      const auto has = [&](const Json& value) {
        return std::find(values.begin(), values.end(), value) != values.end();
      };
      const auto zones = field.elements();
      if (key == "zone" ? !zones.empty() && std::all_of(zones.begin(), zones.end(), has) : has(field))
        continue;
      const std::string value(values[0].as_string());
      if (key == "zone")
        changed["spec"].set("zones", Json::array({value}));
      else
        changed["spec"].set(key, value);
      changes.push_back("the cluster's " + key + " would have to be " + value);
      commands.push_back(patch_cluster(key == "zone" ? R"("zones":[")" + value + "\"]"
                                                     : "\"" + key + "\":\"" + value + "\""));
      any = true;
    }
    if (any) engine_.put_cluster(changed);
  }

  std::string patch_cluster(const std::string& spec) const {
    return "kubectl patch cluster " + name_ + " --type merge -p '{\"spec\":{" + spec + "}}'";
  }

  std::optional<Lift> lift_taints() {
    std::string texts;
    Json tolerations = std::as_const(placement())["clusterTolerations"];
    if (!tolerations.is_array()) tolerations = Json::array();
    const Json spec = cluster()["spec"];
    for (const Json& taint : spec["taints"].elements()) {
      const std::string_view effect = taint["effect"].as_string();
      if (effect != api::kNoSchedule && effect != api::kNoExecute) continue;
      if (api::find_toleration(std::as_const(tolerations).elements(), taint) != nullptr) continue;
      const std::string key(taint["key"].as_string()), value(taint["value"].as_string());
      Json toleration = Json::object({{"key", key}, {"effect", effect}});
      toleration.set("operator", value.empty() ? "Exists" : "Equal");
      if (!value.empty()) toleration.set("value", value);
      tolerations.push_back(std::move(toleration));
      texts +=
          (texts.empty() ? "" : ", ") + key + (value.empty() ? "" : "=" + value) + ":" + std::string(effect);
    }
    if (texts.empty()) return std::nullopt;
    placement().set("clusterTolerations", std::move(tolerations));
    return Lift{"tolerate " + texts + " in placement.clusterTolerations, or take the taint off " + name_,
                edit_policy("clusterTolerations: " + texts)};
  }

  std::optional<Lift> lift_api() {
    const Json resource = std::as_const(binding_)["spec"]["resource"];
    Json changed = cluster();
    Json enablements = std::as_const(changed)["status"]["apiEnablements"];
    if (!enablements.is_array()) enablements = Json::array();
    enablements.push_back(
        Json::object({{"groupVersion", resource["apiVersion"]},
                      {"resources", Json::array({Json::object({{"kind", resource["kind"]}})})}}));
    changed.make({"status", "apiEnablements"}) = std::move(enablements);
    engine_.put_cluster(changed);
    return Lift{"install " + std::string(resource["kind"].as_string()) + " of " +
                    std::string(resource["apiVersion"].as_string()) + " in " + name_,
                "kubectl --context " + name_ + " api-resources"};
  }

  // Spread by a property that the cluster does not have.
  std::optional<Lift> lift_missing_property() {
    const Json constraints = std::as_const(placement())["spreadConstraints"];
    Json changed = cluster();
    std::vector<std::string> missing;
    for (const Json& constraint : constraints.elements()) {
      const std::string_view label = constraint["spreadByLabel"].as_string();
      if (label.empty() || !sources_.options.feature_gates.spread_by_label) continue;
      if (!std::as_const(changed)["metadata"]["labels"][label].as_string().empty()) continue;
      changed.make({"metadata", "labels", label}) = "some-value";
      engine_.put_cluster(changed);
      return Lift{"label the cluster with " + std::string(label) + ", which the workload is spread by",
                  "kubectl label cluster " + name_ + " " + std::string(label) + "=..."};
    }
    for (const Json& constraint : constraints.elements()) {
      const std::string field(constraint["spreadByField"].as_string());
      const std::string member = field == "zone" ? "zones" : field;
      if (field != "provider" && field != "region" && field != "zone") continue;
      const Json& value = std::as_const(changed)["spec"][member];
      if (!value.empty() && (!value.is_string() || !value.as_string().empty())) continue;
      changed["spec"].set(member, field == "zone" ? Json::array({"some-zone"}) : Json("some-" + field));
      missing.push_back(field);
    }
    if (missing.empty()) return std::nullopt;
    engine_.put_cluster(changed);
    const std::string all = joined(missing, ", ");
    return Lift{"say of the cluster which " + all + " it is in",
                patch_cluster("\"" + missing.front() + "\":...")};
  }

  std::optional<Lift> lift_eviction() {
    const Json before = std::as_const(binding_)["spec"]["gracefulEvictionTasks"];
    Json left = Json::array();
    for (const Json& task : before.elements())
      if (task["fromCluster"].as_string() != name_) left.push_back(task);
    if (left.size() == before.size()) return std::nullopt;
    binding_["spec"].set("gracefulEvictionTasks", std::move(left));
    return Lift{"its eviction would have to be over", {}};
  }

  // Out of its group of workload affinity or anti-affinity.
  std::optional<Lift> lift_group(bool anti) {
    const char* field = anti ? "antiAffinityGroup" : "affinityGroup";
    Json groups = std::as_const(binding_)["spec"]["workloadAffinityGroups"];
    const std::string group(std::as_const(groups)[field].as_string());
    if (group.empty()) return std::nullopt;
    const std::string others = joined(members_in_the_way(group, field, anti), ", ");
    const std::string key(
        std::as_const(placement())["workloadAffinity"][anti ? "antiAffinity" : "affinity"]["groupByLabelKey"]
            .as_string());
    groups.erase(field);
    binding_["spec"].set("workloadAffinityGroups", std::move(groups));
    std::string change = others.empty() ? "the others" : others;
    change += (anti ? " of its anti-affinity group \"" : " of its affinity group \"") + group +
              (anti ? "\" would have to leave " : "\" would have to be in ") + name_ + (anti ? "" : " too") +
              ", or it leaves the group";
    return Lift{change, key.empty() ? std::string() : "kubectl label " + template_text() + " " + key + "-"};
  }

  // Of the group: those that are in the cluster, or those that are elsewhere.
  std::vector<std::string> members_in_the_way(const std::string& group, const char* field,
                                              bool inside) const {
    std::vector<std::string> names;
    const std::string_view ns = api::namespace_of(binding_), self = api::name_of(binding_);
    const auto bindings = sources_.store.list(controllers::kinds::kResourceBinding.collection());
    for (const ObjectPtr& other : bindings.objects) {
      if (other->ns() != ns || other->name() == self) continue;
      if (!controllers::mentions(*other, "\"workloadAffinityGroups\"")) continue;
      const auto content = other->content();
      const Json& spec = (*content)["spec"];
      if (spec["workloadAffinityGroups"][field].as_string() != group || spec["clusters"].empty()) continue;
      const auto targets = spec["clusters"].elements();
      const bool is_in = std::any_of(targets.begin(), targets.end(),
                                     [&](const Json& target) { return target["name"].as_string() == name_; });
      if (is_in == inside)
        names.push_back(api::to_lower(spec["resource"]["kind"].as_string()) + "/" +
                        std::string(spec["resource"]["name"].as_string()));
    }
    return names;
  }

  // One group more, then twice as many more, until it is in.
  std::optional<Lift> lift_selection() {
    const auto most = static_cast<std::int64_t>(engine_.clusters().size());
    const Json before = std::as_const(placement())["spreadConstraints"];
    const auto widened = [&](std::int64_t by) {
      Json after = before;
      for (Json& constraint : after.elements())
        constraint.set("maxGroups", std::as_const(constraint)["maxGroups"].as_int() + by);
      placement().set("spreadConstraints", std::move(after));
      return ask_about(engine_, binding_, name_).selected;
    };
    const std::optional<std::int64_t> by = least(1, most, widened);
    if (!by) {
      placement().set("spreadConstraints", before);
      return std::nullopt;
    }
    widened(*by);
    std::string text;
    const Json after = std::as_const(placement())["spreadConstraints"];
    for (const Json& constraint : after.elements())
      text += (text.empty() ? "" : ", ") + std::string("maxGroups ") +
              std::to_string(constraint["maxGroups"].as_int()) + " by " +
              std::string(constraint["spreadByField"].as_string("label")) +
              (constraint["spreadByLabel"].as_string().empty() ? "" : " ") +
              std::string(constraint["spreadByLabel"].as_string());
    return Lift{"allow more groups in placement.spreadConstraints: " + text, edit_policy(text)};
  }

  std::optional<Lift> lift_division() {
    const Json before = binding_;
    const auto chosen = [&] { return ask_about(engine_, binding_, name_).chosen; };
    // Anew, without what is there.
    binding_["spec"].erase("clusters");
    if (chosen()) {
      return Lift{"divide anew: steady scheduling keeps what is there (WorkloadRebalancer)",
                  "kubectl create -f rebalancer.yaml   # kind: WorkloadRebalancer"};
    }
    binding_ = before;
    if (give_weight())
      return Lift{"give it a weight in replicaScheduling.weightPreference.staticWeightList",
                  edit_policy("staticWeightList: " + name_)};
    const std::int64_t replicas = std::as_const(before)["spec"]["replicas"].as_int();
    const auto scaled = [&](std::int64_t by) {
      binding_["spec"].set("replicas", replicas + by);
      return chosen();
    };
    const std::optional<std::int64_t> more = least(1, kMostReplicas, scaled);
    if (!more) {
      binding_ = before;
      return std::nullopt;
    }
    scaled(*more);
    const std::string count = std::to_string(replicas + *more);
    return Lift{"ask for " + count + " replicas: the first that it would get",
                "flotillactl simulate --replicas " + count + " " + template_text()};
  }

  bool give_weight() {
    const Json scheduling = std::as_const(placement())["replicaScheduling"];
    const Json rules = scheduling["weightPreference"]["staticWeightList"];
    if (rules.empty()) return false;
    Json more = rules;
    more.push_back(Json::object(
        {{"targetCluster", Json::object({{"clusterNames", Json::array({name_})}})}, {"weight", 1}}));
    const Json before = binding_;
    placement()["replicaScheduling"]["weightPreference"].set("staticWeightList", std::move(more));
    if (ask_about(engine_, binding_, name_).chosen) return true;
    binding_ = before;
    return false;
  }

  // The least of first..most for which `enough` is true, if that does not go back: nothing when none is.
  template <typename Enough>
  static std::optional<std::int64_t> least(std::int64_t first, std::int64_t most, Enough enough) {
    std::int64_t high = first;
    while (high < most && !enough(high)) high = std::min(high * 2, most);
    if (high >= most && !enough(most)) return std::nullopt;
    std::int64_t low = high / 2;
    while (low + 1 < high) {
      const std::int64_t middle = low + (high - low) / 2;
      (enough(middle) ? high : low) = middle;
    }
    return high;
  }

  std::string template_text() const {
    const Json& resource = binding_["spec"]["resource"];
    std::string text =
        api::to_lower(resource["kind"].as_string()) + "/" + std::string(resource["name"].as_string());
    if (!resource["namespace"].as_string().empty())
      text += " -n " + std::string(resource["namespace"].as_string());
    return text;
  }

  static std::string joined(const std::vector<std::string>& parts, const char* between) {
    std::string text;
    for (const std::string& part : parts)
      if (!part.empty()) text += (text.empty() ? "" : between) + part;
    return text;
  }

  const Sources& sources_;
  Engine engine_;
  Json binding_;
  const std::string name_, policy_;
};

}  // namespace

Json what_would_have_to_change(const Sources& sources, const Json& binding, const std::string& cluster,
                               const std::string& policy) {
  return Openings(sources, binding, cluster, policy).make();
}

}  // namespace flotilla::planning
