// SPDX-License-Identifier: Apache-2.0
// Objects, lists, events and errors in the bytes of an API server, found without parsing them into trees.
#pragma once

#include <flotilla/sdk/driver.hpp>
#include <flotilla/sdk/http.hpp>
#include <flotilla/sdk/json_view.hpp>

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace flotilla::kubernetes {

// An object's bytes with the texts of its metadata. Members of lists have neither apiVersion nor kind: they
// get those of their list.
struct ReadObject {
  std::string bytes;
  std::string ns, name, uid, resource_version;
  std::int64_t generation = 0;

  sdk::ObjectView view() const { return {ns, name, uid, resource_version, generation, bytes}; }
};
// All throw sdk::Failure(FLT_DATA_LOSS) for what is no such thing.
ReadObject read_object(std::string_view bytes);
struct ReadList {
  std::deque<ReadObject> objects;
  std::string resource_version, continue_token;
};
ReadList read_list(std::string_view bytes);

// An answer that is not the one hoped for, in the driver's words.
struct Refusal {
  flt_status_t code = FLT_UNKNOWN;
  int http_status = 0;
  std::string reason, message;
  std::int64_t retry_after_ms = 0;
};
// A Status object, or what proxies and old servers send in its place.
Refusal read_refusal(const sdk::HttpResponse& response);
Refusal read_status(int http_status, std::string_view body);
void fail(const flt_host_t* host, sdk::Call& call, const Refusal& refusal);

// One line of a watch.
struct ReadEvent {
  std::int32_t type = FLT_EVENT_ADDED;
  ReadObject object;
  bool is_error = false;
  Refusal refusal;
};
ReadEvent read_event(std::string_view line);

}  // namespace flotilla::kubernetes
