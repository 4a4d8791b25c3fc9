// SPDX-License-Identifier: Apache-2.0
// The seam of overrides: what a rule is to the daemon. Rules come from plugins
// (core/plugin/override_adapter); nothing here knows one by name.
//
// A RuleKind reads the parameters that a policy gives it under its own member of `overriders` and makes a
// Rule. A Rule is a pure function of one manifest and the clusters it goes to, to the patches that make it
// fit there: equal input, equal answer, whatever else happens. Thread: const methods may be called
// concurrently.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/result.hpp"

namespace flotilla::overrides {

// A cluster that a manifest goes to.
struct Target {
  const api::Json* cluster = nullptr;    // the Cluster object; never null
  std::optional<std::int64_t> replicas;  // what it was assigned; nothing where the manifest is no workload
};

// Targets that get the same patch.
struct PatchGroup {
  enum class Kind : std::uint8_t { JsonPatch, MergePatch, Full };

  Kind kind = Kind::JsonPatch;
  api::Json patch;
  std::vector<std::uint32_t>
      targets;  // indexes into the targets asked for; each at most once over all groups
};

class Rule {
 public:
  virtual ~Rule() = default;

  // Targets in no group keep the manifest as it is. Errors: Invalid, when the rule cannot be applied to this
  // manifest.
  virtual Result<std::vector<PatchGroup>> apply(const api::Json& manifest,
                                                std::span<const Target> targets) const = 0;
};

class RuleKind {
 public:
  virtual ~RuleKind() = default;

  virtual std::string_view name() const = 0;
  // The member of `overriders` whose value it takes.
  virtual std::string_view field() const = 0;
  // Rules of one policy apply in ascending order; equal orders by name.
  virtual int order() const = 0;
  // Errors: Invalid, naming what of the parameters is at fault.
  virtual Result<std::shared_ptr<const Rule>> compile(const api::Json& params) const = 0;
};

}  // namespace flotilla::overrides
