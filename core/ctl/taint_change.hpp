// SPDX-License-Identifier: Apache-2.0
// What people type about taints, and what it makes of a cluster's.
#pragma once

#include <string>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/result.hpp"

namespace flotilla::ctl {

struct TaintChange {
  std::string key, value, effect;  // without an effect: of every effect, to be removed
  bool remove = false;
};

// "key=value:Effect" and "key:Effect" put a taint on, with "-" behind it, or "key-", it is taken off.
// Errors: BadRequest.
Result<TaintChange> parse_taint(std::string_view text);
// Errors: BadRequest where both ends of a change are asked for one taint.
Result<std::vector<TaintChange>> parse_taints(const std::vector<std::string>& words);

// `taints` as they are to be. Without `overwrite` one of this key and effect that says something else is an
// error (AlreadyExists); taking off what is not there is one, too (NotFound).
Result<api::Json> change_taints(const api::Json& taints, const std::vector<TaintChange>& changes,
                                bool overwrite);

}  // namespace flotilla::ctl
