// SPDX-License-Identifier: Apache-2.0
// The one door for writes to members. While it is closed nothing passes: each write fails as withheld and
// what it would have done is noted. A control plane that was restored from a backup observes so, until a
// person has seen what would change. Open, it asks a guard: of several daemons only the one that leads may
// write. Thread: everything from any thread.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/cluster/cluster_driver.hpp"

namespace flotilla::cluster {

// Whether this daemon may write to members at this moment; an error ends the write before anything is sent.
// Thread: any.
using WriteGuard = std::function<Status()>;

class WriteGate {
 public:
  struct Place {
    std::string cluster;
    Gvr resource;
    std::string ns, name;
    friend bool operator<(const Place& a, const Place& b) {
      return std::tie(a.cluster, a.resource, a.ns, a.name) < std::tie(b.cluster, b.resource, b.ns, b.name);
    }
  };
  struct Withheld {
    enum class Kind { Create, Update, Delete };
    Kind kind = Kind::Create;
    Place place;
    Json before, after;  // null: there is none, or it could not be read
  };

  // Asked before each write of an open gate. Before use.
  void guard(WriteGuard may_write) { may_write_ = std::move(may_write); }
  Status may_write() const { return may_write_ ? may_write_() : Status(); }
  bool is_open() const { return open_.load(std::memory_order_acquire); }
  void close() { open_.store(false, std::memory_order_release); }
  // Forgets what was noted and calls those who wait.
  void open();
  // What was withheld may be tried again. Before use; called once per open().
  void on_open(std::function<void()> call);

  void note(Withheld withheld);
  // Somebody looks at this object again: what was noted of it may no longer hold.
  void reconsider(const Place& place);
  // A Work was looked at with all that its member says.
  void examined(const api::ObjectKey& work);

  std::vector<Withheld> withheld() const;
  std::size_t examined_works() const;

 private:
  WriteGuard may_write_;
  std::atomic<bool> open_{true};
  mutable std::mutex mutex_;
  std::vector<std::function<void()>> calls_;
  std::map<Place, Withheld> withheld_;
  std::set<api::ObjectKey> examined_;
};

// A write that the gate did not let pass.
bool is_withheld(const Error& error);

// The connection with the gate before its writes.
std::shared_ptr<ClusterConnection> gated(std::shared_ptr<WriteGate> gate, std::string cluster,
                                         std::shared_ptr<ClusterConnection> connection);

}  // namespace flotilla::cluster
