// SPDX-License-Identifier: Apache-2.0
// What differs between two documents, field by field, as people read it. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"

namespace flotilla::planning {

using api::Json;

struct FieldChange {
  std::string path;    // "spec.template.spec.containers[0].image"
  const Json* before;  // null: it was not there
  const Json* after;   // null: it is gone
};

// Lists whose elements have names (containers, ports, env) are compared by name, other lists by place. The
// answer points into both.
std::vector<FieldChange> field_changes(const Json& before, const Json& after);

// "spec.replicas", "metadata.labels[app.kubernetes.io/name]", "rules[0]".
std::string join_key(std::string_view path, std::string_view key);
std::string join_index(std::string_view path, std::size_t index);

// The member by which elements of this list are told apart: "name", where all elements have a different one;
// empty: none.
std::string_view element_key(const Json& list);

// An object without what nobody compares: status, managedFields, resourceVersion, what was last applied, and
// the bookkeeping that changes with every generation. Values of Secrets become digests.
Json comparable(const Json& object);

// [{path, before?, after?}], at most `most`, long texts cut.
Json changes_to_json(const std::vector<FieldChange>& changes, std::size_t most);
// A value as one line.
std::string shown(const Json& value);

// 64 bits of FNV-1a as 16 hexadecimal digits; for telling apart, not for keeping secrets.
class Digest {
 public:
  void add(std::string_view text);
  std::string hex() const;

 private:
  std::uint64_t value_ = 14695981039346656037ull;
};

}  // namespace flotilla::planning
