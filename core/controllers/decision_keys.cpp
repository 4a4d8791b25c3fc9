// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/decision_keys.hpp"

#include <algorithm>
#include <charconv>

#include "core/controllers/kinds.hpp"

namespace flotilla::controllers {
namespace {

std::string padded(std::size_t number, std::size_t digits) {
  std::string text = std::to_string(number);
  return text.size() < digits ? std::string(digits - text.size(), '0') + text : text;
}

}  // namespace

std::int64_t decision_number(const api::Json& binding) {
  const std::string_view text = api::annotation_of(binding, kDecisionNumber);
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool sane = read.ec == std::errc() && read.ptr == text.data() + text.size();
  // Whatever somebody writes there: the next number is one.
  return sane ? std::clamp<std::int64_t>(number, 0, INT64_MAX / 2) : 0;
}

std::string decisions_prefix(std::string_view binding_uid) {
  return "decisions/" + std::string(binding_uid) + "/";
}

std::string decision_key(std::string_view binding_uid, std::int64_t number) {
  return decisions_prefix(binding_uid) + padded(static_cast<std::size_t>(number % kDecisionsKept), 2);
}

std::string names_key(std::size_t from, std::size_t to) {
  return kNamesPrefix + padded(from, 8) + "-" + padded(to, 8);
}

std::vector<std::string> read_names(const store::SideValues& values) {
  constexpr std::size_t kMostNames = 10'000'000;
  std::vector<std::string> names;
  for (const store::SideValue& value : values) {
    const std::string_view key = std::string_view(value.key).substr(std::string_view(kNamesPrefix).size());
    std::size_t number = 0;
    if (std::from_chars(key.data(), key.data() + key.size(), number).ec != std::errc()) continue;
    for (std::size_t at = 0; at < value.value.size() && number < kMostNames; ++number) {
      const std::size_t end = std::min(value.value.find('\n', at), value.value.size());
      if (number >= names.size()) names.resize(number + 1);
      names[number] = value.value.substr(at, end - at);
      at = end + 1;
    }
  }
  return names;
}

store::SideValues records_of(const store::Collection& collection, const api::ObjectPtr& object) {
  static const store::Collection kBindings = kinds::kResourceBinding.collection();
  static const store::Collection kClusterBindings = kinds::kClusterResourceBinding.collection();
  store::SideValues records;
  if (collection != kBindings && collection != kClusterBindings) return records;
  const auto content = object->content();
  const bool any = !api::annotation_of(*content, kDecisionNumber).empty();
  const std::int64_t number = decision_number(*content);
  const std::int64_t count = number == 0 && any ? kDecisionsKept : std::min(number, kDecisionsKept);
  for (std::int64_t i = 0; i < count; ++i)
    records.push_back({decision_key(object->uid(), number - i + kDecisionsKept), {}, true});
  return records;
}

}  // namespace flotilla::controllers
