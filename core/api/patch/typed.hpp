// SPDX-License-Identifier: Apache-2.0
// Documents seen through their schema, as server-side apply sees them: which lists are sets, maps or atomic,
// which maps are atomic; what has no schema is deduced (maps granular, lists atomic).
#pragma once

#include <string>
#include <vector>

#include "core/api/json.hpp"
#include "core/api/patch/field_set.hpp"
#include "core/api/schema/schema.hpp"

namespace flotilla::api {

struct Comparison {
  FieldSet removed, modified, added;
  bool same() const { return removed.empty() && modified.empty() && added.empty(); }
};

// Order of list elements is invisible; below an atomic node nothing is recorded.
Comparison compare(const Schema& schema, const Json& left, const Json& right);

// The paths that applying `object` claims.
FieldSet to_field_set(const Schema& schema, const Json& object);

// `config` over `live`: its scalars and atomics win, granular maps and lists are merged, its order dominates.
Json merge_typed(const Schema& schema, const Json& live, const Json& config);

// Without the members of `set`; containers that become empty go, except the root.
Json remove_items(const Schema& schema, Json object, const FieldSet& set);

// Whether `config` fits the schema: ".spec.foo: field not declared in schema", duplicate and missing list
// keys. Empty when all is well.
std::vector<std::string> check_typed(const Schema& schema, const Json& config);

}  // namespace flotilla::api
