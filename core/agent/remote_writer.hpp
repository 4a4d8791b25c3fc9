// SPDX-License-Identifier: Apache-2.0
// A Writer for the controllers of an agent: what they write goes to the control plane, which knows the API's
// rules; what it answers is in the mirror when the write returns. Objects are changed as they are known here,
// guarded by their version over there, and again as they are there when somebody was faster.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include "core/agent/mirror.hpp"
#include "core/store/writer.hpp"

namespace flotilla::agent {

class RemoteWriter final : public store::Writer {
 public:
  RemoteWriter(store::Store& store, const Clock& clock, RemoteApi& remote, Mirror& mirror)
      : Writer(store, clock, {}), remote_(remote), mirror_(mirror) {}

  // Errors: what the control plane says; Unavailable and Timeout while it cannot be reached.
  Task<Result<api::ObjectPtr>> create(StoredKind kind, Json object,
                                      store::WriteOptions options = {}) override;
  Task<Result<api::ObjectPtr>> update(StoredKind kind, store::Part part, Json object,
                                      store::WriteOptions options = {}) override;
  Task<Result<api::ObjectPtr>> modify(StoredKind kind, store::Part part, api::ObjectKey key, Change change,
                                      store::WriteOptions options = {}) override;
  Task<Result<Deleted>> remove(StoredKind kind, api::ObjectKey key,
                               store::DeleteOptions options = {}) override;

 private:
  using Place = std::pair<store::Collection, api::ObjectKey>;
  static constexpr std::size_t kMostKept = 4096;

  // As it is known; of kinds that are not mirrored as it was last answered, else as it is there.
  Task<Result<api::ObjectPtr>> known(StoredKind kind, api::ObjectKey key);
  Task<Result<api::ObjectPtr>> taken(StoredKind kind, Json answer);
  Task<Result<Json>> put(StoredKind kind, store::Part part, Json object);
  void keep(const Place& place, api::ObjectPtr object);
  void drop(const Place& place);

  RemoteApi& remote_;
  Mirror& mirror_;
  std::mutex mutex_;
  std::map<Place, api::ObjectPtr> kept_;  // of kinds that are not mirrored: leases, events
  std::deque<Place> order_;
};

}  // namespace flotilla::agent
