// SPDX-License-Identifier: Apache-2.0
// Looks into JSON text without parsing it into anything: for drivers that forward bytes and need a handful of
// members. A look costs one pass over what lies before it. Malformed text throws Failure(FLT_DATA_LOSS).
#pragma once

#include <flotilla/sdk/plugin.hpp>

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace flotilla::sdk {
inline namespace sdk_1 {

class JsonView {
 public:
  JsonView() = default;  // absent
  explicit JsonView(std::string_view text) : text_(trim(text)) {}

  // The exact bytes of this value.
  std::string_view raw() const { return text_; }
  bool absent() const { return text_.empty(); }
  bool is_object() const { return text_.starts_with('{'); }
  bool is_array() const { return text_.starts_with('['); }
  bool is_string() const { return text_.starts_with('"'); }

  // The member of an object; absent if there is none or this is no object.
  JsonView operator[](std::string_view key) const {
    JsonView found;
    each_member([&](std::string_view name, JsonView value) {
      if (name != key) return true;
      found = value;
      return false;
    });
    return found;
  }

  // Calls each(key, value) until it returns false. Keys come as they are written.
  template <typename Each>
  void each_member(Each&& each) const {
    if (!is_object()) return;
    std::size_t at = skip_space(1);
    while (at < text_.size() && text_[at] != '}') {
      const std::size_t key_end = string_end(at);
      const std::string_view key = text_.substr(at + 1, key_end - at - 2);
      at = skip_space(key_end);
      expect(at, ':');
      at = skip_space(at + 1);
      const std::size_t end = value_end(at);
      if (!each(key, JsonView(text_.substr(at, end - at)))) return;
      at = after_comma(end);
    }
  }

  // Calls each(value) for every element of an array.
  template <typename Each>
  void each_element(Each&& each) const {
    if (!is_array()) return;
    std::size_t at = skip_space(1);
    while (at < text_.size() && text_[at] != ']') {
      const std::size_t end = value_end(at);
      each(JsonView(text_.substr(at, end - at)));
      at = after_comma(end);
    }
  }

  // Escapes undone; empty for all that is no string.
  std::string string() const {
    if (!is_string() || text_.size() < 2) return {};
    const std::string_view inside = text_.substr(1, text_.size() - 2);
    if (inside.find('\\') == std::string_view::npos) return std::string(inside);
    std::string out;
    for (std::size_t i = 0; i < inside.size(); ++i) {
      if (inside[i] != '\\') {
        out += inside[i];
      } else {
        i = unescape(inside, i + 1, out);
      }
    }
    return out;
  }
  std::int64_t integer(std::int64_t otherwise = 0) const {
    std::int64_t value = otherwise;
    std::from_chars(text_.data(), text_.data() + text_.size(), value);
    return value;
  }
  bool boolean() const { return text_ == "true"; }

 private:
  [[noreturn]] static void malformed() { throw Failure(FLT_DATA_LOSS, "malformed JSON"); }
  static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
  static std::string_view trim(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
  }

  void expect(std::size_t at, char c) const {
    if (at >= text_.size() || text_[at] != c) malformed();
  }
  std::size_t skip_space(std::size_t at) const {
    while (at < text_.size() && is_space(text_[at])) ++at;
    return at;
  }
  std::size_t after_comma(std::size_t at) const {
    at = skip_space(at);
    if (at >= text_.size()) malformed();
    return text_[at] == ',' ? skip_space(at + 1) : at;
  }
  std::size_t string_end(std::size_t at) const {
    expect(at, '"');
    for (++at; at < text_.size(); ++at) {
      if (text_[at] == '\\') {
        ++at;
      } else if (text_[at] == '"') {
        return at + 1;
      }
    }
    malformed();
  }
  // One past the value that starts at `at`.
  std::size_t value_end(std::size_t at) const {
    if (at >= text_.size()) malformed();
    if (text_[at] == '"') return string_end(at);
    std::size_t depth = 0;
    for (std::size_t i = at; i < text_.size();) {
      const char c = text_[i];
      if (c == '"') {
        i = string_end(i);
        continue;
      }
      if (c == '{' || c == '[') {
        ++depth;
      } else if (c == '}' || c == ']') {
        if (depth == 0) return i;
        if (--depth == 0) return i + 1;
      } else if (depth == 0 && (c == ',' || is_space(c))) {
        return i;
      }
      ++i;
    }
    if (depth != 0) malformed();
    return text_.size();
  }

  static void append_utf8(std::uint32_t code, std::string& out) {
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xc0 | code >> 6);
      out += static_cast<char>(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
      out += static_cast<char>(0xe0 | code >> 12);
      out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
      out += static_cast<char>(0x80 | (code & 0x3f));
    } else {
      out += static_cast<char>(0xf0 | code >> 18);
      out += static_cast<char>(0x80 | (code >> 12 & 0x3f));
      out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
      out += static_cast<char>(0x80 | (code & 0x3f));
    }
  }
  static std::uint32_t hex4(std::string_view text, std::size_t at) {
    std::uint32_t value = 0;
    if (at + 4 > text.size()) malformed();
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + 4, value, 16);
    if (end != text.data() + at + 4) malformed();
    return value;
  }
  // `at` is the character behind the backslash; returns the last one used.
  static std::size_t unescape(std::string_view text, std::size_t at, std::string& out) {
    if (at >= text.size()) malformed();
    static constexpr std::string_view kFrom = "\"\\/bfnrt";
    static constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
    if (const std::size_t known = kFrom.find(text[at]); known != std::string_view::npos) {
      out += kTo[known];
      return at;
    }
    if (text[at] != 'u') malformed();
    std::uint32_t code = hex4(text, at + 1);
    at += 4;
    if (code >= 0xd800 && code < 0xdc00 && text.substr(at + 1, 2) == "\\u") {
      code = 0x10000 + ((code - 0xd800) << 10) + (hex4(text, at + 3) - 0xdc00);
      at += 6;
    }
    append_utf8(code, out);
    return at;
  }

  std::string_view text_;
};

// Adds `text` to `out` as a JSON string.
inline void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace sdk_1
}  // namespace flotilla::sdk
