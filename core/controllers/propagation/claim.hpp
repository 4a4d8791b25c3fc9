// SPDX-License-Identifier: Apache-2.0
// Claims: which policy a template, and the binding made from it, belongs to. A PropagationPolicy is written
// down as a label with its permanent id and two annotations, a ClusterPropagationPolicy as a label and one
// annotation.
#pragma once

#include <optional>
#include <string>

#include "core/api/json.hpp"

namespace flotilla::controllers {

struct Claim {
  std::string name_space;  // empty: a ClusterPropagationPolicy
  std::string name;
  std::string id;

  bool by_cluster_policy() const { return name_space.empty(); }
  bool operator==(const Claim&) const = default;
};

// What a policy writes; its id is the permanent id on it.
Claim claim_by(const api::Json& policy);

// A claim counts where label and annotations are all there. An object may carry both kinds for a moment.
std::optional<Claim> claim_by_policy_on(const api::Json& object);
std::optional<Claim> claim_by_cluster_policy_on(const api::Json& object);
// The one that counts: that of the PropagationPolicy, where there is one.
std::optional<Claim> claim_on(const api::Json& object);

// Writes the claim into metadata; a PropagationPolicy ousts a ClusterPropagationPolicy. False: it was there
// already.
bool set_claim(api::Json& object, const Claim& claim);
// Erases the claims of one kind, but only those of policy `id` where one is given. False: there was none.
bool remove_policy_claim(api::Json& object, std::string_view id = {});
bool remove_cluster_policy_claim(api::Json& object, std::string_view id = {});

}  // namespace flotilla::controllers
