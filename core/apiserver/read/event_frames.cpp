// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/read/event_frames.hpp"

namespace flotilla::apiserver {

// Newest first: that is what everybody asks for at once.
EventFrames::Frame EventFrames::find(const Key& key) const {
  for (std::size_t i = 0; i < kSlots; ++i) {
    const Slot& slot = slots_[(next_ + kSlots - 1 - i) % kSlots];
    if (!slot.frame) return nullptr;
    if (slot.revision == key.revision && slot.type == key.type && slot.format == key.format) {
      return slot.frame;
    }
  }
  return nullptr;
}

void EventFrames::keep(const Key& key, const Frame& frame) {
  ++made_;
  if (frame->size() > kLargest) return;
  slots_[next_] = {key.revision, std::string(key.type), std::string(key.format), frame};
  next_ = (next_ + 1) % kSlots;
}

std::uint64_t EventFrames::made() const {
  std::lock_guard lock(mutex_);
  return made_;
}

}  // namespace flotilla::apiserver
