// SPDX-License-Identifier: Apache-2.0
// Tells people which plugins were found, what they offer and why one was put aside: ConfigMap
// flotilla-system/plugins, one member per plugin. flotillactl plugin list reads it, as anybody with kubectl
// may.
#pragma once

#include <vector>

#include "core/plugin/registry.hpp"
#include "core/store/writer.hpp"

namespace flotilla::daemon {

Task<Status> report_plugins(store::Store& store, store::Writer& writer,
                            std::vector<plugin::PluginRecord> records);

// Says there that the plugin of a scheduling policy is put aside from now on, and why.
Task<Status> report_left_out(store::Store& store, store::Writer& writer, std::string component,
                             std::string reason);

}  // namespace flotilla::daemon
