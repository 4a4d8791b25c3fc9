// SPDX-License-Identifier: Apache-2.0
// Storage backend "memory", for simulated members, labs and tests.
#include "engine.hpp"

FLT_PLUGIN((flotilla::sdk::PluginInfo{"io.flotilla.storage.memory", "1.0.0", "Memory storage"}),
           &flotilla::sdk::storage_component<flotilla::plugins::storage::MemoryEngine>)
