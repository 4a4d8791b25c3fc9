// SPDX-License-Identifier: Apache-2.0
// What a question is about: a template with what was made of it. People name any link of the chain.
#pragma once

#include <string>
#include <vector>

#include "core/planning/sources.hpp"

namespace flotilla::planning {

struct Subject {
  StoredKind kind;  // of the template
  ObjectKey key;    // of the template
  ObjectPtr template_;
  const controllers::BindingScope* scope = nullptr;
  ObjectPtr binding;             // null: none
  std::vector<ObjectPtr> works;  // ascending by key

  // "deployment.apps/web -n default", as the CLI takes it.
  std::string typed() const;
};

// From a template, a binding or a Work. Errors: NotFound.
Result<Subject> subject_of(const Sources& sources, const StoredKind& kind, const ObjectKey& key);

// The Work of one cluster; null: none.
ObjectPtr work_in(const Subject& subject, std::string_view cluster);

// {apiVersion, kind, namespace?, name}.
Json reference_to(const api::Object& object);

}  // namespace flotilla::planning
