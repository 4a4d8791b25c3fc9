// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>

#include "core/api/validation/field_view.hpp"

namespace flotilla::api::validation {

// The volumes of a pod that are in order, by name.
using Volumes = std::map<std::string, const Json*, std::less<>>;

// containers, initContainers and ephemeralContainers of a PodSpec.
void validate_containers(const FieldView& spec, const Volumes& volumes);
// Limits and requests: names that mean something, quantities that are not negative, requests within limits.
void validate_container_resources(const FieldView& resources);
void validate_annotation_keys(const FieldView& annotations);
// Names and amounts of resources wherever they stand.
void validate_resource_name(FieldErrors& errors, std::string_view name, const std::string& path);
void validate_limit_name(FieldErrors& errors, std::string_view name, const std::string& path,
                         bool of_containers);
void validate_resource_amount(FieldErrors& errors, std::string_view name, const Json& value,
                              const std::string& path);
bool may_overcommit(std::string_view name);
// Pods alone look at this, their templates do not.
void validate_image_space(const FieldView& image);
// securityContext of a container and of a pod.
void validate_container_security(const FieldView& context);
void validate_pod_security(const FieldView& spec);

// Volumes of a pod. `pod_name` may be empty: templates have none.
Volumes validate_volumes(const FieldView& volumes, std::string_view pod_name);
// What pods and persistent volumes have in common: the first source is looked at, others are too many. `name`
// is the volume's. Gives how many there are.
enum class VolumeOwner { Pod, PersistentVolume };
std::size_t validate_volume_source(const FieldView& volume, std::string_view name, VolumeOwner owner);
void validate_csi_driver_name(const FieldView& driver);
// A PersistentVolumeClaim's spec.
void validate_claim_spec(const FieldView& spec);
// A path of a volume's content: relative, without "..", and where `reserved` not beginning with "..".
void validate_local_path(const FieldView& path, bool reserved);
void validate_local_path(FieldErrors& errors, const std::string& at, std::string_view path, bool reserved);

// A path to a field of a pod; `allowed` is what this place may name.
void validate_field_ref(const FieldView& ref, std::initializer_list<std::string_view> allowed);
void validate_resource_field_ref(const FieldView& ref, bool in_volume);

// Where a pod may run.
void validate_node_selector(const FieldView& selector);
void validate_affinity(const FieldView& affinity);
void validate_tolerations(const FieldView& tolerations);
void validate_topology_spread(const FieldView& constraints);
// Annotations that mean something to pods; `spec` is theirs.
void validate_pod_annotations(const FieldView& annotations, const FieldView& spec);
void validate_dns(const FieldView& spec);

// A number or a port's name.
void validate_port(const FieldView& port);

}  // namespace flotilla::api::validation
