// SPDX-License-Identifier: Apache-2.0
// What is read can be written and read again, and is the same.
#include "core/api/json.hpp"
#include "core/api/json_path.hpp"
#include "core/api/quantity.hpp"
#include "tests/fuzz/input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flotilla;
  const std::string_view text = fuzz::text_of(data, size);
  api::DuplicateKeys duplicates;
  const auto parsed = api::Json::parse(text, {}, &duplicates);
  if (parsed) {
    const std::string written = parsed->dump();
    const auto again = api::Json::parse(written);
    fuzz::require(again.ok(), "what was written can be read");
    fuzz::require(again->dump() == written, "writing is stable");
    (void)parsed->dump_pretty();
  }
  (void)api::JsonPath::parse(text);
  (void)api::Quantity::parse(text);
  return 0;
}
