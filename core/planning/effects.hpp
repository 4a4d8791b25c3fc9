// SPDX-License-Identifier: Apache-2.0
// What a rehearsal has written, sorted by template and cluster.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/planning/rehearsal.hpp"

namespace flotilla::planning {

// What becomes of the object in one cluster.
struct ClusterEffect {
  enum class Kind : std::uint8_t { Create, Update, Delete };
  Kind kind = Kind::Update;
  std::string work;
  Json before, after;       // manifests
  bool suspended = false;   // not sent for now
  bool preserved = false;   // deleted here, but the member keeps it
  std::string cause, held;  // of a removal; what it waits for
};

struct Placement {
  std::map<std::string, std::int64_t> replicas;  // by cluster
};

struct TemplateEffect {
  Json reference;  // spec.resource of the binding
  ObjectKey binding;
  std::string policy_before, policy_after;  // "PropagationPolicy default/web"; empty: none
  Placement before, after;
  bool binding_created = false, binding_deleted = false;
  Json condition;  // Scheduled, where it changes to another reason; else null
  std::map<std::string, ClusterEffect> clusters;

  std::size_t count(ClusterEffect::Kind kind) const;
  bool moves() const;
  // Worse effects are shown first.
  int gravity() const;
};

// By binding.
std::map<ObjectKey, TemplateEffect> effects_of(Rehearsal& rehearsal);

// "PropagationPolicy default/web", by the claim on a template or binding; empty: none.
std::string policy_of(const Json& claimed);

}  // namespace flotilla::planning
