// SPDX-License-Identifier: Apache-2.0
// Apportionment by Webster's method, for the host's own uses. The method itself is part of the SDK: policies
// that divide replicas stand on the same.
#pragma once

#include <flotilla/sdk/apportion.hpp>

namespace flotilla::scheduler {

using sdk::apportion;
using sdk::Party;
using sdk::prefers_last;

}  // namespace flotilla::scheduler
