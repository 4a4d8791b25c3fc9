// SPDX-License-Identifier: Apache-2.0
// The live objects of one collection, ascending by namespace, then name: sorted chunks of pointers, so that a
// write moves at most one chunk and a list walks contiguous memory. Not thread-safe.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "core/api/object.hpp"

namespace flotilla::store {

class ObjectTable {
 public:
  // Null: absent.
  api::ObjectPtr find(std::string_view ns, std::string_view name) const;
  // Inserts or replaces by the object's key; returns what was there.
  api::ObjectPtr put(api::ObjectPtr object);
  api::ObjectPtr erase(std::string_view ns, std::string_view name);

  // Appends objects of `ns` (empty: all) behind `after` (null: from the first), at most `limit` (0: all).
  void copy(std::string_view ns, const api::ObjectKey* after, std::size_t limit,
            std::vector<api::ObjectPtr>& out) const;

  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kChunk = 256;
  using Chunk = std::vector<api::ObjectPtr>;
  struct Position {
    std::size_t chunk;
    std::size_t index;
  };
  // The first object that is not before the key.
  Position lower_bound(std::string_view ns, std::string_view name) const;
  bool holds(Position at, std::string_view ns, std::string_view name) const;

  std::vector<Chunk> chunks_;  // none empty
  std::size_t size_ = 0;
};

}  // namespace flotilla::store
