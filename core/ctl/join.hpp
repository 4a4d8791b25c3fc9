// SPDX-License-Identifier: Apache-2.0
// Joining a member cluster in push mode, as karmadactl join does: a ServiceAccount with all rights in the
// member, its token in a Secret of the control plane, and the Cluster object. Nothing here knows what the
// member is.
#pragma once

#include <functional>
#include <string>

#include "core/ctl/session.hpp"

namespace flotilla::ctl {

struct JoinRequest {
  std::string name;
  std::string ns = "karmada-cluster";  // in both clusters
  std::string provider, region;
  std::vector<std::string> zones;
  // Take over an existing Cluster of this name: its endpoint and credentials are renewed.
  bool renew = false;
};

// Errors: AlreadyExists (the name, or the same cluster under another name), what the servers say.
Status join(Session& control_plane, Session& member, const JoinRequest& request,
            const std::function<void(std::string_view)>& progress = {});

struct UnjoinRequest {
  std::string name;
  std::string ns = "karmada-cluster";
  std::chrono::seconds wait{60};
  // What does not go in time is let go of: its finalizers are stripped, and the objects may stay in the
  // member.
  bool force = false;
};
// `member` may be null: then nothing is cleaned there.
Status unjoin(Session& control_plane, Session* member, const UnjoinRequest& request,
              const std::function<void(std::string_view)>& progress = {});

}  // namespace flotilla::ctl
