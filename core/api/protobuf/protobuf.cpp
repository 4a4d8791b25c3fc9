// SPDX-License-Identifier: Apache-2.0
#include "core/api/protobuf/protobuf.hpp"

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/api/object.hpp"
#include "core/api/schema/embedded.hpp"
#include "core/api/schema/registry.hpp"
#include "core/base/base64.hpp"
#include "core/base/clock.hpp"

namespace flotilla::api {
namespace {

constexpr std::string_view kMagic("k8s\0", 4);
constexpr int kMaxDepth = 200;
constexpr std::string_view kMeta = "k8s.io.apimachinery.pkg.apis.meta.v1.";
constexpr std::int64_t kGoZeroTime = -62135596800;
constexpr std::int64_t kYear10000 = 253402300800;

struct Message;

struct MessageField {
  std::string_view name;  // "-": the members belong to the message around it
  char scalar = 0;        // s, b, i, l, y, d; 0: a message
  bool repeated = false;
  bool map = false;
  std::string_view message_name;
  const Message* message = nullptr;
};

// How a message looks in JSON, where it is not an object of its fields.
enum class Form {
  Object,
  Time,
  MicroTime,
  Duration,
  Quantity,
  IntOrString,
  Raw,
  Items,
  OrArray,
  OrBool,
  OrStrings
};

struct Message {
  std::string_view name;
  Form form = Form::Object;
  std::unordered_map<std::uint32_t, MessageField> fields;
};

// JSON Schema's own names, which are none for protobuf.
std::string_view schema_name(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"schema", "$schema"},
      {"ref", "$ref"},
      {"xKubernetesPreserveUnknownFields", "x-kubernetes-preserve-unknown-fields"},
      {"xKubernetesEmbeddedResource", "x-kubernetes-embedded-resource"},
      {"xKubernetesIntOrString", "x-kubernetes-int-or-string"},
      {"xKubernetesListMapKeys", "x-kubernetes-list-map-keys"},
      {"xKubernetesListType", "x-kubernetes-list-type"},
      {"xKubernetesMapType", "x-kubernetes-map-type"},
      {"xKubernetesValidations", "x-kubernetes-validations"},
  };
  for (const auto& [theirs, json] : kNames) {
    if (theirs == name) return json;
  }
  return name;
}

Form form_of(std::string_view name) {
  if (name == std::string(kMeta) + "Time") return Form::Time;
  if (name == std::string(kMeta) + "MicroTime") return Form::MicroTime;
  if (name == std::string(kMeta) + "Duration") return Form::Duration;
  if (name.ends_with(".resource.Quantity")) return Form::Quantity;
  if (name.ends_with(".intstr.IntOrString")) return Form::IntOrString;
  if (name.ends_with(".RawExtension") || name.ends_with(".FieldsV1") || name.ends_with(".v1.JSON"))
    return Form::Raw;
  if (name.ends_with(".ExtraValue")) return Form::Items;
  if (name.ends_with("JSONSchemaPropsOrArray")) return Form::OrArray;
  if (name.ends_with("JSONSchemaPropsOrBool")) return Form::OrBool;
  if (name.ends_with("JSONSchemaPropsOrStringArray")) return Form::OrStrings;
  return Form::Object;
}

class Messages {
 public:
  static const Messages& builtin() {
    static const Messages messages(embedded::protobuf());
    return messages;
  }
  const Message* find(std::string_view name) const {
    const auto it = by_name_.find(name);
    return it == by_name_.end() ? nullptr : &it->second;
  }

 private:
  explicit Messages(std::string_view text) {
    Message* current = nullptr;
    while (!text.empty()) {
      const auto end = text.find('\n');
      const std::string_view line = text.substr(0, end);
      text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
      if (line.starts_with("m ")) {
        current = &by_name_[line.substr(2)];
        current->name = line.substr(2);
        current->form = form_of(current->name);
      } else if (line.starts_with(' ') && current != nullptr) {
        read_field(line.substr(1), *current);
      }
    }
    for (auto& [name, message] : by_name_) {
      for (auto& [number, field] : message.fields) {
        if (!field.message_name.empty()) field.message = find(field.message_name);
      }
    }
  }

  static void read_field(std::string_view line, Message& message) {
    std::uint32_t number = 0;
    const auto parsed = std::from_chars(line.data(), line.data() + line.size(), number);
    line.remove_prefix(static_cast<std::size_t>(parsed.ptr - line.data()) + 1);
    const auto space = line.find(' ');
    MessageField field;
    field.name = line.substr(0, space);
    if (message.name.ends_with(".JSONSchemaProps")) field.name = schema_name(field.name);
    std::string_view type = line.substr(space + 1);
    field.repeated = type.starts_with('[');
    field.map = type.starts_with('{');
    if (field.repeated || field.map) type = type.substr(1, type.size() - 2);
    if (type.starts_with('@')) {
      field.message_name = type.substr(1);
    } else {
      field.scalar = type.front();
    }
    message.fields.emplace(number, field);
  }

