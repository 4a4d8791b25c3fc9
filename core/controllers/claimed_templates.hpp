// SPDX-License-Identifier: Apache-2.0
// Templates by the policy that claims them: permanent id of the policy -> templates of any kind. What it
// names is looked up in the store before it is believed. Thread: any.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/controllers/kinds.hpp"
#include "core/reconcile/reconciler.hpp"

namespace flotilla::controllers {

class ClaimedTemplates {
 public:
  void follow(const Event& event);
  std::vector<reconcile::Key> of(std::string_view policy_id) const;

 private:
  void erase(std::string_view policy_id, const reconcile::Key& key);

  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::set<reconcile::Key>> templates_;
};

}  // namespace flotilla::controllers
