// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "core/api/json.hpp"

namespace flotilla::cluster {

// Hashes of what makes a member's object what it is: not its status, nor what the API server keeps of every
// write (resourceVersion, generation, managedFields). Equal objects have equal hashes, in one process.
struct Essence {
  std::size_t metadata = 0;
  std::size_t body = 0;  // all else
  bool operator==(const Essence&) const = default;
};

Essence essence_of(const api::Json& object);

}  // namespace flotilla::cluster