  std::unordered_map<std::string_view, Message> by_name_;
};

// One field as it stands in the bytes.
struct WireField {
  std::uint32_t number = 0;
  int type = 0;
  std::uint64_t value = 0;  // varint, fixed32, fixed64
  std::string_view bytes;   // length-delimited
};

bool read_varint(std::string_view& bytes, std::uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (bytes.empty()) return false;
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return false;
}

bool read_fixed(std::string_view& bytes, std::size_t size, std::uint64_t& value) {
  if (bytes.size() < size) return false;
  value = 0;
  std::memcpy(&value, bytes.data(), size);
  bytes.remove_prefix(size);
  return true;
}

bool read_wire(std::string_view& bytes, WireField& field) {
  std::uint64_t key = 0;
  if (!read_varint(bytes, key)) return false;
  field.number = static_cast<std::uint32_t>(key >> 3);
  field.type = static_cast<int>(key & 7);
  switch (field.type) {
    case 0:
      return read_varint(bytes, field.value);
    case 1:
      return read_fixed(bytes, 8, field.value);
    case 5:
      return read_fixed(bytes, 4, field.value);
    case 2: {
      std::uint64_t size = 0;
      if (!read_varint(bytes, size) || size > bytes.size()) return false;
      field.bytes = bytes.substr(0, size);
      bytes.remove_prefix(size);
      return true;
    }
    default:
      return false;
  }
}

Json scalar_of(char type, const WireField& wire) {
  switch (type) {
    case 's':
      return Json(wire.bytes);
    case 'b':
      return Json(wire.value != 0);
    case 'i':
      return Json(static_cast<std::int64_t>(static_cast<std::int32_t>(wire.value)));
    case 'l':
      return Json(static_cast<std::int64_t>(wire.value));
    case 'y':
      return Json(base64_encode(wire.bytes));
    default:
      break;
  }
  double number = 0;
  std::memcpy(&number, &wire.value, sizeof number);
  // As Go prints it: 9, not 9.0.
  constexpr double kExact = 9007199254740992.0;
  if (std::abs(number) < kExact && number == std::trunc(number))
    return Json(static_cast<std::int64_t>(number));
  return Json(number);
}

// Of any year that has four digits, which is more than WallTime has. Without micros when they are negative.
std::string rfc3339(std::chrono::sys_seconds time, std::int64_t micros) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  char text[96];
  int length =
      std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                    static_cast<int>(clock.seconds().count()));
  std::string out(text, static_cast<std::size_t>(length));
  if (micros >= 0) {
    length = std::snprintf(text, sizeof text, ".%06d", static_cast<int>(micros));
    out.append(text, static_cast<std::size_t>(length));
  }
  return out + "Z";
}

class Decoder {
 public:
  // Null where the bytes are not well formed; failed() tells.
  Json decode(const Message& message, std::string_view bytes) {
    if (++depth_ > kMaxDepth) failed_ = true;
    Json object = Json::object();
    WireField wire;
    while (!failed_ && !bytes.empty()) {
      if (!read_wire(bytes, wire)) {
        failed_ = true;
        break;
      }
      const auto field = message.fields.find(wire.number);
      if (field != message.fields.end()) take(field->second, wire, object);
    }
    --depth_;
    return shaped(message.form, std::move(object));
  }
  bool failed() const { return failed_; }

 private:
  Json value_of(const MessageField& field, const WireField& wire) {
    if (field.scalar != 0) return scalar_of(field.scalar, wire);
    if (field.message == nullptr || wire.type != 2) return Json();
    return decode(*field.message, wire.bytes);
  }

  void take(const MessageField& field, const WireField& wire, Json& object) {
    if (field.map) return take_entry(field, wire.bytes, object);
    if (field.repeated && wire.type == 2 && field.scalar != 0 && field.scalar != 's' && field.scalar != 'y') {
      return take_packed(field, wire.bytes, object);
    }
    Json value = value_of(field, wire);
    if (field.repeated) {
      object[field.name].push_back(std::move(value));
    } else if (field.name == "-") {
      for (const auto& [key, member] : std::as_const(value).members()) object.set(key, member);
    } else {
      object.set(field.name, std::move(value));
    }
  }

  void take_packed(const MessageField& field, std::string_view bytes, Json& object) {
    WireField one;
    while (!bytes.empty()) {
      if (!read_varint(bytes, one.value)) {
        failed_ = true;
        return;
      }
      object[field.name].push_back(scalar_of(field.scalar, one));
    }
  }

