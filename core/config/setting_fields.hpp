// SPDX-License-Identifier: Apache-2.0
// The table of everything that can be set: key, place in Settings, and what may stand there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/config/settings.hpp"

namespace flotilla::config {

struct TextField {
  std::string& (*at)(Settings&);
  std::vector<std::string> words;  // empty: any text
};
struct QuantityField {
  std::string& (*at)(Settings&);
};
struct ListenField {
  std::string& (*at)(Settings&);
};
struct IntField {
  std::int64_t& (*at)(Settings&);
  std::int64_t least, most;
};
struct SmallIntField {
  int& (*at)(Settings&);
  std::int64_t least, most;
};
struct SeedField {
  std::uint64_t& (*at)(Settings&);
};
struct ShareField {  // 0 to 1
  double& (*at)(Settings&);
};
struct NumberField {  // 0 or more
  double& (*at)(Settings&);
};
struct BoolField {
  bool& (*at)(Settings&);
};
struct DurationField {
  Duration& (*at)(Settings&);
};
struct TextsField {
  std::vector<std::string>& (*at)(Settings&);
};
struct TreeField {
  api::Json& (*at)(Settings&);
};
using Kind = std::variant<TextField, QuantityField, ListenField, IntField, SmallIntField, SeedField,
                          ShareField, NumberField, BoolField, DurationField, TextsField, TreeField>;

struct Field {
  std::string_view key;
  Kind kind;
};

// In the order of the documentation.
const std::vector<Field>& setting_fields();

}  // namespace flotilla::config
