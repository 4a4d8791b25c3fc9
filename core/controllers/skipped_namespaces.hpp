// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace flotilla::controllers {

// Namespaces whose objects are never propagated: the control plane's own, and those the operator names.
class SkippedNamespaces {
 public:
  // Regular expressions for whole names, joined by ",". Errors: Invalid, naming the expression.
  static Result<SkippedNamespaces> parse(std::string_view text);

  bool contains(const std::string& name) const;  // the empty name, of cluster-scoped objects, is in none

 private:
  std::vector<std::regex> patterns_;
};

}  // namespace flotilla::controllers
