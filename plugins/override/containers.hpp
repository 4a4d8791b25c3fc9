// SPDX-License-Identifier: Apache-2.0
// Where a workload lists its containers: shared by the rules that change them. A CronJob is deliberately not
// among the kinds, and the API group is not looked at.
#pragma once

#include <flotilla/sdk/json.hpp>

#include <string>
#include <string_view>

namespace flotilla::plugins {
class Containers {
 public:
  Containers(std::string path, sdk::Json* list) : path_(std::move(path)), list_(list) {}

  const sdk::Json& list() const {
    static const sdk::Json kNone = sdk::Json::array();
    return list_ == nullptr ? kNone : *list_;
  }
  sdk::Json* mutable_list() const { return list_; }
  std::string path(std::size_t index) const { return path_ + "/" + std::to_string(index); }

 private:
  std::string path_;
  sdk::Json* list_;  // null: none
};

// The containers (not the init containers) of the six kinds that overriders know.
inline Containers containers_of(sdk::Json& object) {
  const std::string kind = sdk::text(sdk::member(object, "kind"));
  std::string path;
  if (kind == "Pod") {
    path = "/spec/containers";
  } else if (kind == "ReplicaSet" || kind == "Deployment" || kind == "DaemonSet" || kind == "StatefulSet" ||
             kind == "Job") {
    path = "/spec/template/spec/containers";
  } else {
    return {path, nullptr};
  }
  const sdk::Json::json_pointer pointer(path);
  if (!object.contains(pointer)) return {path, nullptr};
  sdk::Json& list = object[pointer];
  if (!list.is_array()) return {path, nullptr};
  for (const sdk::Json& container : list) {
    if (!container.is_object()) sdk::refuse(path + " holds what is no container");
  }
  return {path, &list};
}

}  // namespace flotilla::plugins
