// SPDX-License-Identifier: Apache-2.0
// Lists and watches over caches that a test fills.
#include <gtest/gtest.h>

#include "core/api/multi_cluster_version.hpp"
#include "core/apiserver/search/fleet.hpp"
#include "tests/fakes/fibers.hpp"
#include "tests/fakes/memory_backend.hpp"

namespace flotilla::apiserver {
namespace {

using namespace std::chrono_literals;

const api::Gvr kSecrets{"", "v1", "secrets"};

Task<std::string> next_text(http::BodyStream* stream) {
  auto reading = stream->next();
  const std::vector<http::Chunk> chunks = co_await std::move(reading);
  std::string text;
  for (const http::Chunk& chunk : chunks) text.append(chunk.bytes);
  co_return text;
}

class ApiServer_FleetReads : public ::testing::Test {
 protected:
  ApiServer_FleetReads() {
    server_->fleet.cache = fleet_;
    signal_ = std::make_shared<Event>();
  }

  search::ResourceCachePtr cache(const std::string& cluster) {
    return std::make_shared<search::ResourceCache>(cluster, kSecrets, signal_, clock_.steady_now());
  }
  static Json secret(const std::string& name, int version, const std::string& label = "a") {
    Json object = *Json::parse(R"({"apiVersion":"v1","kind":"Secret","metadata":{"namespace":"x"}})");
    object["metadata"].set("name", name);
    object["metadata"].set("resourceVersion", std::to_string(version));
    object.make({"metadata", "labels"}).set("app", label);
    return object;
  }
  static void fill(search::ResourceCache& cache, const std::vector<std::string>& names, int version) {
    search::ResourceCache::Objects objects;
    for (const std::string& name : names) objects[{"x", name}] = cache.keep(secret(name, version - 1));
    cache.replace(std::move(objects), Revision(version));
  }
  void publish(const std::vector<search::ResourceCachePtr>& caches, std::uint64_t arrivals) {
    auto topic = std::make_shared<search::Topic>();
    topic->resource = api::Registry::builtin().find_resource("", "v1", "secrets");
    topic->changed = signal_;
    for (const auto& cache : caches)
      topic->sources.emplace(cache->cluster(), search::Topic::Source{cache, search::Namespaces::all()});
    auto table = std::make_shared<search::FleetTable>();
    table->arrivals = arrivals;
    table->topics.emplace(kSecrets, topic);
    fleet_->publish(table);
  }
  CallPtr call(const std::string& query, Shape shape = Shape::Object) {
    auto call = std::make_shared<Call>();
    call->served = server_->catalog.served();
    call->request.method = "GET";
    call->query = Query(query);
    call->info = read_request("GET", "/api/v1/secrets", call->query);
    call->media.shape = shape;
    call->resource = as_shown(*fleet_->topic(kSecrets)->resource, shape);
    return call;
  }
  Json list(const std::string& query, Shape shape = Shape::Object) {
    auto listing = serve_fleet_list(server_, call(query, shape), fleet_->topic(kSecrets));
    const http::Response response = fakes::run_on(executor_, std::move(listing));
    std::string text;
    for (const http::Chunk& chunk : response.body) text.append(chunk.bytes);
    return *Json::parse(text);
  }
  static std::string names(const Json& list) {
    std::string text;
    for (const Json& item : list["items"].elements())
      text += std::string(api::annotation_of(item, "resource.karmada.io/cached-from-cluster")) + "/" +
              std::string(api::name_of(item)) + " ";
    return text;
  }
  std::unique_ptr<http::BodyStream> watch(const std::string& query) {
    auto watching = serve_fleet_watch(server_, call("watch=1&" + query), fleet_->topic(kSecrets));
    return fakes::run_on(executor_, std::move(watching)).stream;
  }
  // "ADDED m1/a" of the next lines; empty: the end.
  std::string next(http::BodyStream& stream) {
    const std::string text = fakes::run_on(executor_, next_text(&stream));
    std::string said;
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
      const Json event = *Json::parse(text.substr(at, text.find('\n', at) - at));
      const Json& object = event["object"];
      said += std::string(event["type"].as_string()) + " ";
      if (event["type"].as_string() == "ERROR") {
        said += std::string(object["reason"].as_string()) + " ";
        continue;
      }
      said += std::string(api::name_of(object)) + " ";
      versions_ = api::MultiClusterVersion::decode(object["metadata"]["resourceVersion"].as_string());
    }
    return said;
  }

