// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/api/quantity.hpp"

namespace flotilla::scheduler {

// What one replica requests of a resource.
struct Request {
  std::string resource;
  api::Quantity amount;
};

}  // namespace flotilla::scheduler
