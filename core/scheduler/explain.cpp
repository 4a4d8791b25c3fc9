// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/explain.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "core/scheduler/placement.hpp"
#include "core/scheduler/select.hpp"
#include "core/scheduler/webster.hpp"

namespace flotilla::scheduler {
namespace {

using api::Json;
using Place = std::uint32_t;  // among the candidates

struct Question {
  const DecisionRecord& record;
  PlacementPtr placement;
  std::vector<std::uint32_t> rows;  // of the candidates

  explicit Question(const DecisionRecord& given) : record(given), rows(given.fitting_rows()) {
    const auto json = Json::parse(given.placement);
    placement = parse_placement(json ? *json : Json());
  }
  NameNumber cluster(Place place) const { return record.clusters[rows[place]]; }
  bool duplicates() const {
    return !placement->has_scheduling || placement->strategy == Strategy::Duplicated;
  }
};

Json name_list(const Question& question, const std::vector<Place>& places, const NameOf& name_of) {
  Json list = Json::array();
  for (Place place : places) list.push_back(name_of(question.cluster(place)));
  return list;
}

// Best first: tier, score, room, name.
std::vector<Place> best_first(const DecisionRecord& record) {
  std::vector<Place> order(record.candidates());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](Place a, Place b) {
    if (record.tiers[a] != record.tiers[b]) return record.tiers[a] < record.tiers[b];
    if (record.scores[a] != record.scores[b]) return record.scores[a] > record.scores[b];
    return record.available[a] > record.available[b];
  });
  return order;
}

struct Region {
  std::vector<Place> members;  // best first
  std::int64_t available = 0;
  bool chosen = false;
};

// What a region is worth: thousands for what it can serve, below that the mean score of those that serve.
std::int64_t worth(const Question& question, const Region& region, std::int32_t min_groups) {
  const DecisionRecord& record = question.record;
  std::int64_t score = 0, count = 0;
  if (question.duplicates()) {
    for (Place place : region.members) {
      if (record.available[place] < record.replicas) continue;
      score += record.scores[place];
      ++count;
    }
    return count == 0 ? 0 : count * 1000 + score / count;
  }
  const std::int64_t groups = std::max(min_groups, 1);
  const std::int64_t target = (record.replicas + groups - 1) / groups;
  const SpreadConstraint* cluster = question.placement->find_spread(SpreadField::Cluster);
  const std::int64_t at_least = std::max(cluster == nullptr ? 0 : cluster->min_groups, min_groups);
  std::int64_t room = 0;
  for (Place place : region.members) {
    room += record.available[place];
    score += record.scores[place];
    if (++count >= at_least && room >= target) break;
  }
  return room < target ? room * 1000 + score / static_cast<std::int64_t>(region.members.size())
                       : target * 1000 + score / count;
}

Json explain_regions(const Question& question, const SpreadConstraint& constraint,
                     const std::vector<Place>& order) {
  const DecisionRecord& record = question.record;
  std::vector<Region> regions(record.regions.size());
  for (Place place : order) {
    if (record.region_of[place] == 0) continue;
    Region& region = regions[static_cast<std::size_t>(record.region_of[place] - 1)];
    region.members.push_back(place);
    region.available += record.available[place];
  }
  for (Place place : record.selected)
    if (record.region_of[place] > 0)
      regions[static_cast<std::size_t>(record.region_of[place] - 1)].chosen = true;
  std::vector<std::pair<std::int64_t, std::size_t>> by_score;
  for (std::size_t i = 0; i < regions.size(); ++i)
    by_score.emplace_back(-worth(question, regions[i], constraint.min_groups), i);
  std::stable_sort(by_score.begin(), by_score.end());
  Json groups = Json::array();
  for (const auto& [score, at] : by_score) {
    groups.push_back(Json::object({{"name", record.regions[at]},
                                   {"clusters", regions[at].members.size()},
                                   {"available", regions[at].available},
                                   {"score", -score},
                                   {"chosen", regions[at].chosen}}));
  }
  return groups;
}

struct Share {
  Place place = 0;
  std::int64_t weight = 0;
  std::int32_t before = 0;  // kept beside what is divided
  std::int32_t given = 0;
};

// A division of one tier.
struct Tier {
  std::string how;
  std::int32_t replicas = 0;
  bool keeps = false;
  std::vector<Share> shares;
};

