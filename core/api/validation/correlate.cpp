// SPDX-License-Identifier: Apache-2.0
#include "core/api/validation/correlate.hpp"

namespace flotilla::api {

const Json* old_member(const Json* old, std::string_view key) {
  return old && old->is_object() ? old->find(key) : nullptr;
}

const Json* old_element(const Schema& list, const Json* old, const Json& element) {
  if (!old || !old->is_array() || list.list_type() != ListType::Map) return nullptr;
  for (const Json& one : old->elements()) {
    bool same = true;
    for (const std::string_view key : list.list_keys()) same = same && one[key] == element[key];
    if (same) return &one;
  }
  return nullptr;
}

Json list_identity(const Schema& list, const Json& element) {
  Json identity = Json::object();
  for (const std::string_view key : list.list_keys()) {
    if (const Json* part = element.find(key)) identity.set(key, *part);
  }
  return identity;
}

}  // namespace flotilla::api
