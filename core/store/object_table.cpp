// SPDX-License-Identifier: Apache-2.0
#include "core/store/object_table.hpp"

#include <algorithm>
#include <limits>

namespace flotilla::store {
namespace {

using api::ObjectKey;
using api::ObjectPtr;

bool before(const ObjectPtr& object, std::string_view ns, std::string_view name) {
  const int order = std::string_view(object->ns()).compare(ns);
  return order != 0 ? order < 0 : std::string_view(object->name()) < name;
}

}  // namespace

ObjectTable::Position ObjectTable::lower_bound(std::string_view ns, std::string_view name) const {
  const auto chunk = std::partition_point(chunks_.begin(), chunks_.end(), [&](const Chunk& candidate) {
    return before(candidate.back(), ns, name);
  });
  if (chunk == chunks_.end()) return {chunks_.size(), 0};
  const auto at = std::partition_point(chunk->begin(), chunk->end(),
                                       [&](const ObjectPtr& object) { return before(object, ns, name); });
  return {static_cast<std::size_t>(chunk - chunks_.begin()), static_cast<std::size_t>(at - chunk->begin())};
}

bool ObjectTable::holds(Position at, std::string_view ns, std::string_view name) const {
  if (at.chunk == chunks_.size()) return false;
  const ObjectPtr& object = chunks_[at.chunk][at.index];
  return object->name() == name && object->ns() == ns;
}

ObjectPtr ObjectTable::find(std::string_view ns, std::string_view name) const {
  const Position at = lower_bound(ns, name);
  return holds(at, ns, name) ? chunks_[at.chunk][at.index] : nullptr;
}

ObjectPtr ObjectTable::put(ObjectPtr object) {
  Position at = lower_bound(object->ns(), object->name());
  if (holds(at, object->ns(), object->name())) {
    chunks_[at.chunk][at.index].swap(object);
    return object;
  }
  ++size_;
  if (at.chunk == chunks_.size()) {
    // Behind everything: keys that arrive in order fill their chunks.
    if (chunks_.empty() || chunks_.back().size() >= kChunk) chunks_.emplace_back().reserve(16);
    chunks_.back().push_back(std::move(object));
    return nullptr;
  }
  if (chunks_[at.chunk].size() >= kChunk) {
    Chunk& full = chunks_[at.chunk];
    const auto half = full.begin() + kChunk / 2;
    Chunk upper(std::make_move_iterator(half), std::make_move_iterator(full.end()));
    full.erase(half, full.end());
    chunks_.insert(chunks_.begin() + static_cast<std::ptrdiff_t>(at.chunk) + 1, std::move(upper));
    if (at.index > kChunk / 2) at = {at.chunk + 1, at.index - kChunk / 2};
  }
  Chunk& chunk = chunks_[at.chunk];
  chunk.insert(chunk.begin() + static_cast<std::ptrdiff_t>(at.index), std::move(object));
  return nullptr;
}

ObjectPtr ObjectTable::erase(std::string_view ns, std::string_view name) {
  const Position at = lower_bound(ns, name);
  if (!holds(at, ns, name)) return nullptr;
  Chunk& chunk = chunks_[at.chunk];
  ObjectPtr erased = std::move(chunk[at.index]);
  chunk.erase(chunk.begin() + static_cast<std::ptrdiff_t>(at.index));
  if (chunk.empty()) chunks_.erase(chunks_.begin() + static_cast<std::ptrdiff_t>(at.chunk));
  --size_;
  return erased;
}

void ObjectTable::copy(std::string_view ns, const ObjectKey* after, std::size_t limit,
                       std::vector<ObjectPtr>& out) const {
  Position at{0, 0};
  if (after != nullptr && (ns.empty() || after->ns >= ns)) {
    at = lower_bound(after->ns, after->name);
    if (holds(at, after->ns, after->name)) ++at.index;
  } else if (!ns.empty()) {
    at = lower_bound(ns, {});
  }
  std::size_t left = limit == 0 ? std::numeric_limits<std::size_t>::max() : limit;
  if (ns.empty() && after == nullptr) out.reserve(out.size() + std::min(left, size_));
  for (; at.chunk < chunks_.size() && left > 0; at = {at.chunk + 1, 0}) {
    const Chunk& chunk = chunks_[at.chunk];
    for (; at.index < chunk.size() && left > 0; ++at.index, --left) {
      if (!ns.empty() && chunk[at.index]->ns() != ns) return;
      out.push_back(chunk[at.index]);
    }
  }
}

}  // namespace flotilla::store
