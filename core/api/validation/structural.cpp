// SPDX-License-Identifier: Apache-2.0
// Structural schemas (k8s-api 9.3): every node says its type, junctors only restrict values.
#include "core/api/validation/structural.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "core/api/schema/schema.hpp"
#include "core/api/validation/patterns.hpp"
#include "core/api/validation/validation.hpp"

namespace flotilla::api::validation {
namespace {

enum class Level { Root, Item, Field };

constexpr std::string_view kListType = "x-kubernetes-list-type", kMapType = "x-kubernetes-map-type",
                           kListKeys = "x-kubernetes-list-map-keys",
                           kPreserve = "x-kubernetes-preserve-unknown-fields",
                           kEmbedded = "x-kubernetes-embedded-resource",
                           kIntOrString = "x-kubernetes-int-or-string", kRules = "x-kubernetes-validations";

void bad(const FieldView& field, const Json& value, std::string_view detail) {
  field.errors().invalid(field.path(), value, detail);
}

void need(const FieldView& field, std::string_view detail) {
  field.errors().required(field.path(), detail);
}

FieldView keyed(const FieldView& map, std::string_view key, const Json& value) {
  return {value, at_key(map.path(), key), map.errors()};
}

// The type is said, and is what an extension wants.
void need_type(const FieldView& schema, std::string_view type, const std::string& detail) {
  const FieldView field = schema["type"];
  if (field.text() == type) return;
  if (field.given()) {
    bad(field, field.value(), detail);
  } else {
    need(field, detail);
  }
}

// What no schema may say, at any place.
class PlainCheck {
 public:
  // Where a node stands: in the metadata of an object, and whether defaults are forbidden there, and why.
  struct Place {
    bool root = false, in_meta = false;
    std::string no_default = {};
  };

