// SPDX-License-Identifier: Apache-2.0
// The API of a control plane as its agent talks to it: requests, lists and watches of Json, errors in the
// server's words. Thread: any.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/async/task.hpp"
#include "core/http/http.hpp"
#include "core/store/writer.hpp"

namespace flotilla::agent {

using api::Json;
using store::StoredKind;

// "/apis/work.karmada.io/v1alpha1/namespaces/NS/works/NAME/status"; without name the collection.
std::string path_of(const StoredKind& kind, std::string_view ns, std::string_view name = {},
                    std::string_view subresource = {});

// What an answer that is no success means. `body` may be a Status or anything else.
Error error_of(int http_status, std::string_view body);

struct RemoteList {
  std::vector<Json> objects;
  std::string version;
};

struct RemoteEvent {
  enum class Type : std::uint8_t { Put, Deleted, Bookmark };
  Type type = Type::Put;
  Json object;
};

class RemoteWatch {
 public:
  explicit RemoteWatch(std::unique_ptr<http::ResponseStream> stream) : stream_(std::move(stream)) {}
  // At least one; empty: it ended in order. Errors: Gone (list again), Unavailable.
  Task<Result<std::vector<RemoteEvent>>> next();

 private:
  std::unique_ptr<http::ResponseStream> stream_;
  std::string rest_;  // the beginning of a line
};

class RemoteApi {
 public:
  RemoteApi(const Executor& executor, http::ClientOptions options);

  // From now on; requests under way go on as they are.
  void use(http::ClientOptions options);
  std::string url() const;

  // `body` null: none. Errors: what the server's Status says; Unavailable, Timeout.
  Task<Result<Json>> send(std::string method, std::string target, Json body);
  Task<Result<Json>> get(std::string target) { return send("GET", std::move(target), nullptr); }
  // Everything of a collection, page by page; members get apiVersion and kind.
  Task<Result<RemoteList>> list(std::string target, std::string field_selector);
  Task<Result<std::unique_ptr<RemoteWatch>>> watch(std::string target, std::string field_selector,
                                                   std::string version);
  void close();

 private:
  std::shared_ptr<http::Client> client() const;

  const Executor& executor_;
  mutable std::mutex mutex_;
  std::string url_;
  std::shared_ptr<http::Client> client_;
};

}  // namespace flotilla::agent
