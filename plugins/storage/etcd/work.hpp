// SPDX-License-Identifier: Apache-2.0
// What the operations under way have to remember.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine.hpp"

namespace flotilla::plugins::storage::etcd {

inline constexpr std::uint64_t kMaxKey = 4096;
inline constexpr std::uint64_t kRequestMargin = 16384;  // of a request, for keys and what is around a value

struct StatusWork {
  StatusWork(std::shared_ptr<void> counted, sdk::Call asked, int answers)
      : under_way(std::move(counted)), call(std::move(asked)), missing(answers) {}

  const std::shared_ptr<void> under_way;
  sdk::Call call;
  std::atomic<int> missing;  // answers of etcd; each has members of its own below
  std::optional<sdk::Failure> failed;
  std::uint64_t bytes = 0;
  std::string role;
  std::string alarm;
  std::optional<sdk::Failure> not_linearizable;
  std::int64_t compacted = 0;
};

}  // namespace flotilla::plugins::storage::etcd
