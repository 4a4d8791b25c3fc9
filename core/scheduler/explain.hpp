// SPDX-License-Identifier: Apache-2.0
// How the clusters of a decision were selected and its replicas divided, worked out from its record: the
// record holds what went in and what came out, and both steps are arithmetic. For people; as JSON.
#pragma once

#include <functional>
#include <string>

#include "core/api/json.hpp"
#include "core/scheduler/decision_record.hpp"

namespace flotilla::scheduler {

using NameOf = std::function<std::string(NameNumber)>;

// Null where nothing was selected by spread constraints:
//   {by: cluster|region, minGroups, maxGroups, groups: [{name, clusters, available, score, chosen}],
//    selected: [name], passedOver: [name]}
api::Json explain_selection(const DecisionRecord& record, const NameOf& name_of);

// Null where there was nothing to divide. Otherwise a list, one entry per overflow tier that got some:
//   {how, replicas, kept: [{cluster, replicas}],
//    shares: [{cluster, weight, replicas}],           what each got, and in proportion to what
//    lastSeat: {cluster, quotient}, next: {...},      the last that won one, the first that did not
//    tie: text}                                       where both quotients are equal
api::Json explain_division(const DecisionRecord& record, const NameOf& name_of);

}  // namespace flotilla::scheduler
