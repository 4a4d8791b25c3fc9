// SPDX-License-Identifier: Apache-2.0
// Objects in the shape a client asked for: as they are, as PartialObjectMetadata, as a Table (k8s-api 7).
#pragma once

#include <string>
#include <vector>

#include "core/apiserver/response.hpp"
#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {

// metadata of a list.
struct ListMeta {
  Revision revision;
  std::string continue_token;
  std::optional<std::int64_t> remaining;
  std::optional<std::string> version = {};  // instead of the revision; empty: none is said
  Json to_json() const;
};

// The answer that shows one stored object: its own bytes where nothing has to change.
http::Response object_response(const Server& server, const Call& call, int status, const ObjectPtr& object);
// The same for an object that is not stored (dry run), in the version of the request.
http::Response object_response(const Server& server, const Call& call, int status, const Json& object);
// Large ones are streamed, block by block, from the stored bytes.
http::Response list_response(const ServerPtr& server, const CallPtr& call, std::vector<ObjectPtr> objects,
                             const ListMeta& meta);
// PartialObjectMetadata asked of a list or the reverse. Errors: NotAcceptable.
Status check_shape(const Call& call, bool is_list);

// {"type": ..., "object": ...} and a line break. `has_columns`: the first of a stream of Tables.
std::string event_frame(const Server& server, const Call& call, std::string_view type,
                        const api::Object& object, bool has_columns);
std::string event_frame(const Server& server, const Call& call, std::string_view type, const Json& object,
                        bool has_columns);
// {"kind": K, "apiVersion": V, "metadata": {...}} in the call's shape.
Json bookmark_object(const Call& call, const std::string& version, bool initial_events_end);

}  // namespace flotilla::apiserver
