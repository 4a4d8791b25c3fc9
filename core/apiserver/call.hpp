// SPDX-License-Identifier: Apache-2.0
// One request on its way through the server: what was asked, by whom, for which resource, and what has to be
// said beside the answer.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/apiserver/catalog.hpp"
#include "core/apiserver/errors.hpp"
#include "core/apiserver/media.hpp"
#include "core/apiserver/request_info.hpp"
#include "core/apiserver/security/user.hpp"
#include "core/http/http.hpp"
#include "core/store/store.hpp"

namespace flotilla::apiserver {

using api::Json;
using api::ObjectPtr;
using api::Resource;
using api::ResourcePtr;

struct AuditRecord;

struct Call {
  http::Request request;
  Query query;
  RequestInfo info;
  UserInfo user;
  Media media;
  Error not_acceptable;  // Code::Ok: there is an encoding that both know
  std::shared_ptr<const Served> served;
  ResourcePtr resource;               // null for non-resource requests
  std::vector<std::string> warnings;  // in order, without repeats
  // Stored objects in the version of `resource`, where a webhook had to convert them.
  std::map<const api::Object*, std::pair<ObjectPtr, Json>> converted;
  std::map<std::string, std::string> annotations;  // of the audit log
  std::set<std::string> planned_namespaces;        // of a dry run: those that are made before
  std::shared_ptr<const AuditRecord> audit;        // null: nobody writes it down

  GroupResource group_resource() const { return {resource->group, resource->resource}; }
  void warn(std::string text);
};
// Handlers are coroutines that share it by value.
using CallPtr = std::shared_ptr<Call>;

inline store::Collection collection_of(const Resource& resource) {
  return resource.group == "events.k8s.io" ? store::collection_of("", resource.resource)
                                           : store::collection_of(resource.group, resource.resource);
}

}  // namespace flotilla::apiserver
