// SPDX-License-Identifier: Apache-2.0
// From a collection to the kind that is stored in it, for those who ask with every event: the answers are
// kept until the resources served change. Thread: one at a time.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>

#include "core/api/schema/registry.hpp"
#include "core/controllers/kinds.hpp"

namespace flotilla::controllers {

class ServedKinds {
 public:
  using Resources = std::function<std::shared_ptr<const api::Registry>()>;
  using Filter = std::function<bool(const api::Resource&)>;

  // `wanted` empty: all.
  explicit ServedKinds(Resources resources, Filter wanted = {})
      : resources_(std::move(resources)), wanted_(std::move(wanted)) {}
  // Null: not served, or not wanted. Good until the next call.
  const StoredKind* find(const Collection& collection);

 private:
  void refresh();

  Resources resources_;
  Filter wanted_;
  std::shared_ptr<const api::Registry> seen_;
  std::unordered_map<Collection, StoredKind> kinds_;
};

}  // namespace flotilla::controllers
