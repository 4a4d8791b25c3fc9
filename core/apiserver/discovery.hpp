// SPDX-License-Identifier: Apache-2.0
// Which groups, versions and resources there are: plain documents and the aggregated form (k8s-api 1.1, 1.2).
#pragma once

#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {

// /api, /apis, /apis/GROUP, /api/v1, /apis/GROUP/VERSION. Nothing when the path is none of these.
std::optional<http::Response> serve_discovery(const Server& server, Call& call);

// Groups in the order in which clients should prefer them, core left out.
std::vector<std::string> group_order(const Served& served);
// Versions of a group, the preferred one first.
std::vector<std::string> version_order(const Served& served, std::string_view group);
bool serves_group_version(const Served& served, std::string_view group, std::string_view version);

}  // namespace flotilla::apiserver
