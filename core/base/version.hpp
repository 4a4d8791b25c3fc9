// SPDX-License-Identifier: Apache-2.0
// The product's version, from the build.
#pragma once

namespace flotilla {

#if defined(FLOTILLA_VERSION)
inline constexpr const char* kVersion = FLOTILLA_VERSION;
#else
inline constexpr const char* kVersion = "0.1.0";
#endif

}  // namespace flotilla
