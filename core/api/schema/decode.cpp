// SPDX-License-Identifier: Apache-2.0
#include "core/api/schema/decode.hpp"

#include <cmath>
#include <limits>

#include "core/api/quantity.hpp"
#include "core/base/base64.hpp"
#include "core/base/clock.hpp"

namespace flotilla::api {
namespace {

// Where the decoder is: "spec.containers[0].image" for people, "spec.containers.image" for Go's messages.
struct Place {
  const Schema* owner = nullptr;  // the struct that declares the field
  std::string go;
  std::string path;

  Place member(const Schema* new_owner, std::string_view name) const {
    Place next = *this;
    next.owner = new_owner ? new_owner : owner;
    if (new_owner) next.go += (go.empty() ? "" : ".") + std::string(name);
    next.path += (path.empty() ? "" : ".") + std::string(name);
    return next;
  }
  Place element(std::size_t index) const {
    Place next = *this;
    next.path += "[" + std::to_string(index) + "]";
    return next;
  }
};

std::string_view short_name(std::string_view name) {
  return name.substr(name.rfind('.') + 1);
}

// "v1.Container" of io.k8s.api.core.v1.Container.
std::string_view package_name(std::string_view name) {
  const std::size_t last = name.rfind('.');
  if (last == name.npos) return name;
  const std::size_t before = name.rfind('.', last - 1);
  return name.substr(before == name.npos ? 0 : before + 1);
}

std::string go_type(const Schema& schema) {
  switch (schema.kind()) {
    case SchemaKind::Struct:
      return std::string(package_name(schema.name()));
    case SchemaKind::List:
      return "[]" + go_type(schema.items());
    case SchemaKind::Map:
      return "map[string]" + go_type(schema.items());
    case SchemaKind::String:
      return schema.format() == "byte" ? "[]uint8" : "string";
    case SchemaKind::Integer:
      return schema.format() == "int32" ? "int32" : "int64";
    case SchemaKind::Number:
      return "float64";
    case SchemaKind::Boolean:
      return "bool";
    default:
      return "string";
  }
}

std::string_view json_type(const Json& value) {
  switch (value.type()) {
    case Json::Type::Bool:
      return "bool";
    case Json::Type::Int:
    case Json::Type::Float:
      return "number";
    case Json::Type::String:
      return "string";
    case Json::Type::Array:
      return "array";
    case Json::Type::Object:
      return "object";
    default:
      return "null";
  }
}

bool is_zero(const Json& value) {
  switch (value.type()) {
    case Json::Type::Null:
      return true;
    case Json::Type::Bool:
      return !value.as_bool();
    case Json::Type::Int:
    case Json::Type::Float:
      return value.as_double() == 0;
    case Json::Type::String:
      return value.as_string().empty();
    default:
      return value.empty();
  }
}

Json zero_of(const Schema& schema) {
  switch (schema.kind()) {
    case SchemaKind::String:
      return "";
    case SchemaKind::Integer:
    case SchemaKind::Number:
    case SchemaKind::IntOrString:
      return 0;
    case SchemaKind::Boolean:
      return false;
    case SchemaKind::Quantity:
      return "0";
    case SchemaKind::Struct:
      return Json::object();
    default:
      return nullptr;
  }
}

bool zero_default(const Field& field) {
  return field.default_text == "\"\"" || field.default_text == "0" || field.default_text == "false";
}

class Decoder {
 public:
  Decoder(bool check, std::vector<std::string>* problems) : check_(check), problems_(problems) {}

  // One value in place. `error_` is set by the first wrong type.
  void value(const Schema& schema, Json& json, const Place& at) {
    if (failed() || json.is_null()) return;
    switch (schema.kind()) {
      case SchemaKind::Struct:
        return json.is_object() ? structure(schema, json, at) : wrong(schema, json, at);
      case SchemaKind::Map:
        return json.is_object() ? map(schema, json, at) : wrong(schema, json, at);
      case SchemaKind::List:
        return json.is_array() ? list(schema, json, at) : wrong(schema, json, at);
      case SchemaKind::Any:
        return;
      default:
        return scalar(schema, json, at);
    }
  }

  bool failed() const { return !error_.empty(); }
  const std::string& error() const { return error_; }

