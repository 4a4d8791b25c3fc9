// SPDX-License-Identifier: Apache-2.0
// What many controllers ask of an object.
#pragma once

#include <optional>
#include <string_view>

#include "core/api/conditions.hpp"
#include "core/api/karmada.hpp"
#include "core/api/names.hpp"
#include "core/api/object.hpp"

namespace flotilla::controllers {

// A Cluster whose condition Ready is True.
inline bool is_ready(const api::Json& cluster) {
  return api::is_condition_true(cluster["status"]["conditions"], api::conditions::kReady);
}

// The Work that a cluster's object says it comes from; none where it names another cluster's.
inline std::optional<api::ObjectKey> work_of(const api::Json& member_object, std::string_view cluster) {
  const std::string_view ns = api::annotation_of(member_object, api::annotations::kWorkNamespace);
  const std::string_view name = api::annotation_of(member_object, api::annotations::kWorkName);
  if (name.empty() || ns != api::execution_namespace(cluster)) return std::nullopt;
  return api::ObjectKey{std::string(ns), std::string(name)};
}

// Whether `text`, with its quotes, stands anywhere in the document: a cheap no for objects that need not be
// parsed.
inline bool mentions(const api::Object& object, std::string_view text) {
  return object.bytes().find(text) != std::string_view::npos;
}

}  // namespace flotilla::controllers
