// SPDX-License-Identifier: Apache-2.0
#include "core/cel/tree.hpp"

namespace flotilla::cel {

std::uint64_t estimate_cost(const Node&) {
  return 0;
}

}  // namespace flotilla::cel