 private:
  void structure(const Schema& schema, Json& json, const Place& at) {
    std::vector<std::string> unknown;
    for (const std::string& key : json.keys()) {
      const Field* field = schema.field(key);
      if (!field) {
        if (schema.preserve_unknown()) continue;
        unknown.push_back(key);
        json.erase(key);
        continue;
      }
      Json& member = *json.find(key);
      value(*field->schema, member, at.member(&schema, key));
      if (failed()) return;
    }
    if (problems_) {
      for (const std::string& key : unknown)
        problems_->push_back("unknown field \"" + at.member(nullptr, key).path + "\"");
    }
    for (const Field& field : schema.fields()) settle(field, json);
  }

  // A field's presence as Go's encoder would have it.
  static void settle(const Field& field, Json& json) {
    Json* member = json.find(field.name);
    const Schema& schema = *field.schema;
    const bool absent = !member || member->is_null();
    if (field.always_present()) {
      if (absent) {
        Json empty = zero_of(schema);
        if (schema.is(SchemaKind::Struct)) {
          for (const Field& inner : schema.fields()) settle(inner, empty);
        }
        json.set(field.name, std::move(empty));
      }
      return;
    }
    if (field.required || field.always_written || zero_default(field)) {
      if (!absent) return;
      if (schema.is_scalar() && zero_default(field)) {
        json.set(field.name, zero_of(schema));
      } else if (!member) {
        json.set(field.name, nullptr);
      }
      return;
    }
    if (!member) return;
    const bool keeps_zero = field.pointer || schema.is(SchemaKind::Struct) || schema.is(SchemaKind::Any) ||
                            schema.is(SchemaKind::IntOrString) || schema.is(SchemaKind::Quantity);
    // No policies at all is a statement, and an error later; absent ones get their default.
    const bool says_none =
        schema.is(SchemaKind::List) && schema.items().name().ends_with(".HPAScalingPolicy");
    if (absent || (!keeps_zero && !says_none && is_zero(*member))) json.erase(field.name);
  }

  void map(const Schema& schema, Json& json, const Place& at) {
    const Schema& items = schema.items();
    for (const std::string& key : json.keys()) {
      Json& member = *json.find(key);
      if (member.is_null()) {
        member = zero_of(items);
        if (!items.is(SchemaKind::Struct)) continue;
      }
      value(items, member, at.member(nullptr, key));
      if (failed()) return;
    }
  }

  void list(const Schema& schema, Json& json, const Place& at) {
    std::size_t index = 0;
    for (Json& element : json.elements()) {
      if (element.is_null()) element = zero_of(schema.items());
      value(schema.items(), element, at.element(index++));
      if (failed()) return;
    }
  }

  void scalar(const Schema& schema, Json& json, const Place& at) {
    switch (schema.kind()) {
      case SchemaKind::String:
        if (!json.is_string()) return wrong(schema, json, at);
        return schema.format() == "byte" ? bytes(json) : void();
      case SchemaKind::Boolean:
        return json.is_bool() ? void() : wrong(schema, json, at);
      case SchemaKind::Integer:
        return integer(schema, json, at);
      case SchemaKind::Number:
        return json.is_number() ? void() : wrong(schema, json, at);
      case SchemaKind::IntOrString:
        if (json.is_string() || json.is_int()) return;
        return json.is_number() ? wrong_value(json.dump(), "int32") : wrong(schema, json, at);
      case SchemaKind::Quantity:
        return quantity(json);
      case SchemaKind::Time:
      case SchemaKind::MicroTime:
        return time(schema, json, at);
      default:
        return;
    }
  }

  void integer(const Schema& schema, Json& json, const Place& at) {
    if (!json.is_number()) return wrong(schema, json, at);
    const double as_double = json.as_double();
    if (!json.is_int()) {
      if (as_double != std::floor(as_double) || std::fabs(as_double) > 9e15)
        return wrong(schema, json, at, true);
      json = json.as_int();
    }
    const std::int64_t whole = json.as_int();
    if (schema.format() == "int32" && (whole > std::numeric_limits<std::int32_t>::max() ||
                                       whole < std::numeric_limits<std::int32_t>::min())) {
      wrong(schema, json, at, true);
    }
  }

  void quantity(Json& json) {
    auto parsed = Quantity::from_json(json);
    if (parsed) {
      json = parsed->to_string();
    } else if (check_) {
      error_ = parsed.error().message();
    }
  }

