// SPDX-License-Identifier: Apache-2.0
// One stored object, several versions of its kind: autoscaling/v1 and v2, core and events.k8s.io events,
// custom resources whose versions differ in nothing but their name.
#pragma once

#include "core/apiserver/call.hpp"

namespace flotilla::apiserver {

// The version in which the objects of `resource` are kept, whatever version it is.
std::string storage_version(const Resource& resource);
// The resource in whose version the objects of `resource` are stored.
ResourcePtr storage_resource(const Served& served, const ResourcePtr& resource);
// From the version that the object names to that of `to`. Nothing happens where they are the same.
Json convert(const Resource& to, Json object);
// An object of the store as clients of `resource` see it.
Json present(const Served& served, const Resource& resource, const api::Object& object);
// Likewise; what convert_ahead() has converted is taken from there.
Json present(const Call& call, const api::Object& object);
bool is_presentable(const Call& call, const api::Object& object);
// Whether the stored bytes are what clients of `resource` see.
bool is_presentable(const Served& served, const Resource& resource, const api::Object& object);

}  // namespace flotilla::apiserver
