// SPDX-License-Identifier: Apache-2.0
// All objects of one resource of a member, whoever made them, each cut down to what somebody counts.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>

#include "core/api/object.hpp"
#include "core/cluster/following.hpp"

namespace flotilla::cluster {

class Roster final : public Following {
 public:
  using Trim = Json (*)(const Json& object);

  Roster(std::string cluster, Gvr resource, std::shared_ptr<ClusterConnection> connection, Trim trim);

  struct Listing {
    std::uint64_t version = 0;  // of equal versions nothing differs
    std::vector<Json> objects;  // by namespace and name
  };
  Listing list() const;
  // Those of a namespace.
  std::vector<Json> list(std::string_view ns) const;
  std::uint64_t version() const;

 private:
  void replace(std::vector<Json> objects) override;
  void put(Json object) override;
  void forget(Json last) override;

  Trim trim_;
  mutable std::mutex mutex_;
  std::map<api::ObjectKey, Json> objects_;
  std::uint64_t version_ = 0;
};

}  // namespace flotilla::cluster
