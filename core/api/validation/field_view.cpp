// SPDX-License-Identifier: Apache-2.0
#include "core/api/validation/field_view.hpp"

#include <algorithm>

#include "core/api/selector.hpp"

namespace flotilla::api {
namespace {

bool lower_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool digit(char c) {
  return c >= '0' && c <= '9';
}

constexpr std::string_view kLabelMessage =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
    "and end with an "
    "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
constexpr std::string_view kSubdomainMessage =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with "
    "an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr std::string_view kDns1035Message =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, and end "
    "with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')";

bool is_label(std::string_view text) {
  if (text.empty() || !lower_alnum(text.front()) || !lower_alnum(text.back())) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return lower_alnum(c) || c == '-'; });
}

std::string too_long(std::size_t most) {
  return "must be no more than " + std::to_string(most) + " characters";
}

// A prefix may end in what only the middle of a name may hold.
std::string masked(std::string_view name, bool prefix) {
  std::string text(name);
  if (prefix && text.size() > 1 && text.ends_with('-')) text.replace(text.size() - 1, 1, "a");
  return text;
}

// The recorded releases count characters where later ones count bytes.
std::vector<std::string> in_characters(std::vector<std::string> messages) {
  for (std::string& one : messages) {
    if (one.ends_with(" bytes")) one.replace(one.size() - 6, 6, " characters");
  }
  return messages;
}

std::string join(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts) out.append(part);
  return out;
}

}  // namespace

std::vector<std::string> check_dns_label(std::string_view name, bool prefix) {
  std::vector<std::string> found;
  if (name.size() > 63) found.push_back(too_long(63));
  if (!is_label(masked(name, prefix))) found.emplace_back(kLabelMessage);
  return found;
}

std::vector<std::string> check_dns_subdomain(std::string_view name, bool prefix) {
  std::vector<std::string> found;
  if (name.size() > 253) found.push_back(too_long(253));
  const std::string text = masked(name, prefix);
  std::string_view rest = text;
  bool good = !rest.empty();
  while (good && !rest.empty()) {
    const std::size_t dot = std::min(rest.find('.'), rest.size());
    good = is_label(rest.substr(0, dot)) && dot + 1 != rest.size();
    rest.remove_prefix(std::min(dot + 1, rest.size()));
  }
  if (!good) found.emplace_back(kSubdomainMessage);
  return found;
}

std::vector<std::string> check_dns1035_label(std::string_view name, bool prefix) {
  std::vector<std::string> found;
  if (name.size() > 63) found.push_back(too_long(63));
  const std::string text = masked(name, prefix);
  if (!is_label(text) || digit(text.front())) found.emplace_back(kDns1035Message);
  return found;
}

std::vector<std::string> check_path_segment(std::string_view name, bool prefix) {
  if (!prefix && (name == "." || name == "..")) return {join({"may not be '", name, "'"})};
  std::vector<std::string> found;
  for (const std::string_view bad : {"/", "%"}) {
    if (name.find(bad) != name.npos) found.push_back(join({"may not contain '", bad, "'"}));
  }
  return found;
}

std::vector<std::string> check_qualified_name(std::string_view name) {
  return in_characters(validate_label_key(name));
}

std::vector<std::string> check_label_value(std::string_view value) {
  return in_characters(validate_label_value(value));
}

std::string go_quantity(const Json& value) {
  const std::string text(value.is_string() ? std::string(value.as_string()) : value.dump());
  std::string digits;
  int scale = 0;
  std::size_t i = 0;
  bool fraction = false;
  for (; i < text.size() && (digit(text[i]) || text[i] == '.' || text[i] == '-'); ++i) {
    if (text[i] == '.') {
      fraction = true;
      continue;
    }
    digits += text[i];
    scale -= fraction ? 1 : 0;
  }
  const std::string_view suffix = std::string_view(text).substr(i);
  constexpr std::string_view kSuffixes[] = {"n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
  const auto at = std::find(std::begin(kSuffixes), std::end(kSuffixes), suffix);
  if (at != std::end(kSuffixes)) scale += 3 * static_cast<int>(at - std::begin(kSuffixes) - 3);
  const std::string_view format = suffix.ends_with('i') ? "BinarySI" : "DecimalSI";
  return join({"resource.Quantity{i:resource.int64Amount{value:", digits, ", scale:", std::to_string(scale),
               "}, d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:", go_quote(text),
               ", Format:", go_quote(format), "}"});
}

std::vector<std::string> check_config_key(std::string_view key) {
  std::vector<std::string> found;
  if (key.size() > 253) found.push_back(too_long(253));
  const bool good = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return lower_alnum(c) || upper(c) || c == '-' || c == '_' || c == '.';
  });
  if (!good) {
    found.emplace_back(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
        "'KEY_NAME',  or "
        "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')");
  }
  if (key == ".") found.emplace_back("must not be '.'");
  if (key == "..") found.emplace_back("must not be '..'");
  if (key.starts_with("..") && key != "..") found.emplace_back("must not start with '..'");
  return found;
}

