// SPDX-License-Identifier: Apache-2.0
// What a pod needs beside itself, and what a list of dependencies may say. Used natively and by the functions
// that customisation scripts are given.
#pragma once

#include <string_view>

#include "core/api/json.hpp"
#include "core/base/result.hpp"

namespace flotilla::interpreter {

// ConfigMaps, Secrets, the ServiceAccount and PersistentVolumeClaims that a pod spec names, each once, as
// DependentObjectReference. Whether a reference is optional makes no difference.
api::Json pod_dependencies(const api::Json& pod_spec, std::string_view name_space);

// Each entry needs apiVersion, kind and at least one of name and labelSelector.
Status validate_dependencies(const api::Json& list);

}  // namespace flotilla::interpreter
