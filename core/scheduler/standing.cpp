// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/standing.hpp"

#include <algorithm>

#include "core/scheduler/select.hpp"

namespace flotilla::scheduler {
namespace {

bool tolerates(const Toleration& toleration, const Taint& taint, const Symbols& symbols) {
  if (toleration.effect != TaintEffect::None && toleration.effect != taint.effect) return false;
  if (toleration.key.empty() ? toleration.op != Toleration::Operator::Exists
                             : symbols.text(taint.key) != toleration.key) {
    return false;
  }
  if (toleration.op == Toleration::Operator::Exists) return true;
  return toleration.op == Toleration::Operator::Equal && symbols.text(taint.value) == toleration.value;
}

bool tolerates_all(const ClusterTable& table, Row row, const Placement& placement) {
  for (const std::uint32_t index : table.identity().taints.at(row)) {
    const Taint& taint = table.identity().taint_dictionary[index];
    if (taint.effect != TaintEffect::NoSchedule && taint.effect != TaintEffect::NoExecute) continue;
    const bool tolerated =
        std::any_of(placement.tolerations.begin(), placement.tolerations.end(),
                    [&](const Toleration& each) { return tolerates(each, taint, table.symbols()); });
    if (!tolerated) return false;
  }
  return true;
}

}  // namespace

bool Standing::matches_any() const {
  return std::find(matches.begin(), matches.end(), true) != matches.end();
}

Standing standing_of(const ClusterTable& table, Row row, const Placement& placement, std::size_t first_term,
                     bool further_terms) {
  Standing standing;
  if (row == kNoRow) return standing;
  const auto ask = [&](const ClusterAffinity& affinity) {
    standing.matches.push_back(matches_row(table, row, affinity));
  };
  if (placement.affinity) {
    ask(*placement.affinity);
  } else if (placement.affinities.empty()) {
    standing.matches.push_back(true);
  } else {
    for (std::size_t i = first_term; i < placement.affinities.size(); ++i) {
      ask(placement.affinities[i]);
      for (const ClusterAffinity& tier : placement.affinities[i].overflow) ask(tier);
      if (!further_terms) break;
    }
  }
  if (!standing.matches_any()) return standing;
  for (const StaticWeight& rule : placement.static_weights) {
    if (rule.weight > standing.weight && matches_row(table, row, rule.target)) standing.weight = rule.weight;
  }
  standing.tolerated = tolerates_all(table, row, placement);
  standing.deleting = table.identity().deleting.has(row);
  const ClusterIdentity& identity = table.identity();
  if (placement.find_spread(SpreadField::Provider) != nullptr) standing.provider = identity.providers[row];
  if (placement.find_spread(SpreadField::Region) != nullptr) standing.region = identity.regions[row];
  if (const SpreadConstraint* zone = placement.find_spread(SpreadField::Zone)) {
    standing.zones = !identity.zones.at(row).empty();
    standing.zone = group_of(table, *zone, row);
  }
  if (const SpreadConstraint* label = placement.find_spread(SpreadField::Label))
    standing.label = group_of(table, *label, row);
  return standing;
}

bool differs(const Standing& before, const Standing& after) {
  if (!before.matches_any() && !after.matches_any()) return false;
  return !(before == after);
}

}  // namespace flotilla::scheduler
