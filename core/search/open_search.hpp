// SPDX-License-Identifier: Apache-2.0
// The objects of one member as documents of an OpenSearch server: one index per kind, made when the first
// document comes, the document's id is the object's uid.
//
// Changes wait in a queue, of each object the last one alone, so its bound is the number of objects and of
// deletions that wait. A server that is away is asked again with back-off, the next address in turn; a
// document that it refuses is dropped and logged. Thread: put and remove from any thread; run() on a strand
// of its own.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "core/api/object.hpp"
#include "core/async/event.hpp"
#include "core/async/executor.hpp"
#include "core/http/http.hpp"
#include "core/search/resource_cache.hpp"

namespace flotilla::search {

// How to reach it.
struct OpenSearchAccess {
  std::vector<std::string> addresses;
  std::string user, password;  // empty: nobody logs in
  bool operator==(const OpenSearchAccess&) const = default;
};

// "kubernetes-deployment"
std::string index_name(std::string_view kind);
// What a new index is made with: one shard, no replicas.
Json index_settings();
Json document_of(const Json& object);

class OpenSearchIndexer {
 public:
  OpenSearchIndexer(const Executor& executor, std::string cluster, OpenSearchAccess access);

  void take(const CacheEvent& event);
  // Sends until its fiber is cancelled.
  Task<void> run();
  std::size_t waiting() const;

 private:
  struct Change {
    std::string index;
    ObjectPtr object;  // null: the document goes
  };
  using Batch = std::map<std::string, Change>;  // by uid

  Batch take_batch();
  void put_back(const Batch& batch);
  // What is worth trying again goes to `failed`.
  Task<void> send(std::string uid, Change change, std::shared_ptr<std::vector<std::string>> failed);
  Task<Status> make_index(std::string index);
  Task<Result<http::ClientResponse>> ask(std::string method, std::string target, std::string body);

  const std::string cluster_;
  std::vector<std::unique_ptr<http::Client>> clients_;  // one per address
  std::size_t next_client_ = 0;
  std::set<std::string> indices_;  // that are there

  mutable std::mutex mutex_;
  Batch queue_;
  flotilla::Event changed_;
};

// The same for who keeps it alive meanwhile.
Task<void> run_indexer(std::shared_ptr<OpenSearchIndexer> indexer);

}  // namespace flotilla::search
