// SPDX-License-Identifier: Apache-2.0
// Which of the clusters that fit are used, by spread constraints: by cluster, or by region and cluster
// within. Where the host says so, provider, zone and label group clusters as the region does; of several the
// first in this order: region, provider, zone, label.
#include <flotilla/sdk/regions.hpp>
#include <flotilla/sdk/scheduler.hpp>
#include <flotilla/sdk/spread.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace {

namespace sdk = flotilla::sdk;

// Of several constraints by the same field the last one counts.
const flt_spread_t* find_spread(sdk::Workload workload, std::uint32_t field) {
  const flt_spread_t* found = nullptr;
  for (const flt_spread_t& constraint : sdk::spread(workload)) {
    if (constraint.field == field) found = &constraint;
  }
  return found;
}

class GroupSelection {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {.name = "group_selection",
                                               .summary = "Clusters by spread constraints"};
  static constexpr bool kBounded = true;
  static constexpr bool kFallback = true;

  void bind(sdk::Binder binder) {
    regions_ = binder.require("region");
    providers_ = binder.require("provider");
    zones_ = binder.require("zones");
    labels_ = binder.require("labels");
  }

  void prepare(sdk::Workload workload, sdk::Table, sdk::Preparation steps) const {
    if ((workload.flags & FLT_WORKLOAD_SPREAD) == 0) steps.skip(FLT_SKIP_SELECT | FLT_ANY_ORDER);
  }

  void select(sdk::Workload workload, sdk::Table table, sdk::Candidates candidates,
              sdk::Chosen chosen) const {
    const flt_spread_t* cluster = find_spread(workload, FLT_SPREAD_CLUSTER);
    if (const flt_spread_t* group = find_grouping(workload)) {
      select_by_group(workload, table, *group, cluster, candidates, chosen);
    } else if (cluster != nullptr) {
      select_by_cluster(workload, *cluster, candidates, chosen);
    } else {
      throw sdk::cannot_be_met("just support cluster and region spread constraint");
    }
  }

 private:
  // 1. Take the first `count`.
  // 2. While they have too little room, from the last to the first: swap one for the cluster outside that has
  //    the most room, if that is more than its own.
  static void select_by_cluster(sdk::Workload workload, const flt_spread_t& constraint,
                                sdk::Candidates candidates, sdk::Chosen chosen) {
    const auto total = static_cast<std::int64_t>(candidates.size());
    if (total < constraint.min_groups) {
      throw sdk::cannot_be_met("the number of feasible clusters is less than spreadConstraint.MinGroups");
    }
    const auto count = static_cast<std::size_t>(std::clamp<std::int64_t>(constraint.max_groups, 0, total));
    if (workload.strategy == FLT_DIVIDE_DUPLICATED) {
      for (std::size_t i = 0; i < count; ++i) chosen.add(candidates[i].row);
      return;
    }
    const std::int64_t needed = (workload.flags & FLT_WORKLOAD_WHOLE_SETS) != 0 ? 1 : workload.replicas;
    std::int64_t room = 0;
    for (std::size_t i = 0; i < count; ++i) room += candidates[i].available;
    if (room < needed && count > 0) {
      std::vector<flt_candidate_t> all(candidates.begin(), candidates.end());
      room = swap_in_room(all, count, room, needed);
      for (std::size_t i = 0; i < count; ++i) chosen.add(all[i].row);
    } else {
      for (std::size_t i = 0; i < count; ++i) chosen.add(candidates[i].row);
    }
    if (room < needed || count == 0) {
      throw sdk::cannot_be_met("no enough resource when selecting " + std::to_string(count) + " clusters");
    }
  }

  static std::int64_t swap_in_room(std::vector<flt_candidate_t>& all, std::size_t count, std::int64_t room,
                                   std::int64_t needed) {
    const auto roomier = [](const flt_candidate_t& a, const flt_candidate_t& b) {
      return a.available < b.available;
    };
    for (std::size_t i = count; i-- > 0 && room < needed;) {
      const auto outside = all.begin() + static_cast<std::ptrdiff_t>(count);
      const auto most = std::max_element(outside, all.end(), roomier);
      if (most == all.end() || most->available <= all[i].available) continue;
      room += most->available - all[i].available;
      std::swap(*most, all[i]);
    }
    return room;
  }

