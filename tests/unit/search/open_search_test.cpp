// SPDX-License-Identifier: Apache-2.0
#include "core/search/open_search.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "core/async/fiber_scope.hpp"

namespace flotilla::search {
namespace {

using namespace std::chrono_literals;

Json pod(const std::string& name, const std::string& uid) {
  auto object =
      Json::parse(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")" + name + R"(","uid":")" + uid +
                  R"(","resourceVersion":"7","creationTimestamp":"2026-01-02T03:04:05Z",
       "labels":{"a":"b"}},"spec":{"nodeName":"n"}})");
  return *object;
}

TEST(Search_OpenSearch, an_index_is_named_after_the_kind) {
  EXPECT_EQ(index_name("HorizontalPodAutoscaler"), "kubernetes-horizontalpodautoscaler");
  const Json settings = index_settings();
  EXPECT_EQ(settings.at({"settings", "index", "number_of_shards"}).as_int(), 1);
  EXPECT_EQ(settings.at({"settings", "index", "number_of_replicas"}).as_int(), 0);
}

TEST(Search_OpenSearch, a_document_has_spec_and_status_as_texts) {
  const Json document = document_of(pod("p", "u1"));
  EXPECT_EQ(document["spec"].as_string(), R"({"nodeName":"n"})");
  EXPECT_EQ(document["status"].as_string(), "null");
  const Json& metadata = document["metadata"];
  EXPECT_EQ(metadata["name"].as_string(), "p");
  EXPECT_EQ(metadata["namespace"].dump(), "\"\"");
  EXPECT_EQ(metadata["creationTimestamp"].as_string(), "2026-01-02T03:04:05Z");
  EXPECT_EQ(metadata["labels"].dump(), R"({"a":"b"})");
  EXPECT_TRUE(metadata.contains("annotations") && metadata["deletionTimestamp"].is_null());
  EXPECT_FALSE(metadata.contains("uid"));
}

// A server that remembers what it was asked.
class Search_OpenSearchIndexer : public ::testing::Test {
 protected:
  ~Search_OpenSearchIndexer() override {
    scope_.cancel();
    scope_.join_blocking();
    if (server_) server_->stop(1s);
  }
  Task<http::Response> answer(http::Request request) {
    std::lock_guard lock(mutex_);
    http::Response response;
    response.status = refusals_ > 0 && --refusals_ >= 0 ? 503 : 200;
    asked_.push_back(request.method + " " + request.path + " " + std::to_string(response.status));
    authorization_ = request.headers.get("Authorization");
    co_return response;
  }
  std::string start() {
    server_ = std::make_unique<http::Server>(executor_, http::ServerOptions(), [this](http::Request request) {
      return answer(std::move(request));
    });
    EXPECT_TRUE(server_->start());
    return "http://127.0.0.1:" + std::to_string(server_->port());
  }
  void index(std::vector<std::string> addresses) {
    indexer_ = std::make_shared<OpenSearchIndexer>(executor_, "m1",
                                                   OpenSearchAccess{std::move(addresses), "admin", "secret"});
    scope_.spawn(run_indexer(indexer_));
  }
  void take(CacheEvent::Type type, const std::string& name, const std::string& uid,
            ObjectPtr previous = nullptr) {
    indexer_->take({type, Revision(7), api::Object::make(pod(name, uid), Revision(7)), std::move(previous)});
  }
  bool asked(const std::string& wanted) {
    const auto until = clock_.steady_now() + 10s;
    while (clock_.steady_now() < until) {
      {
        std::lock_guard lock(mutex_);
        if (std::find(asked_.begin(), asked_.end(), wanted) != asked_.end()) return true;
      }
      std::this_thread::yield();
    }
    return false;
  }

  SystemClock clock_;
  Executor executor_{clock_};
  FiberScope scope_{executor_.strand(), "test"};
  std::unique_ptr<http::Server> server_;
  std::shared_ptr<OpenSearchIndexer> indexer_;
  std::mutex mutex_;
  std::vector<std::string> asked_;
  std::string authorization_;
  int refusals_ = 0;
};

TEST_F(Search_OpenSearchIndexer, makes_the_index_then_writes_and_removes_documents) {
  index({start()});
  take(CacheEvent::Type::Added, "p", "u1");
  ASSERT_TRUE(asked("PUT /kubernetes-pod/_doc/u1 200"));
  EXPECT_EQ(asked_.front(), "PUT /kubernetes-pod 200");
  EXPECT_EQ(authorization_, "Basic YWRtaW46c2VjcmV0");
  take(CacheEvent::Type::Deleted, "p", "u1");
  ASSERT_TRUE(asked("DELETE /kubernetes-pod/_doc/u1 200"));
}

TEST_F(Search_OpenSearchIndexer, an_object_that_was_made_anew_is_another_document) {
  index({start()});
  take(CacheEvent::Type::Modified, "p", "u2", api::Object::make(pod("p", "u1"), Revision(5)));
  EXPECT_TRUE(asked("DELETE /kubernetes-pod/_doc/u1 200"));
  EXPECT_TRUE(asked("PUT /kubernetes-pod/_doc/u2 200"));
}

TEST_F(Search_OpenSearchIndexer, tries_again_what_the_server_could_not_do) {
  refusals_ = 2;
  index({start()});
  take(CacheEvent::Type::Added, "p", "u1");
  EXPECT_TRUE(asked("PUT /kubernetes-pod/_doc/u1 200"));
}

TEST_F(Search_OpenSearchIndexer, asks_the_next_address_where_one_is_dead) {
  index({"http://127.0.0.1:1", start()});
  take(CacheEvent::Type::Added, "p", "u1");
  EXPECT_TRUE(asked("PUT /kubernetes-pod/_doc/u1 200"));
}

}  // namespace
}  // namespace flotilla::search
