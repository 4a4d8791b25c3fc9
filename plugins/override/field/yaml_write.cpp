// SPDX-License-Identifier: Apache-2.0
// The layout follows what libyaml does with its default settings, since that is what people compare with.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <vector>

#include "scalar.hpp"
#include "yaml.hpp"

namespace flotilla::plugins::field {
namespace {

using sdk::Json;

constexpr int kIndent = 2;
constexpr int kWidth = 80;
constexpr std::size_t kLongestSimpleKey = 128;

enum class Style : std::uint8_t { Plain, Single, Double, Literal };

bool is_digit(std::uint32_t c) {
  return c >= '0' && c <= '9';
}
bool is_letter(std::uint32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0xAA;
}
bool is_break(std::uint32_t c) {
  return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029;
}
bool is_printable(std::uint32_t c) {
  return c == '\n' || (c >= 0x20 && c <= 0x7E) || (c >= 0xA0 && c <= 0xD7FF) ||
         (c >= 0xE000 && c <= 0xFFFD && c != 0xFEFF);
}

struct Rune {
  std::uint32_t code;
  std::string_view bytes;
};

std::vector<Rune> runes(std::string_view text) {
  std::vector<Rune> out;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    const std::string_view bytes = text.substr(i, length);
    std::uint32_t code = length == 1 ? lead : lead & (0xFFu >> (length + 1));
    for (const char next : bytes.substr(1)) code = (code << 6) | (static_cast<unsigned char>(next) & 0x3F);
    out.push_back({code, bytes});
    i += length;
  }
  return out;
}

// What the characters of a text allow.
struct Shape {
  bool multiline = false;
  bool plain = true;
  bool single = true;
  bool block = true;
};

// True where a character at this place would start or end something in block context.
bool is_indicator(const std::vector<Rune>& text, std::size_t i, bool after_blank) {
  const std::uint32_t c = text[i].code;
  const auto blank = [](std::uint32_t each) { return each == ' ' || each == '\t' || is_break(each); };
  const bool before_blank = i + 1 == text.size() || blank(text[i + 1].code);
  if (i == 0) {
    if (c < 0x80 &&
        std::string_view("#,[]{}&*!|>'\"%@`").find(static_cast<char>(c)) != std::string_view::npos) {
      return true;
    }
    return (c == '?' || c == ':' || c == '-') && before_blank;
  }
  return (c == ':' && before_blank) || (c == '#' && after_blank);
}

Shape analyse(std::string_view raw, const std::vector<Rune>& text) {
  Shape shape;
  if (text.empty()) {
    shape.block = false;
    return shape;
  }
  bool indicators = raw.starts_with("---") || raw.starts_with("...");
  bool special = false;
  bool space_break = false;
  bool break_space = false;
  bool after_space = false;
  bool after_break = false;
  bool after_blank = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint32_t c = text[i].code;
    indicators = indicators || is_indicator(text, i, after_blank);
    special = special || !is_printable(c) || (is_break(c) && c != '\n');
    const bool space = c == ' ';
    const bool line_break = is_break(c);
    break_space = break_space || (space && after_break);
    space_break = space_break || (line_break && after_space);
    shape.multiline = shape.multiline || line_break;
    after_space = space;
    after_break = line_break;
    after_blank = space || c == '\t' || line_break;
  }
  const auto edge = [](std::uint32_t c) { return c == ' ' || is_break(c); };
  if (edge(text.front().code) || edge(text.back().code) || shape.multiline || indicators) shape.plain = false;
  if (text.back().code == ' ') shape.block = false;
  if (break_space) shape.plain = shape.single = false;
  if (space_break || special) shape.plain = shape.single = shape.block = false;
  return shape;
}

