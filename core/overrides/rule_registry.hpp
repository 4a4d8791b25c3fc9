// SPDX-License-Identifier: Apache-2.0
// The rule kinds that are loaded, in the order in which they apply. Immutable: a reload of plugins makes a
// new one.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/overrides/rule.hpp"

namespace flotilla::overrides {

class RuleRegistry {
 public:
  using Kinds = std::vector<std::shared_ptr<const RuleKind>>;

  RuleRegistry() = default;
  // Errors: AlreadyExists, when two kinds want the same member of `overriders`.
  static Result<RuleRegistry> make(Kinds kinds);

  std::span<const std::shared_ptr<const RuleKind>> kinds() const { return kinds_; }
  const RuleKind* find(std::string_view field) const;

 private:
  explicit RuleRegistry(Kinds kinds) : kinds_(std::move(kinds)) {}

  Kinds kinds_;
};

}  // namespace flotilla::overrides
