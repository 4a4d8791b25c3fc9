// SPDX-License-Identifier: Apache-2.0
// What autoscalers scale: an object of the control plane with a scale subresource.
#pragma once

#include "core/controllers/controller.hpp"

namespace flotilla::controllers {

struct ScaleTarget {
  api::ResourcePtr resource;
  StoredKind kind;
  ObjectPtr object;
};
// `reference` has apiVersion, kind and name. Errors: NotFound.
Result<ScaleTarget> find_scale_target(const Context& context, const Json& reference, std::string_view ns);

// Writes the replicas as its scale subresource would. Errors: NotFound, what admission says.
Task<Status> scale_to(Context& context, ScaleTarget target, std::int64_t replicas);

}  // namespace flotilla::controllers
