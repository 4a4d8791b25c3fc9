// SPDX-License-Identifier: Apache-2.0
// Which clusters a ClusterAffinity means, one Cluster object at a time. (The scheduler compiles the same rule
// to bitsets over all clusters.)
#pragma once

#include <string>
#include <vector>

#include "core/api/json.hpp"
#include "core/api/selector.hpp"

namespace flotilla::api {

class ClusterAffinity {
 public:
  // A selector that cannot be understood matches no cluster.
  explicit ClusterAffinity(const Json& affinity);

  bool matches(const Json& cluster) const;

 private:
  struct ZoneTerm {
    std::string op;
    std::vector<std::string> values;
  };
  bool matches_zones(const Json& zones) const;
  bool matches_fields(const Json& spec) const;

  std::vector<std::string> names_;  // empty means all
  std::vector<std::string> excluded_;
  LabelSelector labels_;
  LabelSelector fields_;  // over provider and region
  std::vector<ZoneTerm> zones_;
  bool broken_ = false;
};

}  // namespace flotilla::api
