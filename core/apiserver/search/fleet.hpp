// SPDX-License-Identifier: Apache-2.0
// Get, list and watch over what is cached of all members, and the way to the member that has an object.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/apiserver/read/selection.hpp"
#include "core/apiserver/server.hpp"
#include "core/search/fleet_cache.hpp"

namespace flotilla::apiserver {

// A request behind .../proxying/ANY/proxy.
struct FleetRequest {
  RequestInfo info;
  std::string path;        // still encoded
  search::TopicPtr topic;  // null: of no resource that a registry names
};

Task<http::Response> serve_fleet_get(ServerPtr server, CallPtr call, search::TopicPtr topic);
Task<http::Response> serve_fleet_list(ServerPtr server, CallPtr call, search::TopicPtr topic);
Task<http::Response> serve_fleet_watch(ServerPtr server, CallPtr call, search::TopicPtr topic);
// As the user who asks, to the one member that has the object.
Task<http::Response> serve_at_owner(ServerPtr server, CallPtr call, FleetRequest request);

// How the objects of a member's resource are shown: typed wherever they stand, and as a table with columns of
// their own only where they are pods or nodes.
ResourcePtr as_shown(const Resource& resource, Shape shape);
// Until the caches of a topic have their first list, but none longer than a few seconds after it was made: a
// member that hangs is waited for once.
Task<void> wait_for_caches(ServerPtr server, search::TopicPtr topic);
// Labels, and of fields the name and the namespace alone. Errors: BadRequest.
Result<Selection> read_fleet_selection(const Call& call);

struct Owner {
  std::string cluster;
  ObjectPtr object;
};
// The one member that has it. Errors: NotFound, Conflict naming all that do.
Result<Owner> find_owner(const search::Topic& topic, const std::string& ns, const std::string& name);

// A body on its way to the member `cluster`: what was added to the object for the proxy's clients is taken
// back. What cannot be read stays as it is.
std::string recover_body(std::string body, std::string_view verb, std::string_view cluster);

}  // namespace flotilla::apiserver
