// SPDX-License-Identifier: Apache-2.0
// karmada-search: /apis/search.karmada.io/v1alpha1/search/cache/PATH lists what is cached of members, and
// /apis/search.karmada.io/v1alpha1/proxying/ANY/proxy/PATH is one API over all of them. Errors are answers;
// both are asked after authorization.
#pragma once

#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {

bool is_search(const Server& server, const Call& call);
Task<http::Response> serve_search(ServerPtr server, CallPtr call);

bool is_proxying(const Server& server, const Call& call);
Task<http::Response> serve_proxying(ServerPtr server, CallPtr call);

// What PATH of a search names. Errors: in Karmada's words.
struct NativeResource {
  std::string group, version, resource;
  std::string ns, name;
};
Result<NativeResource> read_native_path(const std::vector<std::string>& parts);

}  // namespace flotilla::apiserver