  void node(const FieldView& schema, const Place& place) {
    unsupported(schema, place);
    if (schema["uniqueItems"].value().as_bool()) {
      schema["uniqueItems"].forbid(
          "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
    }
    const FieldView additional = schema["additionalProperties"];
    const bool open =
        additional.value().is_null() || (additional.value().is_bool() && additional.value().as_bool());
    if (!open && schema["properties"].filled())
      additional.forbid("additionalProperties and properties are mutual exclusive");
    children(schema, place);
    extensions(schema);
    list_keys(schema);
    rules(schema);
    not_nullable(schema);
  }

  // Whether a structural schema can be made of it.
  bool convertible() const { return convertible_; }

 private:
  void unsupported(const FieldView& schema, const Place& place) {
    const FieldView type = schema["type"];
    if (type.given()) type.one_of({"array", "boolean", "integer", "number", "object", "string"});
    if (!place.no_default.empty() && !schema["default"].value().is_null())
      schema["default"].forbid("must not be set " + place.no_default);
    for (const std::string_view name :
         {"id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"}) {
      if (schema[name].value().is_null()) continue;
      schema[name].forbid(std::string(name) + " is not supported");
      convertible_ = false;
    }
    if (type.text() == "null") type.forbid("type cannot be set to null, use nullable as an alternative");
    if (schema["items"].value().is_array()) {
      schema["items"].forbid("items must be a schema object and not an array");
      convertible_ = false;
    }
    if (place.in_meta && schema[kEmbedded].value().as_bool())
      schema[kEmbedded].forbid("must not be used inside of resource meta");
  }

  static void extensions(const FieldView& schema) {
    const FieldView preserve = schema[kPreserve], list = schema[kListType], map = schema[kMapType];
    if (preserve.value().is_bool() && !preserve.value().as_bool())
      preserve.invalid("must be true or undefined");
    if (map.given()) {
      need_type(schema, "object", "must be object if x-kubernetes-map-type is specified");
      map.one_of({"atomic", "granular"});
    }
    if (!list.given()) return;
    need_type(schema, "array", "must be array if x-kubernetes-list-type is specified");
    if (schema["type"].text() == "array") set_items(schema);
    list.one_of({"atomic", "set", "map"});
  }

  static void list_keys(const FieldView& schema) {
    const FieldView list = schema[kListType], keys = schema[kListKeys], items = schema["items"];
    if (keys.filled() && list.text() != "map") {
      constexpr std::string_view kWant = "must be map if x-kubernetes-list-map-keys is non-empty";
      list.given() ? bad(list, list.value(), kWant) : need(list, kWant);
    }
    if (list.text() != "map") return;
    if (!keys.filled()) need(keys, "must not be empty if x-kubernetes-list-type is map");
    if (!items.value().is_object()) return need(items, "must have a schema if x-kubernetes-list-type is map");
    if (items["type"].text() != "object") {
      return bad(items["type"], items["type"].text(),
                 "must be object if parent array's x-kubernetes-list-type is map");
    }
    const auto all = [&](std::string_view detail) {
      keys.errors().add_literal("FieldValueInvalid", keys.path(),
                                "Invalid value: " + go_strings(keys.value()) + ": " + std::string(detail));
    };
    std::set<std::string_view> seen;
    for (const FieldView& key : keys.each()) {
      const Json* property = items["properties"].value().find(key.text());
      if (property) {
        const FieldView type = keyed(items["properties"], key.text(), *property)["type"];
        // The value shown is that of the items, as in Kubernetes.
        if (type.text() == "array" || type.text() == "object")
          bad(type, "object", "must be a scalar type if parent array's x-kubernetes-list-type is map");
      } else {
        all("entries must all be names of item properties");
      }
      if (!seen.insert(key.text()).second) all("must not contain duplicate entries");
    }
  }

  static void set_items(const FieldView& schema) {
    const FieldView items = schema["items"];
    if (schema[kListType].text() != "set" || !items.value().is_object()) return;
    constexpr std::string_view kAtomic = "must be atomic as item of a list with x-kubernetes-list-type=set";
    const std::string_view type = items["type"].text();
    const FieldView inner = items[type == "array" ? kListType : kMapType];
    if (type == "array" && inner.given() && inner.text() != "atomic") bad(inner, inner.value(), kAtomic);
    if (type == "object" && inner.text() != "atomic") bad(inner, items[kListType].value(), kAtomic);
  }

  // Members that are found by their keys have to be there and to have them.
  static void not_nullable(const FieldView& schema) {
    const FieldView items = schema["items"];
    const std::string_view list = schema[kListType].text();
    if (!items.value().is_object() || (list != "set" && list != "map")) return;
    if (items["nullable"].value().as_bool())
      items["nullable"].forbid("cannot be nullable when x-kubernetes-list-type is " + std::string(list));
    if (list == "set") return;
    const auto required = items["required"].value().elements();
    for (const FieldView& key : schema[kListKeys].each()) {
      const Json* property = items["properties"].value().find(key.text());
      if (!property) continue;
      const FieldView one = keyed(items["properties"], key.text(), *property);
      if ((*property)["default"].is_null() &&
          std::find(required.begin(), required.end(), key.value()) == required.end()) {
        need(one["default"],
             "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required "
             "property");
      }
      if (one["nullable"].value().as_bool())
        one["nullable"].forbid("this property is in x-kubernetes-list-map-keys, so it cannot be nullable");
    }
  }

  // How rules are written; what they mean is for those who know the language.
  static void rules(const FieldView& schema) {
    const auto trimmed = [](std::string_view text) {
      while (!text.empty() && std::string_view(" \t\r\n").find(text.front()) != std::string_view::npos)
        text.remove_prefix(1);
      while (!text.empty() && std::string_view(" \t\r\n").find(text.back()) != std::string_view::npos)
        text.remove_suffix(1);
      return text;
    };
    for (const FieldView& one : schema[kRules].each()) {
      const std::string_view rule = trimmed(one["rule"].text()), message = trimmed(one["message"].text());
      const FieldView said = one["message"];
      if (rule.empty()) {
        need(one["rule"], "rule is not specified");
      } else if (said.given() && message.empty()) {
        said.invalid("message must be non-empty if specified");
      } else if (message.find('\n') != message.npos) {
        said.invalid("message must not contain line breaks");
      } else if (rule.find('\n') != rule.npos && message.empty()) {
        need(said, "message must be specified if rule contains line breaks");
      }
      const FieldView expression = one["messageExpression"];
      if (expression.given() && trimmed(expression.text()).empty())
        need(expression, "messageExpression must be non-empty if specified");
      const FieldView reason = one["reason"];
      if (!reason.value().is_null()) {
        reason.one_of(
            {"FieldValueRequired", "FieldValueForbidden", "FieldValueInvalid", "FieldValueDuplicate"});
      }
    }
  }

  void children(const FieldView& schema, const Place& place) {
    Place inner = place;
    inner.root = false;
    if (schema["additionalProperties"].value().is_object()) {
      Place additional = inner;
      if (place.in_meta) additional.no_default = "inside additionalProperties applying to object metadata";
      node(schema["additionalProperties"], additional);
    }
    const bool object = place.root || schema[kEmbedded].value().as_bool();
    for (const auto& [name, value] : schema["properties"].value().members()) {
      Place below = inner;
      if (object && (name == "metadata" || name == "kind" || name == "apiVersion")) {
        below.in_meta = true;
        if (place.root) below.no_default = "in top-level " + std::string(name);
      }
      node(keyed(schema["properties"], name, value), below);
    }
    if (schema["not"].value().is_object()) node(schema["not"], inner);
    for (const std::string_view list : {"allOf", "oneOf", "anyOf"}) {
      for (const FieldView& one : schema[list].each()) node(one, inner);
    }
    if (schema["items"].value().is_object()) node(schema["items"], inner);
  }

  bool convertible_ = true;
};

// anyOf: [{type: integer}, {type: string}]
bool is_int_or_string(const Json& any_of) {
  return any_of.size() == 2 && any_of.element(0) == Json::object({{"type", "integer"}}) &&
         any_of.element(1) == Json::object({{"type", "string"}});
}

class StructuralCheck {
 public:
  void node(const FieldView& schema, Level level) {
    if (schema["type"].text() == "array" && schema["items"].value().is_null())
      need(schema["items"], "must be specified");
    pattern(schema["pattern"]);
    if (schema["items"].value().is_object()) node(schema["items"], Level::Item);
    for (const auto& [name, value] : schema["properties"].value().members())
      node(keyed(schema["properties"], name, value), Level::Field);
    const FieldView additional = schema["additionalProperties"];
    if (!additional.value().is_null() && level == Level::Root)
      additional.forbid("must not be used at the root");
    if (additional.value().is_object()) node(additional, Level::Field);
    exclusive(schema);
    junctors(schema);
    embedded_and_type(schema, level);
    if (level == Level::Root || schema[kEmbedded].value().as_bool()) type_fields(schema, level);
  }