  void time(const Schema& schema, Json& json, const Place& at) {
    if (!json.is_string()) return wrong(schema, json, at);
    auto parsed = parse_time(json.as_string());
    if (parsed) {
      json = schema.is(SchemaKind::MicroTime) ? format_micro_time(*parsed) : format_time(*parsed);
      return;
    }
    if (!check_) return;
    const std::string layout =
        schema.is(SchemaKind::MicroTime) ? "2006-01-02T15:04:05.000000Z07:00" : "2006-01-02T15:04:05Z07:00";
    const std::string text(json.as_string());
    error_ = "parsing time \"" + text + "\" as \"" + layout + "\": cannot parse \"" + text + "\" as \"2006\"";
  }

  void bytes(Json& json) {
    std::size_t bad_at = 0;
    if (!base64_decode(json.as_string(), &bad_at) && check_) {
      error_ = "illegal base64 data at input byte " + std::to_string(bad_at);
    }
  }

  void wrong(const Schema& schema, const Json& json, const Place& at, bool with_value = false) {
    if (!check_) return;
    error_ = "json: cannot unmarshal " + std::string(json_type(json)) +
             (with_value ? " " + json.dump() : "") + " into Go ";
    if (at.owner) {
      error_ += "struct field " + std::string(short_name(at.owner->name())) + "." + at.go;
    } else {
      error_ += "value";
    }
    error_ += " of type " + go_type(schema);
  }

  void wrong_value(const std::string& text, std::string_view type) {
    if (check_)
      error_ = "json: cannot unmarshal number " + text + " into Go value of type " + std::string(type);
  }

  bool check_;
  std::vector<std::string>* problems_;
  std::string error_;
};

// Custom resources: drops what the schema does not declare.
void prune(const Schema& schema, Json& json, const std::string& path, std::vector<std::string>& problems) {
  const auto inside = [&](std::string_view key) {
    return (path.empty() ? "" : path + ".") + std::string(key);
  };
  if (json.is_array() && schema.is(SchemaKind::List)) {
    std::size_t index = 0;
    for (Json& element : json.elements()) {
      prune(schema.items(), element, path + "[" + std::to_string(index++) + "]", problems);
    }
  }
  if (!json.is_object() || (schema.is(SchemaKind::Any) && schema.preserve_unknown())) return;
  for (const std::string& key : json.keys()) {
    const Schema* member = schema.member(key);
    if (member && !member->nullable() && json.find(key)->is_null()) {
      json.erase(key);  // what may not be null is unset, and may get its default
    } else if (member) {
      const bool metadata = key == "metadata" && member->name().ends_with(".meta.v1.ObjectMeta");
      if (!metadata) prune(*member, *json.find(key), inside(key), problems);
    } else if (!schema.preserve_unknown()) {
      problems.push_back("unknown field \"" + inside(key) + "\"");
      json.erase(key);
    }
  }
}

Result<Decoded> decode_custom(const Schema& schema, Json body, std::vector<std::string> problems) {
  static const Schema* const meta =
      TypeSet::builtin().find("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
  if (Json* metadata = body.find("metadata")) {
    Decoder decoder(true, &problems);
    decoder.value(*meta, *metadata, Place{nullptr, "", "metadata"});
    if (decoder.failed()) return bad_request(decoder.error());
    if (metadata->is_object() && (*std::as_const(*metadata).find("creationTimestamp")).is_null()) {
      metadata->erase("creationTimestamp");
    }
  }
  prune(schema, body, "", problems);
  return Decoded{std::move(body), std::move(problems)};
}

}  // namespace

Result<Decoded> decode(const Schema& schema, Json body, const DecodeOptions& options) {
  std::vector<std::string> problems;
  if (!options.typed) {
    auto decoded = decode_custom(schema, std::move(body), std::move(problems));
    if (!decoded) return decoded;
    problems = std::move(decoded->problems);
    body = std::move(decoded->object);
  } else {
    Decoder decoder(true, &problems);
    decoder.value(schema, body, Place{});
    if (decoder.failed()) return bad_request(decoder.error());
  }
  if (options.duplicates) {
    for (const std::string& path : *options.duplicates)
      problems.push_back("duplicate field \"" + path + "\"");
  }
  return Decoded{std::move(body), std::move(problems)};
}

void normalise(const Schema& schema, Json& value) {
  Decoder decoder(false, nullptr);
  decoder.value(schema, value, Place{});
}

std::string strict_decoding_error(const std::vector<std::string>& problems) {
  std::string text = "strict decoding error: ";
  for (const std::string& one : problems) {
    if (&one != &problems.front()) text += ", ";
    text += one;
  }
  return text;
}

}  // namespace flotilla::api