  void take_entry(const MessageField& field, std::string_view bytes, Json& object) {
    std::string_view key;
    Json value = field.scalar == 's' || field.scalar == 'y' ? Json("") : Json();
    WireField wire;
    while (!bytes.empty()) {
      if (!read_wire(bytes, wire)) {
        failed_ = true;
        return;
      }
      if (wire.number == 1) key = wire.bytes;
      if (wire.number == 2) value = value_of(field, wire);
    }
    object[field.name].set(key, std::move(value));
  }

  Json time_of(const Json& object, bool micro) {
    const std::int64_t seconds = object["seconds"].as_int();
    const std::int64_t nanos = object["nanos"].as_int();
    if (object.empty() || seconds == kGoZeroTime) return Json();
    if (seconds < kGoZeroTime || seconds >= kYear10000 || nanos < 0 || nanos > 999'999'999) {
      failed_ = true;
      return Json();
    }
    return Json(rfc3339(std::chrono::sys_seconds(std::chrono::seconds(seconds)), micro ? nanos / 1000 : -1));
  }

  Json shaped(Form form, Json object) {
    const Json& fixed = object;
    switch (form) {
      case Form::Object:
        return object;
      case Form::Time:
        return time_of(object, false);
      case Form::MicroTime:
        return time_of(object, true);
      case Form::Duration:
        return Json(format_duration(std::chrono::nanoseconds(fixed["duration"].as_int())));
      case Form::Quantity:
        return fixed["string"];
      case Form::IntOrString:
        return fixed["type"].as_int() == 0 ? Json(fixed["intVal"].as_int())
                                           : Json(fixed["strVal"].as_string());
      case Form::Items:
        return fixed["items"].is_array() ? fixed["items"] : Json::array();
      case Form::OrArray:
        return fixed["jSONSchemas"].is_array() ? fixed["jSONSchemas"] : fixed["schema"];
      case Form::OrBool:
        return fixed["schema"].is_object() ? fixed["schema"] : Json(fixed["allows"].as_bool());
      case Form::OrStrings:
        return fixed["property"].is_array() ? fixed["property"] : fixed["schema"];
      case Form::Raw:
        break;
    }
    std::string_view text;
    for (const auto& [key, value] : fixed.members()) text = value.as_string();
    const auto raw = base64_decode(text);
    auto parsed = raw ? Json::parse(*raw) : Result<Json>(Json());
    return parsed ? *std::move(parsed) : Json();
  }

  int depth_ = 0;
  bool failed_ = false;
};

// "io.k8s.api.apps.v1.Deployment" -> "k8s.io.api.apps.v1.Deployment".
std::string message_name(std::string_view schema_name) {
  std::string out = "k8s.io." + std::string(schema_name.substr(schema_name.starts_with("io.k8s.") ? 7 : 0));
  for (const auto& [from, to] : {std::pair("apiextensions-apiserver", "apiextensions_apiserver"),
                                 std::pair("kube-aggregator", "kube_aggregator")}) {
    const auto at = out.find(from);
    if (at != std::string::npos) out.replace(at, std::strlen(from), to);
  }
  return out;
}

const Message* message_of(const Gvk& gvk) {
  const Schema* schema = Registry::builtin().type_of(gvk);
  if (schema != nullptr && !schema->name().empty())
    return Messages::builtin().find(message_name(schema->name()));
  return Messages::builtin().find(std::string(kMeta) + gvk.kind);
}

}  // namespace

Result<Json> decode_protobuf(std::string_view body) {
  const auto refuse = [](std::string_view why) {
    return Error(Code::BadRequest,
                 "provided data does not appear to be a protobuf message: " + std::string(why));
  };
  if (!body.starts_with(kMagic)) return refuse("the expected prefix is missing");
  body.remove_prefix(kMagic.size());
  Gvk gvk;
  std::string_view raw;
  WireField wire;
  while (!body.empty()) {
    if (!read_wire(body, wire)) return refuse("the envelope is cut off");
    if (wire.number == 2) raw = wire.bytes;
    if (wire.number != 1) continue;
    std::string_view meta = wire.bytes;
    std::string_view version, kind;
    WireField part;
    while (!meta.empty()) {
      if (!read_wire(meta, part)) return refuse("the type is cut off");
      if (part.number == 1) version = part.bytes;
      if (part.number == 2) kind = part.bytes;
    }
    gvk = Gvk::from(version, kind);
  }
  const Message* message = message_of(gvk);
  if (message == nullptr)
    return refuse("no kind \"" + gvk.kind + "\" is registered for version \"" + gvk.api_version() + "\"");
  Decoder decoder;
  Json object = decoder.decode(*message, raw);
  if (decoder.failed()) return refuse("the object is cut off");
  if (!object.is_object()) object = Json::object();
  object.set("apiVersion", gvk.api_version());
  object.set("kind", gvk.kind);
  return object;
}

}  // namespace flotilla::api