  // What a junctor speaks of has to be declared outside.
  void complete(const FieldView& outside, const FieldView& inside) {
    for (const auto& [name, value] : inside["properties"].value().members()) {
      const FieldView place = keyed(inside["properties"], name, value);
      const Json* declared = outside["properties"].value().find(name);
      if (declared) {
        complete(keyed(outside["properties"], name, *declared), place);
      } else {
        need(keyed(outside["properties"], name, Json()), "because it is defined in " + place.path());
      }
    }
    if (inside["items"].value().is_object()) {
      if (outside["items"].value().is_object()) {
        complete(outside["items"], inside["items"]);
      } else {
        need(outside["items"], "because it is defined in " + inside["items"].path());
      }
    }
    each_junctor(inside, [&](const FieldView& one) { complete(outside, one); });
  }

 private:
  template <typename Visit>
  static void each_junctor(const FieldView& schema, const Visit& visit) {
    for (const std::string_view list : {"allOf", "anyOf", "oneOf"}) {
      for (const FieldView& one : schema[list].each()) visit(one);
    }
    if (schema["not"].value().is_object()) visit(schema["not"]);
  }

  static void exclusive(const FieldView& schema) {
    if (!schema[kIntOrString].value().as_bool()) return;
    for (const std::string_view other : {kPreserve, kEmbedded}) {
      if (schema[other].value().as_bool())
        bad(schema[other], schema[other].value(), "must be false if x-kubernetes-int-or-string is true");
    }
  }

  static void pattern(const FieldView& pattern) {
    if (!pattern.given()) return;
    const std::string problem = pattern_error(pattern.text());
    if (!problem.empty()) pattern.invalid("must be a valid regular expression, but isn't: " + problem);
  }

  void junctors(const FieldView& schema) {
    for (const std::string_view list : {"allOf", "anyOf", "oneOf"}) {
      if (list == "anyOf" && is_int_or_string(schema[list].value())) continue;
      bool first = true;
      for (const FieldView& one : schema[list].each()) {
        const bool allowed =
            list == "allOf" && first && one.value().size() == 1 && is_int_or_string(one["anyOf"].value());
        first = false;
        if (allowed) continue;
        nested(one);
        complete(schema, one);
      }
    }
    if (!schema["not"].value().is_object()) return;
    nested(schema["not"]);
    complete(schema, schema["not"]);
  }

