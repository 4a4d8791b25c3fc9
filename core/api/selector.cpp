// SPDX-License-Identifier: Apache-2.0
#include "core/api/selector.hpp"

#include <algorithm>
#include <charconv>

namespace flotilla::api {
namespace {

std::optional<std::int64_t> to_int(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string join(const std::vector<std::string>& texts, std::string_view separator) {
  std::string out;
  for (const std::string& text : texts) {
    if (&text != texts.data()) out += separator;
    out += text;
  }
  return out;
}

std::string quoted(std::string_view text) {
  return Json(text).dump();
}

std::optional<std::string_view> member(const Json& labels, std::string_view key) {
  const Json* value = labels.find(key);
  if (value == nullptr) return std::nullopt;
  return value->as_string();
}

std::vector<std::string> strings_of(const Json& list) {
  std::vector<std::string> out;
  for (const Json& element : list.elements()) out.emplace_back(element.as_string());
  return out;
}

// What is wrong with the number of values, as a suffix to "values: Invalid value: ".
Status check_values(Requirement::Operator op, const std::vector<std::string>& values) {
  using Operator = Requirement::Operator;
  if ((op == Operator::In || op == Operator::NotIn) && values.empty()) {
    return invalid("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty");
  }
  if ((op == Operator::Exists || op == Operator::DoesNotExist) && !values.empty()) {
    return invalid("values: Invalid value: [" + join(values, " ") +
                   "]: values set must be empty for exists and does not exist");
  }
  if (op != Operator::GreaterThan && op != Operator::LessThan) return {};
  if (values.size() != 1) {
    return invalid("values: Invalid value: [" + join(values, " ") +
                   "]: for 'Gt', 'Lt' operators, exactly one value is required");
  }
  if (!to_int(values[0])) {
    return invalid("values[0]: Invalid value: " + quoted(values[0]) +
                   ": for 'Gt', 'Lt' operators, the value must be an integer");
  }
  return {};
}

}  // namespace

Result<Requirement> Requirement::make(std::string_view key, Operator op, std::vector<std::string> values) {
  std::vector<std::string> wrong;
  const std::vector<std::string> key_faults = validate_label_key(key);
  if (!key_faults.empty()) {
    wrong.push_back("key: Invalid value: " + quoted(key) + ": " + join(key_faults, "; "));
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  if (Status checked = check_values(op, values); !checked) wrong.push_back(checked.error().message());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::vector<std::string> faults = validate_label_value(values[i]);
    if (faults.empty()) continue;
    wrong.push_back("values[" + std::to_string(i) + "][" + std::string(key) +
                    "]: Invalid value: " + quoted(values[i]) + ": " + join(faults, "; "));
  }
  if (wrong.size() == 1) return invalid(wrong[0]);
  if (!wrong.empty()) return invalid("[" + join(wrong, ", ") + "]");
  return Requirement{std::string(key), op, std::move(values)};
}

bool Requirement::matches(std::optional<std::string_view> value) const {
  switch (op) {
    case Operator::In:
      return value && std::find(values.begin(), values.end(), *value) != values.end();
    case Operator::NotIn:
      return !value || std::find(values.begin(), values.end(), *value) == values.end();
    case Operator::Exists:
      return value.has_value();
    case Operator::DoesNotExist:
      return !value;
    case Operator::GreaterThan:
    case Operator::LessThan: {
      if (!value) return false;
      const std::optional<std::int64_t> number = to_int(*value);
      const std::optional<std::int64_t> bound = to_int(values[0]);
      if (!number || !bound) return false;
      return op == Operator::GreaterThan ? *number > *bound : *number < *bound;
    }
  }
  return false;
}

LabelSelector LabelSelector::nothing() {
  LabelSelector selector;
  selector.nothing_ = true;
  return selector;
}

Result<LabelSelector> LabelSelector::from_json(const Json& selector) {
  using Operator = Requirement::Operator;
  if (selector.is_null()) return nothing();
  std::vector<Requirement> requirements;
  for (const auto [key, value] : selector["matchLabels"].members()) {
    auto made = Requirement::make(key, Operator::In, {std::string(value.as_string())});
    if (!made) return std::move(made).error();
    requirements.push_back(std::move(*made));
  }
  for (const Json& expression : selector["matchExpressions"].elements()) {
    const std::string_view name = expression["operator"].as_string();
    Operator op = Operator::In;
    if (name == "NotIn") {
      op = Operator::NotIn;
    } else if (name == "Exists") {
      op = Operator::Exists;
    } else if (name == "DoesNotExist") {
      op = Operator::DoesNotExist;
    } else if (name != "In") {
      return invalid(quoted(name) + " is not a valid label selector operator");
    }
    auto made = Requirement::make(expression["key"].as_string(), op, strings_of(expression["values"]));
    if (!made) return std::move(made).error();
    requirements.push_back(std::move(*made));
  }
  return LabelSelector(std::move(requirements));
}

Result<LabelSelector> LabelSelector::from_node_requirements(const Json& expressions) {
  using Operator = Requirement::Operator;
  static constexpr std::pair<std::string_view, Operator> kOperators[] = {
      {"In", Operator::In},          {"NotIn", Operator::NotIn},
      {"Exists", Operator::Exists},  {"DoesNotExist", Operator::DoesNotExist},
      {"Gt", Operator::GreaterThan}, {"Lt", Operator::LessThan}};
  if (expressions.empty()) return nothing();
  std::vector<Requirement> requirements;
  for (const Json& expression : expressions.elements()) {
    const std::string_view name = expression["operator"].as_string();
    const auto* const known = std::find_if(std::begin(kOperators), std::end(kOperators),
                                           [&](const auto& entry) { return entry.first == name; });
    if (known == std::end(kOperators))
      return invalid(quoted(name) + " is not a valid node selector operator");
    auto made =
        Requirement::make(expression["key"].as_string(), known->second, strings_of(expression["values"]));
    if (!made) return std::move(made).error();
    requirements.push_back(std::move(*made));
  }
  return LabelSelector(std::move(requirements));
}

bool LabelSelector::matches(const Json& labels) const {
  if (nothing_) return false;
  return std::all_of(requirements_.begin(), requirements_.end(),
                     [&](const Requirement& each) { return each.matches(member(labels, each.key)); });
}

bool LabelSelector::matches(const Lookup& lookup) const {
  if (nothing_) return false;
  return std::all_of(requirements_.begin(), requirements_.end(),
                     [&](const Requirement& each) { return each.matches(lookup(each.key)); });
}

std::string LabelSelector::to_string() const {
  std::string out;
  for (const Requirement& each : requirements_) {
    if (!out.empty()) out += ',';
    const bool one = each.values.size() == 1;
    switch (each.op) {
      case Requirement::Operator::In:
        out += one ? each.key + "=" + each.values[0] : each.key + " in (" + join(each.values, ",") + ")";
        break;
      case Requirement::Operator::NotIn:
        out += one ? each.key + "!=" + each.values[0] : each.key + " notin (" + join(each.values, ",") + ")";
        break;
      case Requirement::Operator::Exists:
        out += each.key;
        break;
      case Requirement::Operator::DoesNotExist:
        out += "!" + each.key;
        break;
      case Requirement::Operator::GreaterThan:
        out += each.key + ">" + each.values[0];
        break;
      case Requirement::Operator::LessThan:
        out += each.key + "<" + each.values[0];
        break;
    }
  }
  return out;
}

bool FieldSelector::matches(const Lookup& lookup) const {
  return std::all_of(terms_.begin(), terms_.end(),
                     [&](const Term& term) { return (lookup(term.path) == term.value) == term.equal; });
}

std::optional<std::string_view> FieldSelector::demanded(std::string_view path) const {
  for (const Term& term : terms_) {
    if (term.equal && term.path == path) return term.value;
  }
  return std::nullopt;
}

}  // namespace flotilla::api
