// SPDX-License-Identifier: Apache-2.0
#include "core/api/resource_selector.hpp"

#include <algorithm>

namespace flotilla::api {

ResourceSelector::ResourceSelector(const Json& selector)
    : api_version_(selector["apiVersion"].as_string()),
      kind_(selector["kind"].as_string()),
      namespace_(selector["namespace"].as_string()),
      name_(selector["name"].as_string()) {
  const Json& labels = selector["labelSelector"];
  if (labels.is_null()) return;
  auto parsed = LabelSelector::from_json(labels);
  labels_ = parsed ? std::move(*parsed) : LabelSelector::nothing();
}

MatchPrecision ResourceSelector::match(const Json& object) const {
  const Json& metadata = object["metadata"];
  if (object["apiVersion"].as_string() != api_version_ || object["kind"].as_string() != kind_ ||
      (!namespace_.empty() && metadata["namespace"].as_string() != namespace_)) {
    return MatchPrecision::None;
  }
  if (!name_.empty()) {
    return metadata["name"].as_string() == name_ ? MatchPrecision::Name : MatchPrecision::None;
  }
  if (!labels_) return MatchPrecision::All;
  return labels_->matches(metadata["labels"]) ? MatchPrecision::Labels : MatchPrecision::None;
}

MatchPrecision match_any(const std::vector<ResourceSelector>& selectors, const Json& object) {
  MatchPrecision best = MatchPrecision::None;
  for (const ResourceSelector& selector : selectors) best = std::max(best, selector.match(object));
  return best;
}

std::vector<ResourceSelector> resource_selectors(const Json& list) {
  std::vector<ResourceSelector> selectors;
  for (const Json& each : list.elements()) selectors.emplace_back(each);
  return selectors;
}

}  // namespace flotilla::api