std::vector<std::string> check_port_name(std::string_view name) {
  std::vector<std::string> found;
  if (name.size() > 15) found.push_back(too_long(15));
  if (!std::all_of(name.begin(), name.end(), [](char c) { return lower_alnum(c) || c == '-'; })) {
    found.emplace_back("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (!std::any_of(name.begin(), name.end(), [](char c) { return c >= 'a' && c <= 'z'; })) {
    found.emplace_back("must contain at least one letter (a-z)");
  }
  if (name.find("--") != name.npos) found.emplace_back("must not contain consecutive hyphens");
  if (!name.empty() && (name.front() == '-' || name.back() == '-'))
    found.emplace_back("must not begin or end with a hyphen");
  return found;
}

std::vector<std::string> check_env_name(std::string_view name) {
  std::vector<std::string> found;
  const auto allowed = [](char c) { return lower_alnum(c) || upper(c) || c == '-' || c == '_' || c == '.'; };
  if (name.empty() || digit(name.front()) || !std::all_of(name.begin(), name.end(), allowed)) {
    found.emplace_back(
        "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', "
        "and must not start "
        "with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is "
        "'[-._a-zA-Z][-._a-zA-Z0-9]*')");
  }
  if (name == "." || name == "..") found.push_back(join({"must not be '", name, "'"}));
  return found;
}

std::vector<FieldView> FieldView::each() const {
  std::vector<FieldView> all;
  all.reserve(value_->is_array() ? value_->size() : 0);
  for (std::size_t i = 0; value_->is_array() && i < value_->size(); ++i) all.push_back(element(i));
  return all;
}

bool FieldView::require(std::string_view detail) const {
  if (given() && !((value_->is_array() || value_->is_object()) && value_->empty() && value_->is_array()))
    return true;
  errors_->required(path_, detail);
  return false;
}

bool FieldView::invalid(std::string_view detail) const {
  errors_->invalid(path_, *value_, detail);
  return false;
}

bool FieldView::forbid(std::string_view detail) const {
  errors_->forbidden(path_, detail);
  return false;
}

bool FieldView::one_of(std::initializer_list<std::string_view> allowed) const {
  if (std::find(allowed.begin(), allowed.end(), text()) != allowed.end()) return true;
  errors_->not_supported(path_, value_->is_null() ? Json("") : *value_, allowed);
  return false;
}

bool FieldView::required_one_of(std::initializer_list<std::string_view> allowed) const {
  return require() && one_of(allowed);
}

bool FieldView::not_negative() const {
  return number() >= 0 || invalid("must be greater than or equal to 0");
}

bool FieldView::messages(const std::vector<std::string>& found) const {
  for (const std::string& one : found) errors_->invalid(path_, value_->is_null() ? Json("") : *value_, one);
  return found.empty();
}

bool FieldView::dns_label() const {
  return messages(check_dns_label(text()));
}
bool FieldView::dns_subdomain() const {
  return messages(check_dns_subdomain(text()));
}

bool FieldView::port_number() const {
  if (number() >= 1 && number() <= 65535) return true;
  errors_->invalid(path_, value_->is_null() ? Json(0) : *value_, "must be between 1 and 65535, inclusive");
  return false;
}

bool FieldView::immutable(const Json& before) const {
  if (*value_ == before) return true;
  errors_->immutable(path_, *value_);
  return false;
}

void validate_labels(const FieldView& labels) {
  for (const auto& [key, value] : labels.value().members()) {
    for (const std::string& one : check_qualified_name(key)) labels.errors().invalid(labels.path(), key, one);
    for (const std::string& one : check_label_value(value.as_string()))
      labels.errors().invalid(labels.path(), value, one);
  }
}

void validate_label_selector(const FieldView& selector) {
  validate_labels(selector["matchLabels"]);
  for (const FieldView& one : selector["matchExpressions"].each()) {
    const std::string_view op = one["operator"].text();
    if (op == "In" || op == "NotIn") {
      if (!one["values"].filled())
        one["values"].errors().required(one["values"].path(),
                                        "must be specified when `operator` is 'In' or 'NotIn'");
    } else if (op == "Exists" || op == "DoesNotExist") {
      if (one["values"].filled())
        one["values"].forbid("may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    } else {
      one["operator"].invalid("not a valid selector operator");
    }
    for (const std::string& message : check_qualified_name(one["key"].text()))
      one["key"].errors().invalid(one["key"].path(), one["key"].text(), message);
    for (const FieldView& value : one["values"].each()) value.messages(check_label_value(value.text()));
  }
}

std::string go_difference(std::string_view type, const Json& before, const Json& after) {
  std::string text = "  " + std::string(type) + "{\n";
  for (const auto& [name, value] : before.members()) {
    if (!(after[name] == value)) text += "- \t" + std::string(name) + ": " + value.dump() + "\n";
  }
  for (const auto& [name, value] : after.members()) {
    if (!(before[name] == value)) text += "+ \t" + std::string(name) + ": " + value.dump() + "\n";
  }
  return text + "  }\n";
}

std::string go_strings(const Json& list) {
  std::string out = "[]string{";
  for (const Json& one : list.elements()) {
    if (!out.ends_with('{')) out += ", ";
    out += go_quote(one.as_string());
  }
  return out + "}";
}

bool validate_int_or_percent(const FieldView& value) {
  if (value.value().is_string()) {
    const std::string_view text = value.text();
    const bool percent =
        text.size() > 1 && text.ends_with('%') && std::all_of(text.begin(), text.end() - 1, digit);
    if (!percent) {
      return value.invalid(
          "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', "
          "regex used for validation is '[0-9]+%')");
    }
    return true;
  }
  return value.not_negative();
}

}  // namespace flotilla::api
