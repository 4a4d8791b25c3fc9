// SPDX-License-Identifier: Apache-2.0
// What daemons on one storage have in common beside the objects: the CAs of clients and of the front proxy
// and the key that signs ServiceAccount tokens. The first daemon puts its own there; the others take them
// before they sign anything.
#pragma once

#include <string>

#include "core/async/executor.hpp"
#include "core/daemon/data_dir.hpp"
#include "core/store/store.hpp"

namespace flotilla::daemon {

// Leaves in DIR/pki what all share; after it Pki::load_or_make finds it. From a thread that may block.
// Errors: Conflict when the data directory has other authorities than the storage.
Status share_authorities(const Executor& executor, store::Store& store, const DataDir& directory);

}  // namespace flotilla::daemon
