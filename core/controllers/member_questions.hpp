// SPDX-License-Identifier: Apache-2.0
// One question to many members at the same time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/cluster/registry.hpp"
#include "core/store/store.hpp"

namespace flotilla::controllers {

// Members that are attached and Ready, by name.
std::vector<std::shared_ptr<cluster::Member>> ready_members(const store::Store& store,
                                                            const cluster::ClusterRegistry& clusters);

struct MemberQuestion {
  std::shared_ptr<cluster::Member> member;
  // Versions of one resource: what the member does not serve is asked for as the next.
  std::vector<api::Gvr> resources;
  cluster::ListSelector selector = {};
  std::string name = {};  // empty: a list
  bool whole = false;     // of what is there as one document, whatever it is
};
// The objects of a list, or the one of that name.
using MemberAnswer = Result<std::vector<api::Json>>;

// The answers in the order of the questions. Few are under way at a time.
Task<std::vector<MemberAnswer>> ask_members(std::vector<MemberQuestion> questions);

}  // namespace flotilla::controllers
