// SPDX-License-Identifier: Apache-2.0
// Reads members of an object whose types the API fixes. An absent or null member is its zero value; a member
// of another type is an error, and the first one is kept until it is asked for:
//
//   FieldReader status(object["status"], "status");
//   std::int64_t ready = status.count("readyReplicas");
//   if (Status ok = status.ok(); !ok) return std::move(ok).context("...");
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/api/json.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"

namespace flotilla::interpreter {

class FieldReader {
 public:
  // `path` names the owner in messages. The owner must outlive the reader.
  FieldReader(const api::Json& owner, std::string_view path);

  std::int64_t count(std::string_view name);
  std::optional<std::int64_t> optional_count(std::string_view name);
  std::string_view text(std::string_view name);
  const api::Json& object(std::string_view name);
  std::span<const api::Json> list(std::string_view name);
  // Errors beside the type: no RFC 3339 time.
  std::optional<WallTime> time(std::string_view name);

  Status ok() const;

 private:
  const api::Json* typed(std::string_view name, api::Json::Type type, std::string_view expected);
  void fail(std::string_view name, std::string_view expected);

  const api::Json& owner_;
  std::string_view path_;
  std::optional<Error> error_;
};

// The .status of an object. Errors: Invalid when it is neither absent nor an object.
Result<const api::Json*> status_of(const api::Json& object);

// Equal but for members that carry nothing: null, {}, [], 0, "", false.
bool same_content(const api::Json& a, const api::Json& b);

}  // namespace flotilla::interpreter
