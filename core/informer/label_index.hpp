// SPDX-License-Identifier: Apache-2.0
// Objects of one collection by the value of one label. Follows the informers; who creates an object may
// note() it, so that its own next look already finds it. What the index names is looked up in the store
// before it is believed. Thread: any.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/informer/informers.hpp"

namespace flotilla::informer {

class LabelIndex {
 public:
  // Registers with `informers`, which must not have started and must outlive the index's use.
  LabelIndex(Informers& informers, const store::Collection& collection, std::string_view label);
  std::vector<api::ObjectKey> with(std::string_view value) const;
  void note(const api::Object& object);

 private:
  void follow(const store::Event& event);
  void insert(const api::Object& object);
  void erase(const api::Object& object);

  std::string label_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::set<api::ObjectKey>> keys_;
};

}  // namespace flotilla::informer
