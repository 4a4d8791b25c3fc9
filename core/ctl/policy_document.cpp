// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/policy_document.hpp"

#include "core/api/names.hpp"
#include "core/api/object.hpp"

namespace flotilla::ctl {

using api::Json;

namespace {

constexpr const char* kVersion = "policy.karmada.io/v1alpha1";

Json strings(const std::vector<std::string>& texts) {
  Json list = Json::array();
  for (const std::string& text : texts) list.push_back(text);
  return list;
}

}  // namespace

std::string PolicyDocument::name() const {
  return std::string(api::name_of(object));
}

Result<PolicyDocument> policy_for(const Resources& resources, const Json& object, const std::string& name,
                                  const std::vector<std::string>& clusters) {
  PolicyDocument made;
  made.ns = api::namespace_of(object);
  const char* kind = made.ns.empty() ? "ClusterPropagationPolicy" : "PropagationPolicy";
  Result<Resource> resource = resources.find_kind(kVersion, kind);
  if (!resource) return resource.error();
  made.resource = std::move(*resource);
  const std::string api_version(object["apiVersion"].as_string()), of(object["kind"].as_string());
  const std::string target(api::name_of(object));
  const std::string own =
      name.empty() ? api::promoted_policy_name(made.ns, target, api_version + ", Kind=" + of) : name;
  Json selector = Json::object({{"apiVersion", api_version}, {"kind", of}, {"name", target}});
  Json metadata = Json::object({{"name", own}});
  if (!made.ns.empty()) {
    selector.set("namespace", made.ns);
    metadata.set("namespace", made.ns);
  }
  Json affinity = Json::object();
  if (!clusters.empty()) affinity.set("clusterNames", strings(clusters));
  made.object = Json::object(
      {{"apiVersion", kVersion},
       {"kind", kind},
       {"metadata", std::move(metadata)},
       {"spec", Json::object({{"resourceSelectors", Json::array({std::move(selector)})},
                              {"placement", Json::object({{"clusterAffinity", std::move(affinity)}})}})}});
  return made;
}

}  // namespace flotilla::ctl
