// SPDX-License-Identifier: Apache-2.0
// Watch events as they are sent, encoded once for everybody who watches in the same format: a change that a
// thousand clients hear of costs one encoding.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "core/base/named_type.hpp"
#include "core/store/store.hpp"

namespace flotilla::apiserver {

// Thread-safe.
class EventFrames {
 public:
  using Frame = std::shared_ptr<const std::string>;

  // One commit changes one object, so its revision names the event. `format` says everything else that the
  // bytes depend on.
  struct Key {
    Revision revision;
    std::string_view type;
    std::string_view format;
  };

  template <typename Make>
  Frame get(const Key& key, const Make& make) {
    std::lock_guard lock(mutex_);
    if (Frame found = find(key)) return found;
    auto made = std::make_shared<const std::string>(make());
    keep(key, made);
    return made;
  }
  std::uint64_t made() const;

 private:
  struct Slot {
    Revision revision;
    std::string type;
    std::string format;
    Frame frame;
  };
  static constexpr std::size_t kSlots = 64;
  static constexpr std::size_t kLargest = 256u << 10;  // larger ones are made anew: the cache stays small

  Frame find(const Key& key) const;
  void keep(const Key& key, const Frame& frame);

  mutable std::mutex mutex_;
  std::array<Slot, kSlots> slots_;
  std::size_t next_ = 0;
  std::uint64_t made_ = 0;
};

}  // namespace flotilla::apiserver
