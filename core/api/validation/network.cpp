// SPDX-License-Identifier: Apache-2.0
#include "core/api/validation/network.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <string>

namespace flotilla::api::validation {
namespace {

bool parses(int family, std::string_view text) {
  unsigned char address[16];
  return inet_pton(family, std::string(text).c_str(), address) == 1;
}

}  // namespace

bool is_ipv4(std::string_view text) {
  return parses(AF_INET, text);
}
bool is_ipv6(std::string_view text) {
  return parses(AF_INET6, text);
}

bool is_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == text.npos) return false;
  int bits = -1;
  const std::string_view tail = text.substr(slash + 1);
  const auto parsed = std::from_chars(tail.data(), tail.data() + tail.size(), bits);
  if (tail.empty() || parsed.ptr != tail.data() + tail.size() || bits < 0) return false;
  return (is_ipv4(text.substr(0, slash)) && bits <= 32) || (is_ipv6(text.substr(0, slash)) && bits <= 128);
}

}  // namespace flotilla::api::validation
