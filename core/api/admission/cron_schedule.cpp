// SPDX-License-Identifier: Apache-2.0
#include "core/api/admission/cron_schedule.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace flotilla::api {

namespace {

constexpr std::array<std::string_view, 12> kMonths = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                      "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::array<std::string_view, 7> kDays = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};
constexpr std::array<std::string_view, 12> kTags = {"@yearly",   "@annually",  "@monthly",   "@weekly",
                                                    "@daily",    "@hourly",    "@always",    "@everysecond",
                                                    "@5minutes", "@10minutes", "@15minutes", "@30minutes"};

struct Field {
  int min;
  int max;
  std::span<const std::string_view> names = {};
  bool is_day = false;      // L and W
  bool is_weekday = false;  // L and #
};

constexpr Field kSecond = {0, 59};
constexpr Field kMinute = {0, 59};
constexpr Field kHour = {0, 23};
constexpr Field kDay = {1, 31, {}, true, false};
constexpr Field kYear = {1, 9999};

Field month() {
  return {1, 12, kMonths};
}
Field weekday() {
  return {0, 7, kDays, false, true};
}

std::optional<int> to_number(std::string_view text) {
  int number = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size() || number < 0)
    return std::nullopt;
  return number;
}

std::optional<int> value_of(std::string_view text, const Field& field) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  for (std::size_t i = 0; i < field.names.size(); ++i) {
    if (field.names[i] == upper) return static_cast<int>(i) + field.min;
  }
  auto number = to_number(text);
  if (!number || *number < field.min || *number > field.max) return std::nullopt;
  return number;
}

bool is_special(std::string_view part, const Field& field) {
  if (!field.is_day && !field.is_weekday) return false;
  if (part == "L" || (field.is_day && part == "LW")) return true;
  if (field.is_day && part.ends_with('W'))
    return value_of(part.substr(0, part.size() - 1), field).has_value();
  if (!field.is_weekday) return false;
  if (part.ends_with('L')) return value_of(part.substr(0, part.size() - 1), field).has_value();
  auto hash = part.find('#');
  if (hash == std::string_view::npos) return false;
  auto week = to_number(part.substr(hash + 1));
  return value_of(part.substr(0, hash), field) && week && *week >= 1 && *week <= 5;
}

bool is_part(std::string_view part, const Field& field) {
  if (auto slash = part.find('/'); slash != std::string_view::npos) {
    auto step = to_number(part.substr(slash + 1));
    if (!step || *step < 1 || *step > field.max) return false;
    part = part.substr(0, slash);
  }
  if (part == "*" || part == "?" || is_special(part, field)) return true;
  auto dash = part.find('-');
  if (dash == std::string_view::npos) return value_of(part, field).has_value();
  auto from = value_of(part.substr(0, dash), field);
  auto to = value_of(part.substr(dash + 1), field);
  return from && to && *from <= *to;
}

bool is_field(std::string_view text, const Field& field) {
  while (true) {
    std::string_view part = text.substr(0, text.find(','));
    if (!is_part(part, field)) return false;
    if (part.size() == text.size()) return true;
    text.remove_prefix(part.size() + 1);
  }
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    auto start = text.find_first_not_of(" \t");
    if (start == std::string_view::npos) return words;
    text.remove_prefix(start);
    words.push_back(text.substr(0, text.find_first_of(" \t")));
    text.remove_prefix(words.back().size());
  }
}

bool are_fields(std::span<const std::string_view> words, std::span<const Field> fields) {
  return std::equal(words.begin(), words.end(), fields.begin(), fields.end(), is_field);
}

}  // namespace

bool is_cron_schedule(std::string_view text) {
  if (text.starts_with('@')) return std::find(kTags.begin(), kTags.end(), text) != kTags.end();
  std::vector<std::string_view> words = split(text);
  const std::array<Field, 7> fields = {kSecond, kMinute, kHour, kDay, month(), weekday(), kYear};
  std::span<const Field> all = fields;
  switch (words.size()) {
    case 5:
      return are_fields(words, all.subspan(1, 5));
    case 6:
      return are_fields(words, all.first(6)) || are_fields(words, all.subspan(1, 6));
    case 7:
      return are_fields(words, all);
    default:
      return false;
  }
}

}  // namespace flotilla::api
