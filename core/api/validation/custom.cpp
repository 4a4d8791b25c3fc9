// SPDX-License-Identifier: Apache-2.0
// Values of custom resources against their schema (k8s-api 9.5).
#include <algorithm>
#include <cmath>
#include <regex>

#include "core/api/validation/formats.hpp"
#include "core/api/validation/validation.hpp"

namespace flotilla::api {
namespace {

std::string_view type_name(const Json& value) {
  switch (value.type()) {
    case Json::Type::Null:
      return "null";
    case Json::Type::Bool:
      return "boolean";
    case Json::Type::Int:
      return "integer";
    case Json::Type::Float:
      return value.as_double() == std::floor(value.as_double()) ? "integer" : "number";
    case Json::Type::String:
      return "string";
    case Json::Type::Array:
      return "array";
    case Json::Type::Object:
      return "object";
  }
  return "null";
}

bool has_type(std::string_view wanted, const Json& value) {
  const std::string_view actual = type_name(value);
  return wanted == actual || (wanted == "number" && actual == "integer");
}

std::string_view wanted_type(const Schema& schema) {
  switch (schema.kind()) {
    case SchemaKind::Struct:
    case SchemaKind::Map:
      return "object";
    case SchemaKind::List:
      return "array";
    case SchemaKind::String:
    case SchemaKind::Time:
    case SchemaKind::MicroTime:
      return "string";
    case SchemaKind::Integer:
      return "integer";
    case SchemaKind::Number:
      return "number";
    case SchemaKind::Boolean:
      return "boolean";
    default:
      return "";
  }
}

std::string number_text(double number) {
  if (number == std::floor(number) && std::fabs(number) < 1e15)
    return std::to_string(static_cast<std::int64_t>(number));
  return Json(number).dump();
}

// What no engine reads matches everything: the CRD was refused or comes from a newer release.
// std::regex goes one stack frame deeper per character: long texts are let through rather than risked.
bool pattern_matches(std::string_view pattern, std::string_view text) {
  constexpr std::size_t kLongest = 4096;
  if (text.size() > kLongest) return true;
  try {
    const std::regex compiled(pattern.begin(), pattern.end(), std::regex::ECMAScript);
    return std::regex_search(text.begin(), text.end(), compiled);
  } catch (const std::regex_error&) {
    return true;
  }
}

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

// The part of JSON schema that may stand below allOf, anyOf, oneOf and not: no errors, only yes or no.
bool satisfies(const Json& schema, const Json& value);

bool satisfies_bounds(const Json& schema, const Json& value) {
  const auto bound = [&](std::string_view name) { return schema.find(name); };
  if (value.is_number()) {
    const double number = value.as_double();
    if (const Json* least = bound("minimum")) {
      if (number < least->as_double() ||
          (schema["exclusiveMinimum"].as_bool() && number == least->as_double()))
        return false;
    }
    if (const Json* most = bound("maximum")) {
      if (number > most->as_double() || (schema["exclusiveMaximum"].as_bool() && number == most->as_double()))
        return false;
    }
  }
  const auto within = [&](std::string_view least, std::string_view most, std::size_t size) {
    const auto count = static_cast<std::int64_t>(size);
    if (const Json* bottom = bound(least); bottom && count < bottom->as_int()) return false;
    const Json* top = bound(most);
    return !top || count <= top->as_int();
  };
  if (value.is_string() && !within("minLength", "maxLength", characters(value.as_string()))) return false;
  if (value.is_array() && !within("minItems", "maxItems", value.size())) return false;
  if (value.is_object() && !within("minProperties", "maxProperties", value.size())) return false;
  const Json& pattern = schema["pattern"];
  return !pattern.is_string() || !value.is_string() ||
         pattern_matches(pattern.as_string(), value.as_string());
}

std::size_t count_satisfied(const Json& schemas, const Json& value) {
  std::size_t count = 0;
  for (const Json& one : schemas.elements()) count += satisfies(one, value) ? 1 : 0;
  return count;
}

bool satisfies(const Json& schema, const Json& value) {
  if (const Json& type = schema["type"]; type.is_string() && !has_type(type.as_string(), value)) return false;
  if (const Json* allowed = schema.find("enum")) {
    bool found = false;
    for (const Json& one : allowed->elements()) found = found || one == value;
    if (!found) return false;
  }
  if (!satisfies_bounds(schema, value)) return false;
  if (value.is_object()) {
    for (const Json& key : schema["required"].elements()) {
      if (!value.contains(key.as_string())) return false;
    }
    for (const auto& [name, inner] : schema["properties"].members()) {
      const Json* member = value.find(name);
      if (member && !satisfies(inner, *member)) return false;
    }
  }
  for (const Json& element : value.elements()) {
    if (schema["items"].is_object() && !satisfies(schema["items"], element)) return false;
  }
  if (const Json* all = schema.find("allOf"); all && count_satisfied(*all, value) != all->size())
    return false;
  if (const Json* any = schema.find("anyOf"); any && count_satisfied(*any, value) == 0) return false;
  if (const Json* one = schema.find("oneOf"); one && count_satisfied(*one, value) != 1) return false;
  if (const Json* none = schema.find("not"); none && satisfies(*none, value)) return false;
  return true;
}

class CustomValidator {
 public:
  explicit CustomValidator(FieldErrors& errors) : errors_(errors) {}

