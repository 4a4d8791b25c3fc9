// SPDX-License-Identifier: Apache-2.0
#include "selector.hpp"

#include <flotilla/sdk/plugin.hpp>

#include <algorithm>

namespace flotilla::simulated {

namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

[[noreturn]] void refuse(std::string_view text) {
  throw sdk::Failure(FLT_INVALID_ARGUMENT, "unable to parse requirement: \"" + std::string(text) + "\"",
                     "BadRequest", 400);
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    parts.emplace_back(trim(text.substr(0, comma)));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return parts;
}

// "in (a,b)" behind the key.
std::vector<std::string> values_in_brackets(std::string_view rest, std::string_view whole) {
  rest = trim(rest);
  if (!rest.starts_with('(') || !rest.ends_with(')')) refuse(whole);
  return split(rest.substr(1, rest.size() - 2));
}

}  // namespace

LabelSelector LabelSelector::parse(std::string_view text) {
  LabelSelector selector;
  std::size_t depth = 0;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '(') ++depth;
    if (i < text.size() && text[i] == ')' && depth > 0) --depth;
    if (i < text.size() && (text[i] != ',' || depth > 0)) continue;
    const std::string_view part = trim(text.substr(start, i - start));
    if (!part.empty()) selector.requirements_.push_back(parse_one(part));
    start = i + 1;
  }
  return selector;
}

LabelSelector::Requirement LabelSelector::parse_one(std::string_view text) {
  if (text.starts_with('!')) return {std::string(trim(text.substr(1))), Operator::Absent, {}};
  if (const std::size_t at = text.find("!="); at != std::string_view::npos) {
    return {std::string(trim(text.substr(0, at))), Operator::NotIn, {std::string(trim(text.substr(at + 2)))}};
  }
  if (const std::size_t at = text.find('='); at != std::string_view::npos) {
    const std::size_t value = text.substr(at + 1).starts_with('=') ? at + 2 : at + 1;
    return {std::string(trim(text.substr(0, at))), Operator::In, {std::string(trim(text.substr(value)))}};
  }
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) return {std::string(text), Operator::Exists, {}};
  const std::string key(text.substr(0, space));
  const std::string_view rest = trim(text.substr(space));
  if (rest.starts_with("in")) return {key, Operator::In, values_in_brackets(rest.substr(2), text)};
  if (rest.starts_with("notin")) return {key, Operator::NotIn, values_in_brackets(rest.substr(5), text)};
  refuse(text);
}

bool LabelSelector::matches(const Labels& labels) const {
  return std::all_of(requirements_.begin(), requirements_.end(), [&](const Requirement& requirement) {
    const auto found = labels.find(requirement.key);
    const bool there = found != labels.end();
    const auto is_listed = [&] {
      return std::find(requirement.values.begin(), requirement.values.end(), found->second) !=
             requirement.values.end();
    };
    switch (requirement.op) {
      case Operator::In:
        return there && is_listed();
      case Operator::NotIn:
        return !there || !is_listed();
      case Operator::Exists:
        return there;
      case Operator::Absent:
        return !there;
    }
    return false;
  });
}

}  // namespace flotilla::simulated
