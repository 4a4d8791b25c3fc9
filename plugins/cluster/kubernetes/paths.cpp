// SPDX-License-Identifier: Apache-2.0
#include "paths.hpp"

#include <flotilla/sdk/plugin.hpp>

namespace flotilla::kubernetes {

std::string encode(std::string_view segment) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : segment) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

namespace {

// "pods/*/rate" names what lies below a resource: each part for itself.
std::string encode_parts(std::string_view resource) {
  std::string out;
  for (;;) {
    const auto slash = resource.find('/');
    const std::string_view part = resource.substr(0, slash);
    out += part == "*" ? "*" : encode(part);
    if (slash == std::string_view::npos) return out;
    out += '/';
    resource.remove_prefix(slash + 1);
  }
}

}  // namespace

std::string path_of(const flt_gvr_t& gvr, std::string_view ns, std::string_view name) {
  std::string path = gvr.group.n == 0 ? "/api/" : "/apis/" + encode(sdk::view(gvr.group)) + "/";
  path += encode(sdk::view(gvr.version));
  if (!ns.empty()) path += "/namespaces/" + encode(ns);
  if (gvr.resource.n > 0) path += "/" + encode_parts(sdk::view(gvr.resource));
  if (!name.empty()) path += "/" + encode(name);
  return path;
}

Query& Query::add(std::string_view key, std::string_view value) {
  if (value.empty()) return *this;
  if (!text_.empty()) text_ += '&';
  text_.append(key).append("=").append(encode(value));
  return *this;
}

std::string Query::append_to(std::string path) const {
  return text_.empty() ? path : path + "?" + text_;
}

}  // namespace flotilla::kubernetes
