// SPDX-License-Identifier: Apache-2.0
// Who belongs to whom, by ownerReferences: uid of the owner -> objects of one collection. Follows the
// informers, so it may lag behind the store by a moment; what it names is looked up in the store before it is
// believed. Thread: any.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/informer/informers.hpp"

namespace flotilla::informer {

class OwnerIndex {
 public:
  // Registers with `informers`, which must not have started and must outlive the index's use.
  OwnerIndex(Informers& informers, const store::Collection& collection);
  std::vector<api::ObjectKey> owned_by(std::string_view uid) const;

 private:
  void follow(const store::Event& event);

  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::set<api::ObjectKey>> owned_;
};

}  // namespace flotilla::informer
