// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/served_kinds.hpp"

namespace flotilla::controllers {

const StoredKind* ServedKinds::find(const Collection& collection) {
  refresh();
  const auto known = kinds_.find(collection);
  return known == kinds_.end() ? nullptr : &known->second;
}

void ServedKinds::refresh() {
  std::shared_ptr<const api::Registry> registry = resources_();
  if (registry == seen_) return;
  kinds_.clear();
  for (const api::ResourcePtr& resource : registry->resources()) {
    if (!resource->storage || (wanted_ && !wanted_(*resource))) continue;
    kinds_.insert_or_assign(store::collection_of(resource->group, resource->resource),
                            StoredKind::of(*resource));
  }
  seen_ = std::move(registry);
}

}  // namespace flotilla::controllers
