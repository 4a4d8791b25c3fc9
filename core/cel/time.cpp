// SPDX-License-Identifier: Apache-2.0
#include "core/cel/time.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>

#include "core/base/clock.hpp"
#include "core/cel/text.hpp"

namespace flotilla::cel {
namespace {

__extension__ using Wide = __int128;

constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kFirstSecond = -62135596800;  // 0001-01-01T00:00:00Z
constexpr std::int64_t kLastSecond = 253402300799;   // 9999-12-31T23:59:59Z

// Reads digits of a fixed width.
struct Reader {
  std::string_view text;
  std::size_t at = 0;
  bool failed = false;

  int digits(int count) {
    int value = 0;
    for (int i = 0; i < count; ++i) {
      if (at >= text.size() || text[at] < '0' || text[at] > '9') return failed = true, 0;
      value = value * 10 + (text[at++] - '0');
    }
    return value;
  }
  bool take(char c) {
    if (at < text.size() && text[at] == c) return ++at, true;
    return false;
  }
  void demand(char c) { failed |= !take(c); }
};

std::int64_t days_of(int year, int month, int day) {
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  return std::chrono::sys_days(date).time_since_epoch().count();
}

bool date_exists(int year, int month, int day) {
  return std::chrono::year_month_day{std::chrono::year(year),
                                     std::chrono::month(static_cast<unsigned>(month)),
                                     std::chrono::day(static_cast<unsigned>(day))}
      .ok();
}

std::int32_t read_fraction(Reader& in) {
  std::int32_t nanos = 0;
  int count = 0;
  while (in.at < in.text.size() && in.text[in.at] >= '0' && in.text[in.at] <= '9') {
    if (count < 9) nanos = nanos * 10 + (in.text[in.at] - '0');
    ++count, ++in.at;
  }
  in.failed |= count == 0;
  for (; count < 9; ++count) nanos *= 10;
  return nanos;
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

std::int64_t big_endian(const std::string& data, std::size_t at, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) value = value << 8 | static_cast<unsigned char>(data[at + i]);
  return width == 4 ? static_cast<std::int32_t>(value) : static_cast<std::int64_t>(value);
}

// The offset that the second block of a TZif file (RFC 8536) lists for an instant; what its closing rule says
// of later years is read off the last transition.
std::optional<std::int64_t> offset_in(const std::string& data, std::int64_t seconds) {
  if (data.size() < 44 || !data.starts_with("TZif")) return std::nullopt;
  const auto count = [&](std::size_t header, int index) {
    return static_cast<std::size_t>(big_endian(data, header + 20 + 4 * static_cast<std::size_t>(index), 4));
  };
  // Counts: isut, isstd, leap, time, type, char.
  const std::size_t second =
      44 + count(0, 3) * 5 + count(0, 4) * 6 + count(0, 5) + count(0, 2) * 8 + count(0, 1) + count(0, 0);
  if (data[4] < '2' || data.size() < second + 44) return std::nullopt;
  const std::size_t times = count(second, 3), types = count(second, 4);
  const std::size_t base = second + 44;
  if (types == 0 || data.size() < base + times * 9 + types * 6) return std::nullopt;
  std::size_t type = 0;
  for (std::size_t i = 0; i < times && big_endian(data, base + i * 8, 8) <= seconds; ++i)
    type = static_cast<unsigned char>(data[base + times * 8 + i]);
  if (type >= types) return std::nullopt;
  return big_endian(data, base + times * 9 + type * 6, 4);
}

bool is_zone_name(std::string_view zone) {
  if (zone.empty() || zone.size() > 64 || zone.find("..") != std::string_view::npos || zone[0] == '/')
    return false;
  for (const char c : zone) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!plain && c != '/' && c != '_' && c != '-' && c != '+') return false;
  }
  return true;
}

}  // namespace

std::optional<Value::Instant> parse_timestamp(std::string_view text) {
  Reader in{text};
  const int year = in.digits(4);
  in.demand('-');
  const int month = in.digits(2);
  in.demand('-');
  const int day = in.digits(2);
  in.demand('T');
  const int hour = in.digits(2);
  in.demand(':');
  const int minute = in.digits(2);
  in.demand(':');
  const int second = in.digits(2);
  if (in.failed || !date_exists(year, month, day) || hour > 23 || minute > 59 || second > 59)
    return std::nullopt;
  Value::Instant instant;
  if (in.take('.')) instant.nanos = read_fraction(in);
  std::int64_t offset = 0;
  if (!in.take('Z')) {
    const bool minus = in.take('-');
    if (!minus) in.demand('+');
    const int hours = in.digits(2);
    in.demand(':');
    const int minutes = in.digits(2);
    if (hours > 24 || minutes > 59) return std::nullopt;
    offset = (hours * 60 + minutes) * (minus ? -60 : 60);
  }
  if (in.failed || in.at != text.size()) return std::nullopt;
  instant.offset_seconds = static_cast<std::int32_t>(offset);
  instant.seconds = days_of(year, month, day) * kDay + hour * 3600 + minute * 60 + second - offset;
  return in_range(instant) ? std::optional(instant) : std::nullopt;
}

