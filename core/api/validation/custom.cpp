// SPDX-License-Identifier: Apache-2.0
// Values of custom resources against their schema (k8s-api 9.5).
#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "core/api/validation/correlate.hpp"
#include "core/api/validation/field_view.hpp"
#include "core/api/validation/formats.hpp"
#include "core/api/validation/patterns.hpp"
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

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

class CustomValidator {
 public:
  CustomValidator(FieldErrors& errors, std::size_t& budget) : errors_(errors), budget_(budget) {}

  // `old` is what the value was before, null where it is new: what has not changed is not looked at.
  void walk(const Schema& schema, const Json& value, const Json* old, const std::string& path) {
    ++visited_;
    // Many alternatives for many elements.
    if (budget_ == 0) return;
    if (--budget_ == 0) {
      return errors_.invalid(path.empty() ? "<nil>" : path, "",
                             "the schema has too many alternatives to compare the value with");
    }
    if (old && *old == value) return;
    if (value.is_null() && schema.nullable()) return;
    const bool fits = check_type(schema, value, path);
    if (const Facets* facets = schema.facets()) check_junctors(*facets, value, path);
    if (fits) check_format(schema, value, path);
    if (!schema.enumeration().empty()) check_enum(schema, value, path);
    if (!fits) return;
    if (const Facets* facets = schema.facets()) check_facets(*facets, value, path);
    if (value.is_object()) check_members(schema, value, old, path);
    if (value.is_array()) check_elements(schema, value, old, path);
  }

  // How much of a value was looked at.
  std::size_t visited() const { return visited_; }

 private:
  void pathless(const std::string& text) {
    errors_.add_literal("FieldValueInvalid", "<nil>", "Invalid value: \"\": " + text);
  }

  void check_format(const Schema& schema, const Json& value, const std::string& path) {
    if (schema.format().empty()) return;
    if (!value.is_string() || format_matches(schema.format(), value.as_string())) return;
    errors_.type_invalid(path, value,
                         path + " in body must be of type " + std::string(schema.format()) + ": " +
                             go_quote(value.as_string()));
  }

  bool check_type(const Schema& schema, const Json& value, const std::string& path) {
    if (!schema.states_type() && !schema.is(SchemaKind::IntOrString)) return true;
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
    if (value.is_array() && facets.unique_items) check_unique(value, path);
  }

