// SPDX-License-Identifier: Apache-2.0
// A plugin of kind flotilla.storage/1 as the StorageBackend that the store wants.
#pragma once

#include <memory>

#include "core/plugin/instance.hpp"
#include "core/store/storage_backend.hpp"

namespace flotilla::plugin {

// The instance is created, not started: start() of the backend starts it, stop() stops it.
// Errors: Invalid when the component is of another kind or lacks a required operation.
Result<std::unique_ptr<store::StorageBackend>> make_storage_backend(std::shared_ptr<Instance> instance);

}  // namespace flotilla::plugin
