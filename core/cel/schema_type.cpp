// SPDX-License-Identifier: Apache-2.0
// openAPIV3Schema to Type, with the bounds that estimates of cost go by.
#include <algorithm>
#include <array>
#include <cmath>

#include "core/cel/type.hpp"

namespace flotilla::cel {
namespace {

using api::Json;

// A request carries 3 MiB at most; an element takes two bytes and a comma at least.
constexpr std::uint64_t kRequestBytes = 3u << 20;
constexpr int kDeepest = 200;

struct Node {
  TypePtr type;                 // null: not declared
  std::uint64_t min_bytes = 0;  // of its JSON text
};

Node read_node(const Json& schema, bool is_resource, int depth);

std::optional<std::uint64_t> bound_of(const Json& schema, std::string_view key) {
  const Json* value = schema.find(key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, value->as_int()));
}

std::uint64_t elements_that_fit(std::uint64_t min_bytes) {
  return (kRequestBytes - 2) / (min_bytes + 1);
}

// An empty key in quotes, a colon, a comma and some more.
std::uint64_t entries_that_fit(std::uint64_t min_bytes) {
  return (kRequestBytes - 2) / (min_bytes + 6);
}

std::uint64_t string_bound(const Json& schema) {
  const std::string_view format = schema["format"].as_string();
  if (format == "duration") return 32;
  if (format == "date") return 10;
  if (format == "date-time") return 28;
  if (const auto bound = bound_of(schema, "maxLength")) return *bound * (format == "byte" ? 1 : 4);
  std::uint64_t longest = 0;
  for (const Json& value : schema["enum"].elements())
    longest = std::max<std::uint64_t>(longest, value.as_string().size());
  return longest > 0 ? longest : kRequestBytes - 2;
}

Node string_node(const Json& schema) {
  const std::string_view format = schema["format"].as_string();
  TypeKind kind = TypeKind::String;
  std::uint64_t bytes = 2;
  if (format == "byte") kind = TypeKind::Bytes;
  if (format == "duration") kind = TypeKind::Duration;
  if (format == "date" || format == "date-time") kind = TypeKind::Timestamp;
  if (format == "duration") bytes = 4;
  if (format == "date") bytes = 12;
  if (format == "date-time") bytes = 22;
  return {Type::bounded(*Type::simple(kind), string_bound(schema)), bytes};
}

Node list_node(const Json& schema, int depth) {
  const Json& items = schema["items"];
  const Node element = read_node(items, items["x-kubernetes-embedded-resource"].as_bool(), depth + 1);
  if (!element.type) return {};
  TypePtr type = Type::bounded(*Type::list(element.type),
                               bound_of(schema, "maxItems").value_or(elements_that_fit(element.min_bytes)));
  const std::string_view kind = schema["x-kubernetes-list-type"].as_string();
  if (kind == "set" || kind == "map") {
    std::vector<std::string> keys;
    for (const Json& key : schema["x-kubernetes-list-map-keys"].elements())
      keys.emplace_back(key.as_string());
    type = Type::listed(*type, kind == "set" ? ListKind::Set : ListKind::Map, std::move(keys));
  }
  return {std::move(type), 2};
}

void declare_resource_fields(std::vector<ObjectField>& fields) {
  const auto declare = [&](std::string_view name, TypePtr type) {
    std::erase_if(fields, [&](const ObjectField& field) { return field.name == name; });
    fields.push_back({std::string(name), std::string(name), std::move(type)});
  };
  declare("apiVersion", Type::string());
  declare("kind", Type::string());
  declare("metadata", Type::object("object.metadata", {{"name", "name", Type::string()},
                                                       {"generateName", "generateName", Type::string()}}));
}

bool is_required(const Json& schema, std::string_view name) {
  for (const Json& one : schema["required"].elements())
    if (one.as_string() == name) return true;
  return false;
}

Node object_node(const Json& schema, bool is_resource, int depth) {
  const Json& values = schema["additionalProperties"];
  if (values.is_object()) {
    const Node value = read_node(values, values["x-kubernetes-embedded-resource"].as_bool(), depth + 1);
    if (!value.type) return {};
    return {Type::bounded(*Type::map(Type::string(), value.type),
                          bound_of(schema, "maxProperties").value_or(entries_that_fit(value.min_bytes))),
            2};
  }
  std::vector<ObjectField> fields;
  std::uint64_t bytes = 2;
  for (const auto [name, property] : schema["properties"].members()) {
    const Node node = read_node(property, property["x-kubernetes-embedded-resource"].as_bool(), depth + 1);
    if (!node.type) continue;
    if (auto escaped = escape_property(name))
      fields.push_back({*std::move(escaped), std::string(name), node.type});
    if (is_required(schema, name) && !property.contains("default")) bytes += name.size() + node.min_bytes + 4;
  }
  if (is_resource) declare_resource_fields(fields);
  return {Type::object("object", std::move(fields)), bytes};
}

Node read_node(const Json& schema, bool is_resource, int depth) {
  if (!schema.is_object() || depth > kDeepest) return {};
  if (schema["x-kubernetes-int-or-string"].as_bool())
    return {Type::bounded(*Type::dyn(), kRequestBytes - 2), 1};
  const std::string_view type = schema["type"].as_string();
  if (is_resource || type == "object") return object_node(schema, is_resource, depth);
  if (type == "array") return list_node(schema, depth);
  if (type == "string") return string_node(schema);
  if (type == "boolean") return {Type::boolean(), 4};
  if (type == "number") return {Type::number(), 1};
  if (type == "integer") return {Type::integer(), 1};
  return {};
}

constexpr std::array<std::string_view, 21> kReserved = {
    "true",     "false",   "null",      "in",       "as",  "break",  "const",
    "continue", "else",    "for",       "function", "if",  "import", "let",
    "loop",     "package", "namespace", "return",   "var", "void",   "while"};

struct EscapeRule {
  std::string_view text;
  std::string_view escape;
};
constexpr std::array<EscapeRule, 4> kEscapes = {
    {{"__", "__underscores__"}, {".", "__dot__"}, {"-", "__dash__"}, {"/", "__slash__"}}};

bool is_identifier(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (text.empty() || !letter(text[0])) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

bool is_reserved(std::string_view text) {
  return std::find(kReserved.begin(), kReserved.end(), text) != kReserved.end();
}

}  // namespace

TypePtr type_of_schema(const Json& schema, bool is_resource) {
  return read_node(schema, is_resource, 0).type;
}

std::optional<std::string> escape_property(std::string_view property) {
  if (is_reserved(property)) return "__" + std::string(property) + "__";
  std::string out;
  for (std::size_t i = 0; i < property.size();) {
    const auto rule = std::find_if(kEscapes.begin(), kEscapes.end(), [&](const EscapeRule& one) {
      return property.substr(i).starts_with(one.text);
    });
    if (rule != kEscapes.end()) {
      out += rule->escape;
      i += rule->text.size();
    } else {
      out += property[i++];
    }
  }
  if (!is_identifier(out)) return std::nullopt;
  return out;
}

std::optional<std::string> unescape_property(std::string_view name) {
  if (name.size() > 4 && name.starts_with("__") && name.ends_with("__") &&
      is_reserved(name.substr(2, name.size() - 4)))
    return std::string(name.substr(2, name.size() - 4));
  std::string out;
  for (std::size_t i = 0; i < name.size();) {
    if (!name.substr(i).starts_with("__")) {
      out += name[i++];
      continue;
    }
    const auto rule = std::find_if(kEscapes.begin(), kEscapes.end(), [&](const EscapeRule& one) {
      return name.substr(i).starts_with(one.escape);
    });
    if (rule == kEscapes.end()) return std::nullopt;
    out += rule->text;
    i += rule->escape.size();
  }
  return out;
}

}  // namespace flotilla::cel
