// SPDX-License-Identifier: Apache-2.0
// Works that no binding asks for: quotas of clusters, collected and dispatched endpoint slices.
#pragma once

#include <string>
#include <vector>

#include "core/api/json.hpp"

namespace flotilla::api {

struct WorkFrame {
  std::string cluster;
  std::string name;  // empty: by the manifest's kind, name and namespace
  Json labels = Json::object();
  Json annotations = Json::object();
  std::vector<std::string> finalizers;
  bool suspended = false;  // a record of what a member has, never sent there
};

// A Work of this one manifest, which gets the marks of what Karmada applies and loses what only its cluster
// knew.
Json wrap_manifest(Json manifest, const WorkFrame& frame);

// Brings `work`, as it is stored, in line with `wanted`: labels and annotations are merged, finalizers and
// spec are replaced. False: nothing to do.
bool renew_work(Json& work, const Json& wanted);

// The manifests of a Work, and whether one of them is of this kind.
bool contains_kind(const Json& work, std::string_view api_version, std::string_view kind);

}  // namespace flotilla::api
