// SPDX-License-Identifier: Apache-2.0
#include "messages.hpp"

#include <flotilla/sdk/json_view.hpp>

#include <string>

#include "kubernetes.pb.h"

namespace flotilla::estimator {
namespace {

namespace kube = ::flotilla::estimator::kubernetes;
using sdk::JsonView;

void fill_requirement(JsonView json, kube::NodeSelectorRequirement& out) {
  out.set_key(json["key"].string());
  out.set_operator_(json["operator"].string());
  json["values"].each_element([&](JsonView value) { out.add_values(value.string()); });
}

std::string node_affinity(JsonView json) {
  kube::NodeSelector selector;
  json["nodeSelectorTerms"].each_element([&](JsonView term) {
    kube::NodeSelectorTerm& out = *selector.add_nodeselectorterms();
    term["matchExpressions"].each_element(
        [&](JsonView each) { fill_requirement(each, *out.add_matchexpressions()); });
    term["matchFields"].each_element([&](JsonView each) { fill_requirement(each, *out.add_matchfields()); });
  });
  return selector.SerializeAsString();
}

std::string toleration(JsonView json) {
  kube::Toleration out;
  out.set_key(json["key"].string());
  out.set_operator_(json["operator"].string());
  out.set_value(json["value"].string());
  out.set_effect(json["effect"].string());
  if (const JsonView seconds = json["tolerationSeconds"]; !seconds.absent() && seconds.raw() != "null")
    out.set_tolerationseconds(seconds.integer());
  return out.SerializeAsString();
}

// Both messages of requirements have a claim and requests, under other numbers.
template <typename Requirements>
void fill_requirements(JsonView json, Requirements& out) {
  if (const JsonView claim = json["nodeClaim"]; claim.is_object()) {
    pb::NodeClaim& to = *out.mutable_nodeclaim();
    claim["nodeSelector"].each_member([&](std::string_view key, JsonView value) {
      (*to.mutable_nodeselector())[std::string(key)] = value.string();
      return true;
    });
    if (const JsonView affinity = claim["hardNodeAffinity"]; affinity.is_object())
      to.set_nodeaffinitybytes(node_affinity(affinity));
    claim["tolerations"].each_element([&](JsonView each) { to.add_tolerationsbytes(toleration(each)); });
  }
  json["resourceRequest"].each_member([&](std::string_view resource, JsonView amount) {
    kube::Quantity quantity;
    quantity.set_string(amount.is_string() ? amount.string() : std::string(amount.raw()));
    (*out.mutable_resourcerequestbytes())[std::string(resource)] = quantity.SerializeAsString();
    return true;
  });
  out.set_priorityclassname(json["priorityClassName"].string());
}

void fill_components(JsonView json, google::protobuf::RepeatedPtrField<pb::Component>& into) {
  json.each_element([&](JsonView each) {
    pb::Component& component = *into.Add();
    component.set_name(each["name"].string());
    component.set_replicas(static_cast<std::int32_t>(each["replicas"].integer()));
    if (const JsonView requirements = each["replicaRequirements"]; requirements.is_object())
      fill_requirements(requirements, *component.mutable_replicarequirements());
  });
}

}  // namespace

pb::MaxAvailableReplicasRequest replicas_request(const sdk::RoomRequest& request) {
  pb::MaxAvailableReplicasRequest out;
  pb::ReplicaRequirements& requirements = *out.mutable_replicarequirements();
  const JsonView json(request.requirements_json());
  fill_requirements(json, requirements);
  requirements.set_namespace_(json["namespace"].string());
  return out;
}

pb::MaxAvailableComponentSetsRequest sets_request(const sdk::RoomRequest& request) {
  pb::MaxAvailableComponentSetsRequest out;
  fill_components(JsonView(request.components_json()), *out.mutable_components());
  out.set_namespace_(std::string(request.ns()));
  return out;
}

pb::UnschedulableReplicasRequest unschedulable_request(const sdk::UnschedulableRequest& request) {
  pb::UnschedulableReplicasRequest out;
  pb::ObjectReference& resource = *out.mutable_resource();
  resource.set_apiversion(std::string(request.api_version()));
  resource.set_kind(std::string(request.kind()));
  resource.set_namespace_(std::string(request.ns()));
  resource.set_name(std::string(request.name()));
  out.set_unschedulablethreshold(request.threshold_ns());
  return out;
}

void add_assumed(std::string_view json, google::protobuf::RepeatedPtrField<pb::AssumedWorkload>& into) {
  JsonView(json).each_element([&](JsonView each) {
    pb::AssumedWorkload& workload = *into.Add();
    workload.set_namespace_(each["namespace"].string());
    fill_components(each["components"], *workload.mutable_components());
  });
}

}  // namespace flotilla::estimator