// Digits compare as numbers, letters come after all else.
bool comes_before(const std::string& left, const std::string& right) {
  const std::vector<Rune> a = runes(left);
  const std::vector<Rune> b = runes(right);
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    const std::uint32_t x = a[i].code;
    const std::uint32_t y = b[i].code;
    if (x == y) continue;
    if (is_letter(x) && is_letter(y)) return x < y;
    if (is_letter(x) || is_letter(y)) return is_letter(y);
    std::uint64_t p = 0;
    std::uint64_t q = 0;
    if (x == '0' || y == '0') {
      for (std::size_t j = i; j-- > 0 && is_digit(a[j].code);) {
        if (a[j].code != '0') {
          p = q = 1;
          break;
        }
      }
    }
    std::size_t m = i;
    std::size_t n = i;
    for (; m < a.size() && is_digit(a[m].code); ++m) p = p * 10 + (a[m].code - '0');
    for (; n < b.size() && is_digit(b[n].code); ++n) q = q * 10 + (b[n].code - '0');
    if (p != q) return p < q;
    if (m != n) return m < n;
    return x < y;
  }
  return a.size() < b.size();
}

// The shortest digits that read back as the same number, with an exponent beyond six places.
std::string print_float(double value) {
  std::array<char, 64> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific).ptr;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  const std::size_t mark = text.find('e');
  int exponent = 0;
  std::string_view digits = text.substr(mark + 1);
  if (digits.starts_with('+')) digits.remove_prefix(1);
  std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
  if (exponent < -4 || exponent >= 6) return std::string(text);
  const auto fixed =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed).ptr;
  return {buffer.data(), static_cast<std::size_t>(fixed - buffer.data())};
}

class YamlWriter {
 public:
  std::string write(const Json& value) {
    node(value, -1, false);
    line_at(0);
    return std::move(out_);
  }

 private:
  void node(const Json& value, int indent, bool in_mapping) {
    if (value.is_object() && !value.empty()) {
      mapping(value, indent < 0 ? 0 : indent + kIndent);
    } else if (value.is_array() && !value.empty()) {
      sequence(value, indent < 0 ? 0 : in_mapping ? indent : indent + kIndent);
    } else if (value.is_string()) {
      scalar(value.get_ref<const std::string&>(), indent, false);
    } else if (value.is_number_float()) {
      word(print_float(value.get<double>()));
    } else {
      word(value.is_object() ? "{}" : value.is_array() ? "[]" : value.dump());
    }
  }

