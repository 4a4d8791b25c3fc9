// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/roster.hpp"

namespace flotilla::cluster {

Roster::Roster(std::string cluster, Gvr resource, std::shared_ptr<ClusterConnection> connection, Trim trim)
    : Following(std::move(cluster), std::move(resource), std::move(connection), ""), trim_(trim) {}

Roster::Listing Roster::list() const {
  std::lock_guard lock(mutex_);
  Listing listing{version_, {}};
  listing.objects.reserve(objects_.size());
  for (const auto& [key, object] : objects_) listing.objects.push_back(object);
  return listing;
}

std::vector<Json> Roster::list(std::string_view ns) const {
  std::vector<Json> found;
  std::lock_guard lock(mutex_);
  for (auto it = objects_.lower_bound(api::ObjectKey{std::string(ns), {}});
       it != objects_.end() && it->first.ns == ns; ++it)
    found.push_back(it->second);
  return found;
}

std::uint64_t Roster::version() const {
  std::lock_guard lock(mutex_);
  return version_;
}

void Roster::replace(std::vector<Json> objects) {
  std::map<api::ObjectKey, Json> all;
  for (const Json& object : objects) all.insert_or_assign(api::key_of(object), trim_(object));
  std::lock_guard lock(mutex_);
  objects_ = std::move(all);
  ++version_;
}

void Roster::put(Json object) {
  Json trimmed = trim_(object);
  std::lock_guard lock(mutex_);
  Json& known = objects_[api::key_of(object)];
  if (known == trimmed) return;
  known = std::move(trimmed);
  ++version_;
}

void Roster::forget(Json last) {
  std::lock_guard lock(mutex_);
  version_ += objects_.erase(api::key_of(last));
}

}  // namespace flotilla::cluster
