// SPDX-License-Identifier: Apache-2.0
// One try to place a binding: its affinity terms in turn, until one has clusters.
#pragma once

#include <string>
#include <vector>

#include "core/api/json.hpp"
#include "core/scheduler/schedule.hpp"

namespace flotilla::scheduler {

struct Attempt {
  Decision decision;                // of the last term that was tried
  std::string affinity_name;        // of the term used; empty without clusterAffinities
  std::vector<Failure> failures{};  // of each term that was tried in vain; empty when one was found
  Binding binding{};                // what was asked; observed_affinity is the term that was tried last
  // Of clusterAffinities: where the search began, and the failures of the terms before the one used.
  std::size_t first_term = 0;
  std::vector<Failure> passed{};
};

// With clusterAffinities the terms are tried from the one in use onwards, never back to an earlier one.
Attempt attempt(const Binding& binding, const ClusterTable& table, Policies& policies, const Options& options,
                Workspace& workspace);
Attempt attempt(const api::Json& binding, const ClusterTable& table, Policies& policies,
                const Options& options, Workspace& workspace);

}  // namespace flotilla::scheduler
