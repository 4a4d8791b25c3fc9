// SPDX-License-Identifier: Apache-2.0
#include "core/planning/world_token.hpp"

#include "core/controllers/decision_keys.hpp"
#include "core/planning/fields.hpp"

namespace flotilla::planning {
namespace {

namespace k = controllers::kinds;

// Ready is read as true or false, not since when.
Json without_times(Json conditions) {
  for (Json& condition : conditions.elements()) {
    for (const char* key : {"lastTransitionTime", "lastHeartbeatTime", "lastUpdateTime", "message"})
      condition.erase(key);
  }
  return conditions;
}

std::string digest_of(Json object) {
  if (Json* metadata = object.find("metadata")) {
    metadata->erase("managedFields");
    metadata->erase("resourceVersion");
    if (Json* annotations = metadata->find("annotations")) annotations->erase(controllers::kDecisionNumber);
  }
  Digest digest;
  digest.add(object.dump());
  return digest.hex();
}

}  // namespace

std::string token_of(const Collection& collection, const ObjectPtr& object) {
  if (!object) return "-";
  if (collection == k::kWork.collection()) {
    return object->uid() + ":" + std::to_string(object->generation()) +
           (object->deleting() ? ":deleting" : "");
  }
  Json content = *object->content();
  if (collection == k::kCluster.collection()) {
    Json& status = content["status"];
    status.set("conditions", without_times(std::as_const(status)["conditions"]));
  } else {
    content.erase("status");
  }
  return digest_of(std::move(content));
}

bool still_holds(const store::Store& store, const std::map<Key, ObjectPtr>& reads) {
  for (const auto& [key, read] : reads) {
    const ObjectPtr now = store.get(key.collection, key.object.ns, key.object.name);
    if (now == read) continue;
    if (!now || !read || token_of(key.collection, now) != token_of(key.collection, read)) return false;
  }
  return true;
}

std::string plan_id(const std::map<Key, ObjectPtr>& reads, const std::vector<std::string>& request) {
  Digest digest;
  for (const std::string& part : request) digest.add(part);
  for (const auto& [key, object] : reads) {
    digest.add(key.collection.get());
    digest.add(key.object.text());
    digest.add(token_of(key.collection, object));
  }
  return "plan-" + digest.hex();
}

Json resource_versions(const std::map<Key, ObjectPtr>& reads, std::size_t most) {
  Json list = Json::array();
  std::size_t count = 0;
  for (const auto& [key, object] : reads) {
    if (!object) continue;
    if (++count > most) continue;
    Json entry = Json::object({{"resource", key.collection.get()},
                               {"name", key.object.name},
                               {"resourceVersion", std::to_string(object->revision().get())}});
    if (!key.object.ns.empty()) entry.set("namespace", key.object.ns);
    list.push_back(std::move(entry));
  }
  return Json::object({{"count", count}, {"items", std::move(list)}});
}

}  // namespace flotilla::planning