  void mapping(const Json& object, int indent) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : object.items()) keys.push_back(key);
    std::sort(keys.begin(), keys.end(), comes_before);
    for (const std::string& key : keys) {
      line_at(indent);
      const bool simple = key.size() <= kLongestSimpleKey && key.find('\n') == std::string::npos;
      if (simple) {
        scalar(key, indent, true);
        indicator(":", false, false);
      } else {
        indicator("?", true, true);
        scalar(key, indent, false);
        line_at(indent);
        indicator(":", true, true);
      }
      node(object[key], indent, true);
    }
  }

  void sequence(const Json& list, int indent) {
    for (const Json& element : list) {
      line_at(indent);
      indicator("-", true, true);
      node(element, indent, false);
    }
  }

  void scalar(const std::string& raw, int indent, bool is_key) {
    const std::vector<Rune> text = runes(raw);
    const Shape shape = analyse(raw, text);
    Style style = Style::Double;
    if (raw.find('\n') != std::string::npos) {
      style = shape.block && !is_key ? Style::Literal : Style::Double;
    } else if (resolve_plain(raw).type == ScalarType::String && !is_base_60(raw)) {
      style = shape.plain ? Style::Plain : shape.single ? Style::Single : Style::Double;
    }
    const int inner = indent < 0 ? kIndent : indent + kIndent;
    switch (style) {
      case Style::Plain:
        if (!whitespace_) put(' ');
        folded(text, inner, !is_key, false);
        break;
      case Style::Single:
        indicator("'", true, false);
        folded(text, inner, !is_key, true);
        put('\'');
        break;
      case Style::Double:
        indicator("\"", true, false);
        escaped(text, inner, !is_key);
        put('"');
        break;
      case Style::Literal:
        literal(text, inner);
        return;
    }
    whitespace_ = indention_ = false;
  }

  // 1:20 was a number once.
  static bool is_base_60(std::string_view text) {
    if (text.find(':') == std::string_view::npos) return false;
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    if (text.empty() || !is_digit(static_cast<unsigned char>(text[0]))) return false;
    while (!text.empty() && (is_digit(static_cast<unsigned char>(text[0])) || text[0] == '_'))
      text.remove_prefix(1);
    if (!text.starts_with(':')) return false;
    while (text.starts_with(':')) {
      text.remove_prefix(1);
      const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
      if (digits == 0 || digits > 2 || (digits == 2 && text[0] > '5')) return false;
      text.remove_prefix(digits);
    }
    if (text.starts_with('.'))
      text.remove_prefix(std::min(text.find_first_not_of("0123456789_", 1), text.size()));
    return text.empty();
  }

  // Plain and single-quoted texts: a line may end at a lone space beyond the width.
  void folded(const std::vector<Rune>& text, int indent, bool may_fold, bool quoted) {
    bool after_space = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool space = text[i].code == ' ';
      const bool inside = !quoted || (i > 0 && i + 1 < text.size());
      const bool before_space = i + 1 < text.size() && text[i + 1].code == ' ';
      if (space && may_fold && !after_space && column_ > kWidth && inside && !before_space) {
        line_at(indent);
      } else {
        if (quoted && text[i].code == '\'') put('\'');
        put(text[i]);
      }
      if (!space) indention_ = false;
      after_space = space;
    }
  }

  void escaped(const std::vector<Rune>& text, int indent, bool may_fold) {
    bool after_space = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const std::uint32_t c = text[i].code;
      const bool space = c == ' ';
      if (!is_printable(c) || is_break(c) || c == '"' || c == '\\') {
        escape(c);
      } else if (space && may_fold && !after_space && column_ > kWidth && i > 0 && i + 1 < text.size()) {
        line_at(indent);
        if (text[i + 1].code == ' ') put('\\');
      } else {
        put(text[i]);
      }
      after_space = space;
    }
  }

  void escape(std::uint32_t c) {
    static constexpr std::pair<std::uint32_t, char> kNamed[] = {
        {0, '0'},  {7, 'a'},   {8, 'b'},     {9, 't'},    {10, 'n'},   {11, 'v'},     {12, 'f'},    {13, 'r'},
        {27, 'e'}, {'"', '"'}, {'\\', '\\'}, {0x85, 'N'}, {0xA0, '_'}, {0x2028, 'L'}, {0x2029, 'P'}};
    put('\\');
    for (const auto& [code, name] : kNamed) {
      if (code == c) return put(name);
    }
    const int digits = c <= 0xFF ? 2 : c <= 0xFFFF ? 4 : 8;
    put(digits == 2 ? 'x' : digits == 4 ? 'u' : 'U');
    for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) put("0123456789ABCDEF"[(c >> shift) & 0xF]);
  }

  void literal(const std::vector<Rune>& text, int indent) {
    indicator("|", true, false);
    if (text.front().code == ' ' || is_break(text.front().code)) put(static_cast<char>('0' + kIndent));
    if (!is_break(text.back().code)) {
      put('-');
    } else if (text.size() == 1 || is_break(text[text.size() - 2].code)) {
      put('+');
    }
    new_line();
    bool at_start = true;
    for (const Rune& rune : text) {
      if (is_break(rune.code)) {
        new_line();
        at_start = true;
        continue;
      }
      if (at_start) line_at(indent);
      put(rune);
      indention_ = whitespace_ = at_start = false;
    }
  }

  void word(const std::string& text) {
    if (!whitespace_) put(' ');
    for (const char c : text) put(c);
    whitespace_ = indention_ = false;
  }

  void indicator(std::string_view text, bool apart, bool keeps_indention) {
    if (apart && !whitespace_) put(' ');
    for (const char c : text) put(c);
    whitespace_ = false;
    indention_ = indention_ && keeps_indention;
  }

  void line_at(int indent) {
    if (!indention_ || column_ > indent || (column_ == indent && !whitespace_)) new_line();
    while (column_ < indent) put(' ');
    whitespace_ = indention_ = true;
  }

  void new_line() {
    out_ += '\n';
    column_ = 0;
    whitespace_ = indention_ = true;
  }

  void put(char c) {
    out_ += c;
    ++column_;
  }
  void put(const Rune& rune) {
    out_ += rune.bytes;
    ++column_;
  }

  std::string out_;
  int column_ = 0;
  bool whitespace_ = true;
  bool indention_ = true;
};

}  // namespace

std::string write_yaml(const Json& value) {
  return YamlWriter().write(value);
}

}  // namespace flotilla::plugins::field
