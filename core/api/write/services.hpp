// SPDX-License-Identifier: Apache-2.0
// Service: addresses and ports that the control plane gives out.
#pragma once

#include "core/api/json.hpp"
#include "core/api/validation/field_error.hpp"
#include "core/api/write/write.hpp"

namespace flotilla::api {

// Fills clusterIP(s), ipFamilies, ipFamilyPolicy and node ports as its type demands.
void prepare_service_for_create(Json& service, const WriteOptions& options);
// What an update leaves out and its type still has is kept; what its type no longer has goes.
void prepare_service_for_update(const Json& live, Json& service);
// Gives out what is missing (also to a ClusterIP service that became NodePort) and takes what the service
// asks for by itself: not what somebody else has or what is out of range.
void allocate_for_service(const Json& live, Json& service, const WriteOptions& options, FieldErrors& errors);

}  // namespace flotilla::api
