// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/affinity_groups.hpp"

#include <algorithm>

namespace flotilla::scheduler {
namespace {

constexpr char kAffinity = '+';
constexpr char kAntiAffinity = '-';

std::string_view namespace_of(std::string_view binding) {
  const std::size_t slash = binding.find('/');
  return slash == binding.npos ? std::string_view() : binding.substr(0, slash);
}

}  // namespace

std::string AffinityGroups::key_of(char kind, std::string_view ns, std::string_view group) {
  if (group.empty()) return {};
  std::string key(1, kind);
  key.append(ns).append("/").append(group);
  return key;
}

void AffinityGroups::count(const std::string& key, const std::string& binding, const Member& member,
                           bool joins) {
  if (key.empty()) return;
  Group& group = groups_[key];
  const std::uint32_t one = joins ? 1u : 0u - 1u;
  if (!member.clusters.empty()) group.with_clusters += one;
  for (const std::string& cluster : member.clusters) {
    auto used = group.uses.try_emplace(cluster, 0).first;
    used->second += one;
    if (used->second == 0) group.uses.erase(used);
  }
  if (joins) {
    group.members.emplace(binding, true);
    return;
  }
  group.members.erase(binding);
  if (group.members.empty()) groups_.erase(key);
}

void AffinityGroups::put(std::string_view binding, std::string_view ns, std::string_view affinity_group,
                         std::string_view anti_affinity_group, const std::vector<std::string>& clusters) {
  remove(binding);
  if (affinity_group.empty() && anti_affinity_group.empty()) return;
  Member member{std::string(ns), key_of(kAffinity, ns, affinity_group),
                key_of(kAntiAffinity, ns, anti_affinity_group), clusters};
  std::sort(member.clusters.begin(), member.clusters.end());
  member.clusters.erase(std::unique(member.clusters.begin(), member.clusters.end()), member.clusters.end());
  const std::string name(binding);
  count(member.affinity, name, member, true);
  count(member.anti_affinity, name, member, true);
  members_.emplace(name, std::move(member));
}

void AffinityGroups::remove(std::string_view binding) {
  const std::string name(binding);
  const auto found = members_.find(name);
  if (found == members_.end()) return;
  count(found->second.affinity, name, found->second, false);
  count(found->second.anti_affinity, name, found->second, false);
  members_.erase(found);
}

// takes(members other than self that use a cluster, members other than self with clusters).
template <typename Takes>
bool AffinityGroups::collect(char kind, std::string_view group, std::string_view self,
                             const ClusterTable& table, RowSet& rows, Takes takes) const {
  const auto found = groups_.find(key_of(kind, namespace_of(self), group));
  if (group.empty() || found == groups_.end()) return false;
  const auto own = members_.find(std::string(self));
  const bool member = own != members_.end() &&
                      (kind == kAffinity ? own->second.affinity : own->second.anti_affinity) == found->first;
  const std::vector<std::string> none;
  const std::vector<std::string>& mine = member ? own->second.clusters : none;
  const std::uint32_t others = found->second.with_clusters - (mine.empty() ? 0 : 1);
  if (others == 0) return false;
  rows.reset(table.size());
  for (const auto& [cluster, uses] : found->second.uses) {
    const bool self_uses = std::binary_search(mine.begin(), mine.end(), cluster);
    const Row row = table.find(cluster);
    if (row != kNoRow && takes(uses - (self_uses ? 1 : 0), others)) rows.add(row);
  }
  return true;
}

bool AffinityGroups::every_other(std::string_view affinity_group, std::string_view self,
                                 const ClusterTable& table, RowSet& rows) const {
  return collect(kAffinity, affinity_group, self, table, rows,
                 [](std::uint32_t uses, std::uint32_t others) { return uses == others; });
}

bool AffinityGroups::any_other(std::string_view anti_affinity_group, std::string_view self,
                               const ClusterTable& table, RowSet& rows) const {
  return collect(kAntiAffinity, anti_affinity_group, self, table, rows,
                 [](std::uint32_t uses, std::uint32_t) { return uses > 0; });
}

std::vector<std::string> AffinityGroups::companions(std::string_view binding) const {
  std::vector<std::string> names;
  const auto found = members_.find(std::string(binding));
  if (found == members_.end()) return names;
  for (const std::string& key : {found->second.affinity, found->second.anti_affinity}) {
    const auto group = groups_.find(key);
    if (group == groups_.end()) continue;
    for (const auto& [name, here] : group->second.members) {
      if (name != binding) names.push_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace flotilla::scheduler
