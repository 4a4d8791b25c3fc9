// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/skipped_namespaces.hpp"

#include <algorithm>

#include "core/api/names.hpp"

namespace flotilla::controllers {

Result<SkippedNamespaces> SkippedNamespaces::parse(std::string_view text) {
  SkippedNamespaces namespaces;
  if (text.empty()) return namespaces;
  for (std::string_view rest = text;;) {
    const std::string_view pattern = rest.substr(0, rest.find(','));
    try {
      namespaces.patterns_.emplace_back(std::string(pattern));
    } catch (const std::regex_error& error) {
      return invalid("\"" + std::string(pattern) + "\" is no regular expression: " + error.what());
    }
    if (pattern.size() == rest.size()) return namespaces;
    rest.remove_prefix(pattern.size() + 1);
  }
}

bool SkippedNamespaces::contains(const std::string& name) const {
  if (name.empty()) return false;
  return api::is_reserved_namespace(name) ||
         std::any_of(patterns_.begin(), patterns_.end(),
                     [&](const std::regex& pattern) { return std::regex_match(name, pattern); });
}

}  // namespace flotilla::controllers
