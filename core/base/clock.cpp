// SPDX-License-Identifier: Apache-2.0
#include "core/base/clock.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>

namespace flotilla {
namespace {

using std::chrono::duration_cast;

// Reads exactly `digits` decimal digits at `pos`, or -1.
int read_digits(std::string_view text, std::size_t& pos, int digits) {
  int value = 0;
  for (int i = 0; i < digits; ++i, ++pos) {
    if (pos >= text.size() || text[pos] < '0' || text[pos] > '9') return -1;
    value = value * 10 + (text[pos] - '0');
  }
  return value;
}

bool read_char(std::string_view text, std::size_t& pos, std::string_view allowed) {
  if (pos >= text.size() || allowed.find(text[pos]) == std::string_view::npos) return false;
  ++pos;
  return true;
}

Error bad_time(std::string_view text) {
  return invalid("cannot parse \"" + std::string(text) + "\" as an RFC 3339 time");
}

// WallTime counts nanoseconds: some 290 years either way. What is read beyond is as early or as late as can
// be, with room to add to it.
constexpr std::chrono::sys_seconds kEarliest = std::chrono::sys_days(std::chrono::year(1700) / 1 / 1);
constexpr std::chrono::sys_seconds kLatest = std::chrono::sys_days(std::chrono::year(2250) / 1 / 1);

struct Unit {
  std::string_view name;
  double nanos;
};
constexpr std::array<Unit, 7> kUnits{
    {{"ns", 1}, {"us", 1e3}, {"µs", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}}};

}  // namespace

WallTime SystemClock::now() const {
  return std::chrono::system_clock::now();
}
SteadyTime SystemClock::steady_now() const {
  return std::chrono::steady_clock::now();
}

WallTime ManualClock::now() const {
  std::lock_guard lock(mutex_);
  return start_ + duration_cast<WallTime::duration>(elapsed_);
}

SteadyTime ManualClock::steady_now() const {
  std::lock_guard lock(mutex_);
  return SteadyTime(duration_cast<SteadyTime::duration>(elapsed_));
}

void ManualClock::advance(Duration by) {
  std::lock_guard lock(mutex_);
  elapsed_ += by;
}

std::string format_time(WallTime time) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char buffer[32];
  const auto length = std::strftime(buffer, sizeof buffer, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {buffer, length};
}

std::string format_micro_time(WallTime time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto micros = duration_cast<std::chrono::microseconds>(time - whole).count();
  std::string text = format_time(whole);
  char fraction[16];
  std::snprintf(fraction, sizeof fraction, ".%06dZ", static_cast<int>(micros));
  text.replace(text.size() - 1, 1, fraction);
  return text;
}

Result<WallTime> parse_time(std::string_view text) {
  std::size_t pos = 0;
  const int year = read_digits(text, pos, 4);
  if (year < 0 || !read_char(text, pos, "-")) return bad_time(text);
  const int month = read_digits(text, pos, 2);
  if (month < 1 || month > 12 || !read_char(text, pos, "-")) return bad_time(text);
  const int day = read_digits(text, pos, 2);
  if (day < 1 || day > 31 || !read_char(text, pos, "Tt")) return bad_time(text);
  const int hour = read_digits(text, pos, 2);
  if (hour < 0 || hour > 23 || !read_char(text, pos, ":")) return bad_time(text);
  const int minute = read_digits(text, pos, 2);
  if (minute < 0 || minute > 59 || !read_char(text, pos, ":")) return bad_time(text);
  const int second = read_digits(text, pos, 2);
  if (second < 0 || second > 59) return bad_time(text);

  std::int64_t nanos = 0;
  if (read_char(text, pos, ".")) {
    std::int64_t scale = 100'000'000;
    const std::size_t begin = pos;
    for (; pos < text.size() && text[pos] >= '0' && text[pos] <= '9'; ++pos, scale /= 10) {
      nanos += (text[pos] - '0') * scale;
    }
    if (pos == begin) return bad_time(text);
  }
  int offset_minutes = 0;
  if (!read_char(text, pos, "Zz")) {
    const bool negative = pos < text.size() && text[pos] == '-';
    if (!read_char(text, pos, "+-")) return bad_time(text);
    const int hours = read_digits(text, pos, 2);
    if (hours < 0 || !read_char(text, pos, ":")) return bad_time(text);
    const int minutes = read_digits(text, pos, 2);
    if (minutes < 0) return bad_time(text);
    offset_minutes = (hours * 60 + minutes) * (negative ? -1 : 1);
  }
  if (pos != text.size()) return bad_time(text);

  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(unsigned(month)),
                                         std::chrono::day(unsigned(day))};
  if (!date.ok()) return bad_time(text);
  const std::chrono::sys_seconds time = std::chrono::sys_days(date) + std::chrono::hours(hour) +
                                        std::chrono::minutes(minute - offset_minutes) +
                                        std::chrono::seconds(second);
  if (time < kEarliest) return WallTime(kEarliest);
  if (time > kLatest) return WallTime(kLatest);
  return WallTime(time) + duration_cast<WallTime::duration>(std::chrono::nanoseconds(nanos));
}

