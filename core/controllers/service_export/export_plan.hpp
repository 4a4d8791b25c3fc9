// SPDX-License-Identifier: Apache-2.0
// ServiceExport and ServiceImport: the objects that follow. Pure.
#pragma once

#include <string>

#include "core/api/json.hpp"

namespace flotilla::controllers {

// The slice of the control plane that stands for one collected in a cluster.
api::Json imported_slice(const api::Json& collected_work, const std::string& cluster);
// Takes over what an imported slice says. False: nothing to do.
bool renew_imported_slice(api::Json& slice, const api::Json& wanted);

// The Service that a ServiceImport stands for, and its status.
api::Json derived_service(const api::Json& import);
bool renew_derived_service(api::Json& service, const api::Json& wanted);
api::Json derived_status(const api::Json& import);

}  // namespace flotilla::controllers
