// SPDX-License-Identifier: Apache-2.0
// Service: addresses and ports that the control plane gives out.
#pragma once

#include "core/api/json.hpp"
#include "core/api/write/write.hpp"

namespace flotilla::api {

// Fills clusterIP(s), ipFamilies, ipFamilyPolicy and node ports as its type demands.
void prepare_service_for_create(Json& service, const WriteOptions& options);
// What an update leaves out and its type still has is kept; what its type no longer has goes.
void prepare_service_for_update(const Json& live, Json& service);
// After an update: what is missing now (a ClusterIP service that became NodePort).
void allocate_for_service(Json& service, const WriteOptions& options);

}  // namespace flotilla::api
