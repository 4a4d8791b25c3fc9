// SPDX-License-Identifier: Apache-2.0
// What a request asks for, read from method, path and query alone (k8s-api 2.1): this is what authorization
// judges and what the routing goes by.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"

namespace flotilla::apiserver {

// %XX decoded; nullopt when malformed. '+' is a space in queries only.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

// Query parameters in order. A malformed pair is dropped, as Go does.
class Query {
 public:
  Query() = default;
  explicit Query(std::string_view raw);

  // The first value, or empty.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  std::vector<std::string_view> all(std::string_view name) const;
  // Absent, "false" and "0" are false; all else, the empty text too, is true.
  bool flag(std::string_view name) const;
  // Errors: BadRequest in the words of strconv.
  Result<std::optional<std::int64_t>> integer(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& pairs() const { return values_; }

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

struct RequestInfo {
  bool is_resource = false;
  std::string verb;  // create, get, list, watch, ...; the lower-case method of a non-resource request
  std::string path;  // decoded
  std::vector<std::string> parts;
  // Of resource requests.
  std::string group, version;
  std::string ns;
  std::string resource, name, subresource;
  std::vector<std::string> rest;   // beyond the subresource: the path that a proxy forwards
  bool legacy_watch = false;       // /api/v1/watch/...
  std::string authorization_name;  // name, or what fieldSelector=metadata.name demands of a list

  bool in_collection() const { return name.empty(); }
};

RequestInfo read_request(std::string_view method, std::string_view raw_path, const Query& query);

}  // namespace flotilla::apiserver