std::optional<std::int64_t> parse_nanos(std::string_view text) {
  const auto parsed = parse_duration(text);
  if (!parsed) return std::nullopt;
  return parsed->count();
}

std::string timestamp_text(Value::Instant instant) {
  const Civil civil = civil_of(instant, instant.offset_seconds);
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%04lld-%02d-%02dT%02d:%02d:%02d", static_cast<long long>(civil.year),
                civil.month + 1, civil.day, civil.hour, civil.minute, civil.second);
  std::string out = buffer;
  if (instant.nanos != 0) {
    std::snprintf(buffer, sizeof buffer, ".%09d", instant.nanos);
    out += buffer;
    while (out.back() == '0') out.pop_back();
  }
  if (instant.offset_seconds == 0) return out + "Z";
  const int minutes = std::abs(instant.offset_seconds) / 60;
  std::snprintf(buffer, sizeof buffer, "%c%02d:%02d", instant.offset_seconds < 0 ? '-' : '+', minutes / 60,
                minutes % 60);
  return out + buffer;
}

std::string duration_text(std::int64_t nanos) {
  const bool negative = nanos < 0;
  const std::uint64_t size =
      negative ? 0 - static_cast<std::uint64_t>(nanos) : static_cast<std::uint64_t>(nanos);
  std::string out = (negative ? "-" : "") + std::to_string(size / kNanosPerSecond);
  if (const std::uint64_t rest = size % kNanosPerSecond; rest != 0) {
    std::string digits = std::to_string(rest);
    out += "." + std::string(9 - digits.size(), '0') + digits;
    while (out.back() == '0') out.pop_back();
  }
  return out + "s";
}

bool in_range(Value::Instant instant) {
  return instant.seconds >= kFirstSecond && instant.seconds <= kLastSecond;
}

std::optional<Value::Instant> shifted(Value::Instant instant, std::int64_t nanos) {
  const std::int64_t sum = instant.nanos + (nanos - floor_div(nanos, kNanosPerSecond) * kNanosPerSecond);
  Value::Instant moved = instant;
  moved.seconds = instant.seconds + floor_div(nanos, kNanosPerSecond) + sum / kNanosPerSecond;
  moved.nanos = static_cast<std::int32_t>(sum % kNanosPerSecond);
  return in_range(moved) ? std::optional(moved) : std::nullopt;
}

std::optional<std::int64_t> between(Value::Instant later, Value::Instant earlier) {
  const Wide nanos =
      (static_cast<Wide>(later.seconds) - earlier.seconds) * kNanosPerSecond + (later.nanos - earlier.nanos);
  if (nanos > INT64_MAX || nanos < INT64_MIN) return std::nullopt;
  return static_cast<std::int64_t>(nanos);
}

Civil civil_of(Value::Instant instant, std::int64_t offset_seconds) {
  const std::int64_t local = instant.seconds + offset_seconds;
  const std::int64_t days = floor_div(local, kDay);
  const std::int64_t rest = local - days * kDay;
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  Civil civil;
  civil.year = static_cast<int>(date.year());
  civil.month = static_cast<int>(static_cast<unsigned>(date.month())) - 1;
  civil.day = static_cast<int>(static_cast<unsigned>(date.day()));
  civil.day_of_year = static_cast<int>(days - days_of(static_cast<int>(civil.year), 1, 1));
  civil.weekday = static_cast<int>(((days + 4) % 7 + 7) % 7);
  civil.hour = static_cast<int>(rest / 3600);
  civil.minute = static_cast<int>(rest / 60 % 60);
  civil.second = static_cast<int>(rest % 60);
  civil.milli = instant.nanos / 1'000'000;
  return civil;
}

Result<std::int64_t> zone_offset(std::string_view zone, Value::Instant at) {
  if (zone.empty() || zone == "UTC" || zone == "Local") return std::int64_t{0};
  if (const std::size_t colon = zone.find(':'); colon != std::string_view::npos) {
    Reader in{zone};
    const bool minus = in.take('-');
    if (!minus) in.take('+');
    const int hours = in.digits(static_cast<int>(colon - in.at));
    in.demand(':');
    const int minutes = in.digits(2);
    if (in.failed || in.at != zone.size() || hours > 99)
      return invalid("invalid time zone " + std::string(zone));
    return std::int64_t{(hours * 60 + minutes) * (minus ? -60 : 60)};
  }
  if (is_zone_name(zone)) {
    std::ifstream file("/usr/share/zoneinfo/" + std::string(zone), std::ios::binary);
    const std::string data{std::istreambuf_iterator<char>(file), {}};
    if (const auto offset = offset_in(data, at.seconds)) return *offset;
  }
  return invalid("unknown time zone " + std::string(zone));
}

}  // namespace flotilla::cel
