// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/own_writes.hpp"

namespace flotilla::controllers {

void OwnWrites::cross(const api::Object& object) {
  std::lock_guard lock(mutex_);
  std::set<Revision>& open = open_[object.key()];
  if (open.erase(object.revision()) == 0) {
    open.insert(object.revision());
  } else if (open.empty()) {
    open_.erase(object.key());
  }
}

bool OwnWrites::take_foreign(const ObjectKey& key) {
  std::lock_guard lock(mutex_);
  return open_.erase(key) > 0;
}

}  // namespace flotilla::controllers
