// SPDX-License-Identifier: Apache-2.0
// Some collections of a control plane, kept in a local store by list and watch. Objects carry the version
// that they have over there; the store's revisions are its own.
//
// What is not known is left as it was: while the control plane cannot be reached the store keeps what was
// last heard. Thread: fibers of its own; take() from any.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "core/agent/remote_api.hpp"
#include "core/async/event.hpp"
#include "core/async/fiber_scope.hpp"
#include "core/async/gate.hpp"
#include "core/store/store.hpp"

namespace flotilla::agent {

// The resourceVersion of an object over there; empty for what was never there.
std::string_view remote_version(const Json& object);
// As it is sent over there: with that resourceVersion, without our mark.
Json for_remote(Json object);

struct Followed {
  StoredKind kind;
  std::string ns;              // empty: all
  std::string field_selector;  // empty: all
  bool optional = false;       // without the right to list it there is none
};

class Mirror {
 public:
  Mirror(const Executor& executor, RemoteApi& remote, store::Store& store);
  ~Mirror();

  // Before start().
  void follow(Followed what);
  void start();
  // Not from an I/O thread.
  void stop();

  bool follows(const store::Collection& collection) const { return find(collection) != nullptr; }
  // Everything was listed at least once.
  bool synced() const;
  Task<bool> wait_synced(Duration timeout);

  // What a write over there was answered: known here at once. Dropped when the watch has gone past it, for
  // then it may be gone already. The object as it is known, or as it was answered.
  Task<Result<api::ObjectPtr>> take(StoredKind kind, Json answer);
  // The object as it is over there now. Errors: NotFound.
  Task<Result<api::ObjectPtr>> look_again(StoredKind kind, api::ObjectKey key);

 private:
  struct Line;

  Line* find(const store::Collection& collection) const;
  Task<void> run(Line* line);
  Task<Status> list_and_watch(Line* line, bool* progress);
  Task<Status> replace(Line* line, RemoteList list);
  Task<Status> apply(Line* line, RemoteEvent event);
  // Behind the line's gate.
  Task<Result<api::ObjectPtr>> put(Line* line, Json object);
  Task<Status> forget(Line* line, api::ObjectKey key);

  const Executor& executor_;
  RemoteApi& remote_;
  store::Store& store_;
  FiberScope scope_;
  std::vector<std::unique_ptr<Line>> lines_;
  Event changed_;
};

}  // namespace flotilla::agent
