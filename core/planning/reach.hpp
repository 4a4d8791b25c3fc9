// SPDX-License-Identifier: Apache-2.0
// How far a change reaches, and what of the world a rehearsal of it has to be told. One changed template:
// itself, its binding and Works, the policies of its namespace and of the cluster, the clusters. A policy:
// the templates that it means now or would mean. A cluster: every binding.
#pragma once

#include <cstddef>
#include <vector>

#include "core/planning/rehearsal.hpp"

namespace flotilla::planning {

// What a user would do to one object.
struct Change {
  StoredKind kind;
  ObjectKey key;
  Json object;  // as it would be stored; null: delete it
  Json asked;   // as the user wrote it

  bool removes() const { return object.is_null(); }
};

// Beyond this many templates a plan is refused.
inline constexpr std::size_t kMostTemplates = 50'000;

// Introduces everything that `changes` can reach. Errors: TooLarge.
Status introduce_reach(const Sources& sources, const std::vector<Change>& changes, Rehearsal& rehearsal);

bool is_propagation_policy(const Collection& collection);
bool is_override_policy(const Collection& collection);

// The binding of a template, by its name.
ObjectKey binding_key(const Json& template_);

}  // namespace flotilla::planning
