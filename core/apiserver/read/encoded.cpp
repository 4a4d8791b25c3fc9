// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/read/encoded.hpp"

#include <cstring>

namespace flotilla::apiserver {
namespace {

// `at` is behind the opening quote; returns the position behind the closing one.
std::size_t skip_string(std::string_view bytes, std::size_t at) {
  for (;;) {
    const void* found = std::memchr(bytes.data() + at, '"', bytes.size() - at);
    if (found == nullptr) return bytes.size();
    at = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    std::size_t slashes = 0;
    while (bytes[at - 1 - slashes] == '\\') ++slashes;
    ++at;
    if (slashes % 2 == 0) return at;
  }
}

// `at` is at the first byte of a value; returns the position behind it.
std::size_t skip_value(std::string_view bytes, std::size_t at) {
  int depth = 0;
  while (at < bytes.size()) {
    const char c = bytes[at];
    if (c == '"') {
      at = skip_string(bytes, at + 1);
      if (depth == 0) return at;
      continue;
    }
    if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;  // of a number or word at the end of its container
      if (--depth == 0) return at + 1;
    } else if (c == ',' && depth == 0) {
      return at;
    }
    ++at;
  }
  return at;
}

std::string_view unquoted(std::string_view value) {
  return value.size() < 2 ? value : value.substr(1, value.size() - 2);
}

}  // namespace

EncodedParts cut(std::string_view bytes) {
  EncodedParts parts;
  std::size_t at = 1;
  while (at < bytes.size() && bytes[at] == '"') {
    const std::size_t key_end = skip_string(bytes, at + 1);
    const std::string_view key = bytes.substr(at + 1, key_end - at - 2);
    const std::size_t value_at = key_end + 1;
    const std::size_t end = skip_value(bytes, value_at);
    const std::string_view value = bytes.substr(value_at, end - value_at);
    if (key == "apiVersion") parts.api_version = unquoted(value);
    if (key == "kind") parts.kind = unquoted(value);
    if (key == "metadata") {
      parts.metadata = value;
      break;  // apiVersion and kind sort before it
    }
    if (end >= bytes.size() || bytes[end] != ',') break;
    at = end + 1;
  }
  return parts;
}

std::pair<std::string_view, std::string_view> around_version(std::string_view bytes) {
  const std::string_view metadata = cut(bytes).metadata;
  std::size_t at = 1;
  while (at < metadata.size() && metadata[at] == '"') {
    const std::size_t key_end = skip_string(metadata, at + 1);
    const std::string_view key = metadata.substr(at + 1, key_end - at - 2);
    const std::size_t end = skip_value(metadata, key_end + 1);
    if (key == "resourceVersion" && end >= key_end + 3) {
      const std::size_t start = static_cast<std::size_t>(metadata.data() - bytes.data());
      return {bytes.substr(0, start + key_end + 2), bytes.substr(start + end - 1)};
    }
    if (end >= metadata.size() || metadata[end] != ',') break;
    at = end + 1;
  }
  return {bytes, {}};
}

}  // namespace flotilla::apiserver
