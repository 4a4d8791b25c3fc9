// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <set>
#include <string>

#include "core/api/names.hpp"
#include "core/interpreter/dependencies.hpp"
#include "core/interpreter/native_kinds.hpp"

namespace flotilla::interpreter {

namespace {

using Names = std::set<std::string, std::less<>>;

constexpr std::string_view kDefaultServiceAccount = "default";
constexpr std::string_view kEndpointSliceServiceName = "kubernetes.io/service-name";

struct Named {
  Names config_maps;
  Names secrets;
  Names service_accounts;
  Names claims;
};

// Where a volume source names an object: volume.source.reference.member, without reference where that is
// empty.
struct VolumeReference {
  std::string_view source;
  std::string_view reference;
  std::string_view member;
  Names Named::*names;
};

constexpr std::array kVolumeReferences = {
    VolumeReference{"azureFile", "", "secretName", &Named::secrets},
    VolumeReference{"cephfs", "secretRef", "name", &Named::secrets},
    VolumeReference{"cinder", "secretRef", "name", &Named::secrets},
    VolumeReference{"configMap", "", "name", &Named::config_maps},
    VolumeReference{"csi", "nodePublishSecretRef", "name", &Named::secrets},
    VolumeReference{"flexVolume", "secretRef", "name", &Named::secrets},
    VolumeReference{"iscsi", "secretRef", "name", &Named::secrets},
    VolumeReference{"persistentVolumeClaim", "", "claimName", &Named::claims},
    VolumeReference{"rbd", "secretRef", "name", &Named::secrets},
    VolumeReference{"scaleIO", "secretRef", "name", &Named::secrets},
    VolumeReference{"secret", "", "secretName", &Named::secrets},
    VolumeReference{"storageos", "secretRef", "name", &Named::secrets},
};

void insert(Names& names, const api::Json& name) {
  if (!name.as_string().empty()) names.emplace(name.as_string());
}

void visit_volume(const api::Json& volume, Named& named) {
  for (const VolumeReference& known : kVolumeReferences) {
    const api::Json& source = volume[known.source];
    const api::Json& owner = known.reference.empty() ? source : source[known.reference];
    insert(named.*known.names, owner[known.member]);
  }
  for (const api::Json& source : volume.at({"projected", "sources"}).elements()) {
    insert(named.config_maps, source.at({"configMap", "name"}));
    insert(named.secrets, source.at({"secret", "name"}));
  }
}

void visit_container(const api::Json& container, Named& named) {
  for (const api::Json& variable : container["env"].elements()) {
    insert(named.config_maps, variable.at({"valueFrom", "configMapKeyRef", "name"}));
    insert(named.secrets, variable.at({"valueFrom", "secretKeyRef", "name"}));
  }
  for (const api::Json& source : container["envFrom"].elements()) {
    insert(named.config_maps, source.at({"configMapRef", "name"}));
    insert(named.secrets, source.at({"secretRef", "name"}));
  }
}

Named visit_pod(const api::Json& pod_spec) {
  Named named;
  for (const api::Json& secret : pod_spec["imagePullSecrets"].elements()) {
    insert(named.secrets, secret["name"]);
  }
  for (std::string_view list : {"containers", "initContainers", "ephemeralContainers"}) {
    for (const api::Json& container : pod_spec[list].elements()) visit_container(container, named);
  }
  for (const api::Json& volume : pod_spec["volumes"].elements()) visit_volume(volume, named);
  if (pod_spec["serviceAccountName"].as_string() != kDefaultServiceAccount) {
    insert(named.service_accounts, pod_spec["serviceAccountName"]);
  }
  return named;
}

api::Json reference(std::string_view api_version, std::string_view kind, std::string_view name_space) {
  api::Json entry = api::Json::object({{"apiVersion", api_version}, {"kind", kind}});
  if (!name_space.empty()) entry.set("namespace", name_space);
  return entry;
}

api::Json named_reference(std::string_view kind, std::string_view name_space, std::string_view name) {
  api::Json entry = reference("v1", kind, name_space);
  if (!name.empty()) entry.set("name", name);
  return entry;
}

std::string_view namespace_of(const api::Json& object) {
  return object.at({"metadata", "namespace"}).as_string();
}

}  // namespace

api::Json pod_dependencies(const api::Json& pod_spec, std::string_view name_space) {
  Named named = visit_pod(pod_spec);
  api::Json list = api::Json::array();
  auto append = [&](std::string_view kind, const Names& names) {
    for (const std::string& name : names) list.push_back(named_reference(kind, name_space, name));
  };
  append("ConfigMap", named.config_maps);
  append("Secret", named.secrets);
  append("ServiceAccount", named.service_accounts);
  append("PersistentVolumeClaim", named.claims);
  return list;
}

Status validate_dependencies(const api::Json& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const api::Json& entry = list.element(i);
    std::string place = "dependencies[" + std::to_string(i) + "]";
    for (std::string_view member : {"apiVersion", "kind"}) {
      if (entry[member].as_string().empty()) {
        return invalid(place + "." + std::string(member) + ": Required value: missing required " +
                       std::string(member));
      }
    }
    if (entry["name"].as_string().empty() && entry["labelSelector"].is_null()) {
      return invalid(place + ": Invalid value: " + entry.dump() +
                     ": dependency can not leave name and labelSelector all empty");
    }
  }
  return {};
}

api::Json dependencies_of_workload(const api::Json& object) {
  return pod_dependencies(object.at({"spec", "template", "spec"}), namespace_of(object));
}

// The claims that its own templates make are no dependencies.
api::Json dependencies_of_stateful_set(const api::Json& object) {
  Names own;
  for (const api::Json& claim : object.at({"spec", "volumeClaimTemplates"}).elements()) {
    insert(own, claim.at({"metadata", "name"}));
  }
  api::Json all = dependencies_of_workload(object);
  api::Json foreign = api::Json::array();
  for (const api::Json& entry : std::as_const(all).elements()) {
    bool is_own =
        entry["kind"].as_string() == "PersistentVolumeClaim" && own.contains(entry["name"].as_string());
    if (!is_own) foreign.push_back(entry);
  }
  return foreign;
}

api::Json dependencies_of_cron_job(const api::Json& object) {
  return pod_dependencies(object.at({"spec", "jobTemplate", "spec", "template", "spec"}),
                          namespace_of(object));
}

api::Json dependencies_of_pod(const api::Json& object) {
  return pod_dependencies(object["spec"], namespace_of(object));
}

api::Json dependencies_of_ingress(const api::Json& object) {
  api::Json list = api::Json::array();
  Names secrets;
  for (const api::Json& tls : object.at({"spec", "tls"}).elements()) {
    secrets.emplace(tls["secretName"].as_string());
  }
  for (const std::string& secret : secrets) {
    list.push_back(named_reference("Secret", namespace_of(object), secret));
  }
  return list;
}

api::Json dependencies_of_service_import(const api::Json& object) {
  std::string service = api::derived_service_name(object.at({"metadata", "name"}).as_string());
  api::Json slices = reference("discovery.k8s.io/v1", "EndpointSlice", namespace_of(object));
  slices.make({"labelSelector", "matchLabels"}).set(kEndpointSliceServiceName, service);
  return api::Json::array({named_reference("Service", namespace_of(object), service), std::move(slices)});
}

}  // namespace flotilla::interpreter
