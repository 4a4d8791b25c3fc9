// SPDX-License-Identifier: Apache-2.0
// From a collection to the kind that is stored in it, as far as it is served now.
#pragma once

#include <memory>
#include <optional>

#include "core/api/schema/registry.hpp"
#include "core/store/writer.hpp"

namespace flotilla::controllers {

std::optional<store::StoredKind> kind_of_collection(const api::Registry& registry,
                                                    const store::Collection& collection);

}  // namespace flotilla::controllers
