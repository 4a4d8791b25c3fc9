// SPDX-License-Identifier: Apache-2.0
#include "core/api/names.hpp"

#include <algorithm>
#include <initializer_list>

namespace flotilla::api {
namespace {

std::string concat(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts) out += part;
  return out;
}

// A colon is legal in names of RBAC objects and illegal in those of ours.
std::string without_colons(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), ':', '.');
  return out;
}

std::uint32_t lower_code_point(std::uint32_t c) {
  if (c >= 0xC0 && c <= 0xDE && c != 0xD7) return c + 32;
  if (c == 0x130) return 'i';
  if (c == 0x178) return 0xFF;
  const bool upper_is_even = (c >= 0x100 && c <= 0x137) || (c >= 0x14A && c <= 0x177) ||
                             (c >= 0x1DE && c <= 0x1EF) || (c >= 0x1F8 && c <= 0x21F) ||
                             (c >= 0x222 && c <= 0x233) || (c >= 0x460 && c <= 0x481) ||
                             (c >= 0x48A && c <= 0x4BF) || (c >= 0x4D0 && c <= 0x52F) ||
                             (c >= 0x1E00 && c <= 0x1E95) || (c >= 0x1EA0 && c <= 0x1EFF);
  if (upper_is_even) return c % 2 == 0 ? c + 1 : c;
  const bool upper_is_odd = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E) ||
                            (c >= 0x1CD && c <= 0x1DC) || (c >= 0x4C1 && c <= 0x4CE);
  if (upper_is_odd) return c % 2 == 1 ? c + 1 : c;
  if (c == 0x386) return 0x3AC;
  if (c >= 0x388 && c <= 0x38A) return c + 37;
  if (c == 0x38C) return 0x3CC;
  if (c == 0x38E || c == 0x38F) return c + 63;
  if (c >= 0x391 && c <= 0x3AB && c != 0x3A2) return c + 32;
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  if (c >= 0x410 && c <= 0x42F) return c + 32;
  if (c == 0x4C0) return 0x4CF;
  if (c >= 0x531 && c <= 0x556) return c + 48;
  return c;
}

void append_utf8(std::uint32_t c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

}  // namespace

std::string binding_name(std::string_view kind, std::string_view name) {
  return to_lower(concat({without_colons(name), "-", kind}));
}

std::string work_name(std::string_view kind, std::string_view name, std::string_view name_space) {
  const std::string plain = to_lower(without_colons(name));
  const std::string whole =
      name_space.empty() ? concat({plain, "-", kind}) : concat({name_space, "-", plain, "-", kind});
  return concat({plain, "-", name_hash(to_lower(whole))});
}

std::string binding_reference_key(std::string_view name_space, std::string_view name) {
  return name_hash(name_space.empty() ? std::string(name) : concat({name_space, "/", name}));
}

std::string execution_namespace(std::string_view cluster) {
  return concat({kExecutionNamespacePrefix, cluster});
}

Result<std::string> cluster_of_execution_namespace(std::string_view name_space) {
  if (!is_execution_namespace(name_space)) return invalid("the execution space name is in wrong format");
  return std::string(name_space.substr(kExecutionNamespacePrefix.size()));
}

bool is_execution_namespace(std::string_view name_space) {
  return name_space.starts_with(kExecutionNamespacePrefix);
}

bool is_reserved_namespace(std::string_view name_space) {
  return name_space == kSystemNamespace || name_space == kClusterNamespace ||
         is_execution_namespace(name_space);
}

std::string service_account_name(std::string_view cluster) {
  return concat({"karmada-", cluster});
}

std::string role_name(std::string_view service_account) {
  return concat({"karmada-controller-manager:", service_account});
}

std::string impersonation_secret_name(std::string_view cluster) {
  return concat({cluster, "-impersonator"});
}

std::string imported_endpoint_slice_name(std::string_view slice, std::string_view cluster) {
  return concat({"imported-", cluster, "-", slice});
}

std::string derived_service_name(std::string_view service) {
  return concat({"derived-", service});
}

std::string estimator_service_name(std::string_view prefix, std::string_view cluster) {
  return concat({prefix, "-", cluster});
}

std::string promoted_policy_name(std::string_view name_space, std::string_view name, std::string_view gvk) {
  return to_lower(concat({without_colons(name), "-", name_hash(concat({name_space, gvk}))}));
}

std::string name_hash(std::string_view text) {
  static constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  std::string digits = std::to_string(fnv1a_32(text));
  for (char& digit : digits) digit = kAlphabet[static_cast<unsigned char>(digit) % kAlphabet.size()];
  return digits;
}

std::uint32_t fnv1a_32(std::string_view text) {
  std::uint32_t hash = 0x811c9dc5;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x01000193;
  }
  return hash;
}

std::string to_lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      out += static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
      ++i;
      continue;
    }
    const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
    const std::string_view whole = text.substr(i, length);
    i += whole.size();
    if (whole.size() < length || length == 4) {
      out += whole;
      continue;
    }
    std::uint32_t c = byte & (length == 2 ? 0x1F : 0x0F);
    for (const char next : whole.substr(1)) c = (c << 6) | (static_cast<unsigned char>(next) & 0x3F);
    append_utf8(lower_code_point(c), out);
  }
  return out;
}

}  // namespace flotilla::api
