// SPDX-License-Identifier: Apache-2.0
// Resource templates: objects of any kind that users hand to the control plane to be propagated.
#pragma once

#include <optional>

#include "core/controllers/controller.hpp"

namespace flotilla::controllers {

// How a resource is stored; nullopt when it is not served.
std::optional<StoredKind> stored_kind(const Context& context, const api::Gvk& gvk);

// The template that a binding names (spec.resource); null: it does not exist or its kind is not served.
struct Template {
  StoredKind kind;
  ObjectPtr object;
};
std::optional<Template> template_of_binding(const Context& context, const Json& binding);

// Whether the event is more than a change of status and bookkeeping.
bool is_change_of_specification(const Event& event);

// apiVersion, kind and metadata of the template, for events.
Json template_reference(const Json& binding);

}  // namespace flotilla::controllers