  void walk(const Schema& schema, const Json& value, const std::string& path) {
    if (value.is_null() && schema.nullable()) return;
    if (!check_type(schema, value, path)) return;
    if (!schema.enumeration().empty()) check_enum(schema, value, path);
    if (!schema.format().empty() && value.is_string() &&
        !format_matches(schema.format(), value.as_string())) {
      errors_.type_invalid(path, value,
                           path + " in body must be of type " + std::string(schema.format()) + ": " +
                               go_quote(value.as_string()));
    }
    if (const Facets* facets = schema.facets()) check_facets(*facets, value, path);
    if (value.is_object()) check_members(schema, value, path);
    if (value.is_array()) check_elements(schema, value, path);
  }

 private:
  bool check_type(const Schema& schema, const Json& value, const std::string& path) {
    const std::string_view wanted = wanted_type(schema);
    const std::string actual(type_name(value));
    if (schema.is(SchemaKind::IntOrString)) {
      if (actual == "integer" || actual == "string") return true;
      errors_.type_invalid(path, actual,
                           path + " in body must be of type integer,string: " + go_quote(actual));
      return false;
    }
    if (wanted.empty() || has_type(wanted, value)) return true;
    errors_.type_invalid(path, actual,
                         path + " in body must be of type " + std::string(wanted) + ": " + go_quote(actual));
    return false;
  }

  void check_enum(const Schema& schema, const Json& value, const std::string& path) {
    const std::string text = value.dump();
    std::vector<std::string> plain;
    for (const std::string_view one : schema.enumeration()) {
      if (one == text) return;
      auto parsed = Json::parse(one);
      plain.push_back(parsed && parsed->is_string() ? std::string(parsed->as_string()) : std::string(one));
    }
    const std::vector<std::string_view> supported(plain.begin(), plain.end());
    errors_.not_supported(path, value, supported);
  }

  void bad(const std::string& path, const Json& value, const std::string& rest) {
    errors_.invalid(path, value, path + " in body " + rest);
  }

  void check_facets(const Facets& facets, const Json& value, const std::string& path) {
    if (value.is_string()) check_string(facets, value, path);
    if (value.is_number()) check_number(facets, value, path);
    const auto size = static_cast<std::int64_t>(value.size());
    if (value.is_array()) {
      if (facets.min_items && size < *facets.min_items)
        bad(path, size, "should have at least " + std::to_string(*facets.min_items) + " items");
      if (facets.max_items && size > *facets.max_items) errors_.too_many(path, size, *facets.max_items);
    }
    if (value.is_object()) {
      if (facets.min_properties && size < *facets.min_properties) {
        bad(path, size, "should have at least " + std::to_string(*facets.min_properties) + " properties");
      }
      if (facets.max_properties && size > *facets.max_properties)
        errors_.too_many(path, size, *facets.max_properties);
      for (const std::string_view key : facets.required) {
        const Json* member = value.find(key);
        if (!member) errors_.required(at_field(path, key));
      }
    }
    if (!facets.junctors.empty()) check_junctors(facets, value, path);
  }

  void check_string(const Facets& facets, const Json& value, const std::string& path) {
    const auto length = static_cast<std::int64_t>(characters(value.as_string()));
    if (facets.max_length && length > *facets.max_length) {
      errors_.add_literal("FieldValueTooLong", path,
                          "Too long: may not be longer than " + std::to_string(*facets.max_length));
    }
    if (facets.min_length && length < *facets.min_length)
      bad(path, value, "should be at least " + std::to_string(*facets.min_length) + " chars long");
    if (!facets.pattern.empty() && !pattern_matches(facets.pattern, value.as_string())) {
      bad(path, value, "should match '" + std::string(facets.pattern) + "'");
    }
  }

