// SPDX-License-Identifier: Apache-2.0
#include "core/config/settings.hpp"
#include "core/config/yaml.hpp"
#include "tests/fuzz/input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flotilla;
  const std::string_view text = fuzz::text_of(data, size);
  (void)config::parse_yaml(text);
  (void)config::parse_yaml_documents(text);
  config::Settings settings;
  (void)config::read_settings_text(text, "fuzz", settings);
  return 0;
}
