// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/fields.hpp"

#include <utility>

namespace flotilla::interpreter {

namespace {

const api::Json& null_value() {
  static const api::Json null;
  return null;
}

bool carries_nothing(const api::Json& value) {
  switch (value.type()) {
    case api::Json::Type::Null:
      return true;
    case api::Json::Type::Bool:
      return !value.as_bool();
    case api::Json::Type::Int:
    case api::Json::Type::Float:
      return value.as_double() == 0;
    case api::Json::Type::String:
      return value.as_string().empty();
    case api::Json::Type::Array:
      return value.empty();
    case api::Json::Type::Object:
      for (auto [key, member] : value.members()) {
        if (!carries_nothing(member)) return false;
      }
      return true;
  }
  return false;
}

// Every member of `a` that carries something is in `b` with the same content.
bool contained(const api::Json& a, const api::Json& b) {
  for (auto [key, value] : a.members()) {
    if (!same_content(value, b[key])) return false;
  }
  return true;
}

}  // namespace

FieldReader::FieldReader(const api::Json& owner, std::string_view path) : owner_(owner), path_(path) {
  if (!owner.is_null() && !owner.is_object()) {
    error_ = invalid(std::string(path) + ": Invalid value: expected an object, found " + owner.dump());
  }
}

std::int64_t FieldReader::count(std::string_view name) {
  return optional_count(name).value_or(0);
}

std::optional<std::int64_t> FieldReader::optional_count(std::string_view name) {
  const api::Json* value = typed(name, api::Json::Type::Int, "an integer");
  if (value == nullptr) return std::nullopt;
  return value->as_int();
}

std::string_view FieldReader::text(std::string_view name) {
  const api::Json* value = typed(name, api::Json::Type::String, "a string");
  return value == nullptr ? std::string_view() : value->as_string();
}

const api::Json& FieldReader::object(std::string_view name) {
  const api::Json* value = typed(name, api::Json::Type::Object, "an object");
  return value == nullptr ? null_value() : *value;
}

std::span<const api::Json> FieldReader::list(std::string_view name) {
  const api::Json* value = typed(name, api::Json::Type::Array, "a list");
  if (value == nullptr) return {};
  return value->elements();
}

std::optional<WallTime> FieldReader::time(std::string_view name) {
  std::string_view written = text(name);
  if (written.empty()) return std::nullopt;
  Result<WallTime> parsed = parse_time(written);
  if (!parsed) {
    fail(name, "an RFC 3339 time");
    return std::nullopt;
  }
  return *parsed;
}

Status FieldReader::ok() const {
  if (error_) return Error(*error_);
  return {};
}

const api::Json* FieldReader::typed(std::string_view name, api::Json::Type type, std::string_view expected) {
  const api::Json& value = owner_[name];
  if (value.is_null()) return nullptr;
  if (value.type() != type) {
    fail(name, expected);
    return nullptr;
  }
  return &value;
}

void FieldReader::fail(std::string_view name, std::string_view expected) {
  if (error_) return;
  error_ = invalid(std::string(path_) + "." + std::string(name) + ": Invalid value: " + owner_[name].dump() +
                   ": expected " + std::string(expected));
}

Result<const api::Json*> status_of(const api::Json& object) {
  const api::Json& status = object["status"];
  if (!status.is_null() && !status.is_object()) {
    return invalid("status: Invalid value: " + status.dump() + ": expected an object");
  }
  return &status;
}

bool same_content(const api::Json& a, const api::Json& b) {
  if (carries_nothing(a) || carries_nothing(b)) return carries_nothing(a) && carries_nothing(b);
  if (a.is_object() && b.is_object()) return contained(a, b) && contained(b, a);
  if (!a.is_array() || !b.is_array()) return a == b;
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same_content(a.element(i), b.element(i))) return false;
  }
  return true;
}

}  // namespace flotilla::interpreter
