// SPDX-License-Identifier: Apache-2.0
// What who asks must be allowed to read.
#pragma once

#include <set>
#include <string>

#include "core/apiserver/extension.hpp"

namespace flotilla::planning {

// list of clusters, works and, in these namespaces (empty: all), bindings and policies. Errors: Forbidden.
Status may_see_consequences(const apiserver::ExtensionCall& call, const std::set<std::string>& namespaces);
// get of one object.
Status may_read(const apiserver::ExtensionCall& call, const store::StoredKind& kind,
                const api::ObjectKey& key);
// get of clusters/proxy: what is read there is read with the control plane's own rights.
Status may_read_member(const apiserver::ExtensionCall& call, const std::string& cluster);

}  // namespace flotilla::planning
