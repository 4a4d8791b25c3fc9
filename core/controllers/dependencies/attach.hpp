// SPDX-License-Identifier: Apache-2.0
// Bindings that follow others: the binding of a template that propagates its dependencies is independent, the
// bindings of what it depends on are attached to it. An attached binding lists under spec.requiredBy who
// needs it and where; one without a placement exists for that alone. Pure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/api/json.hpp"
#include "core/api/object.hpp"
#include "core/api/selector.hpp"
#include "core/base/result.hpp"

namespace flotilla::controllers {

// DependentObjectReference: by name, or by labels where it has no name.
struct Dependency {
  std::string api_version, kind, name_space, name;
  api::Json label_selector;  // null: none

  static Dependency of(const api::Json& reference);
  // An object of the same kind and namespace.
  bool means(std::string_view object_name, const api::LabelSelector::Lookup& labels) const;
  bool operator==(const Dependency&) const = default;
};

// Each once, in an order that depends on nothing but them. Errors: Invalid, for one without name and labels,
// or for one of another namespace than `name_space` (cluster-scoped ones are fine).
Result<std::vector<Dependency>> dependencies_of(const api::Json& references, std::string_view name_space);
// As the annotation kDependencies has them, byte for byte as Go writes them.
std::string dependencies_text(const std::vector<Dependency>& dependencies);
// From such text; empty where it cannot be read.
std::vector<Dependency> parse_dependencies(std::string_view text);

// Label key on attached bindings of this independent one; the value is its permanent id.
std::string depended_by_label(const api::ObjectKey& independent);

// As it is created, for `object` that the independent binding depends on.
api::Json build_attached(const api::Json& independent, const api::Json& object);

// The independent binding of an entry of requiredBy; null: it is gone.
using FindBinding = std::function<const api::Json*(const api::ObjectKey& key)>;

struct Attached {
  api::Json binding;
  std::string conflict;  // what those that need it disagree about, for people; empty: nothing
};

// `existing` attached as `desired` says. Errors: Conflict, when it belongs to an earlier object of this name.
Result<Attached> attach(const api::Json& existing, const api::Json& desired, const FindBinding& find);
// No longer needed by `independent`. The binding stays: its owner decides how long it lives.
Attached detach(const api::Json& existing, const api::ObjectKey& independent, const FindBinding& find);

}  // namespace flotilla::controllers
