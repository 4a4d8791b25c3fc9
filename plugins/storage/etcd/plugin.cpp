// SPDX-License-Identifier: Apache-2.0
// Storage backend "etcd": an etcd cluster, shared by the daemons of a fleet.
#include "engine.hpp"

FLT_PLUGIN((flotilla::sdk::PluginInfo{"io.flotilla.storage.etcd", "1.0.0", "etcd storage"}),
           &flotilla::sdk::storage_component<flotilla::plugins::storage::etcd::EtcdEngine>)
