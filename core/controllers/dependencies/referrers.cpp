// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/dependencies/referrers.hpp"

namespace flotilla::controllers {
namespace {

using api::ObjectKey;

api::LabelSelector::Lookup lookup_in(const api::Labels& labels) {
  return [&labels](std::string_view key) -> std::optional<std::string_view> {
    const std::string* value = labels.find(key);
    if (value == nullptr) return std::nullopt;
    return *value;
  };
}

}  // namespace

void Referrers::set(const ObjectKey& binding, std::vector<Dependency> dependencies) {
  const auto known = known_.find(binding);
  if (known != known_.end()) {
    if (known->second == dependencies) return;
    for (const Dependency& one : known->second) forget(binding, one);
    known_.erase(known);
  }
  if (dependencies.empty()) return;
  for (const Dependency& one : dependencies) {
    Kind& kind = kinds_[{one.api_version, one.kind}];
    if (one.name.empty()) {
      kind.selected[one.name_space].emplace_back(binding, one);
    } else {
      kind.named[{one.name_space, one.name}].insert(binding);
    }
  }
  known_.emplace(binding, std::move(dependencies));
}

void Referrers::forget(const ObjectKey& binding, const Dependency& one) {
  const auto at = kinds_.find({one.api_version, one.kind});
  if (at == kinds_.end()) return;
  Kind& kind = at->second;
  if (one.name.empty()) {
    auto& there = kind.selected[one.name_space];
    std::erase_if(there, [&](const auto& entry) { return entry.first == binding; });
    if (there.empty()) kind.selected.erase(one.name_space);
  } else if (const auto named = kind.named.find({one.name_space, one.name}); named != kind.named.end()) {
    named->second.erase(binding);
    if (named->second.empty()) kind.named.erase(named);
  }
  if (kind.named.empty() && kind.selected.empty()) kinds_.erase(at);
}

bool Referrers::know_kind(const std::string& api_version, const std::string& kind) const {
  return kinds_.contains({api_version, kind});
}

std::set<ObjectKey> Referrers::of(const std::string& api_version, const std::string& kind,
                                  const ObjectKey& object, const api::Labels& labels,
                                  const api::Labels* earlier) const {
  std::set<ObjectKey> found;
  const auto at = kinds_.find({api_version, kind});
  if (at == kinds_.end()) return found;
  if (const auto named = at->second.named.find(object); named != at->second.named.end())
    found = named->second;
  const auto selected = at->second.selected.find(object.ns);
  if (selected == at->second.selected.end()) return found;
  for (const auto& [binding, dependency] : selected->second) {
    if (dependency.means(object.name, lookup_in(labels)) ||
        (earlier != nullptr && dependency.means(object.name, lookup_in(*earlier)))) {
      found.insert(binding);
    }
  }
  return found;
}

}  // namespace flotilla::controllers