  void nested(const FieldView& schema) {
    pattern(schema["pattern"]);
    if (schema["items"].value().is_object()) nested(schema["items"]);
    for (const auto& [name, value] : schema["properties"].value().members())
      nested(keyed(schema["properties"], name, value));
    for (const std::string_view name : {"type", "title", "description"}) {
      if (schema[name].given()) schema[name].forbid("must be empty to be structural");
    }
    for (const std::string_view name : {"additionalProperties", "default"}) {
      if (!schema[name].value().is_null()) schema[name].forbid("must be undefined to be structural");
    }
    for (const std::string_view name : {std::string_view("nullable"), kPreserve, kEmbedded, kIntOrString}) {
      if (schema[name].value().as_bool()) schema[name].forbid("must be false to be structural");
    }
    for (const std::string_view name : {kListKeys, kRules}) {
      if (schema[name].filled()) schema[name].forbid("must be empty to be structural");
    }
    for (const std::string_view name : {kListType, kMapType}) {
      if (schema[name].given()) schema[name].forbid("must be undefined to be structural");
    }
    if (schema["properties"].value().contains("metadata")) {
      schema.errors().forbidden(at_field(schema["properties"].path(), "metadata"),
                                "must not be specified in a nested context");
    }
    each_junctor(schema, [this](const FieldView& one) { nested(one); });
  }

  static void embedded_and_type(const FieldView& schema, Level level) {
    const FieldView type = schema["type"];
    const bool embedded = schema[kEmbedded].value().as_bool(), preserve = schema[kPreserve].value().as_bool();
    if (embedded && !preserve && !schema["properties"].filled()) {
      need(schema["properties"],
           "must not be empty if x-kubernetes-embedded-resource is true without "
           "x-kubernetes-preserve-unknown-fields");
    }
    if (embedded && type.text() != "object") {
      need_type(schema, "object", "must be object if x-kubernetes-embedded-resource is true");
    } else if (!type.given() && !schema[kIntOrString].value().as_bool() && !preserve) {
      need(type, level == Level::Root   ? "must not be empty at the root"
                 : level == Level::Item ? "must not be empty for specified array items"
                                        : "must not be empty for specified object fields");
    }
    if (embedded && !schema["additionalProperties"].value().is_null())
      schema["additionalProperties"].forbid("must not be used if x-kubernetes-embedded-resource is set");
    if (level == Level::Root && type.given() && type.text() != "object")
      type.invalid("must be object at the root");
  }

  // apiVersion, kind and metadata mean the same everywhere.
  static void type_fields(const FieldView& schema, Level level) {
    const FieldView properties = schema["properties"];
    for (const auto& [name, type] :
         {std::pair("apiVersion", "string"), std::pair("kind", "string"), std::pair("metadata", "object")}) {
      const Json* declared = properties.value().find(name);
      if (!declared) continue;
      const FieldView field = keyed(properties, name, *declared)["type"];
      if (field.text() != type) bad(field, field.text(), "must be " + std::string(type));
    }
    const Json* metadata = properties.value().find("metadata");
    if (!metadata || level != Level::Root) return;
    const FieldView view = keyed(properties, "metadata", *metadata);
    bool more = false;
    for (const auto& [name, value] : (*metadata)["properties"].members())
      more = more || (name != "name" && name != "generateName");
    for (const auto& [name, value] : metadata->members())
      more = more || (name != "type" && name != "properties" && name != "default" && !value.is_null());
    if (more)
      view.forbid(
          "must not specify anything other than name and generateName, but metadata is implicitly specified");
  }
};

// Defaults have to obey the schema they stand in.
void validate_defaults(const FieldView& schema) {
  const FieldView preset = schema["default"];
  if (!preset.value().is_null()) {
    auto made = read_custom_schema(
        Json::object({{"type", "object"}, {"properties", Json::object({{"x", schema.value()}})}}));
    if (made) {
      FieldErrors found;
      validate_custom(*made->root->field("x")->schema, preset.value(), nullptr, "", found);
      for (const Cause& one : found.causes()) {
        preset.errors().add_literal(
            one.reason, one.field.empty() ? preset.path() : at_field(preset.path(), one.field), one.message);
      }
    }
  }
  for (const auto& [name, value] : schema["properties"].value().members())
    validate_defaults(keyed(schema["properties"], name, value));
  for (const std::string_view name : {"items", "additionalProperties"}) {
    if (schema[name].value().is_object()) validate_defaults(schema[name]);
  }
}

}  // namespace

void validate_structural(const FieldView& root) {
  PlainCheck plain;
  plain.node(root, {.root = true});
  if (!plain.convertible()) return;
  FieldErrors found;
  StructuralCheck().node(FieldView(root.value(), root.path(), found), Level::Root);
  if (found.empty()) return validate_defaults(root);
  std::vector<Cause> causes = found.causes();
  std::sort(causes.begin(), causes.end(), [](const Cause& a, const Cause& b) {
    return a.field + ": " + a.message < b.field + ": " + b.message;
  });
  for (const Cause& one : causes) root.errors().add_literal(one.reason, one.field, one.message);
}

}  // namespace flotilla::api::validation
