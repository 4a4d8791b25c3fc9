// SPDX-License-Identifier: Apache-2.0
#include "core/overrides/rule_registry.hpp"

#include <algorithm>
#include <string>
#include <tuple>

namespace flotilla::overrides {

Result<RuleRegistry> RuleRegistry::make(Kinds kinds) {
  std::sort(kinds.begin(), kinds.end(), [](const auto& a, const auto& b) {
    return std::tuple(a->order(), a->name()) < std::tuple(b->order(), b->name());
  });
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    for (std::size_t j = i + 1; j < kinds.size(); ++j) {
      if (kinds[i]->field() != kinds[j]->field()) continue;
      return Error(Code::AlreadyExists, "override rules " + std::string(kinds[i]->name()) + " and " +
                                            std::string(kinds[j]->name()) + " both want " +
                                            std::string(kinds[i]->field()) + ": disable one of them");
    }
  }
  return RuleRegistry(std::move(kinds));
}

const RuleKind* RuleRegistry::find(std::string_view field) const {
  const auto found =
      std::find_if(kinds_.begin(), kinds_.end(), [&](const auto& kind) { return kind->field() == field; });
  return found == kinds_.end() ? nullptr : found->get();
}

}  // namespace flotilla::overrides
