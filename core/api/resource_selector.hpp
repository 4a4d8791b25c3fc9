// SPDX-License-Identifier: Apache-2.0
// ResourceSelector of propagation and override policies: which templates a policy means, and how precisely it
// says so. Among policies that mean the same template the more precise one counts for more.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/api/json.hpp"
#include "core/api/selector.hpp"

namespace flotilla::api {

enum class MatchPrecision : std::uint8_t { None, All, Labels, Name };  // ascending

class ResourceSelector {
 public:
  // A label selector that cannot be understood matches nothing.
  explicit ResourceSelector(const Json& selector);

  // apiVersion (version included) and kind must be equal; so must the namespace, where one is given. A name
  // given decides alone, the labels are not looked at then.
  MatchPrecision match(const Json& object) const;

  const std::string& api_version() const { return api_version_; }
  const std::string& kind() const { return kind_; }
  const std::string& name_space() const { return namespace_; }
  const std::string& name() const { return name_; }

 private:
  std::string api_version_;
  std::string kind_;
  std::string namespace_;
  std::string name_;
  std::optional<LabelSelector> labels_;
};

// The most precise match among them; None where the list is empty.
MatchPrecision match_any(const std::vector<ResourceSelector>& selectors, const Json& object);
std::vector<ResourceSelector> resource_selectors(const Json& list);

}  // namespace flotilla::api