  void check_number(const Facets& facets, const Json& value, const std::string& path) {
    const double number = value.as_double();
    if (facets.multiple_of) {
      const double ratio = number / *facets.multiple_of;
      if (std::fabs(ratio - std::round(ratio)) > 1e-9)
        bad(path, value, "should be a multiple of " + number_text(*facets.multiple_of));
    }
    if (facets.maximum) {
      const std::string most = number_text(*facets.maximum);
      if (facets.exclusive_maximum && number >= *facets.maximum)
        bad(path, value, "should be less than " + most);
      if (!facets.exclusive_maximum && number > *facets.maximum)
        bad(path, value, "should be less than or equal to " + most);
    }
    if (facets.minimum) {
      const std::string least = number_text(*facets.minimum);
      if (facets.exclusive_minimum && number <= *facets.minimum)
        bad(path, value, "should be greater than " + least);
      if (!facets.exclusive_minimum && number < *facets.minimum)
        bad(path, value, "should be greater than or equal to " + least);
    }
  }

  // Kubernetes reports these without a path.
  void check_junctors(const Facets& facets, const Json& value, const std::string& path) {
    auto junctors = Json::parse(facets.junctors);
    if (!junctors) return;
    const std::string quoted = go_quote(path);
    const auto report = [&](const std::string& text) {
      errors_.add_literal("FieldValueInvalid", "<nil>", "Invalid value: \"\": " + quoted + " must " + text);
    };
    if (const Json* any = junctors->find("anyOf"); any && count_satisfied(*any, value) == 0) {
      report("validate at least one schema (anyOf)");
      explain(any->element(0), value, path);
    }
    if (const Json* one = junctors->find("oneOf")) {
      const std::size_t count = count_satisfied(*one, value);
      if (count == 0) {
        report("validate one and only one schema (oneOf). Found none valid");
        explain(one->element(0), value, path);
      } else if (count > 1) {
        report("validate one and only one schema (oneOf). Found " + std::to_string(count) +
               " valid alternatives");
      }
    }
    if (const Json* all = junctors->find("allOf"); all && count_satisfied(*all, value) != all->size()) {
      report("validate all the schemas (allOf)");
      for (const Json& one : all->elements()) explain(one, value, path);
    }
    if (const Json* none = junctors->find("not"); none && satisfies(*none, value))
      report("not validate the schema (not)");
  }

  // Why an alternative does not hold, as far as that is a missing key.
  void explain(const Json& schema, const Json& value, const std::string& path) {
    for (const Json& key : schema["required"].elements()) {
      if (!value.contains(key.as_string())) errors_.required(at_field(path, key.as_string()));
    }
  }

  void check_members(const Schema& schema, const Json& value, const std::string& path) {
    if (schema.embedded_resource()) {
      for (const std::string_view key : {"apiVersion", "kind"}) {
        if (value[key].as_string().empty()) errors_.required(at_field(path, key), "must not be empty");
      }
    }
    for (const auto& [key, member] : value.members()) {
      const Field* field = schema.field(key);
      const Schema* inner = schema.member(key);
      if (!inner || inner->name().ends_with(".meta.v1.ObjectMeta")) continue;
      // An explicit null counts as absent.
      if (member.is_null() && !inner->nullable()) {
        if (field && field->required) errors_.required(at_field(path, key));
        continue;
      }
      walk(*inner, member, at_field(path, key));
    }
    if (schema.facets() && !schema.facets()->required.empty()) return;  // looked at with the facets
    for (const Field& field : schema.fields()) {
      if (field.required && !value.contains(field.name)) errors_.required(at_field(path, field.name));
    }
  }

  void check_elements(const Schema& schema, const Json& value, const std::string& path) {
    std::vector<Json> seen;
    std::size_t index = 0;
    for (const Json& element : value.elements()) {
      const std::string place = at_index(path, index++);
      walk(schema.items(), element, place);
      if (schema.list_type() == ListType::Atomic) continue;
      Json identity = element;
      if (schema.list_type() == ListType::Map) {
        identity = Json::object();
        for (const std::string_view key : schema.list_keys()) {
          if (const Json* part = element.find(key)) identity.set(key, *part);
        }
      }
      if (std::find(seen.begin(), seen.end(), identity) != seen.end()) {
        duplicate(place, identity);
      } else {
        seen.push_back(std::move(identity));
      }
    }
  }

  void duplicate(const std::string& place, const Json& identity) {
    if (!identity.is_object()) return errors_.duplicate(place, identity);
    std::string text = "map[string]interface {}{";
    for (const auto& [key, value] : identity.members()) {
      if (!text.ends_with('{')) text += ", ";
      text += go_quote(key) + ":" + value.dump();
    }
    errors_.add_literal("FieldValueDuplicate", place, "Duplicate value: " + text + "}");
  }

  FieldErrors& errors_;
};

}  // namespace

void validate_custom(const Schema& schema, const Json& value, const std::string& path, FieldErrors& errors) {
  CustomValidator(errors).walk(schema, value, path);
}

}  // namespace flotilla::api
