// SPDX-License-Identifier: Apache-2.0
// The autoscaling/v1 Scale of an object: how many replicas it asks for and has, and which pods they are.
#pragma once

#include "core/api/schema/registry.hpp"

namespace flotilla::api {

bool has_scale(const Resource& resource);
Json scale_of(const Resource& resource, const Json& object);
// Takes over what a changed Scale says of the replicas.
void set_scale(const Resource& resource, const Json& scale, Json& object);
void set_scale_replicas(const Resource& resource, std::int64_t replicas, Json& object);

}  // namespace flotilla::api
