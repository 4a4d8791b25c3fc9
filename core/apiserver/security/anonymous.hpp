// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace flotilla::apiserver {

// Who may ask without saying who they are.
enum class Anonymous : std::uint8_t { Everywhere, HealthOnly, Nowhere };

}  // namespace flotilla::apiserver
