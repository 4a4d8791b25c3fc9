// SPDX-License-Identifier: Apache-2.0
// A store over the sqlite plugin in a folder, and coroutines run from a plain thread.
#pragma once

#include <flotilla/abi/entry.h>

#include <future>
#include <memory>
#include <string>

#include "core/async/fiber_scope.hpp"
#include "core/plugin/storage_adapter.hpp"
#include "core/store/store.hpp"

extern "C" {
extern const flt_plugin_v1_t flt_plugin_storage_sqlite;
}

namespace flotilla::faults {

inline const store::Collection kThings = store::collection_of("", "configmaps");

inline api::Json thing(const std::string& name, const std::string& value) {
  using api::Json;
  return Json::object({{"apiVersion", "v1"},
                       {"kind", "ConfigMap"},
                       {"metadata", Json::object({{"name", name}, {"namespace", "faults"}})},
                       {"data", Json::object({{"value", value}})}});
}

class SqliteStage {
 public:
  explicit SqliteStage(const std::string& folder) {
    plugin::InstanceOptions options;
    options.state_dir = folder;
    auto instance =
        plugin::Instance::create(environment_, *flt_plugin_storage_sqlite.components[0], std::move(options));
    store_ = std::make_unique<store::Store>(executor_, *plugin::make_storage_backend(*instance));
  }
  ~SqliteStage() {
    spawn(close(store_.get()));
    join();
  }

  Status open() { return run(store_->open()); }
  template <typename T>
  T run(Task<T> task) {
    auto promise = std::make_shared<std::promise<T>>();
    auto future = promise->get_future();
    spawn(deliver(std::move(task), promise));
    return future.get();
  }
  void spawn(Task<void> fiber) { scope_.spawn_on(executor_.strand(), std::move(fiber)); }
  void join() { scope_.join_blocking(); }
  store::Store& store() { return *store_; }

 private:
  template <typename T>
  static Task<void> deliver(Task<T> task, std::shared_ptr<std::promise<T>> into) {
    into->set_value(co_await std::move(task));
  }
  static Task<void> close(store::Store* store) {
    auto closing = store->close();
    co_await std::move(closing);
  }

  SystemClock clock_;
  Executor executor_{clock_};
  plugin::HostEnvironment environment_{executor_, "flotilla fault test"};
  FiberScope scope_{executor_.strand(), "faults"};
  std::unique_ptr<store::Store> store_;
};

}  // namespace flotilla::faults
