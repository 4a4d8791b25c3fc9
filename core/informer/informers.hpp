// SPDX-License-Identifier: Apache-2.0
// The read side of the world for controllers: one watch over every collection of the store, its events handed
// to those who asked for them, in the order of commits. Reading an object is Store::get: it is the same
// memory.
//
// A handler first sees what exists as Added, then every change. When the watch had to be made anew (Reset, or
// the subscription fell behind) it sees the difference: Modified for what changed, Deleted for what is gone;
// changes in between are lost, as in any level-triggered system. Handlers run on the informers' strand, one
// at a time: they look, enqueue a key and return.
//
// Thread: on() and on_any() before start(); start() and stop() once.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/async/executor.hpp"
#include "core/async/fiber_scope.hpp"
#include "core/store/store.hpp"

namespace flotilla::informer {

using Handler = std::function<void(const store::Event&)>;

class Informers {
 public:
  Informers(const Executor& executor, store::Store& store);
  ~Informers();

  void on(const store::Collection& collection, Handler handler);
  void on_any(Handler handler);  // every collection, also those that appear later

  void start();
  // Ends the watch; no handler runs afterwards. Not from an I/O thread.
  void stop();
  // Instead of start(), for who drives a fork of the world: what the handlers are told next.
  void tell(const store::Event& event) { hand_out(event); }
  void tell_synced() { synced_.store(true, std::memory_order_release); }
  // Everything that existed at start() has been handed out.
  bool synced() const { return synced_.load(std::memory_order_acquire); }

 private:
  struct KnownKey {
    store::Collection collection;
    api::ObjectKey key;
    bool operator==(const KnownKey&) const = default;
  };
  struct KnownKeyHash {
    std::size_t operator()(const KnownKey& known) const;
  };

  Task<void> run();
  Task<bool> follow();
  void relist();
  void hand_out(const store::Event& event);

  store::Store& store_;
  FiberScope scope_;
  std::unordered_map<store::Collection, std::vector<Handler>> handlers_;
  std::vector<Handler> any_handlers_;
  // What the handlers know, so that a new list can be compared.
  std::unordered_map<KnownKey, api::ObjectPtr, KnownKeyHash> known_;
  Revision seen_;
  std::atomic<bool> synced_ = false;
};

}  // namespace flotilla::informer
