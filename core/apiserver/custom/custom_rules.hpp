// SPDX-License-Identifier: Apache-2.0
// x-kubernetes-validations of custom resources: compiled from their definition,
// checked when the definition is written, evaluated when objects are
// (k8s-api 9.6).
#pragma once

#include "core/api/validation/rules.hpp"

namespace flotilla::apiserver {

// Without state; lives as long as the process.
const api::RuleLanguage& custom_rules();

}  // namespace flotilla::apiserver
