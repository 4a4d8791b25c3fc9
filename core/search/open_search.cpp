// SPDX-License-Identifier: Apache-2.0
#include "core/search/open_search.hpp"

#include <algorithm>

#include "core/async/together.hpp"
#include "core/base/log.hpp"

namespace flotilla::search {
namespace {

const Logger kLog("search");
constexpr std::size_t kBatch = 64;  // documents that are taken from the queue at once
constexpr std::size_t kWidth = 8;   // and are under way at the same time
constexpr Duration kPatience = std::chrono::seconds(10);
constexpr Duration kFirstRetry = std::chrono::milliseconds(500);
constexpr Duration kLastRetry = std::chrono::seconds(30);

// The server may do better later.
bool is_passing(int status) {
  return status == 408 || status == 429 || status >= 500;
}

bool says_exists(const http::ClientResponse& response) {
  return response.status == 400 && response.body.find("already_exists") != std::string::npos;
}

Json text_field() {
  return Json::object({{"type", "text"}});
}

Json keyword_field() {
  Json keyword = Json::object({{"type", "keyword"}, {"ignore_above", 256}});
  Json field = text_field();
  field.make({"fields"}).set("keyword", std::move(keyword));
  return field;
}

}  // namespace

std::string index_name(std::string_view kind) {
  std::string name = "kubernetes-";
  for (const char c : kind) name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return name;
}

// spec and status are JSON in one text each, so that no two kinds quarrel about the type of a field.
Json index_settings() {
  Json metadata = Json::object({{"name", keyword_field()},
                                {"namespace", keyword_field()},
                                {"creationTimestamp", text_field()},
                                {"deletionTimestamp", text_field()}});
  Json properties =
      Json::object({{"apiVersion", text_field()}, {"kind", text_field()}, {"spec", text_field()}});
  properties.set("status", text_field());
  properties.make({"metadata"}).set("properties", std::move(metadata));
  Json settings = Json::object({{"number_of_shards", 1}, {"number_of_replicas", 0}});
  Json body = Json::object();
  body.make({"settings"}).set("index", std::move(settings));
  body.make({"mappings"}).set("properties", std::move(properties));
  return body;
}

Json document_of(const Json& object) {
  const Json& from = object["metadata"];
  Json metadata = Json::object({{"name", from["name"]},
                                {"namespace", from["namespace"].as_string()},
                                {"creationTimestamp", from["creationTimestamp"]},
                                {"labels", from["labels"]},
                                {"annotations", from["annotations"]},
                                {"deletionTimestamp", from["deletionTimestamp"]}});
  return Json::object({{"apiVersion", object["apiVersion"]},
                       {"kind", object["kind"]},
                       {"metadata", std::move(metadata)},
                       {"spec", object["spec"].dump()},
                       {"status", object["status"].dump()}});
}

OpenSearchIndexer::OpenSearchIndexer(const Executor& executor, std::string cluster, OpenSearchAccess access)
    : cluster_(std::move(cluster)) {
  for (const std::string& address : access.addresses) {
    http::ClientOptions options;
    options.base_url = address;
    options.basic_user = access.user;
    options.basic_password = access.password;
    clients_.push_back(std::make_unique<http::Client>(executor, std::move(options)));
  }
}

void OpenSearchIndexer::take(const CacheEvent& event) {
  const auto content = event.object->content();
  const std::string index = index_name((*content)["kind"].as_string());
  event.object->release_content();
  {
    std::lock_guard lock(mutex_);
    const bool gone = event.type == CacheEvent::Type::Deleted;
    queue_[event.object->uid()] = {index, gone ? nullptr : event.object};
    // The same name, but another object.
    if (event.previous && event.previous->uid() != event.object->uid())
      queue_[event.previous->uid()] = {index, nullptr};
  }
  changed_.notify();
}

std::size_t OpenSearchIndexer::waiting() const {
  std::lock_guard lock(mutex_);
  return queue_.size();
}

OpenSearchIndexer::Batch OpenSearchIndexer::take_batch() {
  std::lock_guard lock(mutex_);
  Batch batch;
  while (!queue_.empty() && batch.size() < kBatch) batch.insert(queue_.extract(queue_.begin()));
  return batch;
}

// What has changed meanwhile is newer.
void OpenSearchIndexer::put_back(const Batch& batch) {
  std::lock_guard lock(mutex_);
  queue_.insert(batch.begin(), batch.end());
}

Task<void> OpenSearchIndexer::run() {
  Duration delay = kFirstRetry;
  for (;;) {
    const std::uint64_t seen = changed_.version();
    const Batch batch = take_batch();
    if (batch.empty()) {
      auto waiting = changed_.wait_past(seen);
      if (!co_await std::move(waiting)) co_return;
      continue;
    }
    auto failed = std::make_shared<std::vector<std::string>>();
    std::vector<Task<void>> sending;
    for (const auto& [uid, change] : batch) sending.push_back(send(uid, change, failed));
    auto all = run_together(std::move(sending), kWidth);
    co_await std::move(all);
    if (failed->empty()) {
      delay = kFirstRetry;
      continue;
    }
    Batch again;
    for (const std::string& uid : *failed) again.emplace(uid, batch.at(uid));
    put_back(again);
    kLog.warn("documents are not indexed, will retry",
              {{"cluster", cluster_}, {"documents", again.size()}, {"in", format_duration(delay)}});
    auto sleeping = sleep_for(delay);
    if (!co_await std::move(sleeping)) co_return;
    delay = std::min(delay * 2, kLastRetry);
  }
}

Task<void> OpenSearchIndexer::send(std::string uid, Change change,
                                   std::shared_ptr<std::vector<std::string>> failed) {
  if (change.object && !indices_.contains(change.index)) {
    auto making = make_index(change.index);
    if (const Status made = co_await std::move(making); !made) {
      failed->push_back(uid);
      co_return;
    }
  }
  std::string body;
  if (change.object) {
    const auto content = change.object->content();
    body = document_of(*content).dump();
    change.object->release_content();
  }
  auto asking = ask(change.object ? "PUT" : "DELETE", "/" + change.index + "/_doc/" + uid, std::move(body));
  const auto answer = co_await std::move(asking);
  if (!answer || is_passing(answer->status)) {
    failed->push_back(uid);
    co_return;
  }
  const bool gone = !change.object && answer->status == 404;
  if (answer->status >= 300 && !gone) {
    kLog.error("a document is refused", {{"cluster", cluster_},
                                         {"index", change.index},
                                         {"document", uid},
                                         {"status", answer->status},
                                         {"answer", answer->body.substr(0, 300)}});
  }
}

Task<Status> OpenSearchIndexer::make_index(std::string index) {
  auto asking = ask("PUT", "/" + index, index_settings().dump());
  const auto answer = co_await std::move(asking);
  if (!answer) co_return answer.error();
  if (answer->status >= 300 && !says_exists(*answer)) {
    kLog.warn("an index cannot be made", {{"cluster", cluster_},
                                          {"index", index},
                                          {"status", answer->status},
                                          {"answer", answer->body.substr(0, 300)}});
    co_return Error(Code::Unavailable, "the index cannot be made");
  }
  indices_.insert(std::move(index));
  co_return Status();
}

// At one address after the other until one answers.
Task<Result<http::ClientResponse>> OpenSearchIndexer::ask(std::string method, std::string target,
                                                          std::string body) {
  Error last(Code::Unavailable, "there is no address");
  for (std::size_t tries = 0; tries < clients_.size(); ++tries) {
    http::Client& client = *clients_[next_client_ % clients_.size()];
    http::ClientRequest request;
    request.method = method;
    request.target = target;
    request.timeout = kPatience;
    if (!body.empty()) request.headers.set("Content-Type", "application/json");
    request.body = body;
    auto sending = client.send(std::move(request));
    auto answer = co_await std::move(sending);
    if (answer) co_return answer;
    last = answer.error();
    ++next_client_;
  }
  co_return last;
}

Task<void> run_indexer(std::shared_ptr<OpenSearchIndexer> indexer) {
  auto running = indexer->run();
  co_await std::move(running);
}

}  // namespace flotilla::search
