// SPDX-License-Identifier: Apache-2.0
// Kubernetes' format.dns1123Label().validate("x") and its kin.
#include <algorithm>

#include "core/api/selector.hpp"
#include "core/api/validation/formats.hpp"
#include "core/cel/functions.hpp"
#include "core/cel/regex.hpp"

namespace flotilla::cel {
namespace {

using Faults = std::vector<std::string>;

constexpr std::string_view kLabel = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
constexpr std::string_view kSubdomain = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
constexpr std::string_view kOldLabel = "[a-z]([-a-z0-9]*[a-z0-9])?";

bool matches_whole(std::string_view pattern, std::string_view text) {
  const auto regex = Regex::compile("^(?:" + std::string(pattern) + ")$");
  return regex && (*regex)->matches(text);
}

struct NameRule {
  std::string_view pattern;
  std::size_t longest;
  std::string_view complaint;
};
constexpr NameRule kLabelRule = {
    kLabel, 63,
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
    "and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"};
constexpr NameRule kSubdomainRule = {
    kSubdomain, 253,
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"};
constexpr NameRule kOldLabelRule = {
    kOldLabel, 63,
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"};

Faults check_name(const NameRule& rule, std::string_view text) {
  Faults faults;
  if (text.size() > rule.longest)
    faults.push_back("must be no more than " + std::to_string(rule.longest) + " characters");
  if (!matches_whole(rule.pattern, text)) faults.emplace_back(rule.complaint);
  return faults;
}

// A generated suffix follows: a trailing dash is one more letter.
Faults check_prefix(const NameRule& rule, std::string_view text) {
  std::string masked(text);
  if (masked.size() > 1 && masked.ends_with('-')) masked[masked.size() - 1] = 'a';
  return check_name(rule, masked);
}

template <const NameRule& rule>
Faults name_faults(std::string_view text) {
  return check_name(rule, text);
}
template <const NameRule& rule>
Faults prefix_faults(std::string_view text) {
  return check_prefix(rule, text);
}

Faults uri_faults(std::string_view text) {
  const Value value = Value::string_view(text);
  const auto* overloads = find_function("url");
  const auto made = overloads->front().run({{&value, 1}});
  if (made) return {};
  constexpr std::string_view kPrefix = "URL parse error during conversion from string: ";
  return {made.error().message().substr(kPrefix.size())};
}

Faults unless(bool good, std::string_view complaint) {
  return good ? Faults() : Faults{std::string(complaint)};
}
Faults uuid_faults(std::string_view text) {
  return unless(matches_whole("(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", text),
                "does not match the UUID format");
}
Faults byte_faults(std::string_view text) {
  return unless(
      matches_whole("(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})", text),
      "invalid base64");
}
Faults date_faults(std::string_view text) {
  return unless(api::format_matches("date", text), "invalid date");
}
Faults datetime_faults(std::string_view text) {
  return unless(api::format_matches("date-time", text), "invalid datetime");
}

struct NamedFormat {
  std::string_view name;
  Faults (*check)(std::string_view text);
  std::uint64_t pattern_size;
};
constexpr NamedFormat kFormats[] = {
    {"dns1123Label", name_faults<kLabelRule>, 30},
    {"dns1123Subdomain", name_faults<kSubdomainRule>, 60},
    {"dns1035Label", name_faults<kOldLabelRule>, 30},
    {"qualifiedName", api::validate_label_key, 60},
    {"dns1123LabelPrefix", prefix_faults<kLabelRule>, 30},
    {"dns1123SubdomainPrefix", prefix_faults<kSubdomainRule>, 60},
    {"dns1035LabelPrefix", prefix_faults<kOldLabelRule>, 30},
    {"labelValue", api::validate_label_value, 40},
    {"uri", uri_faults, 1000},
    {"uuid", uuid_faults, 80},
    {"byte", byte_faults, 80},
    {"date", date_faults, 140},
    {"datetime", datetime_faults, 140},
};

class Format final : public Opaque {
 public:
  explicit Format(const NamedFormat& format) : format(format) {}
  std::string_view type_name() const override { return "kubernetes.NamedFormat"; }
  bool equals(const Opaque& other) const override {
    return &format == &static_cast<const Format&>(other).format;
  }

  const NamedFormat& format;
};

Value wrap(std::size_t index) {
  return Value::opaque(std::make_shared<Format>(kFormats[index]));
}

template <std::size_t index>
Result<Value> make_format(const Arguments&) {
  return wrap(index);
}

Result<Value> named(const Arguments& in) {
  for (std::size_t i = 0; i < std::size(kFormats); ++i)
    if (kFormats[i].name == in[0].as_string()) return Value::some(wrap(i));
  return Value::none();
}

Result<Value> validate(const Arguments& in) {
  std::vector<Value> faults;
  for (std::string& fault : static_cast<const Format*>(in[0].as_opaque())->format.check(in[1].as_string()))
    faults.push_back(Value::string(std::move(fault)));
  return faults.empty() ? Value::none() : Value::some(Value::list(std::move(faults)));
}

std::uint64_t cost_of_validate(std::span<const Value> in, const Value&) {
  return matching(in[1].cost_size(), static_cast<const Format*>(in[0].as_opaque())->format.pattern_size);
}

constexpr FunctionRow kRows[] = {
    {"format.named(string): optional(Format)", named},
    {"Format.validate(string): optional(list(string))", validate, cost_of_validate},
    {"format.dns1123Label(): Format", make_format<0>},
    {"format.dns1123Subdomain(): Format", make_format<1>},
    {"format.dns1035Label(): Format", make_format<2>},
    {"format.qualifiedName(): Format", make_format<3>},
    {"format.dns1123LabelPrefix(): Format", make_format<4>},
    {"format.dns1123SubdomainPrefix(): Format", make_format<5>},
    {"format.dns1035LabelPrefix(): Format", make_format<6>},
    {"format.labelValue(): Format", make_format<7>},
    {"format.uri(): Format", make_format<8>},
    {"format.uuid(): Format", make_format<9>},
    {"format.byte(): Format", make_format<10>},
    {"format.date(): Format", make_format<11>},
    {"format.datetime(): Format", make_format<12>},
};

}  // namespace

std::span<const FunctionRow> named_format_rows() {
  return kRows;
}

}  // namespace flotilla::cel
