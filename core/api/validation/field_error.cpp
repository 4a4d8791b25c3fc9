// SPDX-License-Identifier: Apache-2.0
#include "core/api/validation/field_error.hpp"

#include <algorithm>

namespace flotilla::api {
namespace {

std::string print(const Json& value) {
  if (value.is_string()) return go_quote(value.as_string());
  return value.dump();
}

std::string with_detail(std::string text, std::string_view detail) {
  if (!detail.empty()) text.append(": ").append(detail);
  return text;
}

}  // namespace

std::string go_quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      default: {
        constexpr char kHex[] = "0123456789abcdef";
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
          out += std::string("\\x") + kHex[byte >> 4] + kHex[byte & 15];
        } else {
          out += c;
        }
      }
    }
  }
  return out + "\"";
}

std::string at_field(std::string_view base, std::string_view name) {
  std::string path(base);
  if (!path.empty()) path += ".";
  return path.append(name);
}

std::string at_index(std::string_view base, std::size_t index) {
  return std::string(base) + "[" + std::to_string(index) + "]";
}

std::string at_key(std::string_view base, std::string_view key) {
  return std::string(base).append("[").append(key).append("]");
}

void FieldErrors::add(std::string_view reason, std::string_view path, std::string message) {
  causes_.push_back({std::string(reason), std::move(message), std::string(path)});
}

void FieldErrors::required(std::string_view path, std::string_view detail) {
  add("FieldValueRequired", path, with_detail("Required value", detail));
}

void FieldErrors::invalid(std::string_view path, const Json& value, std::string_view detail) {
  add("FieldValueInvalid", path, with_detail("Invalid value: " + print(value), detail));
}

void FieldErrors::type_invalid(std::string_view path, const Json& value, std::string_view detail) {
  add("FieldValueTypeInvalid", path, with_detail("Invalid value: " + print(value), detail));
}

void FieldErrors::not_supported(std::string_view path, const Json& value,
                                std::span<const std::string_view> supported) {
  std::string detail;
  for (const std::string_view one : supported) {
    detail += (detail.empty() ? "supported values: " : ", ") + go_quote(one);
  }
  add("FieldValueNotSupported", path, with_detail("Unsupported value: " + print(value), detail));
}

void FieldErrors::not_supported(std::string_view path, const Json& value,
                                std::initializer_list<std::string_view> supported) {
  not_supported(path, value, std::span<const std::string_view>(supported.begin(), supported.size()));
}

void FieldErrors::forbidden(std::string_view path, std::string_view detail) {
  add("FieldValueForbidden", path, with_detail("Forbidden", detail));
}

void FieldErrors::too_long(std::string_view path, std::int64_t most_bytes) {
  add("FieldValueTooLong", path, "Too long: must have at most " + std::to_string(most_bytes) + " bytes");
}

void FieldErrors::too_many(std::string_view path, std::int64_t actual, std::int64_t most) {
  add("FieldValueTooMany", path,
      "Too many: " + std::to_string(actual) + ": must have at most " + std::to_string(most) + " items");
}

void FieldErrors::duplicate(std::string_view path, const Json& value) {
  add("FieldValueDuplicate", path, "Duplicate value: " + print(value));
}

void FieldErrors::not_found(std::string_view path, const Json& value) {
  add("FieldValueNotFound", path, "Not found: " + print(value));
}

Error FieldErrors::to_error(std::string_view group, std::string_view kind, std::string_view name) const {
  std::vector<std::string> texts;
  for (const Cause& one : causes_) {
    std::string text = one.field + ": " + one.message;
    if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(std::move(text));
  }
  std::string message(kind);
  if (!group.empty()) message.append(".").append(group);
  message += " " + go_quote(name) + " is invalid: ";
  if (texts.size() > 1) message += "[";
  for (const std::string& text : texts) {
    if (&text != &texts.front()) message += ", ";
    message += text;
  }
  if (texts.size() > 1) message += "]";
  ErrorDetails details;
  details.name = name;
  details.group = group;
  details.kind = kind;
  details.causes = causes_;
  return Error(Code::Invalid, std::move(message), std::move(details));
}

Status FieldErrors::to_status(const Resource& resource, std::string_view name) const {
  if (empty()) return {};
  std::string_view group = resource.group;
  if (!resource.traits.error_group.empty()) group = resource.traits.error_group;
  return to_error(group == "-" ? std::string_view() : group, resource.kind, name);
}

}  // namespace flotilla::api
