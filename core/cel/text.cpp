// SPDX-License-Identifier: Apache-2.0
#include "core/cel/text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/base/base64.hpp"

namespace flotilla::cel {
namespace {

thread_local std::uint64_t work = 0;

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// "inf" and "nan" as Go prints them; empty for numbers.
std::string special_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return {};
}

std::string printed(double value, std::chars_format format, int precision = -1) {
  char buffer[512];
  const auto done = precision < 0 ? std::to_chars(buffer, buffer + sizeof buffer, value, format)
                                  : std::to_chars(buffer, buffer + sizeof buffer, value, format, precision);
  return std::string(buffer, done.ptr);
}

}  // namespace

std::size_t character_length(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  std::size_t wanted = lead < 0x80                   ? 1
                       : lead >= 0xF0 && lead < 0xF8 ? 4
                       : lead >= 0xE0                ? 3
                       : lead >= 0xC2                ? 2
                                                     : 1;
  if (lead >= 0xF8) wanted = 1;
  if (at + wanted > text.size()) return 1;
  for (std::size_t i = 1; i < wanted; ++i)
    if (!continues(text[at + i])) return 1;
  return wanted;
}

void note_work(std::uint64_t units) {
  work += units;
}

std::uint64_t work_noted() {
  return work;
}

std::uint64_t count_characters(std::string_view text) {
  note_work(text.size() / 256);
  return static_cast<std::uint64_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

std::vector<std::string_view> split_characters(std::string_view text) {
  note_work(text.size() / 16);
  std::vector<std::string_view> all;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character_length(text, at);
    all.push_back(text.substr(at, length));
    at += length;
  }
  return all;
}

void append_character(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character_length(text, at);
    if (length == 1 && static_cast<unsigned char>(text[at]) >= 0x80) return false;
    at += length;
  }
  return true;
}

std::string double_text(double value) {
  if (std::string special = special_text(value); !special.empty()) return special;
  const std::string scientific = printed(value, std::chars_format::scientific);
  const std::size_t e = scientific.find('e');
  const int exponent = std::atoi(scientific.c_str() + e + 1);
  return exponent < -4 || exponent >= 6 ? scientific : plain_double_text(value);
}

std::string plain_double_text(double value) {
  if (std::string special = special_text(value); !special.empty()) return special;
  return printed(value, std::chars_format::fixed);
}

std::string fixed_text(double value, int precision) {
  if (std::string special = special_text(value); !special.empty()) return special;
  return printed(value, std::chars_format::fixed, std::min(precision, 100));
}

std::string scientific_text(double value, int precision) {
  if (std::string special = special_text(value); !special.empty()) return special;
  return printed(value, std::chars_format::scientific, std::min(precision, 100));
}

std::optional<std::string> decode_base64(std::string_view text) {
  note_work(text.size() / 16);
  return base64_decode(text);
}

std::string encode_base64(std::string_view bytes) {
  return base64_encode(bytes);
}

std::string_view type_name_of(const Type& type) {
  switch (type.kind()) {
    case TypeKind::Null:
      return "null_type";
    case TypeKind::Timestamp:
      return "google.protobuf.Timestamp";
    case TypeKind::Duration:
      return "google.protobuf.Duration";
    case TypeKind::List:
      return "list";
    case TypeKind::Map:
      return "map";
    case TypeKind::Optional:
      return "optional_type";
    case TypeKind::TypeType:
      return "type";
    case TypeKind::Bool:
      return "bool";
    case TypeKind::Int:
      return "int";
    case TypeKind::Uint:
      return "uint";
    case TypeKind::Double:
      return "double";
    case TypeKind::String:
      return "string";
    case TypeKind::Bytes:
      return "bytes";
    case TypeKind::Dyn:
      return "dyn";
    default:
      return type.name();
  }
}

bool same_list_keys(const Value& a, const Value& b, const std::vector<std::string>& keys) {
  return std::all_of(keys.begin(), keys.end(), [&](const std::string& key) {
    // By the documents where there are any: a key may be a name that expressions cannot write.
    if (a.document() && b.document()) return (*a.document())[key] == (*b.document())[key];
    const auto mine = a.find(escape_property(key).value_or(key));
    const auto theirs = b.find(escape_property(key).value_or(key));
    return mine.has_value() == theirs.has_value() && (!mine || *mine == *theirs);
  });
}

Error evaluation_error(std::string message) {
  return Error(Code::Invalid, std::move(message));
}

Error no_such_overload(std::string_view function, std::initializer_list<const Value*> arguments) {
  std::string text = "no such overload";
  if (!function.empty()) {
    text += ": " + std::string(function) + "(";
    bool first = true;
    for (const Value* argument : arguments) {
      text += (first ? "" : ", ") + std::string(argument->type_name());
      first = false;
    }
    text += ")";
  }
  return Error(Code::Unsupported, std::move(text));
}

}  // namespace flotilla::cel
