// SPDX-License-Identifier: Apache-2.0
#include "core/api/selector.hpp"
#include "tests/fuzz/input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flotilla;
  const std::string_view text = fuzz::text_of(data, size);
  if (const auto labels = api::LabelSelector::parse(text)) {
    const auto again = api::LabelSelector::parse(labels->to_string());
    fuzz::require(again.ok(), "a printed selector can be read");
    fuzz::require(again->to_string() == labels->to_string(), "printing is stable");
    const auto lookup = [](std::string_view key) -> std::optional<std::string_view> {
      if (key.size() % 2 == 0) return std::nullopt;
      return key;
    };
    fuzz::require(again->matches(lookup) == labels->matches(lookup), "both select the same");
  }
  if (const auto fields = api::FieldSelector::parse(text)) {
    (void)fields->matches([](std::string_view path) { return path; });
  }
  return 0;
}
