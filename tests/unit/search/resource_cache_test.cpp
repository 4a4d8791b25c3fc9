// SPDX-License-Identifier: Apache-2.0
#include "core/search/resource_cache.hpp"

#include <gtest/gtest.h>

namespace flotilla::search {
namespace {

using Type = CacheEvent::Type;

class Search_ResourceCache : public ::testing::Test {
 protected:
  explicit Search_ResourceCache(std::size_t history = 4) {
    CacheOptions options;
    options.history = history;
    options.sink = [this](const CacheEvent& event) { told_ += letter(event) + event.object->name() + " "; };
    cache_ = std::make_unique<ResourceCache>("m1", Gvr{"", "v1", "configmaps"}, changed_, SteadyTime(),
                                             std::move(options));
  }
  static std::string letter(const CacheEvent& event) {
    return event.type == Type::Added ? "+" : event.type == Type::Deleted ? "-" : "~";
  }
  static Json make(const std::string& name, int version, const std::string& ns = "default") {
    Json metadata = Json::object({{"name", name},
                                  {"namespace", ns},
                                  {"uid", "uid-" + name},
                                  {"resourceVersion", std::to_string(version)}});
    return Json::object({{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", std::move(metadata)}});
  }
  ObjectPtr keep(const std::string& name, int version) const { return cache_->keep(make(name, version)); }
  void replace(const std::vector<std::pair<std::string, int>>& objects, int version) {
    ResourceCache::Objects all;
    for (const auto& [name, revision] : objects) all[{"default", name}] = keep(name, revision);
    cache_->replace(std::move(all), Revision(version));
  }
  // "+a5 -b7 @9": events and the version reached; "gone".
  std::string read(ResourceCache::Place& place) const {
    const auto news = cache_->read(place);
    if (!news) return news.error().is(Code::Gone) ? "gone" : news.error().message();
    std::string text;
    for (const CacheEvent& event : news->events)
      text += letter(event) + event.object->name() + std::to_string(event.revision.get()) + " ";
    return text + "@" + std::to_string(news->version.get());
  }
  std::string read_after(int version) const {
    auto place = cache_->place_after(Revision(version));
    return place ? read(*place) : place.error().message();
  }

  std::shared_ptr<flotilla::Event> changed_ = std::make_shared<flotilla::Event>();
  std::unique_ptr<ResourceCache> cache_;
  std::string told_;
};

TEST_F(Search_ResourceCache, says_of_each_object_where_it_comes_from) {
  EXPECT_FALSE(cache_->synced());
  replace({{"a", 3}}, 5);
  EXPECT_TRUE(cache_->synced());
  const ObjectPtr object = cache_->get({"default", "a"});
  ASSERT_TRUE(object);
  EXPECT_EQ(api::annotation_of(*object->content(), "resource.karmada.io/cached-from-cluster"), "m1");
  EXPECT_EQ(object->revision(), Revision(3));
  EXPECT_EQ(cache_->version(), Revision(5));
  EXPECT_EQ(cache_->get({"default", "b"}), nullptr);
}

TEST_F(Search_ResourceCache, lists_by_namespace_and_name) {
  ResourceCache::Objects all;
  for (const auto& [ns, name] : {std::pair("b", "x"), std::pair("a", "z"), std::pair("b", "w")})
    all[{ns, name}] = cache_->keep(make(name, 1, ns));
  cache_->replace(std::move(all), Revision(2));
  std::string names;
  for (const ObjectPtr& object : cache_->list("").objects) names += object->key().text() + " ";
  EXPECT_EQ(names, "a/z b/w b/x ");
  EXPECT_EQ(cache_->list("b").objects.size(), 2u);
  EXPECT_TRUE(cache_->list("c").objects.empty());
}

TEST_F(Search_ResourceCache, goes_on_behind_a_version) {
  replace({{"a", 3}}, 5);
  cache_->put(keep("b", 6));
  cache_->put(keep("a", 8));
  cache_->forget(keep("b", 9));
  EXPECT_EQ(read_after(5), "+b6 ~a8 -b9 @9");
  EXPECT_EQ(read_after(7), "~a8 -b9 @9");
  EXPECT_EQ(read_after(20), "@9");
  EXPECT_EQ(read_after(4), "too old resource version: 4 (5)");
  EXPECT_EQ(told_, "+a +b ~a -b ");
}

TEST_F(Search_ResourceCache, a_place_moves_on) {
  replace({}, 5);
  ResourceCache::Place place;
  EXPECT_EQ(cache_->list_and_place("", place).version, Revision(5));
  cache_->put(keep("a", 6));
  EXPECT_EQ(read(place), "+a6 @6");
  EXPECT_EQ(read(place), "@6");
  cache_->pass(Revision(11));
  EXPECT_EQ(read(place), "@11");
  cache_->put(keep("a", 12));
  EXPECT_EQ(read(place), "~a12 @12");
}

TEST_F(Search_ResourceCache, a_client_that_knows_more_is_not_told_what_it_knows) {
  replace({}, 5);
  auto place = cache_->place_after(Revision(7));
  ASSERT_TRUE(place);
  cache_->put(keep("a", 6));
  cache_->put(keep("b", 8));
  EXPECT_EQ(read(*place), "+b8 @8");
}

TEST_F(Search_ResourceCache, who_falls_behind_the_history_is_told) {
  replace({}, 5);
  ResourceCache::Place place;
  cache_->list_and_place("", place);
  for (int version = 6; version <= 9; ++version) cache_->put(keep("a", version));
  auto early = place;
  EXPECT_EQ(read(early), "+a6 ~a7 ~a8 ~a9 @9");
  cache_->put(keep("a", 10));
  EXPECT_EQ(read(place), "gone");
  EXPECT_EQ(read_after(5), "too old resource version: 5 (6)");
  EXPECT_EQ(read_after(6), "~a7 ~a8 ~a9 ~a10 @10");
}

TEST_F(Search_ResourceCache, another_list_is_told_as_changes) {
  replace({{"a", 3}, {"b", 4}, {"c", 5}}, 5);
  replace({{"a", 8}, {"c", 5}, {"d", 7}}, 9);
  EXPECT_EQ(read_after(5), "+d7 ~a8 -b9 @9");
  EXPECT_EQ(told_, "+a +b +c +d ~a -b ");
}

TEST_F(Search_ResourceCache, a_member_that_counts_anew_lets_nobody_go_on) {
  replace({{"a", 30}}, 50);
  auto place = cache_->place_after(Revision(50));
  ASSERT_TRUE(place);
  replace({{"a", 3}}, 5);
  EXPECT_EQ(read(*place), "gone");
  EXPECT_EQ(cache_->version(), Revision(5));
}

TEST_F(Search_ResourceCache, what_is_known_is_no_news) {
  replace({{"a", 3}}, 5);
  const std::uint64_t before = changed_->version();
  cache_->put(keep("a", 3));
  cache_->forget(keep("b", 6));
  EXPECT_EQ(changed_->version(), before);
}

TEST(Search_ResourceCacheBounds, large_objects_make_the_history_short) {
  CacheOptions options;
  options.history_bytes = 4000;
  auto changed = std::make_shared<flotilla::Event>();
  ResourceCache cache("m1", Gvr{"", "v1", "configmaps"}, changed, SteadyTime(), options);
  cache.replace({}, Revision(1));
  for (int version = 2; version < 12; ++version) {
    Json object =
        *Json::parse(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"n"}})");
    object["metadata"].set("resourceVersion", std::to_string(version));
    object.make({"data"}).set("x", std::string(1000, 'x'));
    cache.put(cache.keep(std::move(object)));
  }
  EXPECT_FALSE(cache.place_after(Revision(1)));
  EXPECT_TRUE(cache.place_after(Revision(10)));
}

}  // namespace
}  // namespace flotilla::search