class Division {
 public:
  Division(const DecisionRecord& record, const NameOf& name_of) : question_(record), name_of_(name_of) {
    for (const NumberedTarget& target : record.previous) previous_[target.cluster] = target.replicas;
    for (const NumberedTarget& target : record.targets) targets_[target.cluster] = target.replicas;
  }

  Json make() const {
    const DecisionRecord& record = question_.record;
    std::map<std::int64_t, std::vector<Place>> tiers;
    const bool tiered = !question_.placement->affinity && !question_.placement->affinities.empty();
    for (Place place : record.selected) tiers[tiered ? record.tiers[place] : 0].push_back(place);
    Json list = Json::array();
    std::int64_t left = record.replicas;
    for (const auto& [order, places] : tiers) {
      if (left <= 0) break;
      std::int64_t room = 0;
      for (Place place : places) room += record.available[place];
      const auto replicas = static_cast<std::int32_t>(
          tiers.size() == 1 ? left : std::min(left, std::max<std::int64_t>(room, 0)));
      Json entry = tell(divide(places, replicas));
      if (tiers.size() > 1) entry.set("tier", order);
      list.push_back(std::move(entry));
      left -= replicas;
    }
    return list;
  }

 private:
  std::int32_t had(Place place) const {
    const auto it = previous_.find(question_.cluster(place));
    return it == previous_.end() ? 0 : it->second;
  }
  std::int32_t has(Place place) const {
    const auto it = targets_.find(question_.cluster(place));
    return it == targets_.end() ? 0 : it->second;
  }

  Tier divide(const std::vector<Place>& places, std::int32_t replicas) const {
    const DecisionRecord& record = question_.record;
    Tier tier{"all replicas on each", replicas, false, {}};
    for (Place place : places) tier.shares.push_back({place, 0, 0, has(place)});
    std::sort(tier.shares.begin(), tier.shares.end(),
              [](const Share& a, const Share& b) { return a.place < b.place; });
    if (question_.duplicates()) return tier;
    if (question_.placement->strategy == Strategy::StaticWeight) {
      tier.how = "in proportion to static weights";
      const bool any = std::any_of(tier.shares.begin(), tier.shares.end(), [&](const Share& share) {
        return !record.weights.empty() && record.weights[share.place] > 0;
      });
      for (Share& share : tier.shares)
        share.weight = any ? std::max<std::int64_t>(record.weights[share.place], 0) : 1;
      return tier;
    }
    divide_by_room(tier);
    return tier;
  }

  void divide_by_room(Tier& tier) const {
    const DecisionRecord& record = question_.record;
    std::int64_t assigned = 0;
    for (const Share& share : tier.shares) assigned += had(share.place);
    const bool fewest = question_.placement->strategy == Strategy::Aggregated;
    const std::string way = fewest ? "on the fewest clusters, in proportion to " : "in proportion to ";
    if (record.fresh) {
      tier.how = "anew, " + way + "room and what is there";
      for (Share& share : tier.shares) share.weight = record.room[share.place] + had(share.place);
    } else if (assigned > tier.replicas) {
      tier.how = "fewer, " + way + "what is there";
      for (Share& share : tier.shares) share.weight = had(share.place);
    } else if (assigned < tier.replicas) {
      tier.how = assigned == 0 ? way + "room" : "what is there is kept, the rest " + way + "room";
      tier.keeps = assigned > 0;
      for (Share& share : tier.shares) {
        share.before = had(share.place);
        share.weight = record.room[share.place];
        share.given = std::max(0, share.given - share.before);
      }
      tier.replicas -= static_cast<std::int32_t>(assigned);
    } else {
      tier.how = "as it is: nothing has to move";
      tier.keeps = true;
      for (Share& share : tier.shares) {
        share.before = had(share.place);
        share.given = 0;
      }
      tier.replicas = 0;
    }
    // Those that are not among the fewest took no part.
    if (fewest)
      std::erase_if(tier.shares, [](const Share& share) { return share.given + share.before == 0; });
  }

