// SPDX-License-Identifier: Apache-2.0
// For walks over many objects on a controller's strand: others get their turn in between.
#pragma once

#include "core/async/executor.hpp"
#include "core/base/clock.hpp"

namespace flotilla::controllers {

class Turns {
 public:
  // Every so many calls: behind all that is already waiting for the strand.
  Task<void> give_way();

 private:
  static constexpr int kSteps = 16;
  int left_ = kSteps;
};

}  // namespace flotilla::controllers
