// SPDX-License-Identifier: Apache-2.0
// What a loop tells Prometheus: the names of client-go's work queues and of controller-runtime.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "core/reconcile/loop.hpp"

namespace flotilla::reconcile {

struct LoopMetrics {
  LoopMetrics(Metrics& metrics, const std::string& name, const LoopOptions& options, WorkQueue<Key>& queue);

  std::array<std::shared_ptr<Counter>, 4> results;  // by Outcome::Kind
  std::shared_ptr<Counter> errors, terminal, retries;
  std::shared_ptr<Histogram> took;
  std::shared_ptr<Histogram> succeeded, failed;  // null without LoopOptions::timed_as
  std::vector<std::shared_ptr<void>> computed;
};

}  // namespace flotilla::reconcile
