// SPDX-License-Identifier: Apache-2.0
// What the operations under way have to remember.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine.hpp"

namespace flotilla::plugins::storage::etcd {

inline constexpr std::uint64_t kMaxKey = 4096;
inline constexpr std::uint64_t kRequestMargin = 16384;  // of a request, for keys and what is around a value

struct StatusWork {
  std::shared_ptr<void> under_way;
  sdk::Call call;
  bool linearizable = false;
  std::uint64_t bytes = 0;
  std::string role = {};
  std::string alarm = {};
};

}  // namespace flotilla::plugins::storage::etcd
