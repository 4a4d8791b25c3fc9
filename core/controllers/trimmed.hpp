// SPDX-License-Identifier: Apache-2.0
// What is kept in memory of every node, pod and quota of a member (cluster::Roster): what summaries count,
// and of pods that no node has taken since when and whose they are.
#pragma once

#include "core/api/json.hpp"

namespace flotilla::controllers {

api::Json trim_node(const api::Json& node);
api::Json trim_pod(const api::Json& pod);
// Of a ResourceQuota: its scopes, and what is used of what it allows.
api::Json trim_quota(const api::Json& quota);

}  // namespace flotilla::controllers
