// SPDX-License-Identifier: Apache-2.0
// JSON as text, as nlohmann writes it: members in key order, control characters escaped, bytes that are not
// UTF-8 replaced. What is not plain ASCII or a whole number goes through that library.
#include <charconv>
#include <cstring>

#include "core/api/json_nlohmann.hpp"
#include "core/api/json_node.hpp"

namespace flotilla::api {
namespace {

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

// How many bytes from the front are plain: eight at a time where they are. Bit tricks: a byte of `x` is zero
// where (x - 0x01..) & ~x has its high bit set, and less than 0x20 where (x - 0x20..) & ~x has.
std::size_t plain_prefix(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = 0x80 * kOnes;
  const auto has_zero = [](std::uint64_t x) { return (x - kOnes) & ~x; };
  std::size_t at = 0;
  for (std::uint64_t x = 0; at + sizeof x <= text.size(); at += sizeof x) {
    std::memcpy(&x, text.data() + at, sizeof x);
    const std::uint64_t special =
        x | ((x - 0x20 * kOnes) & ~x) | has_zero(x ^ ('"' * kOnes)) | has_zero(x ^ ('\\' * kOnes));
    if ((special & kHigh) != 0) break;
  }
  while (at < text.size() && is_plain(text[at])) ++at;
  return at;
}

void append_foreign(std::string& out, const nlohmann::json& value) {
  out += value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default: {
      constexpr std::string_view kHex = "0123456789abcdef";
      out += "\\u00";
      out += kHex[static_cast<std::size_t>(c) >> 4];
      out += kHex[static_cast<std::size_t>(c) & 15];
    }
  }
}

void append_string(std::string& out, std::string_view text) {
  const std::size_t before = out.size();
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = i + plain_prefix(text.substr(i));
    out.append(text, i, end - i);
    if (end == text.size()) break;
    if (static_cast<unsigned char>(text[end]) >= 0x80) {
      out.resize(before);
      append_foreign(out, std::string(text));
      return;
    }
    append_escape(out, text[end]);
    i = end + 1;
  }
  out += '"';
}

// Line breaks and indentation between elements; nothing at all when `step` is negative.
struct Layout {
  int step = -1;
  int depth = 0;
  void line(std::string& out) const {
    if (step < 0) return;
    out += '\n';
    out.append(static_cast<std::size_t>(step) * static_cast<std::size_t>(depth), ' ');
  }
  Layout deeper() const { return {step, depth + 1}; }
};

void append(std::string& out, const Json& value, Layout layout) {
  switch (value.type()) {
    case Json::Type::Null:
      out += "null";
      return;
    case Json::Type::Bool:
      out += value.as_bool() ? "true" : "false";
      return;
    case Json::Type::Int: {
      char text[20];
      out.append(text, std::to_chars(text, text + sizeof text, value.as_int()).ptr);
      return;
    }
    case Json::Type::Float:
      append_foreign(out, value.as_double());
      return;
    case Json::Type::String:
      append_string(out, value.as_string());
      return;
    case Json::Type::Array: {
      const Layout inside = layout.deeper();
      char before = '[';
      for (const Json& element : value.elements()) {
        out += before;
        before = ',';
        inside.line(out);
        append(out, element, inside);
      }
      if (before == '[') out += '[';
      if (before == ',') layout.line(out);
      out += ']';
      return;
    }
    case Json::Type::Object: {
      const Layout inside = layout.deeper();
      char before = '{';
      for (const auto& [key, member] : value.members()) {
        out += before;
        before = ',';
        inside.line(out);
        append_string(out, key);
        out += layout.step < 0 ? ":" : ": ";
        append(out, member, inside);
      }
      if (before == '{') out += '{';
      if (before == ',') layout.line(out);
      out += '}';
      return;
    }
  }
}

}  // namespace

std::string Json::dump() const {
  std::string out;
  append(out, *this, {});
  return out;
}

std::string Json::dump_pretty(int indent) const {
  std::string out;
  append(out, *this, {indent, 0});
  return out;
}

void Json::append_to(std::string& out) const {
  append(out, *this, {});
}

void Json::append_string(std::string& out, std::string_view text) {
  api::append_string(out, text);
}

}  // namespace flotilla::api
