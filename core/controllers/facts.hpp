// SPDX-License-Identifier: Apache-2.0
// What many controllers ask of an object.
#pragma once

#include <string_view>

#include "core/api/conditions.hpp"
#include "core/api/karmada.hpp"
#include "core/api/object.hpp"

namespace flotilla::controllers {

// A Cluster whose condition Ready is True.
inline bool is_ready(const api::Json& cluster) {
  return api::is_condition_true(cluster["status"]["conditions"], api::conditions::kReady);
}

// Whether `text`, with its quotes, stands anywhere in the document: a cheap no for objects that need not be
// parsed.
inline bool mentions(const api::Object& object, std::string_view text) {
  return object.bytes().find(text) != std::string_view::npos;
}

}  // namespace flotilla::controllers
