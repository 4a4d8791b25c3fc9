// SPDX-License-Identifier: Apache-2.0
#include "core/base/cron.hpp"

#include <array>
#include <charconv>
#include <vector>

namespace flotilla {
namespace {

using Names = std::vector<std::string_view>;
const Names kMonths{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
const Names kDays{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct FieldRule {
  std::string_view name;
  int low;
  int high;
  const Names* names;
};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if ((a[i] | 0x20) != (b[i] | 0x20)) return false;
  }
  return true;
}

std::optional<int> number(std::string_view text, const FieldRule& rule) {
  if (rule.names) {
    for (std::size_t i = 0; i < rule.names->size(); ++i) {
      if (equal_ignoring_case(text, (*rule.names)[i])) return rule.low + static_cast<int>(i);
    }
  }
  int value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
    return std::nullopt;
  return value;
}

Error bad(std::string_view text, const FieldRule& rule) {
  return invalid("cron schedule: field " + std::string(rule.name) + ": \"" + std::string(text) +
                 "\" is not in " + std::to_string(rule.low) + "-" + std::to_string(rule.high));
}

// One field into the bits it names; `any` when it restricts nothing.
template <std::size_t N>
Status read_field(std::string_view text, const FieldRule& rule, std::bitset<N>& bits, bool* any = nullptr) {
  for (const std::string_view part : split(text, ',')) {
    const auto slash = part.find('/');
    const std::string_view range = part.substr(0, slash);
    int step = 1;
    if (slash != std::string_view::npos) {
      const auto parsed = number(part.substr(slash + 1), {rule.name, 1, rule.high, nullptr});
      if (!parsed || *parsed < 1) return bad(part, rule);
      step = *parsed;
    }
    int first = rule.low;
    int last = rule.high;
    if (range == "*" || range == "?") {
      if (any && slash == std::string_view::npos) *any = true;
    } else {
      const auto dash = range.find('-');
      const auto begin = number(range.substr(0, dash), rule);
      const auto end = dash == std::string_view::npos ? begin : number(range.substr(dash + 1), rule);
      if (!begin || !end) return bad(part, rule);
      first = *begin;
      last = dash == std::string_view::npos && slash != std::string_view::npos ? rule.high : *end;
      if (first < rule.low || last > rule.high || first > last) return bad(part, rule);
    }
    for (int value = first; value <= last; value += step) bits.set(static_cast<std::size_t>(value) % N);
  }
  return {};
}

}  // namespace

Result<CronSchedule> CronSchedule::parse(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kNamed{{{"@hourly", "0 * * * *"},
                                                                                 {"@daily", "0 0 * * *"},
                                                                                 {"@midnight", "0 0 * * *"},
                                                                                 {"@weekly", "0 0 * * 0"},
                                                                                 {"@monthly", "0 0 1 * *"},
                                                                                 {"@yearly", "0 0 1 1 *"},
                                                                                 {"@annually", "0 0 1 1 *"}}};
  CronSchedule schedule;
  if (text.starts_with("@every ")) {
    const auto every = parse_duration(text.substr(7));
    if (!every || *every < std::chrono::seconds(1))
      return invalid("cron schedule: @every needs a duration of 1s or more");
    schedule.every_ = *every;
    return schedule;
  }
  for (const auto& [name, meaning] : kNamed) {
    if (text == name) return parse(meaning);
  }
  std::vector<std::string_view> fields;
  for (const std::string_view part : split(text, ' ')) {
    if (!part.empty()) fields.push_back(part);
  }
  if (fields.size() != 5) {
    return invalid("cron schedule: expected exactly 5 fields, found " + std::to_string(fields.size()));
  }
  schedule.any_day_ = schedule.any_weekday_ = false;
  Status read = read_field(fields[0], {"minute", 0, 59, nullptr}, schedule.minutes_);
  if (read) read = read_field(fields[1], {"hour", 0, 23, nullptr}, schedule.hours_);
  if (read)
    read = read_field(fields[2], {"day of month", 1, 31, nullptr}, schedule.days_, &schedule.any_day_);
  if (read) read = read_field(fields[3], {"month", 1, 12, &kMonths}, schedule.months_);
  if (read)
    read = read_field(fields[4], {"day of week", 0, 7, &kDays}, schedule.weekdays_, &schedule.any_weekday_);
  if (!read) return read.error();
  return schedule;
}

std::optional<WallTime> CronSchedule::next(WallTime after) const {
  namespace ch = std::chrono;
  if (every_ > Duration(0))
    return ch::floor<ch::seconds>(after + ch::duration_cast<WallTime::duration>(every_));
  auto minute = ch::floor<ch::minutes>(after) + ch::minutes(1);
  const auto limit = after + ch::hours(24 * 366 * 5);
  while (minute < limit) {
    const auto day = ch::floor<ch::days>(minute);
    const ch::year_month_day date(day);
    const bool month = months_.test(static_cast<unsigned>(date.month()));
    const bool in_days = days_.test(static_cast<unsigned>(date.day()));
    const bool in_weekdays = weekdays_.test(ch::weekday(day).c_encoding());
    // Where both are restricted, either is enough.
    const bool matches = any_day_ || any_weekday_ ? in_days && in_weekdays : in_days || in_weekdays;
    if (!month || !matches) {
      minute = day + ch::days(1);
      continue;
    }
    const auto of_day = ch::duration_cast<ch::minutes>(minute - day).count();
    if (!hours_.test(static_cast<std::size_t>(of_day / 60))) {
      minute = day + ch::hours(of_day / 60 + 1);
      continue;
    }
    if (minutes_.test(static_cast<std::size_t>(of_day % 60))) return minute;
    minute += ch::minutes(1);
  }
  return std::nullopt;
}

}  // namespace flotilla
