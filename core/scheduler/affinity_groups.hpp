// SPDX-License-Identifier: Apache-2.0
// Which clusters the members of each group of workload affinity have. Kept up to date by whoever sees the
// bindings change; asked for one decision at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/scheduler/cluster_table.hpp"

namespace flotilla::scheduler {

// Thread: changes alone; lookups side by side.
class AffinityGroups {
 public:
  // What a binding says; replaces what it said before. `binding` is its namespace/name, and groups with equal
  // names in other namespaces are other groups. An empty group is none. O(clusters * log).
  void put(std::string_view binding, std::string_view ns, std::string_view affinity_group,
           std::string_view anti_affinity_group, const std::vector<std::string>& clusters);
  void remove(std::string_view binding);

  // The rows that every member but `self` has that has clusters at all. False: there is no such member. For
  // the group of the namespace of `self`. O(clusters of the group).
  bool every_other(std::string_view affinity_group, std::string_view self, const ClusterTable& table,
                   RowSet& rows) const;
  // The rows that any member but `self` of the anti-affinity group has. False: none.
  bool any_other(std::string_view anti_affinity_group, std::string_view self, const ClusterTable& table,
                 RowSet& rows) const;

  std::size_t members() const { return members_.size(); }
  // All members of the same groups: whose results may change when this binding's clusters do.
  std::vector<std::string> companions(std::string_view binding) const;

 private:
  struct Member {
    std::string ns;
    std::string affinity;  // key of the group, empty: none
    std::string anti_affinity;
    std::vector<std::string> clusters;
  };
  struct Group {
    std::uint32_t with_clusters = 0;                         // members that have some
    std::map<std::string, std::uint32_t, std::less<>> uses;  // members per cluster
    std::map<std::string, bool, std::less<>> members;
  };
  using Groups = std::unordered_map<std::string, Group>;

  static std::string key_of(char kind, std::string_view ns, std::string_view group);
  void count(const std::string& key, const std::string& binding, const Member& member, bool joins);
  template <typename Takes>
  bool collect(char kind, std::string_view group, std::string_view self, const ClusterTable& table,
               RowSet& rows, Takes takes) const;

  std::unordered_map<std::string, Member> members_;  // by binding
  Groups groups_;
};

}  // namespace flotilla::scheduler
