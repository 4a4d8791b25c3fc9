// SPDX-License-Identifier: Apache-2.0
#include "tests/compat/compare.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/clock.hpp"

namespace flotilla::compat {
namespace {

using api::Json;

constexpr std::array<std::string_view, 7> kMessageTopics = {
    "scheduling", "division", "spread", "names", "schedule_trigger", "binding_build", "member_update"};

bool has_fixed_messages(std::string_view topic, std::string_view message) {
  if (topic == "binding_build" && message.ends_with("not found")) return false;
  return std::find(kMessageTopics.begin(), kMessageTopics.end(), topic) != kMessageTopics.end();
}

// Members of an answer whose order says nothing.
bool is_set(std::string_view topic, std::string_view path) {
  if (path == "clusters") return topic == "scheduling" || topic == "division";
  if (topic == "schema") return path.ends_with(".required") || path.ends_with(".enum");
  return path == "dependencies" || path == "components" || path == "fields";
}

void drop_empty_members(Json& value, bool lists_too) {
  for (Json& element : value.elements()) drop_empty_members(element, lists_too);
  if (!value.is_object()) return;
  for (const std::string& key : value.keys()) {
    Json& member = *value.find(key);
    drop_empty_members(member, lists_too);
    bool empty = member.is_null() || (member.is_object() && member.empty()) ||
                 (lists_too && member.is_array() && member.empty());
    if (empty) value.erase(key);
  }
}

// A list without a type is atomic: saying so adds nothing.
void drop_implied_list_types(Json& value) {
  for (Json& element : value.elements()) drop_implied_list_types(element);
  if (!value.is_object()) return;
  for (const std::string& key : value.keys()) {
    Json& member = *value.find(key);
    if (key == "x-kubernetes-list-type" && member == Json("atomic")) {
      value.erase(key);
    } else {
      drop_implied_list_types(member);
    }
  }
}

bool is_uuid4(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    char c = text[i];
    bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (dash ? c != '-' : !hex) return false;
  }
  return text[14] == '4';
}

// A decimal number times ten to the `exponent`, or times two to the `exponent` when `binary`.
struct Suffix {
  int exponent = 0;
  bool binary = false;
};

std::optional<Suffix> parse_suffix(std::string_view text) {
  constexpr std::string_view kBinary = "KMGTPE";
  if (text.empty()) return Suffix{};
  if (text.size() == 2 && text[1] == 'i') {
    auto at = kBinary.find(text[0]);
    if (at == std::string_view::npos) return std::nullopt;
    return Suffix{static_cast<int>(at + 1) * 10, true};
  }
  if (text.size() == 1) {
    constexpr std::string_view kDecimal = "numkMGTPE";
    constexpr std::array<int, 9> kExponent = {-9, -6, -3, 3, 6, 9, 12, 15, 18};
    auto at = kDecimal.find(text[0]);
    if (at == std::string_view::npos) return std::nullopt;
    return Suffix{kExponent[at], false};
  }
  if (text[0] != 'e' && text[0] != 'E') return std::nullopt;
  text.remove_prefix(text[1] == '+' ? 2 : 1);
  int exponent = 0;
  auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (bad != std::errc() || end != text.data() + text.size() || exponent < -30 || exponent > 30) {
    return std::nullopt;
  }
  return Suffix{exponent, false};
}

// Digits without point or zeros at the ends, and the power of ten that the first digit stands for.
struct Decimal {
  bool negative = false;
  std::string digits;
  int exponent = 0;
  bool operator==(const Decimal&) const = default;
};

void normalize(Decimal& number) {
  auto first = number.digits.find_first_not_of('0');
  if (first == std::string::npos) {
    number = Decimal{};
    return;
  }
  number.exponent -= static_cast<int>(first);
  number.digits.erase(0, first);
  number.digits.erase(number.digits.find_last_not_of('0') + 1);
}

void twice(Decimal& number) {
  int carry = 0;
  for (auto digit = number.digits.rbegin(); digit != number.digits.rend(); ++digit) {
    int sum = (*digit - '0') * 2 + carry;
    *digit = static_cast<char>('0' + sum % 10);
    carry = sum / 10;
  }
  if (carry != 0) {
    number.digits.insert(number.digits.begin(), '1');
    ++number.exponent;
  }
}

std::optional<Decimal> parse_quantity(std::string_view text) {
  Decimal number;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    number.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::size_t at = 0;
  while (at < text.size() && is_digit(text[at])) number.digits += text[at++];
  number.exponent = static_cast<int>(number.digits.size());
  if (at < text.size() && text[at] == '.') {
    for (++at; at < text.size() && is_digit(text[at]); ++at) number.digits += text[at];
  }
  if (number.digits.empty() || number.digits.size() > 60) return std::nullopt;
  auto suffix = parse_suffix(text.substr(at));
  if (!suffix) return std::nullopt;
  if (!suffix->binary) number.exponent += suffix->exponent;
  for (int i = 0; suffix->binary && i < suffix->exponent; ++i) twice(number);
  normalize(number);
  return number;
}

bool equal_strings(std::string_view expected, std::string_view answer) {
  if (expected == answer) return true;
  if (expected == "<now>") return parse_time(answer).ok();
  if (expected == "<uuid>") return is_uuid4(answer);
  return equal_quantities(expected, answer);
}

std::string shown(const Json* value) {
  if (value == nullptr) return "nothing";
  std::string text = value->dump();
  if (text.size() > 300) text = text.substr(0, 300) + "...";
  return text;
}

class Comparison {
 public:
  explicit Comparison(std::string_view topic) : topic_(topic) {}

