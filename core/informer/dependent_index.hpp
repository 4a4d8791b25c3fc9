// SPDX-License-Identifier: Apache-2.0
// Who belongs to whom, over all collections: uid of the owner -> its dependents, by ownerReferences. Follows
// the informers; what it names is looked up in the store before it is believed. Thread: any.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/informer/informers.hpp"

namespace flotilla::informer {

class DependentIndex {
 public:
  using Dependent = std::pair<store::Collection, api::ObjectKey>;

  // Registers with `informers`, which must not have started and must outlive the index's use.
  explicit DependentIndex(Informers& informers);
  std::vector<Dependent> of(std::string_view owner_uid) const;

 private:
  void follow(const store::Event& event);

  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::set<Dependent>> dependents_;
};

}  // namespace flotilla::informer