Result<Duration> parse_duration(std::string_view text) {
  const auto bad = [&] { return invalid("time: invalid duration \"" + std::string(text) + "\""); };
  std::string_view rest = text;
  const bool negative = !rest.empty() && rest[0] == '-';
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) rest.remove_prefix(1);
  if (rest == "0") return Duration(0);
  if (rest.empty()) return bad();
  double total = 0;
  while (!rest.empty()) {
    // Not what else from_chars takes for a number: "inf", "nan".
    if (rest[0] != '.' && (rest[0] < '0' || rest[0] > '9')) return bad();
    double number = 0;
    const auto parsed =
        std::from_chars(rest.data(), rest.data() + rest.size(), number, std::chars_format::fixed);
    if (parsed.ec != std::errc()) return bad();
    rest.remove_prefix(static_cast<std::size_t>(parsed.ptr - rest.data()));
    const std::size_t unit_length = std::min(rest.size(), rest.find_first_of("0123456789."));
    const std::string_view name = rest.substr(0, unit_length);
    const Unit* unit = nullptr;
    for (const Unit& candidate : kUnits) {
      if (candidate.name == name) unit = &candidate;
    }
    if (unit == nullptr) return bad();
    total += number * unit->nanos;
    rest.remove_prefix(unit_length);
  }
  if (total > 9.2e18) return bad();
  return Duration(static_cast<std::int64_t>(negative ? -total : total));
}

std::string format_duration(Duration duration) {
  std::int64_t nanos = duration.count();
  if (nanos == 0) return "0s";
  std::string text = nanos < 0 ? "-" : "";
  std::uint64_t rest = nanos < 0 ? 0 - static_cast<std::uint64_t>(nanos) : static_cast<std::uint64_t>(nanos);
  const auto fraction = [](std::uint64_t value, std::uint64_t unit) {
    std::string out = std::to_string(value / unit);
    if (const std::uint64_t remainder = value % unit; remainder != 0) {
      std::string digits = std::to_string(unit + remainder).substr(1);
      digits.erase(digits.find_last_not_of('0') + 1);
      out += "." + digits;
    }
    return out;
  };
  if (rest < 1'000) return text + std::to_string(rest) + "ns";
  if (rest < 1'000'000) return text + fraction(rest, 1'000) + "µs";
  if (rest < 1'000'000'000) return text + fraction(rest, 1'000'000) + "ms";
  const std::uint64_t hours = rest / 3'600'000'000'000;
  const std::uint64_t minutes = rest / 60'000'000'000 % 60;
  if (hours != 0) text += std::to_string(hours) + "h";
  if (hours != 0 || minutes != 0) text += std::to_string(minutes) + "m";
  return text + fraction(rest % 60'000'000'000, 1'000'000'000) + "s";
}

}  // namespace flotilla
