// SPDX-License-Identifier: Apache-2.0
// APIServices for what this server answers itself (k8s-api 14). Those of built-in groups are made when the
// server starts and are then the user's; those of definitions (and of Karmada's groups, which are definitions
// elsewhere) come, go and stay as the definitions say:
//
//   label automanaged | wanted            | not wanted
//   ------------------+-------------------+-----------------
//   no such object    | create            |
//   none              | leave             | leave
//   onstart           | at start: update  | at start: delete
//   true              | update            | delete
//
// What differs in nothing is not written.
#pragma once

#include <map>
#include <string>

#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {

struct LocalService {
  std::string group, version;
  bool always = false;  // not only at start
};
// By name: "v1.apps", "v1." for the core group.
using LocalServices = std::map<std::string, LocalService>;
LocalServices local_services(const Served& served);

enum class ServiceStep : std::uint8_t { Leave, Create, Update, Delete };
// `wanted` and `current` may be null.
ServiceStep plan_service(const LocalService* wanted, const api::Object* current, bool starting);
// The object as it is to be; `current` may be null.
Json service_object(const std::string& name, const LocalService& wanted, const Json* current, WallTime now);

// `starting`: the first time in the life of this process.
Task<void> settle_local_services(ServerPtr server, bool starting);

}  // namespace flotilla::apiserver
