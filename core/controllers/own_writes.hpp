// SPDX-License-Identifier: Apache-2.0
// Tells changes that a controller made itself from those of others. Both sides say which revision of which
// object they mean, in any order: what was written and seen cancels out, what is left was somebody else.
// Thread: any.
#pragma once

#include <map>
#include <mutex>
#include <set>

#include "core/controllers/kinds.hpp"

namespace flotilla::controllers {

class OwnWrites {
 public:
  void wrote(const api::Object& object) { cross(object); }
  void saw(const api::Object& object) { cross(object); }
  // Whether anything is left of this object; forgets it.
  bool take_foreign(const ObjectKey& key);

 private:
  void cross(const api::Object& object);

  std::mutex mutex_;
  std::map<ObjectKey, std::set<Revision>> open_;
};

}  // namespace flotilla::controllers
