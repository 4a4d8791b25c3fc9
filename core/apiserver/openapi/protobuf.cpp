// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/openapi/protobuf.hpp"

#include <cstring>
#include <initializer_list>

namespace flotilla::apiserver {
namespace {

using api::Json;

constexpr unsigned kVarint = 0, kFixed64 = 1, kBytes = 2;

// One message that is being written.
class Message {
 public:
  void bytes(unsigned field, std::string_view value) {
    key(field, kBytes);
    varint(value.size());
    out_.append(value);
  }
  void message(unsigned field, const Message& value) { bytes(field, value.out_); }
  // Nothing for what is empty: the reader cannot tell the difference.
  void text(unsigned field, std::string_view value) {
    if (!value.empty()) bytes(field, value);
  }
  void flag(unsigned field, bool value) {
    if (value) number(field, 1);
  }
  void number(unsigned field, std::uint64_t value) {
    key(field, kVarint);
    varint(value);
  }
  void real(unsigned field, double value) {
    key(field, kFixed64);
    std::uint64_t bits = 0;
    static_assert(sizeof bits == sizeof value);
    std::memcpy(&bits, &value, sizeof bits);
    for (int shift = 0; shift < 64; shift += 8) out_ += static_cast<char>(bits >> shift & 0xff);
  }
  const std::string& data() const { return out_; }

 private:
  void key(unsigned field, unsigned wire) { varint(field << 3 | wire); }
  void varint(std::uint64_t value) {
    while (value > 0x7f) {
      out_ += static_cast<char>((value & 0x7f) | 0x80);
      value >>= 7;
    }
    out_ += static_cast<char>(value);
  }

  std::string out_;
};

Message named(std::string_view name, const Message& value) {
  Message out;
  out.text(1, name);
  out.message(2, value);
  return out;
}

// Any: YAML, of which JSON is a part.
Message any(const Json& value) {
  Message out;
  out.text(2, value.dump() + "\n");
  return out;
}

void extensions(const Json& from, unsigned field, Message& out) {
  for (const auto& [name, value] : from.members()) {
    if (name.starts_with("x-")) out.message(field, named(name, any(value)));
  }
}

Message schema(const Json& from);

void schema_numbers(const Json& from, Message& out) {
  struct Entry {
    std::string_view name;
    unsigned field;
  };
  for (const auto& [name, field] :
       std::initializer_list<Entry>{{"multipleOf", 6}, {"maximum", 7}, {"minimum", 9}}) {
    if (const Json* value = from.find(name)) out.real(field, value->as_double());
  }
  for (const auto& [name, field] : std::initializer_list<Entry>{{"maxLength", 11},
                                                                {"minLength", 12},
                                                                {"maxItems", 14},
                                                                {"minItems", 15},
                                                                {"maxProperties", 17},
                                                                {"minProperties", 18}}) {
    if (const Json* value = from.find(name)) out.number(field, static_cast<std::uint64_t>(value->as_int()));
  }
  out.flag(8, from["exclusiveMaximum"].as_bool());
  out.flag(10, from["exclusiveMinimum"].as_bool());
  out.flag(16, from["uniqueItems"].as_bool());
}

Message schema(const Json& from) {
  Message out;
  out.text(1, from["$ref"].as_string());
  out.text(2, from["format"].as_string());
  out.text(3, from["title"].as_string());
  out.text(4, from["description"].as_string());
  if (const Json* preset = from.find("default")) out.message(5, any(*preset));
  schema_numbers(from, out);
  out.text(13, from["pattern"].as_string());
  for (const Json& name : from["required"].elements()) out.bytes(19, name.as_string());
  for (const Json& value : from["enum"].elements()) out.message(20, any(value));
  if (const Json& additional = from["additionalProperties"]; additional.is_object()) {
    Message item;
    item.message(1, schema(additional));
    out.message(21, item);
  } else if (additional.is_bool()) {
    Message item;
    item.number(2, additional.as_bool() ? 1 : 0);
    out.message(21, item);
  }
  if (from["type"].is_string()) {
    Message type;
    type.bytes(1, from["type"].as_string());
    out.message(22, type);
  }
  if (from["items"].is_object()) {
    Message items;
    items.message(1, schema(from["items"]));
    out.message(23, items);
  }
  if (!from["properties"].empty()) {
    Message properties;
    for (const auto& [name, value] : from["properties"].members())
      properties.message(1, named(name, schema(value)));
    out.message(25, properties);
  }
  extensions(from, 31, out);
  return out;
}

// ParametersItem: a body, or a string in the query or the path.
Message parameter(const Json& from) {
  const std::string_view in = from["in"].as_string();
  Message inner, kind;
  if (in == "body") {
    inner.text(2, from["name"].as_string());
    inner.text(3, in);
    inner.flag(4, from["required"].as_bool());
    inner.message(5, schema(from["schema"]));
    kind.message(1, inner);
  } else {
    const bool path = in == "path";
    inner.flag(1, from["required"].as_bool());
    inner.text(2, in);
    inner.text(4, from["name"].as_string());
    inner.text(path ? 5 : 6, from["type"].as_string());
    inner.flag(path ? 19 : 20, from["uniqueItems"].as_bool());
    Message sort;
    sort.message(path ? 4 : 3, inner);
    kind.message(2, sort);
  }
  Message item, out;
  item = kind;
  out.message(1, item);
  return out;
}

Message responses(const Json& from) {
  Message out;
  for (const auto& [code, value] : from.members()) {
    Message response, item, choice;
    response.text(1, value["description"].as_string());
    if (value["schema"].is_object()) {
      item.message(1, schema(value["schema"]));
      response.message(2, item);
    }
    choice.message(1, response);
    out.message(1, named(code, choice));
  }
  return out;
}

Message operation(const Json& from) {
  Message out;
  for (const Json& type : from["produces"].elements()) out.bytes(6, type.as_string());
  for (const Json& type : from["consumes"].elements()) out.bytes(7, type.as_string());
  for (const Json& one : from["parameters"].elements()) out.message(8, parameter(one));
  out.message(9, responses(from["responses"]));
  extensions(from, 13, out);
  return out;
}

Message path_item(const Json& from) {
  Message out;
  struct Method {
    std::string_view name;
    unsigned field;
  };
  for (const auto& [name, field] :
       std::initializer_list<Method>{{"get", 2}, {"put", 3}, {"post", 4}, {"delete", 5}, {"patch", 8}}) {
    if (from[name].is_object()) out.message(field, operation(from[name]));
  }
  for (const Json& one : from["parameters"].elements()) out.message(9, parameter(one));
  return out;
}

}  // namespace

ProtobufDocument::ProtobufDocument(std::string_view server_version) {
  Message info, head;
  info.text(1, "Kubernetes");
  info.text(2, server_version);
  head.text(1, "2.0");
  head.message(2, info);
  head_ = head.data();
}

void ProtobufDocument::path(std::string_view name, const Json& item) {
  Message one;
  one.message(2, named(name, path_item(item)));
  paths_ += one.data();
}

void ProtobufDocument::definition(std::string_view name, const Json& from) {
  Message one;
  one.message(1, named(name, schema(from)));
  definitions_ += one.data();
}

std::string ProtobufDocument::take() {
  Message out;
  out.bytes(8, paths_);
  out.bytes(9, definitions_);
  paths_ = {};
  definitions_ = {};
  return std::move(head_) + out.data();
}

}  // namespace flotilla::apiserver
