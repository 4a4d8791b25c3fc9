// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/members.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/api/object.hpp"
#include "core/http/url.hpp"

namespace flotilla::ctl {

using api::Json;

Result<std::vector<std::string>> cluster_names(Session& control_plane) {
  const Result<Json> list = control_plane.get(kClustersPath);
  if (!list) return list.error();
  std::vector<std::string> names;
  for (const Json& cluster : (*list)["items"].elements()) names.emplace_back(api::name_of(cluster));
  return names;
}

Result<std::vector<std::string>> pick_clusters(Session& control_plane,
                                               const std::vector<std::string>& asked) {
  Result<std::vector<std::string>> known = cluster_names(control_plane);
  if (!known || asked.empty()) return known;
  std::vector<std::string> picked;
  std::string strange;
  for (const std::string& name : asked) {
    if (std::find(known->begin(), known->end(), name) == known->end())
      strange += (strange.empty() ? "" : ",") + name;
    if (std::find(picked.begin(), picked.end(), name) == picked.end()) picked.push_back(name);
  }
  if (!strange.empty())
    return Error(Code::NotFound, fmt::format("clusters don't exist in the control plane: {}", strange));
  return picked;
}

std::unique_ptr<Session> session_through_proxy(const Session& control_plane, const std::string& cluster,
                                               Duration timeout) {
  Access access = control_plane.access();
  while (access.server.ends_with('/')) access.server.pop_back();
  access.server += std::string(kClustersPath) + "/" + http::percent_encode(cluster) + "/proxy";
  return std::make_unique<Session>(std::move(access), timeout);
}

Result<std::unique_ptr<Session>> open_place(const GlobalFlags& flags, const std::string& cluster) {
  Result<std::unique_ptr<Session>> control_plane = open_session(flags);
  if (!control_plane || cluster.empty()) return control_plane;
  const auto picked = pick_clusters(**control_plane, {cluster});
  if (!picked) return picked.error();
  return session_through_proxy(**control_plane, cluster);
}

}  // namespace flotilla::ctl
