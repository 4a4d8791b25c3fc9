// SPDX-License-Identifier: Apache-2.0
// Addresses and networks, as strict as Go's net package was in Kubernetes' validation.
#pragma once

#include <string_view>

namespace flotilla::api::validation {

bool is_ipv4(std::string_view text);
bool is_ipv6(std::string_view text);
inline bool is_ip(std::string_view text) {
  return is_ipv4(text) || is_ipv6(text);
}
// "10.0.0.0/24".
bool is_cidr(std::string_view text);

// The network `inner` lies in `outer` and is smaller. Both are CIDRs.
bool is_strict_subset(std::string_view inner, std::string_view outer);

}  // namespace flotilla::api::validation
