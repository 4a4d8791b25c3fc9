// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

#include "core/api/validation/field_view.hpp"

namespace flotilla::api::validation {

// containers, initContainers and ephemeralContainers of a PodSpec whose volumes are named `volumes`.
void validate_containers(const FieldView& spec, const std::set<std::string>& volumes);
// A resource list: names that mean something, quantities that are not negative.
void validate_container_resources(const FieldView& resources);
void validate_annotation_keys(const FieldView& annotations);
void validate_node_selector(const FieldView& selector);
void validate_host_path(const FieldView& host);

}  // namespace flotilla::api::validation
