// SPDX-License-Identifier: Apache-2.0
// What another part of the daemon answers under /flotilla/v1/. These paths are no resources: they are in no
// group and in no discovery document, so that clients of Kubernetes never meet them. Whoever is
// authenticated may ask; the answering part asks back, kind by kind, what the user may do.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/api/json.hpp"
#include "core/async/task.hpp"
#include "core/base/result.hpp"
#include "core/store/writer.hpp"

namespace flotilla::apiserver {

// A right, as RBAC names it.
struct Access {
  std::string verb;
  std::string group, resource, subresource = {}, ns = {}, name = {};
};

// What a manifest would become in the store if it were applied.
struct AppliedManifest {
  store::StoredKind kind;
  api::Json object;
};

struct ExtensionCall {
  std::string method;
  std::string word;  // what follows /flotilla/v1/: "plans", "why", ...
  // The object that the rest of the path names, as it would under /api or /apis.
  struct Target {
    store::StoredKind kind;
    api::ObjectKey key;
  };
  std::optional<Target> target;
  std::map<std::string, std::string> query;
  api::Json body;
  // Errors: Forbidden, in Kubernetes' words.
  std::function<Status(const Access&)> authorize;
  // The way of a `flotillactl apply` of this manifest up to the store, webhooks included, as a dry run of the
  // user's. Namespaces that earlier manifests of the same call make count as made. Errors: what the user
  // would be answered.
  std::function<Task<Result<AppliedManifest>>(api::Json manifest)> admit;
};
using ExtensionCallPtr = std::shared_ptr<ExtensionCall>;
// The answer's body. Errors become a Status.
using Extension = std::function<Task<Result<api::Json>>(ExtensionCallPtr)>;

}  // namespace flotilla::apiserver
