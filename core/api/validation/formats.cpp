// SPDX-License-Identifier: Apache-2.0
#include "core/api/validation/formats.hpp"

#include <algorithm>

#include "core/api/validation/field_view.hpp"
#include "core/api/validation/network.hpp"
#include "core/base/base64.hpp"
#include "core/base/clock.hpp"

namespace flotilla::api {
namespace {

bool hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_uuid(std::string_view text, char version) {
  std::string plain;
  for (const char c : text) {
    if (c != '-') plain += c;
  }
  return plain.size() == 32 && std::all_of(plain.begin(), plain.end(), hex) &&
         (version == 0 || plain[12] == version);
}

bool is_mac(std::string_view text) {
  if (text.size() != 17) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % 3 == 2 ? text[i] != ':' && text[i] != '-' : !hex(text[i])) return false;
  }
  return true;
}

bool is_date(std::string_view text) {
  return text.size() == 10 && parse_time(std::string(text) + "T00:00:00Z").ok();
}

bool is_email(std::string_view text) {
  const std::size_t at = text.find('@');
  return at != text.npos && at > 0 && at + 1 < text.size() && text.find(' ') == text.npos;
}

bool is_uri(std::string_view text) {
  const std::size_t colon = text.find(':');
  return (colon != text.npos && colon > 0) || text.starts_with('/');
}

bool is_color(std::string_view text) {
  if (text.starts_with('#')) text.remove_prefix(1);
  return (text.size() == 3 || text.size() == 6) && std::all_of(text.begin(), text.end(), hex);
}

bool is_object_id(std::string_view text) {
  return text.size() == 24 && std::all_of(text.begin(), text.end(), hex);
}

bool is_hostname(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  return check_dns_subdomain(lower).empty();
}

bool is_social_number(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    if (c != '-' && c != ' ') plain += c;
  }
  return plain.size() == 9 && std::all_of(plain.begin(), plain.end(), digit);
}

// Digits alone, without dashes and spaces.
std::string digits_of(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    if (c != '-' && c != ' ') plain += c;
  }
  return plain;
}

bool is_isbn10(std::string_view text) {
  const std::string plain = digits_of(text);
  if (plain.size() != 10) return false;
  int sum = 0;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const bool ten = i == 9 && (plain[i] == 'X' || plain[i] == 'x');
    if (!ten && !digit(plain[i])) return false;
    sum += static_cast<int>(i + 1) * (ten ? 10 : plain[i] - '0');
  }
  return sum % 11 == 0;
}

bool is_isbn13(std::string_view text) {
  const std::string plain = digits_of(text);
  if (plain.size() != 13 || !std::all_of(plain.begin(), plain.end(), digit)) return false;
  int sum = 0;
  for (std::size_t i = 0; i < plain.size(); ++i) sum += (plain[i] - '0') * (i % 2 == 0 ? 1 : 3);
  return sum % 10 == 0;
}

// Luhn's sum.
bool is_credit_card(std::string_view text) {
  const std::string plain = digits_of(text);
  if (plain.size() < 13 || plain.size() > 19 || !std::all_of(plain.begin(), plain.end(), digit)) return false;
  int sum = 0;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    int value = plain[plain.size() - 1 - i] - '0';
    if (i % 2 == 1) value = value * 2 > 9 ? value * 2 - 9 : value * 2;
    sum += value;
  }
  return sum % 10 == 0;
}

// "rgb(0, 127, 255)".
bool is_rgb_color(std::string_view text) {
  if (!text.starts_with("rgb(") || !text.ends_with(')')) return false;
  text = text.substr(4, text.size() - 5);
  for (int part = 0; part < 3; ++part) {
    const std::size_t comma = text.find(',');
    if ((comma == text.npos) != (part == 2)) return false;
    std::string number = digits_of(text.substr(0, comma));
    if (number.empty() || number.size() > 3 || !std::all_of(number.begin(), number.end(), digit))
      return false;
    if (std::stoi(number) > 255) return false;
    text.remove_prefix(part == 2 ? 0 : comma + 1);
  }
  return true;
}

}  // namespace

bool is_known_format(std::string_view format) {
  static constexpr std::string_view kKnown[] = {
      "bsonobjectid", "uri",      "email",    "hostname", "ipv4",     "ipv6",     "cidr",   "mac",
      "uuid",         "uuid3",    "uuid4",    "uuid5",    "isbn",     "isbn10",   "isbn13", "creditcard",
      "ssn",          "hexcolor", "rgbcolor", "byte",     "date",     "duration", "int32",  "int64",
      "password",     "datetime", "float",    "double",   "date-time"};
  return std::find(std::begin(kKnown), std::end(kKnown), format) != std::end(kKnown);
}

bool format_matches(std::string_view format, std::string_view text) {
  if (format == "date-time" || format == "datetime") return parse_time(text).ok();
  if (format == "date") return is_date(text);
  if (format == "duration") return parse_duration(text).ok();
  if (format == "byte") return base64_decode(text).has_value();
  if (format == "ipv4") return validation::is_ipv4(text);
  if (format == "ipv6") return validation::is_ipv6(text);
  if (format == "cidr") return validation::is_cidr(text);
  if (format == "mac") return is_mac(text);
  if (format == "uuid") return is_uuid(text, 0);
  if (format == "uuid3") return is_uuid(text, '3');
  if (format == "uuid4") return is_uuid(text, '4');
  if (format == "uuid5") return is_uuid(text, '5');
  if (format == "email") return is_email(text);
  if (format == "uri") return is_uri(text);
  if (format == "hostname") return is_hostname(text);
  if (format == "hexcolor") return is_color(text);
  if (format == "bsonobjectid") return is_object_id(text);
  if (format == "isbn10") return is_isbn10(text);
  if (format == "isbn13") return is_isbn13(text);
  if (format == "isbn") return is_isbn10(text) || is_isbn13(text);
  if (format == "creditcard") return is_credit_card(text);
  if (format == "rgbcolor") return is_rgb_color(text);
  if (format == "ssn") return is_social_number(text);
  return true;
}

}  // namespace flotilla::api
