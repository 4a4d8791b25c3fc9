// SPDX-License-Identifier: Apache-2.0
// URLs: what HTTP targets are made of. Thread: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"

namespace flotilla::http {

// "%2F" -> "/". Errors: BadRequest on a broken escape. `plus_is_space` holds for queries only.
Result<std::string> percent_decode(std::string_view text, bool plus_is_space = false);
// Everything but letters, digits and "-_.~" becomes %XX: safe as one path segment or query value.
std::string percent_encode(std::string_view text);

// The pairs of a query in their order; a key may occur several times.
class Query {
 public:
  // Broken escapes are kept as they are, as Go does with a lenient reader. "a" is {"a", ""}.
  static Query parse(std::string_view raw);

  void add(std::string key, std::string value) { pairs_.emplace_back(std::move(key), std::move(value)); }
  // Null when absent; the first of several.
  const std::string* find(std::string_view key) const;
  std::string_view get(std::string_view key, std::string_view otherwise = {}) const;
  bool has(std::string_view key) const { return find(key) != nullptr; }
  std::vector<std::string_view> all(std::string_view key) const;
  // As Kubernetes reads ?watch: there, and neither "0" nor "false".
  bool flag(std::string_view key) const;
  const std::vector<std::pair<std::string, std::string>>& pairs() const { return pairs_; }
  // Encoded, without '?'.
  std::string text() const;

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

// The segments of a path, each decoded; empty ones are left out. Errors: BadRequest on a broken escape.
Result<std::vector<std::string>> path_segments(std::string_view path);

struct Url {
  std::string scheme;  // "https"
  std::string host;    // without brackets
  std::uint16_t port = 0;
  std::string path;   // "" or "/prefix", never ends with '/'
  std::string query;  // without '?'
  std::string user, password;

  bool is_tls() const { return scheme == "https"; }
  // "example.com", "[::1]:8443": what the Host header says.
  std::string authority() const;
  // http and https only; errors: Invalid with the text and what is wrong.
  static Result<Url> parse(std::string_view text);
  // http, https and socks5 (port 1080 where none is named).
  static Result<Url> parse_proxy(std::string_view text);
};

// One '/' between the two; `target` may have a query.
std::string join_path(std::string_view prefix, std::string_view target);

}  // namespace flotilla::http
