// SPDX-License-Identifier: Apache-2.0
#include "core/informer/label_index.hpp"

namespace flotilla::informer {

LabelIndex::LabelIndex(Informers& informers, const store::Collection& collection, std::string_view label)
    : label_(label) {
  informers.on(collection, [this](const store::Event& event) { follow(event); });
}

std::vector<api::ObjectKey> LabelIndex::with(std::string_view value) const {
  std::lock_guard lock(mutex_);
  const auto it = keys_.find(std::string(value));
  if (it == keys_.end()) return {};
  return {it->second.begin(), it->second.end()};
}

void LabelIndex::note(const api::Object& object) {
  std::lock_guard lock(mutex_);
  insert(object);
}

void LabelIndex::follow(const store::Event& event) {
  std::lock_guard lock(mutex_);
  if (event.previous) erase(*event.previous);
  if (event.type == store::Event::Type::Deleted) return erase(*event.object);
  insert(*event.object);
}

void LabelIndex::insert(const api::Object& object) {
  const std::string* value = object.labels().find(label_);
  if (value != nullptr && !value->empty()) keys_[*value].insert(object.key());
}

void LabelIndex::erase(const api::Object& object) {
  const std::string* value = object.labels().find(label_);
  if (value == nullptr) return;
  const auto it = keys_.find(*value);
  if (it == keys_.end()) return;
  it->second.erase(object.key());
  if (it->second.empty()) keys_.erase(it);
}

}  // namespace flotilla::informer