  static const flt_spread_t* find_grouping(sdk::Workload workload) {
    if (const flt_spread_t* region = find_spread(workload, FLT_SPREAD_REGION)) return region;
    if ((workload.flags & FLT_WORKLOAD_SPREAD_BY_ANY) == 0) return nullptr;
    for (const std::uint32_t field : {FLT_SPREAD_PROVIDER, FLT_SPREAD_ZONE, FLT_SPREAD_LABEL})
      if (const flt_spread_t* found = find_spread(workload, field)) return found;
    return nullptr;
  }

  static const char* word_for(const flt_spread_t& group) {
    switch (group.field) {
      case FLT_SPREAD_PROVIDER:
        return "provider";
      case FLT_SPREAD_ZONE:
        return "zone";
      case FLT_SPREAD_LABEL:
        return "label value";
      default:
        return "region";
    }
  }

  // The group of each row: `made` where it is not a column already.
  std::span<const std::uint32_t> groups_of(sdk::Table table, const flt_spread_t& group,
                                           sdk::Candidates candidates,
                                           std::vector<std::uint32_t>& made) const {
    if (group.field == FLT_SPREAD_REGION) return table.column<std::uint32_t>(regions_);
    if (group.field == FLT_SPREAD_PROVIDER) return table.column<std::uint32_t>(providers_);
    made.assign(table.rows(), FLT_SYM_EMPTY);
    const auto zones = table.list<std::uint32_t>(zones_);
    const auto labels = table.list<flt_label_t>(labels_);
    for (const flt_candidate_t& candidate : candidates) {
      const std::uint32_t row = candidate.row;
      if (group.field == FLT_SPREAD_LABEL) {
        made[row] = sdk::label_value(labels, row, group.label);
      } else if (zones.any() && !zones[row].empty()) {
        made[row] = zones[row].front();
      }
    }
    return made;
  }

  // 1. Choose the regions. 2. Take the best cluster of each. 3. Fill up from all their others, best first, to
  // the cluster constraint's maximum.
  void select_by_group(sdk::Workload workload, sdk::Table table, const flt_spread_t& region,
                       const flt_spread_t* cluster, sdk::Candidates candidates, sdk::Chosen chosen) const {
    sdk::RegionRule rule;
    rule.duplicated = workload.strategy == FLT_DIVIDE_DUPLICATED;
    rule.replicas = workload.replicas;
    rule.min_regions = region.min_groups;
    rule.min_clusters = cluster == nullptr ? 0 : cluster->min_groups;
    std::vector<std::uint32_t> made;
    const std::vector<sdk::Region> regions =
        sdk::group_by_region(rule, candidates, groups_of(table, region, candidates, made));
    if (static_cast<std::int64_t>(regions.size()) < region.min_groups) {
      throw sdk::cannot_be_met("the number of feasible " + std::string(word_for(region)) +
                               " is less than spreadConstraint.MinGroups");
    }
    std::vector<sdk::Group> groups;
    groups.reserve(regions.size());
    for (const sdk::Region& each : regions) {
      groups.push_back({table.text(each.region), static_cast<std::int64_t>(each.members.size()), each.score});
    }
    const std::vector<std::uint32_t> winners =
        sdk::choose_groups(groups, region.min_groups, region.max_groups, rule.min_clusters);
    if (winners.empty()) {
      throw sdk::cannot_be_met("the number of clusters is less than the cluster spreadConstraint.MinGroups");
    }
    // Without a cluster constraint, one cluster per region is all that is asked for.
    const std::int64_t most = cluster == nullptr ? 0 : cluster->max_groups;
    std::vector<std::uint32_t> others;
    for (const std::uint32_t at : winners) {
      const std::vector<std::uint32_t>& members = regions[at].members;
      chosen.add(candidates[members[0]].row);
      others.insert(others.end(), members.begin() + 1, members.end());
    }
    const std::int64_t left = std::clamp<std::int64_t>(most - static_cast<std::int64_t>(winners.size()), 0,
                                                       static_cast<std::int64_t>(others.size()));
    // Positions are in the order of the candidates.
    const auto last = others.begin() + left;
    std::partial_sort(others.begin(), last, others.end());
    for (auto at = others.begin(); at != last; ++at) chosen.add(candidates[*at].row);
  }

  std::int32_t regions_ = -1;
  std::int32_t providers_ = -1;
  std::int32_t zones_ = -1;
  std::int32_t labels_ = -1;
};

}  // namespace

FLT_PLUGIN((flotilla::sdk::PluginInfo{
               .id = "io.flotilla.scheduler.group_selection", .version = "0.1.0", .name = "Group selection"}),
           &flotilla::sdk::scheduler_component<GroupSelection>)
