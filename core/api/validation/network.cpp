// SPDX-License-Identifier: Apache-2.0
#include "core/api/validation/network.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <cstdlib>
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

bool is_strict_subset(std::string_view inner, std::string_view outer) {
  const std::size_t inner_slash = inner.find('/'), outer_slash = outer.find('/');
  const int family = is_ipv4(outer.substr(0, outer_slash)) ? AF_INET : AF_INET6;
  unsigned char a[16] = {}, b[16] = {};
  if (inet_pton(family, std::string(inner.substr(0, inner_slash)).c_str(), a) != 1) return false;
  if (inet_pton(family, std::string(outer.substr(0, outer_slash)).c_str(), b) != 1) return false;
  const int inner_bits = std::atoi(std::string(inner.substr(inner_slash + 1)).c_str());
  const int outer_bits = std::atoi(std::string(outer.substr(outer_slash + 1)).c_str());
  if (outer_bits >= inner_bits) return false;
  for (int bit = 0; bit < outer_bits; ++bit) {
    const int shift = 7 - bit % 8;
    if ((a[bit / 8] >> shift & 1) != (b[bit / 8] >> shift & 1)) return false;
  }
  return true;
}

}  // namespace flotilla::api::validation
