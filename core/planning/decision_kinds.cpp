// SPDX-License-Identifier: Apache-2.0
// PlacementDecision and ClusterPlacementDecision as the API describes them.
#include "core/base/assert.hpp"
#include "core/planning/decisions.hpp"

namespace flotilla::planning {
namespace {

// One definition for both scopes; they differ in names alone.
constexpr const char* kDefinition = R"({
  "spec": {"group": "flotilla.io", "versions": [{"name": "v1alpha1", "served": true, "storage": true,
    "schema": {"openAPIV3Schema": {"type": "object",
      "description": "A decision of the scheduler about a binding: what was asked, what every policy and estimator said of every cluster, and what came of it. The last twenty per binding are kept. Read-only.",
      "properties": {
        "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"},
        "spec": {"type": "object", "description": "What was asked.", "properties": {
          "binding": {"type": "object", "description": "The binding and the revision of it that was decided about.",
            "x-kubernetes-preserve-unknown-fields": true},
          "resource": {"type": "object", "description": "The template.", "x-kubernetes-preserve-unknown-fields": true},
          "number": {"type": "integer", "description": "Among the decisions about the binding, from 1 on."},
          "trigger": {"type": "string", "description": "Why it was decided."},
          "schedulerName": {"type": "string"},
          "worldRevision": {"type": "string", "description": "Nothing that was looked at is newer."},
          "replicas": {"type": "integer"},
          "requests": {"type": "string", "description": "What one replica requests."},
          "fresh": {"type": "boolean", "description": "The previous answer was forgotten."},
          "placement": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
          "previous": {"type": "array", "description": "The answer before.",
            "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
          "evicting": {"type": "array", "items": {"type": "string"}},
          "policies": {"type": "array", "description": "In the order in which they were asked.", "items": {"type": "string"}}}},
        "status": {"type": "object", "description": "What was found and decided.", "properties": {
          "result": {"type": "string", "description": "Scheduled, NoClusterFit, Unschedulable or SchedulerError."},
          "fitting": {"type": "string", "description": "Clusters that fit, of all."},
          "summary": {"type": "string"},
          "affinityName": {"type": "string", "description": "The term of clusterAffinities that was tried last."},
          "targets": {"type": "array", "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
          "failures": {"type": "array", "description": "Of each term that was tried in vain.", "items": {"type": "string"}},
          "verdicts": {"type": "array", "description": "Why clusters do not fit, the most frequent reason first.",
            "items": {"type": "object", "properties": {"count": {"type": "integer"}, "reason": {"type": "string"},
              "policy": {"type": "string"}, "clusters": {"type": "array", "items": {"type": "string"}}}}},
          "candidates": {"type": "array", "description": "Clusters that fit, with scores, estimates and room. Not in lists.",
            "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
          "estimators": {"type": "object", "description": "Estimators that were left out, and why. Not in lists.",
            "additionalProperties": {"type": "string"}},
          "selection": {"type": "object", "description": "How spread constraints chose. Not in lists.",
            "x-kubernetes-preserve-unknown-fields": true},
          "division": {"type": "array", "description": "How replicas were divided, with tie-breaks. Not in lists.",
            "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
          "nanoseconds": {"type": "object", "description": "How long each step took.",
            "additionalProperties": {"type": "integer"}}}}}}},
    "additionalPrinterColumns": [
      {"name": "Result", "type": "string", "jsonPath": ".status.result"},
      {"name": "Targets", "type": "string", "jsonPath": ".status.summary"},
      {"name": "Fitting", "type": "string", "jsonPath": ".status.fitting"},
      {"name": "Trigger", "type": "string", "jsonPath": ".spec.trigger"},
      {"name": "Top-Reason", "type": "string", "jsonPath": ".status.verdicts[0].reason", "priority": 1},
      {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}]}]}})";

Json names(const char* plural, const char* singular, const char* kind, const char* short_name) {
  return Json::object({{"plural", plural},
                       {"singular", singular},
                       {"kind", kind},
                       {"listKind", std::string(kind) + "List"},
                       {"shortNames", Json::array({short_name})}});
}

}  // namespace

Json decision_schema() {
  const auto parsed = Json::parse(kDefinition);
  ASSERT(parsed.ok());
  return std::as_const(*parsed)["spec"]["versions"].element(0)["schema"]["openAPIV3Schema"];
}

std::vector<api::ResourcePtr> decision_resources() {
  std::vector<api::ResourcePtr> resources;
  const auto parsed = Json::parse(kDefinition);
  ASSERT(parsed.ok());
  Json definition = *parsed;
  for (const bool namespaced : {true, false}) {
    definition["spec"].set("scope", namespaced ? "Namespaced" : "Cluster");
    definition["spec"].set(
        "names", namespaced ? names("placementdecisions", "placementdecision", "PlacementDecision", "pd")
                            : names("clusterplacementdecisions", "clusterplacementdecision",
                                    "ClusterPlacementDecision", "cpd"));
    const auto made = api::resources_of_crd(definition);
    ASSERT(made.ok());
    for (const api::ResourcePtr& one : *made) {
      auto readable = std::make_shared<api::Resource>(*one);
      readable->verbs = {"get", "list"};
      resources.push_back(std::move(readable));
    }
  }
  return resources;
}

}  // namespace flotilla::planning
