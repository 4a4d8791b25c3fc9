// SPDX-License-Identifier: Apache-2.0
#include "core/planning/problems.hpp"

#include <regex>
#include <set>

#include "core/api/conditions.hpp"
#include "core/api/names.hpp"
#include "core/controllers/propagation/claim.hpp"
#include "core/controllers/propagation/event_filter.hpp"

namespace flotilla::planning {
namespace {

namespace c = controllers;
namespace k = controllers::kinds;

constexpr std::size_t kMost = 200;

std::string next_of(std::string_view reason) {
  if (reason == "NoPolicyMatched")
    return "write a PropagationPolicy whose resourceSelectors mean it, or look at: flotillactl get pp,cpp";
  if (reason == "NoClusterFit")
    return "flotillactl get clusters -o wide, and compare labels, taints and the policy's placement";
  if (reason == "Unschedulable") return "ask for fewer replicas, or for more clusters in the placement";
  if (reason == "SyncWorkFailed" || reason == "ApplyOverridePolicyFailed")
    return "correct the override policy that the message names";
  if (reason == "ApplyPolicyFailed") return "correct the policy or the template as the message says";
  return {};
}

class Collector {
 public:
  Json take() { return std::move(list_); }

  void add(const Json& object, std::string_view reason, std::string_view message) {
    const std::string where = std::string(object["kind"].as_string()) + " " + api::key_of(object).text();
    const std::string_view what = reason == "NoPolicyMatched" ? reason : message;
    if (list_.size() >= kMost || !seen_.insert(where + "\n" + std::string(what)).second) return;
    told_.insert(std::string(message));
    Json entry = Json::object({{"apiVersion", object["apiVersion"]},
                               {"kind", object["kind"]},
                               {"name", api::name_of(object)},
                               {"reason", reason},
                               {"message", message}});
    if (!api::namespace_of(object).empty()) entry.set("namespace", api::namespace_of(object));
    if (const std::string next = next_of(reason); !next.empty()) entry.set("next", next);
    list_.push_back(std::move(entry));
  }

  bool told(const std::string& message) const { return told_.contains(message); }

 private:
  Json list_ = Json::array();
  std::set<std::string> seen_, told_;
};

Json object_of_reference(const Json& reference) {
  Json metadata = Json::object({{"name", reference["name"]}});
  if (reference.contains("namespace")) metadata.set("namespace", reference["namespace"]);
  return Json::object({{"apiVersion", reference["apiVersion"]},
                       {"kind", reference["kind"]},
                       {"metadata", std::move(metadata)}});
}

// Bindings that would be scheduled no more.
void add_unscheduled(Rehearsal& rehearsal, Collector& into) {
  for (const Written& entry : rehearsal.written()) {
    const bool binding = entry.key.collection == k::kResourceBinding.collection() ||
                         entry.key.collection == k::kClusterResourceBinding.collection();
    if (!binding || !entry.after || entry.after->deleting()) continue;
    const auto content = entry.after->content();
    const Json* scheduled =
        api::find_condition((*content)["status"]["conditions"], api::conditions::kScheduled);
    if (scheduled == nullptr || (*scheduled)["status"].as_string() != "False") continue;
    into.add(object_of_reference((*content)["spec"]["resource"]), (*scheduled)["reason"].as_string(),
             (*scheduled)["message"].as_string());
  }
}

// Templates that nobody places: those asked about, and those that lost their policy.
void add_unclaimed(const Sources& sources, const std::vector<Change>& changes, Rehearsal& rehearsal,
                   Collector& into) {
  const auto look = [&](const Collection& collection, const ObjectKey& key, std::string_view message) {
    const ObjectPtr object = rehearsal.look(collection, key);
    if (!object || object->deleting()) return;
    const auto content = object->content();
    const bool claimed =
        c::claim_on(*content).has_value() || !api::label_of(*content, api::labels::kClaimedBy).empty();
    if (claimed || !is_propagated_kind(sources, *content)) return;
    into.add(*content, "NoPolicyMatched", message);
  };
  for (const Written& entry : rehearsal.written()) {
    const bool lost = entry.before && entry.after && c::claim_on(*entry.before->content()) &&
                      !c::claim_on(*entry.after->content());
    if (lost) {
      look(entry.key.collection, entry.key.object,
           "no policy means it any more: what is on the clusters stays there, as it is");
    }
  }
  for (const Change& change : changes) {
    if (change.removes()) continue;
    look(change.kind.collection(), change.key, "no policy means it: it stays in the control plane");
  }
}

}  // namespace

bool is_propagated_kind(const Sources& sources, const Json& object) {
  const api::Gvk gvk = api::Gvk::of(object);
  const std::string ns(api::namespace_of(object));
  const auto skipped = c::SkippedApis::parse(sources.options.skipped_propagating_apis);
  if (skipped && skipped->contains(gvk.group, gvk.version, gvk.kind)) return false;
  // These are needed where they are, and propagated only on purpose.
  static const std::set<std::string_view> kOwn = {"rbac.authorization.k8s.io",
                                                  "apiextensions.k8s.io",
                                                  "admissionregistration.k8s.io",
                                                  "apiregistration.k8s.io",
                                                  "flowcontrol.apiserver.k8s.io",
                                                  "certificates.k8s.io",
                                                  "flotilla.io"};
  if (kOwn.contains(gvk.group) || (gvk.group.empty() && gvk.kind == "Namespace")) return false;
  if (ns.empty()) return true;
  return !api::is_reserved_namespace(ns) &&
         !std::regex_match(ns, std::regex(sources.options.skipped_propagating_namespaces));
}

Json problems_of(const Sources& sources, const std::vector<Change>& changes, Rehearsal& rehearsal) {
  Collector problems;
  add_unscheduled(rehearsal, problems);
  for (const Remark& remark : rehearsal.remarks()) {
    if (remark.reason == "ScheduleBindingFailed") continue;  // the condition has said it
    // Said of the binding and of its template: the latter is what people know.
    const std::string_view kind = remark.object["kind"].as_string();
    if (kind == "ResourceBinding" || kind == "ClusterResourceBinding") continue;
    problems.add(remark.object, remark.reason, remark.message);
  }
  for (const auto& [key, obstacle] : rehearsal.obstacles()) {
    const std::string& message = obstacle.error.message();
    if (problems.told(message) || obstacle.error.is(Code::Conflict)) continue;
    const ObjectPtr object = rehearsal.look(key.collection, key.object);
    if (!object) continue;
    const auto content = object->content();
    const bool binding = key.collection == k::kResourceBinding.collection() ||
                         key.collection == k::kClusterResourceBinding.collection();
    const Json about = binding ? object_of_reference((*content)["spec"]["resource"]) : *content;
    problems.add(about, "WouldRetry", obstacle.controller + ": " + message);
  }
  add_unclaimed(sources, changes, rehearsal, problems);
  return problems.take();
}

}  // namespace flotilla::planning
