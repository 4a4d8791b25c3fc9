// SPDX-License-Identifier: Apache-2.0
// A fork of the world in which the controllers that decide (detector, dependencies, scheduler, binding) are
// run to their end, one key at a time, by the very code that runs them in production. What they write stays
// in the fork; what they read is written down, so that the world at which the answer holds can be named.
//
//   Rehearsal rehearsal(sources, clock);
//   rehearsal.introduce(kind, key);       // what lists and indexes must know: policies, clusters, bindings
//   rehearsal.begin();                    // the world as it is, at rest
//   rehearsal.put(kind, object, existed); // the change
//   rehearsal.run(deadline);              // its consequences
//
// Equal worlds and equal changes give equal consequences: time stands still and nothing runs beside it.
// Thread: one, which may block; never an I/O thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/planning/sources.hpp"
#include "core/reconcile/reconciler.hpp"

namespace flotilla::planning {

using reconcile::Key;

// An object that the rehearsal wrote.
struct Written {
  Key key;
  ObjectPtr before;  // null: it is new
  ObjectPtr after;   // null: it is gone
};

// A warning that would be recorded as an event.
struct Remark {
  Json object;  // apiVersion, kind, metadata of what it is about
  std::string type, reason, message;
};

// A reconcile that would be tried again and again.
struct Obstacle {
  std::string controller;
  Error error;
};

class Rehearsal {
 public:
  explicit Rehearsal(const Sources& sources);
  ~Rehearsal();

  // An existing object, told to the handlers as new. A binding brings its Works. False: there is none.
  bool introduce(const Collection& collection, const ObjectKey& key);
  // The same for the lookup alone: nobody is told.
  ObjectPtr look(const Collection& collection, const ObjectKey& key);
  // Lets the controllers take note of what was introduced. What they write on that account is under way
  // whatever is changed: it is the answer, and forgotten. Errors: as run().
  Result<std::vector<Written>> begin(SteadyTime deadline);
  // As it is: admitted already.
  Status put(const StoredKind& kind, Json object);
  Status remove(const StoredKind& kind, const ObjectKey& key);
  // Errors: Timeout.
  Status run(SteadyTime deadline);

  std::vector<Written> written() const;
  const std::vector<Remark>& remarks() const;
  const std::map<Key, Obstacle>& obstacles() const;
  // Everything that was asked of the world, with what was there; null where nothing was.
  const std::map<Key, ObjectPtr>& reads() const;
  std::size_t steps() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace flotilla::planning