  SystemClock clock_;
  Executor executor_{clock_};
  store::Store store_{executor_, std::make_unique<store::MemoryBackend>()};
  ServerPtr server_ = std::make_shared<Server>(executor_, store_, ApiServerOptions());
  std::shared_ptr<search::FleetCache> fleet_ = std::make_shared<search::FleetCache>();
  std::shared_ptr<Event> signal_;
  api::MultiClusterVersion versions_;
};

TEST_F(ApiServer_FleetReads, pages_end_where_their_limit_does) {
  const auto one = cache("m1"), two = cache("m2");
  fill(*one, {"a", "b"}, 7);
  fill(*two, {"c"}, 9);
  publish({one, two}, 2);
  const Json whole = list("");
  EXPECT_EQ(names(whole), "m1/a m1/b m2/c ");
  EXPECT_EQ(whole["kind"].as_string(), "SecretList");
  const std::string version(whole["metadata"]["resourceVersion"].as_string());
  EXPECT_EQ(version, api::MultiClusterVersion({{"m1", "7"}, {"m2", "9"}}).encode());
  const Json first = list("limit=1");
  EXPECT_EQ(names(first), "m1/a ");
  EXPECT_EQ(first["metadata"]["resourceVersion"].as_string(), version);
  fill(*one, {"a", "b"}, 20);  // what happens in between does not change the version of the pages
  const Json second = list("limit=1&continue=" + std::string(first["metadata"]["continue"].as_string()));
  EXPECT_EQ(names(second), "m1/b ");
  EXPECT_EQ(second["metadata"]["resourceVersion"].as_string(), version);
  const auto from = api::MultiClusterContinue::decode(second["metadata"]["continue"].as_string());
  EXPECT_EQ(from.cluster + "|" + from.token, "m2|");
  const Json third = list("limit=1&continue=" + from.encode());
  EXPECT_EQ(names(third), "m2/c ");
  EXPECT_FALSE(third["metadata"].contains("continue"));
}

TEST_F(ApiServer_FleetReads, a_member_that_left_between_pages_is_passed_over) {
  const auto one = cache("m1"), three = cache("m3");
  fill(*one, {"a"}, 7);
  fill(*three, {"c"}, 9);
  publish({one, three}, 2);
  api::MultiClusterContinue from{"", "m2", ""};
  EXPECT_EQ(names(list("limit=1&continue=" + from.encode())), "m3/c ");
}

TEST_F(ApiServer_FleetReads, tables_have_a_name_and_a_time) {
  const auto one = cache("m1");
  fill(*one, {"a"}, 7);
  publish({one}, 1);
  const Json table = list("", Shape::Table);
  EXPECT_EQ(table["kind"].as_string(), "Table");
  EXPECT_EQ(table["columnDefinitions"].element(1)["name"].as_string(), "Created At");
  EXPECT_EQ(table["rows"].element(0)["cells"].element(0).as_string(), "a");
}

TEST_F(ApiServer_FleetReads, what_is_cached_nowhere_is_an_empty_list) {
  publish({}, 0);
  const Json empty = list("");
  EXPECT_EQ(empty["apiVersion"].as_string(), "v1");
  EXPECT_EQ(empty["kind"].as_string(), "List");
  EXPECT_EQ(empty["items"].dump(), "[]");
}

TEST_F(ApiServer_FleetReads, a_watch_adds_versions_up) {
  const auto one = cache("m1"), two = cache("m2");
  fill(*one, {"a"}, 7);
  fill(*two, {}, 9);
  publish({one, two}, 2);
  const auto stream = watch("");
  EXPECT_EQ(next(*stream), "ADDED a ");
  EXPECT_EQ(versions_.versions(), (api::MultiClusterVersion::Versions{{"m1", "6"}}));
  two->put(two->keep(secret("b", 10)));
  EXPECT_EQ(next(*stream), "ADDED b ");
  EXPECT_EQ(versions_.versions(), (api::MultiClusterVersion::Versions{{"m1", "7"}, {"m2", "10"}}));
  one->forget(one->keep(secret("a", 8)));
  EXPECT_EQ(next(*stream), "DELETED a ");
  const auto later =
      watch("resourceVersion=" + api::MultiClusterVersion({{"m1", "7"}, {"m2", "9"}}).encode());
  EXPECT_EQ(next(*later), "DELETED a ADDED b ");
}

TEST_F(ApiServer_FleetReads, what_leaves_the_selection_is_deleted) {
  const auto one = cache("m1");
  fill(*one, {}, 7);
  publish({one}, 1);
  const auto stream = watch("labelSelector=app%3Db");
  one->put(one->keep(secret("a", 8)));
  one->put(one->keep(secret("a", 9, "b")));
  EXPECT_EQ(next(*stream), "ADDED a ");
  one->put(one->keep(secret("a", 10)));
  EXPECT_EQ(next(*stream), "DELETED a ");
  EXPECT_EQ(versions_.of("m1"), "10");
}

TEST_F(ApiServer_FleetReads, a_version_that_is_forgotten_is_an_error) {
  const auto one = cache("m1");
  fill(*one, {"a"}, 7);
  publish({one}, 1);
  const auto stream = watch("resourceVersion=" + api::MultiClusterVersion({{"m1", "3"}}).encode());
  EXPECT_EQ(next(*stream), "ERROR Expired ");
  EXPECT_EQ(next(*stream), "");
}

TEST_F(ApiServer_FleetReads, a_watch_ends_when_a_member_comes_or_goes) {
  const auto one = cache("m1"), two = cache("m2");
  fill(*one, {"a"}, 7);
  publish({one}, 1);
  auto stream = watch("");
  EXPECT_EQ(next(*stream), "ADDED a ");
  fill(*two, {}, 9);
  publish({one, two}, 2);
  EXPECT_EQ(next(*stream), "");
  stream = watch("");
  EXPECT_EQ(next(*stream), "ADDED a ");
  publish({one}, 2);
  EXPECT_EQ(next(*stream), "");
}

TEST_F(ApiServer_FleetReads, initial_events_end_with_one_bookmark) {
  const auto one = cache("m1"), two = cache("m2");
  fill(*one, {"a"}, 7);
  fill(*two, {"b"}, 9);
  publish({one, two}, 2);
  const auto stream =
      watch("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");
  EXPECT_EQ(next(*stream), "ADDED a ADDED b BOOKMARK  ");
  EXPECT_EQ(versions_.versions(), (api::MultiClusterVersion::Versions{{"m1", "7"}, {"m2", "9"}}));
}

}  // namespace
}  // namespace flotilla::apiserver
