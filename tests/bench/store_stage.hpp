// SPDX-License-Identifier: Apache-2.0
// A store over a storage plugin, as a daemon has it, and objects for it.
#pragma once

#include <flotilla/abi/entry.h>

#include <memory>
#include <string>

#include "core/async/fiber_scope.hpp"
#include "core/plugin/storage_adapter.hpp"
#include "core/store/writer.hpp"
#include "tests/bench/bench.hpp"

extern "C" {
extern const flt_plugin_v1_t flt_plugin_storage_memory;
extern const flt_plugin_v1_t flt_plugin_storage_sqlite;
}

namespace flotilla::bench {

using api::Json;
using store::Durability;

inline constexpr std::string_view kPayload = "configuration-value-of-a-usual-length-for-a-config-map-";
inline const store::Collection kConfigMaps = store::collection_of("", "configmaps");

// With eleven values about 1 KB as stored.
inline Json config_map(const std::string& ns, const std::string& name, int values = 11) {
  Json data = Json::object();
  for (int i = 0; i < values; ++i) data.set("key" + std::to_string(i), std::string(kPayload));
  return Json::object({{"apiVersion", "v1"},
                       {"kind", "ConfigMap"},
                       {"metadata", Json::object({{"name", name},
                                                  {"namespace", ns},
                                                  {"uid", "0b0a3a3c-7f29-4a2f-9f5e-3f5d9d1b2c3d"},
                                                  {"creationTimestamp", "2026-01-02T03:04:05Z"},
                                                  {"labels", Json::object({{"app", "bench"}})}})},
                       {"data", std::move(data)}});
}

// A daemon's worth of store.
class Stage {
 public:
  Stage(const flt_plugin_v1_t& plugin, const std::string& folder) {
    plugin::InstanceOptions options;
    options.state_dir = folder;
    auto instance = plugin::Instance::create(environment_, *plugin.components[0], std::move(options));
    auto backend = plugin::make_storage_backend(*instance);
    backend_ = backend->get();
    store_ = std::make_unique<store::Store>(executor_, *std::move(backend));
  }
  ~Stage() {
    spawn(finish(this));
    scope_.join_blocking();
  }
  Status open() {
    spawn(begin(this));
    scope_.join_blocking();
    return opened_;
  }
  void spawn(Task<void> fiber) { scope_.spawn_on(executor_.strand(), std::move(fiber)); }
  void join() { scope_.join_blocking(); }
  store::Store& store() { return *store_; }
  store::StorageBackend* backend() { return backend_; }
  const Clock& clock() { return clock_; }

 private:
  static Task<void> begin(Stage* stage) {
    auto opening = stage->store_->open();
    stage->opened_ = co_await std::move(opening);
  }
  static Task<void> finish(Stage* stage) {
    auto closing = stage->store_->close();
    co_await std::move(closing);
  }

  SystemClock clock_;
  Executor executor_{clock_};
  plugin::HostEnvironment environment_{executor_, "flotilla bench"};
  FiberScope scope_{executor_.strand(), "bench"};
  std::unique_ptr<store::Store> store_;
  store::StorageBackend* backend_ = nullptr;
  Status opened_;
};

}  // namespace flotilla::bench