  Json tell(const Tier& tier) const {
    Json out = Json::object({{"how", tier.how}, {"replicas", tier.replicas}});
    Json kept = Json::array(), shares = Json::array();
    for (const Share& share : tier.shares) {
      const std::string name = name_of_(question_.cluster(share.place));
      if (tier.keeps && share.before > 0)
        kept.push_back(Json::object({{"cluster", name}, {"replicas", share.before}}));
      if (tier.replicas > 0 || !tier.keeps) {
        Json entry = Json::object({{"cluster", name}, {"replicas", share.given}});
        if (share.weight > 0) entry.set("weight", share.weight);
        shares.push_back(std::move(entry));
      }
    }
    if (!kept.empty()) out.set("kept", std::move(kept));
    if (!shares.empty()) out.set("shares", std::move(shares));
    tell_last_seat(tier, out);
    return out;
  }

  // Seats go one by one to the highest quotient of weight and 2 * seats + 1.
  void tell_last_seat(const Tier& tier, Json& out) const {
    const Share* last = nullptr;
    const Share* next = nullptr;
    const auto won = [](const Share& share) {
      return static_cast<double>(share.weight) / (2.0 * share.given - 1);
    };
    const auto wanted = [](const Share& share) {
      return static_cast<double>(share.weight) / (2.0 * share.given + 1);
    };
    for (const Share& share : tier.shares) {
      if (share.weight <= 0) continue;
      if (share.given > 0 && (last == nullptr || won(share) < won(*last))) last = &share;
      if (next == nullptr || wanted(share) > wanted(*next)) next = &share;
    }
    if (last == nullptr || next == nullptr || tier.shares.size() < 2) return;
    const auto seat = [&](const Share& share, double quotient) {
      char text[32];
      std::snprintf(text, sizeof text, "%.4g", quotient);
      return Json::object({{"cluster", name_of_(question_.cluster(share.place))}, {"quotient", text}});
    };
    out.set("lastSeat", seat(*last, won(*last)));
    out.set("next", seat(*next, wanted(*next)));
    if (won(*last) != wanted(*next) || last == next) return;
    const bool backwards = prefers_last(question_.record.uid);
    out.set("tie", last->given - 1 != next->given
                       ? std::string("equal quotients: the one with fewer seats gets it")
                       : std::string("equal quotients and seats: the ") + (backwards ? "last" : "first") +
                             " by name gets it, as the uid of the template draws");
  }

  Question question_;
  const NameOf& name_of_;
  std::map<NameNumber, std::int32_t> previous_, targets_;
};

std::string group_word(const SpreadConstraint& by) {
  switch (by.field) {
    case SpreadField::Provider:
      return "provider";
    case SpreadField::Zone:
      return "zone";
    case SpreadField::Label:
      return "label " + by.label;
    default:
      return "region";
  }
}

}  // namespace

Json explain_selection(const DecisionRecord& record, const NameOf& name_of) {
  if (record.candidates() == 0) return {};
  const Question question(record);
  if (question.placement->spread.empty() || question.placement->ignores_spread()) return {};
  // Groups other than regions are on the record where they were chosen.
  const bool grouped = record.region_of.size() == record.candidates();
  const SpreadConstraint* region = grouping(*question.placement, grouped);
  const SpreadConstraint* cluster = question.placement->find_spread(SpreadField::Cluster);
  const SpreadConstraint* by = region != nullptr ? region : cluster;
  if (by == nullptr) return {};
  const std::vector<Place> order = best_first(record);
  Json out = Json::object({{"by", region != nullptr ? group_word(*region) : "cluster"},
                           {"minGroups", by->min_groups},
                           {"maxGroups", by->max_groups}});
  if (region != nullptr && cluster != nullptr) {
    out.set("minClusters", cluster->min_groups);
    out.set("maxClusters", cluster->max_groups);
  }
  if (region != nullptr && grouped) out.set("groups", explain_regions(question, *region, order));
  std::vector<bool> chosen(record.candidates(), false);
  for (Place place : record.selected) chosen[place] = true;
  std::vector<Place> passed_over;
  for (Place place : order)
    if (!chosen[place]) passed_over.push_back(place);
  out.set("selected", name_list(question, record.selected, name_of));
  out.set("passedOver", name_list(question, passed_over, name_of));
  return out;
}

Json explain_division(const DecisionRecord& record, const NameOf& name_of) {
  if (!record.ok() || !record.divisible || record.selected.empty()) return {};
  return Division(record, name_of).make();
}

}  // namespace flotilla::scheduler
