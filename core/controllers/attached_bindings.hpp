// SPDX-License-Identifier: Apache-2.0
// Attached bindings by the label that names the independent one (depended_by_label). Follows the informers;
// who attaches a binding may note() it. What it names is looked up in the store before it is believed.
// Thread: any.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "core/controllers/kinds.hpp"
#include "core/informer/informers.hpp"

namespace flotilla::controllers {

class AttachedBindings {
 public:
  explicit AttachedBindings(informer::Informers& informers);
  std::vector<ObjectKey> of(const std::string& depended_by_label) const;
  void note(const api::Object& binding);

 private:
  void follow(const Event& event);

  mutable std::mutex mutex_;
  std::map<std::string, std::set<ObjectKey>, std::less<>> attached_;
};

}  // namespace flotilla::controllers
