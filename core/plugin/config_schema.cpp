// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/config_schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <regex>
#include <string>
#include <vector>

namespace flotilla::plugin {
namespace {

using api::Json;
using Faults = std::vector<std::string>;

constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxPatternInput = 4096;  // std::regex recurses once per character

void check(const Json& schema, Json& value, const std::string& path, Faults& faults, int depth);

void fault(Faults& faults, const std::string& path, std::string_view what) {
  faults.push_back(fmt::format("{}: {}", path, what));
}

bool has_type(const Json& value, std::string_view type) {
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.is_bool();
  if (type == "integer") return value.is_int();
  if (type == "number") return value.is_number();
  if (type == "string") return value.is_string();
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  return false;
}

// False: of the wrong type, nothing else needs to be said about it.
bool check_type(const Json& schema, const Json& value, const std::string& path, Faults& faults) {
  const Json& type = schema["type"];
  if (type.is_string()) {
    if (has_type(value, type.as_string())) return true;
    fault(faults, path, fmt::format("must be of type {}", type.as_string()));
    return false;
  }
  if (!type.is_array()) return true;
  const auto types = type.elements();
  if (std::any_of(types.begin(), types.end(),
                  [&](const Json& t) { return has_type(value, t.as_string()); })) {
    return true;
  }
  fault(faults, path, "must be of a type in " + type.dump());
  return false;
}

void check_enum(const Json& schema, const Json& value, const std::string& path, Faults& faults) {
  const auto allowed = schema["enum"].elements();
  if (schema["enum"].is_array() && std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
    fault(faults, path, "must be one of " + schema["enum"].dump());
  }
  if (const Json* constant = schema.find("const"); constant != nullptr && *constant != value) {
    fault(faults, path, "must be " + constant->dump());
  }
}

void check_number(const Json& schema, const Json& value, const std::string& path, Faults& faults) {
  const double number = value.as_double();
  const auto bound = [&](const char* keyword, auto holds, const char* words) {
    const Json& limit = schema[keyword];
    if (limit.is_number() && !holds(number, limit.as_double())) fault(faults, path, words + limit.dump());
  };
  bound(
      "minimum", [](double a, double b) { return a >= b; }, "must be at least ");
  bound(
      "maximum", [](double a, double b) { return a <= b; }, "must be at most ");
  bound(
      "exclusiveMinimum", [](double a, double b) { return a > b; }, "must be more than ");
  bound(
      "exclusiveMaximum", [](double a, double b) { return a < b; }, "must be less than ");
}

void check_count(const Json& schema, std::size_t count, const char* least, const char* most,
                 std::string_view unit, const std::string& path, Faults& faults) {
  const auto size = static_cast<std::int64_t>(count);
  if (schema[least].is_int() && size < schema[least].as_int()) {
    fault(faults, path, fmt::format("must have at least {} {}", schema[least].as_int(), unit));
  }
  if (schema[most].is_int() && size > schema[most].as_int()) {
    fault(faults, path, fmt::format("must have at most {} {}", schema[most].as_int(), unit));
  }
}

void check_string(const Json& schema, const Json& value, const std::string& path, Faults& faults) {
  const std::string text(value.as_string());
  check_count(schema, text.size(), "minLength", "maxLength", "characters", path, faults);
  const Json& pattern = schema["pattern"];
  if (!pattern.is_string()) return;
  if (text.size() > kMaxPatternInput) return fault(faults, path, "is too long");
  try {
    if (std::regex_search(text, std::regex(std::string(pattern.as_string()), std::regex::ECMAScript))) return;
    fault(faults, path, fmt::format("must match {}", pattern.as_string()));
  } catch (const std::regex_error&) {
    fault(faults, path, fmt::format("the schema's pattern {} cannot be used", pattern.as_string()));
  }
}

void check_array(const Json& schema, Json& value, const std::string& path, Faults& faults, int depth) {
  check_count(schema, value.size(), "minItems", "maxItems", "elements", path, faults);
  const Json& items = schema["items"];
  if (!items.is_object()) return;
  std::size_t index = 0;
  for (Json& element : value.elements())
    check(items, element, fmt::format("{}[{}]", path, index++), faults, depth);
}

void check_object(const Json& schema, Json& value, const std::string& path, Faults& faults, int depth) {
  const Json& properties = schema["properties"];
  const std::string prefix = path.empty() ? "" : path + ".";
  for (const auto& [name, property] : properties.members()) {
    const Json* otherwise = property.find("default");
    if (otherwise != nullptr && !value.contains(name)) value.set(name, *otherwise);
  }
  for (const Json& name : schema["required"].elements()) {
    if (!value.contains(name.as_string()))
      fault(faults, prefix + std::string(name.as_string()), "is required");
  }
  const Json* additional = schema.find("additionalProperties");
  for (const std::string& name : value.keys()) {
    const Json* property = properties.find(name);
    if (property == nullptr) property = additional;
    if (property == nullptr) continue;
    if (property->is_bool() && !property->as_bool()) {
      fault(faults, prefix + name, "is not known");
      continue;
    }
    check(*property, value[name], prefix + name, faults, depth);
  }
}

// Defaults of a branch are filled in from the first one that fits.
void check_branches(const Json& schema, Json& value, const std::string& path, Faults& faults, int depth) {
  for (const Json& branch : schema["allOf"].elements()) check(branch, value, path, faults, depth);
  for (const char* keyword : {"anyOf", "oneOf"}) {
    const Json& branches = schema[keyword];
    if (!branches.is_array()) continue;
    std::size_t fitting = 0;
    Json first;
    for (const Json& branch : branches.elements()) {
      Json candidate = value;
      Faults own;
      check(branch, candidate, path, own, depth);
      if (own.empty() && fitting++ == 0) first = std::move(candidate);
    }
    if (fitting == 0) fault(faults, path, fmt::format("fits no branch of {}", keyword));
    if (fitting > 1 && std::string_view(keyword) == "oneOf")
      fault(faults, path, "fits several branches of oneOf");
    if (fitting > 0) value = std::move(first);
  }
}

void check(const Json& schema, Json& value, const std::string& path, Faults& faults, int depth) {
  if (depth > kMaxDepth) return fault(faults, path, "is nested too deeply");
  if (schema.is_bool() && !schema.as_bool()) return fault(faults, path, "is not allowed");
  if (!schema.is_object() || !check_type(schema, value, path, faults)) return;
  check_enum(schema, value, path, faults);
  if (value.is_number()) check_number(schema, value, path, faults);
  if (value.is_string()) check_string(schema, value, path, faults);
  if (value.is_array()) check_array(schema, value, path, faults, depth + 1);
  if (value.is_object()) check_object(schema, value, path, faults, depth + 1);
  check_branches(schema, value, path, faults, depth + 1);
}

}  // namespace

Result<Json> validate_config(const Json& schema, Json config, std::string_view where) {
  if (config.is_null()) config = Json::object();
  Faults faults;
  check(schema, config, std::string(where), faults, 0);
  if (faults.empty()) return config;
  return Error(Code::Invalid, fmt::format("{}", fmt::join(faults, "; ")));
}

}  // namespace flotilla::plugin
