// SPDX-License-Identifier: Apache-2.0
// Cell rules by name, as config/schema/columns.txt uses them.
#pragma once

#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/clock.hpp"

namespace flotilla::api::table {

struct Cell {
  const Json& object;
  std::vector<std::string_view> arguments;
  WallTime now;

  std::string_view argument(std::size_t index) const {
    return index < arguments.size() ? arguments[index] : std::string_view();
  }
  // The value at a plain path (".spec.replicas"); null where there is none.
  const Json& at(std::string_view path) const;
  const Json& value(std::size_t index = 0) const { return at(argument(index)); }
};

using Rule = Json (*)(const Cell&);

const std::unordered_map<std::string_view, Rule>& generic_rules();
const std::unordered_map<std::string_view, Rule>& kind_rules();

// "a=b,c=d", "<none>" for nothing.
std::string format_labels(const Json& labels);
std::string format_selector(const Json& selector);
std::string access_modes(const Json& modes);

}  // namespace flotilla::api::table
