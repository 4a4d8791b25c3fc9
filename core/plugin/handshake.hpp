// SPDX-License-Identifier: Apache-2.0
// Checks of the constant data that a plugin exports, before any function of it is called. Pure.
//
//   plugin needs        host speaks      outcome
//   minor <= ours       1.ours           loads
//   minor >  ours       1.ours           "needs ABI minor X, this host speaks Y: upgrade flotilla"
//   a kind's later revision              the same sentence with the kind
//   a kind unknown to us                 that component is skipped with a notice; others load
#pragma once

#include <flotilla/abi/entry.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace flotilla::plugin {

struct CheckedPlugin {
  std::vector<const flt_component_t*> components;  // those this host can use
  std::vector<std::string> notices;
};

// Errors: Invalid; one sentence that names the member at fault.
Result<CheckedPlugin> check_plugin(const flt_plugin_v1_t* plugin);

// The operations without which a component of this kind is useless, as (name, offset) into its table.
struct RequiredOp {
  std::string_view name;
  std::size_t offset;
};
std::vector<RequiredOp> required_ops(std::string_view kind);
std::size_t minimum_ops_size(std::string_view kind);

}  // namespace flotilla::plugin
