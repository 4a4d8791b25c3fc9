// SPDX-License-Identifier: Apache-2.0
// A store over the fake backend, and coroutines run to their end from a test.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <vector>

#include "core/async/fiber_scope.hpp"
#include "core/store/store.hpp"
#include "tests/fakes/memory_backend.hpp"

namespace flotilla::store {

template <typename T>
Task<void> deliver(Task<T> task, std::shared_ptr<std::promise<T>> into) {
  into->set_value(co_await std::move(task));
}

inline Task<void> deliver_void(Task<void> task, std::shared_ptr<std::promise<void>> into) {
  co_await std::move(task);
  into->set_value();
}

class StoreFixture : public testing::Test {
 protected:
  ~StoreFixture() override {
    disk_->refuse_with("");
    disk_->release();
    if (store_) close();
    scope_.cancel();
    scope_.join_blocking();
  }

  template <typename T>
  std::future<T> begin(Task<T> task) {
    auto promise = std::make_shared<std::promise<T>>();
    auto future = promise->get_future();
    scope_.spawn_on(executor_.strand(), deliver(std::move(task), promise));
    return future;
  }
  template <typename T>
  T run(Task<T> task) {
    return begin(std::move(task)).get();
  }
  void open(StoreOptions options = {}) {
    store_ = std::make_unique<Store>(executor_, std::make_unique<MemoryBackend>(disk_), options);
    const Status opened = run(store_->open());
    ASSERT_TRUE(opened.ok()) << opened.error().message();
  }
  void close() {
    auto closed = std::make_shared<std::promise<void>>();
    scope_.spawn_on(executor_.strand(), deliver_void(store_->close(), closed));
    closed->get_future().get();
    store_.reset();
  }

  SystemClock clock_;
  Executor executor_{clock_};
  FiberScope scope_{executor_.strand(), "test"};
  std::shared_ptr<MemoryBackend::Disk> disk_ = std::make_shared<MemoryBackend::Disk>();
  std::unique_ptr<Store> store_;
};

}  // namespace flotilla::store