  void check_unique(const Json& value, const std::string& path) {
    const auto all = value.elements();
    for (auto one = all.begin(); one != all.end(); ++one) {
      if (std::find(all.begin(), one, *one) == one) continue;
      return bad(path, Json(), "shouldn't contain duplicates");
    }
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

  // One alternative by itself.
  struct Attempt {
    FieldErrors errors;
    std::size_t visited = 0;
  };
  Attempt attempt(const Schema& schema, const Json& value, const std::string& path) {
    Attempt made;
    CustomValidator one(made.errors, budget_);
    one.walk(schema, value, nullptr, path);
    made.visited = one.visited();
    return made;
  }

  // How many hold. The errors of the one that came furthest are kept where none does.
  std::size_t count_valid(const std::vector<const Schema*>& schemas, const Json& value,
                          const std::string& path, std::optional<Attempt>& best) {
    std::size_t valid = 0;
    for (const Schema* schema : schemas) {
      Attempt made = attempt(*schema, value, path);
      if (made.errors.empty()) {
        ++valid;
        best.reset();
      } else if (valid == 0 && (!best || made.visited > best->visited)) {
        best = std::move(made);
      }
    }
    return valid;
  }

  // Kubernetes reports these without a path.
  void check_junctors(const Facets& facets, const Json& value, const std::string& path) {
    const std::string quoted = go_quote(path) + " must ";
    if (!facets.any_of.empty()) {
      std::optional<Attempt> best;
      if (count_valid(facets.any_of, value, path, best) == 0)
        pathless(quoted + "validate at least one schema (anyOf)");
      if (best) errors_.add(best->errors);
    }
    if (!facets.one_of.empty()) {
      std::optional<Attempt> best;
      const std::size_t valid = count_valid(facets.one_of, value, path, best);
      const std::string found = valid == 0 ? "none valid" : std::to_string(valid) + " valid alternatives";
      if (valid != 1) pathless(quoted + "validate one and only one schema (oneOf). Found " + found);
      if (best) errors_.add(best->errors);
    }
    if (!facets.all_of.empty()) {
      std::size_t valid = 0;
      FieldErrors found;
      for (const Schema* schema : facets.all_of) {
        const Attempt made = attempt(*schema, value, path);
        valid += made.errors.empty() ? 1 : 0;
        found.add(made.errors);
      }
      if (valid != facets.all_of.size()) {
        errors_.add(found);
        pathless(quoted + "validate all the schemas (allOf)" + (valid == 0 ? ". None validated" : ""));
      }
    }
    if (facets.none_of && attempt(*facets.none_of, value, path).errors.empty())
      pathless(quoted + "not validate the schema (not)");
  }

  // An object of its own inside of another.
  void check_embedded(const Json& value, const std::string& path) {
    for (const std::string_view key : {"apiVersion", "kind"}) {
      const Json* said = value.find(key);
      if (!said || said->is_null()) {
        errors_.required(at_field(path, key), "must not be empty");
      } else if (said->is_string() && said->as_string().empty()) {
        errors_.invalid(at_field(path, key), "", "must not be empty");
      }
    }
    const std::string_view version = value["apiVersion"].as_string();
    if (std::count(version.begin(), version.end(), '/') > 1) {
      errors_.invalid(at_field(path, "apiVersion"), version,
                      "unexpected GroupVersion string: " + std::string(version));
    }
    std::string kind(value["kind"].as_string());
    for (char& c : kind) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (!kind.empty()) {
      for (const std::string& one : check_dns1035_label(kind)) {
        errors_.invalid(at_field(path, "kind"), value["kind"],
                        "may have mixed case, but should otherwise match: " + one);
      }
    }
    const FieldView metadata(value["metadata"], at_field(path, "metadata"), errors_);
    if (!metadata.value().is_object()) return;
    if (metadata["name"].given()) metadata["name"].messages(check_path_segment(metadata["name"].text()));
    validate_labels(metadata["labels"]);
  }

  void check_members(const Schema& schema, const Json& value, const Json* old, const std::string& path) {
    if (schema.embedded_resource()) check_embedded(value, path);
    for (const auto& [key, member] : value.members()) {
      const Field* field = schema.field(key);
      const Schema* inner = schema.member(key);
      if (!inner || inner->name().ends_with(".meta.v1.ObjectMeta")) continue;
      // An explicit null counts as absent.
      if (member.is_null() && !inner->nullable()) {
        if (field && field->required) errors_.required(at_field(path, key));
        continue;
      }
      // Map keys are bracketed only in the paths of rules.
      walk(*inner, member, old_member(old, key), at_field(path, key));
    }
    if (schema.facets() && !schema.facets()->required.empty()) return;  // looked at with the facets
    for (const Field& field : schema.fields()) {
      if (field.required && !value.contains(field.name)) errors_.required(at_field(path, field.name));
    }
  }

  void check_elements(const Schema& schema, const Json& value, const Json* old, const std::string& path) {
    std::size_t index = 0;
    for (const Json& element : value.elements())
      walk(schema.items(), element, old_element(schema, old, element), at_index(path, index++));
  }

  FieldErrors& errors_;
  std::size_t& budget_;
  std::size_t visited_ = 0;
};

// Elements of sets and maps that are there twice.
class ListCheck {
 public:
  explicit ListCheck(FieldErrors& errors) : errors_(errors) {}

  void walk(const Schema& schema, const Json& value, const std::string& path) {
    if (value.is_object()) {
      for (const auto& [key, member] : value.members()) {
        const Schema* inner = schema.member(key);
        if (inner && !inner->name().ends_with(".meta.v1.ObjectMeta"))
          walk(*inner, member, at_field(path, key));
      }
    }
    if (!value.is_array() || !schema.is(SchemaKind::List)) return;
    if (schema.list_type() != ListType::Atomic) duplicates(schema, value, path);
    std::size_t index = 0;
    for (const Json& element : value.elements()) walk(schema.items(), element, at_index(path, index++));
  }

 private:
  void duplicates(const Schema& schema, const Json& value, const std::string& path) {
    std::set<std::string> seen, reported;
    std::size_t index = 0;
    for (const Json& element : value.elements()) {
      const std::string place = at_index(path, index++);
      const Json identity = schema.list_type() == ListType::Map ? list_identity(schema, element) : element;
      const std::string text = identity.dump();
      if (!seen.insert(text).second && reported.insert(text).second) report(place, identity);
    }
  }

  void report(const std::string& place, const Json& identity) {
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

void validate_custom(const Schema& schema, const Json& value, const Json* old, const std::string& path,
                     FieldErrors& errors) {
  std::size_t budget = 50'000'000;
  CustomValidator(errors, budget).walk(schema, value, old, path);
}

void validate_custom_lists(const Schema& schema, const Json& value, const Json* old, FieldErrors& errors) {
  if (old) {
    FieldErrors before;
    ListCheck(before).walk(schema, *old, "");
    if (!before.empty()) return;  // what was wrong already may stay
  }
  ListCheck(errors).walk(schema, value, "");
}

}  // namespace flotilla::api
