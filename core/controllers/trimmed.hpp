// SPDX-License-Identifier: Apache-2.0
// What is kept in memory of every node and pod of a member (cluster::Roster): what summaries count, and of
// pods that no node has taken since when and whose they are.
#pragma once

#include "core/api/json.hpp"

namespace flotilla::controllers {

api::Json trim_node(const api::Json& node);
api::Json trim_pod(const api::Json& pod);

}  // namespace flotilla::controllers
