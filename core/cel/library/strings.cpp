// SPDX-License-Identifier: Apache-2.0
// The strings extension, version 2. Positions count characters.
#include <algorithm>

#include "core/cel/functions.hpp"

namespace flotilla::cel {
namespace {

using Kind = Value::Kind;
using Characters = std::vector<std::string_view>;

Error out_of_range(std::int64_t index) {
  return evaluation_error("index out of range: " + std::to_string(index));
}

Error too_long() {
  return Error(Code::ResourceExhausted, "operation cancelled: actual cost limit exceeded");
}

std::string join_range(const Characters& all, std::size_t from, std::size_t to) {
  if (from >= to) return {};
  return {all[from].data(), all[to - 1].data() + all[to - 1].size()};
}

Result<Value> char_at(const Arguments& in) {
  const Characters all = split_characters(in[0].as_string());
  const std::int64_t at = in[1].as_int();
  const auto count = static_cast<std::int64_t>(all.size());
  if (at < 0 || at > count) return out_of_range(at);
  return Value::string(at == count ? std::string() : std::string(all[static_cast<std::size_t>(at)]));
}

bool found_at(const Characters& text, const Characters& wanted, std::size_t at) {
  return at + wanted.size() <= text.size() &&
         std::equal(wanted.begin(), wanted.end(), text.begin() + static_cast<std::ptrdiff_t>(at));
}

Result<Value> index_of(const Arguments& in) {
  const Characters text = split_characters(in[0].as_string());
  const Characters wanted = split_characters(in[1].as_string());
  const std::int64_t from = in.size() > 2 ? in[2].as_int() : 0;
  if (in.size() > 2 && wanted.empty()) return Value::integer(from);
  if (from < 0 || from > static_cast<std::int64_t>(text.size())) return out_of_range(from);
  for (auto at = static_cast<std::size_t>(from); at + wanted.size() <= text.size(); ++at)
    if (found_at(text, wanted, at)) return Value::integer(static_cast<std::int64_t>(at));
  return Value::integer(-1);
}

Result<Value> last_index_of(const Arguments& in) {
  const Characters text = split_characters(in[0].as_string());
  const Characters wanted = split_characters(in[1].as_string());
  const auto count = static_cast<std::int64_t>(text.size());
  const std::int64_t from = in.size() > 2 ? in[2].as_int() : count;
  if (in.size() > 2 && wanted.empty()) return Value::integer(from);
  if (from < 0 || from > count) return out_of_range(from);
  std::int64_t at = std::min(from, count - static_cast<std::int64_t>(wanted.size()));
  for (; at >= 0; --at)
    if (found_at(text, wanted, static_cast<std::size_t>(at))) return Value::integer(at);
  return Value::integer(-1);
}

Result<Value> join(const Arguments& in) {
  const std::string_view separator = in.size() > 1 ? in[1].as_string() : std::string_view();
  std::string out;
  bool first = true, strings = true, fits = true;
  in[0].each([&](const Value& element) {
    strings = element.is(Kind::String);
    if (!first) out += separator;
    out += element.as_string();
    first = false;
    fits = out.size() <= kLargestText;
    return strings && fits;
  });
  if (!strings) return Error(Code::Unsupported, "no such overload: join");
  if (!fits) return too_long();
  return Value::string(std::move(out));
}

std::string mapped(std::string_view text, char from, char to, int by) {
  std::string out(text);
  for (char& c : out)
    if (c >= from && c <= to) c = static_cast<char>(c + by);
  return out;
}

Result<Value> lower_ascii(const Arguments& in) {
  return Value::string(mapped(in[0].as_string(), 'A', 'Z', 32));
}
Result<Value> upper_ascii(const Arguments& in) {
  return Value::string(mapped(in[0].as_string(), 'a', 'z', -32));
}

Result<Value> replace(const Arguments& in) {
  const std::string_view text = in[0].as_string(), old = in[1].as_string(), fresh = in[2].as_string();
  std::int64_t left = in.size() > 3 ? in[3].as_int() : -1;
  std::string out;
  std::size_t at = 0;
  while (at <= text.size() && left != 0 && out.size() <= kLargestText) {
    // An empty pattern stands before every character and at the end.
    const std::size_t found = old.empty() ? at : text.find(old, at);
    if (found == std::string_view::npos) break;
    out.append(text, at, found - at);
    out += fresh;
    at = found + old.size();
    if (left > 0) --left;
    if (!old.empty()) continue;
    if (at == text.size()) return Value::string(std::move(out));
    const std::size_t length = character_length(text, at);
    out.append(text, at, length);
    at += length;
  }
  if (out.size() > kLargestText) return too_long();
  if (at < text.size()) out.append(text, at);
  return Value::string(std::move(out));
}

Result<Value> split(const Arguments& in) {
  const std::string_view text = in[0].as_string(), separator = in[1].as_string();
  const std::int64_t limit = in.size() > 2 ? in[2].as_int() : -1;
  std::vector<Value> parts;
  const auto full = [&] { return limit > 0 && static_cast<std::int64_t>(parts.size()) + 1 >= limit; };
  if (limit == 0 || (separator.empty() && text.empty())) return Value::list({});
  std::size_t at = 0;
  while (!full()) {
    std::size_t end;
    if (separator.empty()) {
      end = at + character_length(text, at);
      if (end >= text.size()) break;
    } else {
      end = text.find(separator, at);
      if (end == std::string_view::npos) break;
    }
    parts.push_back(Value::string(std::string(text.substr(at, end - at))));
    at = end + separator.size();
  }
  parts.push_back(Value::string(std::string(text.substr(at))));
  return Value::list(std::move(parts));
}

Result<Value> substring(const Arguments& in) {
  const Characters text = split_characters(in[0].as_string());
  const auto count = static_cast<std::int64_t>(text.size());
  const std::int64_t from = in[1].as_int(), to = in.size() > 2 ? in[2].as_int() : count;
  if (in.size() > 2 && from > to)
    return evaluation_error("invalid substring range. start: " + std::to_string(from) +
                            ", end: " + std::to_string(to));
  if (from < 0 || from > count) return out_of_range(from);
  if (to < 0 || to > count) return out_of_range(to);
  return Value::string(join_range(text, static_cast<std::size_t>(from), static_cast<std::size_t>(to)));
}

// Unicode's White_Space.
bool is_space(std::string_view c) {
  if (c.size() == 1) return c[0] == ' ' || (c[0] >= '\t' && c[0] <= '\r');
  constexpr std::string_view kWide[] = {"\u0085", "\u00A0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003",
                                        "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200A",
                                        "\u2028", "\u2029", "\u202F", "\u205F", "\u3000"};
  return std::find(std::begin(kWide), std::end(kWide), c) != std::end(kWide);
}

Result<Value> trim(const Arguments& in) {
  const Characters all = split_characters(in[0].as_string());
  std::size_t from = 0, to = all.size();
  while (from < to && is_space(all[from])) ++from;
  while (to > from && is_space(all[to - 1])) --to;
  return Value::string(join_range(all, from, to));
}

Result<Value> quote(const Arguments& in) {
  std::string out = "\"";
  for (const std::string_view c : split_characters(in[0].as_string())) {
    constexpr std::string_view kSigns = "\a\b\f\n\r\t\v\\\"";
    constexpr std::string_view kNames = "abfnrtv\\\"";
    const std::size_t known = c.size() == 1 ? kSigns.find(c[0]) : std::string_view::npos;
    if (known != std::string_view::npos) {
      out += '\\';
      out += kNames[known];
    } else if (c.size() == 1 && static_cast<unsigned char>(c[0]) >= 0x80) {
      out += "\uFFFD";
    } else {
      out += c;
    }
  }
  return Value::string(out + "\"");
}

std::uint64_t cost_of_join(std::span<const Value>, const Value& result) {
  return traversal(2.0 * static_cast<double>(result.cost_size()));
}

constexpr FunctionRow kRows[] = {
    {"string.charAt(int): string", char_at},
    {"string.indexOf(string): int", index_of, cost_of_elements},
    {"string.indexOf(string, int): int", index_of, cost_of_elements},
    {"string.lastIndexOf(string): int", last_index_of, cost_of_elements},
    {"string.lastIndexOf(string, int): int", last_index_of, cost_of_elements},
    {"list(string).join(): string", join, cost_of_join},
    {"list(string).join(string): string", join, cost_of_join},
    {"string.lowerAscii(): string", lower_ascii, cost_of_first},
    {"string.upperAscii(): string", upper_ascii, cost_of_first},
    {"string.replace(string, string): string", replace, cost_of_first_twice},
    {"string.replace(string, string, int): string", replace, cost_of_first_twice},
    {"string.split(string): list(string)", split, cost_of_first_twice},
    {"string.split(string, int): list(string)", split, cost_of_first_twice},
    {"string.substring(int): string", substring, cost_of_first},
    {"string.substring(int, int): string", substring, cost_of_first},
    {"string.trim(): string", trim, cost_of_first},
    {"strings.quote(string): string", quote, cost_of_first},
};

}  // namespace

std::span<const FunctionRow> string_rows() {
  return kRows;
}

}  // namespace flotilla::cel