  std::string differs(const std::string& path, const Json* expected, const Json* answer) const {
    auto here = [&] { return path + ": want " + shown(expected) + ", got " + shown(answer); };
    if (expected == nullptr || answer == nullptr) return expected == answer ? "" : here();
    if (expected->is_object() && answer->is_object()) return members_differ(path, *expected, *answer);
    if (expected->is_array() && answer->is_array()) {
      return is_set(topic_, path) ? sets_differ(path, *expected, *answer)
                                  : lists_differ(path, *expected, *answer);
    }
    if (expected->is_string() && answer->is_string()) {
      return equal_strings(expected->as_string(), answer->as_string()) ? "" : here();
    }
    return *expected == *answer ? "" : here();
  }

 private:
  std::string members_differ(const std::string& path, const Json& expected, const Json& answer) const {
    std::vector<std::string> keys = expected.keys();
    for (std::string& key : answer.keys()) {
      if (!expected.contains(key)) keys.push_back(std::move(key));
    }
    for (const std::string& key : keys) {
      std::string below = path.empty() ? key : path + "." + key;
      std::string found = differs(below, expected.find(key), answer.find(key));
      if (!found.empty()) return found;
    }
    return "";
  }

  std::string lists_differ(const std::string& path, const Json& expected, const Json& answer) const {
    std::size_t n = std::max(expected.size(), answer.size());
    auto at = [](const Json& list, std::size_t i) { return i < list.size() ? &list.element(i) : nullptr; };
    for (std::size_t i = 0; i < n; ++i) {
      std::string below = path + "[" + std::to_string(i) + "]";
      std::string found = differs(below, at(expected, i), at(answer, i));
      if (!found.empty()) return found;
    }
    return "";
  }

  std::string sets_differ(const std::string& path, const Json& expected, const Json& answer) const {
    std::vector<const Json*> left;
    for (const Json& element : answer.elements()) left.push_back(&element);
    for (const Json& element : expected.elements()) {
      auto same = std::find_if(left.begin(), left.end(), [&](const Json* candidate) {
        return differs(path + "[]", &element, candidate).empty();
      });
      if (same == left.end()) return path + ": want " + shown(&element) + " in " + shown(&answer);
      left.erase(same);
    }
    return left.empty() ? "" : path + ": do not want " + shown(left.front());
  }

  std::string_view topic_;
};

std::string fit_error_differs(std::string_view expected, std::string_view answer) {
  constexpr std::string_view kStart = " clusters are available: ";
  auto at = expected.find(kStart);
  if (at == std::string_view::npos || answer.starts_with(expected.substr(0, at + kStart.size()))) return "";
  return "error.message: want the start of \"" + std::string(expected) + "\", got \"" + std::string(answer) +
         "\"";
}

std::string error_differs(std::string_view topic, const Json& expected, const Json& answer,
                          const CompareOptions& options) {
  if (!answer.is_object()) return "error: want " + shown(&expected) + ", got none";
  if (expected["panic"].as_bool()) return "";
  if (expected.contains("class") && !(expected["class"] == answer["class"])) {
    return "error.class: want " + shown(&expected) + ", got " + shown(&answer);
  }
  std::string_view want = expected["message"].as_string();
  std::string_view got = answer["message"].as_string();
  if (expected["message_varies"].as_bool()) return fit_error_differs(want, got);
  if (want == got || !(options.messages || has_fixed_messages(topic, want))) return "";
  return "error.message: want " + shown(&expected["message"]) + ", got " + shown(&answer["message"]);
}

// What a denied request says beside the verdict comes from libraries of the original.
void keep_verdict(Json& expected, Json& answer) {
  for (std::string_view key : {"message", "code", "reason", "errors"}) {
    expected.erase(key);
    answer.erase(key);
  }
  if (!expected.contains("fields")) answer.erase("fields");
}

std::string one_differs(std::string_view topic, const Json& recorded, const Json& given,
                        const CompareOptions& options) {
  Json expected = recorded;
  Json answer = given;
  bool lists_too = topic == "interpreter_thirdparty";
  drop_empty_members(expected, lists_too);
  drop_empty_members(answer, lists_too);
  if (topic == "schema") {
    drop_implied_list_types(expected);
    drop_implied_list_types(answer);
  }
  if (std::as_const(expected)["error"].is_object()) {
    std::string found =
        error_differs(topic, std::as_const(expected)["error"], std::as_const(answer)["error"], options);
    if (!found.empty()) return found;
    expected.erase("error");
    answer.erase("error");
  }
  if (expected.contains("allowed") && !std::as_const(expected)["allowed"].as_bool() && !options.messages) {
    keep_verdict(expected, answer);
  }
  return Comparison(topic).differs("", &expected, &answer);
}

}  // namespace

bool equal_quantities(std::string_view a, std::string_view b) {
  auto left = parse_quantity(a);
  if (!left) return false;
  auto right = parse_quantity(b);
  return right && *left == *right;
}

std::string difference(const Json& line, const Json& answer, const CompareOptions& options) {
  std::string_view topic = line["topic"].as_string();
  std::string found = one_differs(topic, line["expected"], answer, options);
  if (found.empty()) return found;
  for (const Json& other : line["expected_any"].elements()) {
    if (one_differs(topic, other, answer, options).empty()) return "";
  }
  return found;
}

}  // namespace flotilla::compat
