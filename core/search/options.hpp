// SPDX-License-Identifier: Apache-2.0
// What an operator can say to karmada-search: Karmada's flags of the same names, with its defaults. Keys of
// the configuration: search.*
#pragma once

#include "core/base/clock.hpp"

namespace flotilla::search {

struct Options {
  bool disable_search = false;
  bool disable_proxy = false;
  // Whether what the proxy passes on to the control plane itself is asked as the user who asks; in Karmada it
  // is asked with the rights of karmada-search.
  bool proxy_as_user = false;
  Duration storage_initialization_timeout = std::chrono::minutes(1);
};

}  // namespace flotilla::search
