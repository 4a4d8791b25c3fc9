// SPDX-License-Identifier: Apache-2.0
#include "core/store/store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>

#include "tests/unit/store/store_fixture.hpp"

namespace flotilla::store {
namespace {

const Collection kConfigMaps = collection_of("", "configmaps");

Json config_map(const std::string& ns, const std::string& name, const std::string& value = "v") {
  return Json::object({{"apiVersion", "v1"},
                       {"kind", "ConfigMap"},
                       {"metadata", Json::object({{"name", name}, {"namespace", ns}})},
                       {"data", Json::object({{"k", value}})}});
}

class Store_Basics : public StoreFixture {
 protected:
  ObjectPtr create(const std::string& ns, const std::string& name, Durability durability = Durability::Wait) {
    auto made = run(store_->create(kConfigMaps, config_map(ns, name), durability));
    EXPECT_TRUE(made.ok()) << (made ? "" : made.error().message());
    return made ? *made : nullptr;
  }
  std::unique_ptr<Subscription> watch(Revision after, Visibility visibility = Visibility::Newest,
                                      std::string ns = {}) {
    auto watching = store_->watch({kConfigMaps, std::move(ns), after, visibility, 10'000});
    EXPECT_TRUE(watching.ok());
    return *std::move(watching);
  }
  static std::vector<std::string> names(const std::vector<ObjectPtr>& objects) {
    std::vector<std::string> names;
    for (const ObjectPtr& object : objects) names.push_back(object->key().text());
    return names;
  }
};

TEST_F(Store_Basics, every_commit_has_the_next_revision_and_objects_carry_it) {
  open();
  const Revision before = store_->revision();
  const ObjectPtr a = create("ns", "a");
  const ObjectPtr b = create("ns", "b");
  EXPECT_EQ(a->revision().get(), before.get() + 1);
  EXPECT_EQ(b->revision().get(), before.get() + 2);
  EXPECT_EQ(api::revision_of(*b->content()), b->revision());
  EXPECT_EQ(store_->get(kConfigMaps, "ns", "a"), a);
  EXPECT_EQ(store_->durable_revision(), b->revision());
  EXPECT_TRUE(disk_->live.contains("/registry/configmaps/ns/a"));
}

TEST_F(Store_Basics, writes_are_refused_by_what_is_there) {
  open();
  const ObjectPtr a = create("ns", "a");
  EXPECT_EQ(run(store_->create(kConfigMaps, config_map("ns", "a"), Durability::Wait)).error().code(),
            Code::AlreadyExists);
  EXPECT_EQ(
      run(store_->update(kConfigMaps, config_map("ns", "b"), Revision(), Durability::Wait)).error().code(),
      Code::NotFound);
  auto changed =
      run(store_->update(kConfigMaps, config_map("ns", "a", "w"), a->revision(), Durability::Wait));
  ASSERT_TRUE(changed.ok());
  EXPECT_EQ(
      run(store_->update(kConfigMaps, config_map("ns", "a"), a->revision(), Durability::Wait)).error().code(),
      Code::Conflict);
  EXPECT_EQ(run(store_->remove(kConfigMaps, {"ns", "a"}, a->revision(), Durability::Wait)).error().code(),
            Code::Conflict);
  auto gone = run(store_->remove(kConfigMaps, {"ns", "a"}, (*changed)->revision(), Durability::Wait));
  ASSERT_TRUE(gone.ok());
  EXPECT_EQ(api::revision_of(*(*gone)->content()), store_->revision());
  EXPECT_EQ(store_->get(kConfigMaps, "ns", "a"), nullptr);
}

TEST_F(Store_Basics, lists_are_ordered_by_namespace_then_name_and_page) {
  open();
  std::vector<std::string> expected;
  std::vector<std::pair<std::string, std::string>> keys;
  for (int ns = 0; ns < 3; ++ns)
    for (int i = 0; i < 400; ++i) keys.emplace_back("n" + std::to_string(ns), std::to_string(1000 + i));
  for (const auto& [ns, name] : keys) expected.push_back(ns + "/" + name);
  std::shuffle(keys.begin(), keys.end(), std::mt19937(7));
  for (const auto& [ns, name] : keys) create(ns, name, Durability::Derived);
  EXPECT_EQ(names(store_->list(kConfigMaps).objects), expected);
  EXPECT_EQ(names(store_->list(kConfigMaps, "n1").objects),
            std::vector<std::string>(expected.begin() + 400, expected.begin() + 800));
  std::vector<std::string> paged;
  ObjectKey after;
  for (bool first = true;; first = false) {
    const Snapshot page = store_->list_page(kConfigMaps, {}, first ? nullptr : &after, 7);
    if (page.objects.empty()) break;
    for (const auto& name : names(page.objects)) paged.push_back(name);
    after = page.objects.back()->key();
  }
  EXPECT_EQ(paged, expected);
  EXPECT_EQ(store_->count(kConfigMaps), 1200u);
  EXPECT_EQ(store_->collections(), std::vector<Collection>{kConfigMaps});
  for (const auto& [ns, name] : keys)
    ASSERT_TRUE(run(store_->remove(kConfigMaps, {ns, name}, Revision(), Durability::Derived)).ok());
  EXPECT_EQ(store_->stats().objects, 0u);
  EXPECT_EQ(store_->stats().bytes, 0u);
}

TEST_F(Store_Basics, a_derived_write_is_answered_before_it_is_durable_and_a_waiting_one_after) {
  open();
  disk_->hold_back();
  const ObjectPtr derived = create("ns", "derived", Durability::Derived);
  EXPECT_LT(store_->durable_revision(), derived->revision());
  auto waiting = begin(store_->create(kConfigMaps, config_map("ns", "waiting"), Durability::Wait));
  auto durable = begin(store_->durable(derived->revision()));
  EXPECT_EQ(durable.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  EXPECT_EQ(waiting.wait_for(std::chrono::milliseconds(0)), std::future_status::timeout);
  disk_->release();
  EXPECT_TRUE(waiting.get().ok());
  EXPECT_TRUE(durable.get().ok());
  EXPECT_EQ(store_->durable_revision(), store_->revision());
}

TEST_F(Store_Basics, clients_see_an_event_once_it_is_durable_and_controllers_at_once) {
  open();
  auto newest = watch(store_->revision());
  auto durable = watch(store_->revision(), Visibility::Durable);
  disk_->hold_back();
  const ObjectPtr made = create("ns", "a", Durability::Derived);
  const auto seen = run(newest->next());
  ASSERT_EQ(seen->size(), 1u);
  EXPECT_EQ(seen->front().type, Event::Type::Added);
  EXPECT_EQ(seen->front().object, made);
  EXPECT_EQ(newest->progress(), made->revision());
  EXPECT_LT(durable->progress(), made->revision());
  auto later = begin(durable->next());
  EXPECT_EQ(later.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  disk_->release();
  const auto shown = later.get();
  ASSERT_EQ(shown->size(), 1u);
  EXPECT_EQ(shown->front().object, made);
}

TEST_F(Store_Basics, a_watch_resumes_from_any_revision_of_its_history) {
  open();
  const Revision start = store_->revision();
  const ObjectPtr a = create("x", "a");
  create("y", "b");
  auto changed = run(store_->update(kConfigMaps, config_map("x", "a", "w"), Revision(), Durability::Wait));
  run(store_->remove(kConfigMaps, {"x", "a"}, Revision(), Durability::Wait)).value();
  auto resumed = watch(start, Visibility::Durable, "x");
  const auto events = run(resumed->next());
  ASSERT_EQ(events->size(), 3u);
  EXPECT_EQ((*events)[0].type, Event::Type::Added);
  EXPECT_EQ((*events)[1].type, Event::Type::Modified);
  EXPECT_EQ((*events)[1].previous, a);
  EXPECT_EQ((*events)[2].type, Event::Type::Deleted);
  EXPECT_EQ((*events)[2].previous, *changed);
  EXPECT_EQ((*events)[2].object->revision(), store_->revision());
}

TEST_F(Store_Basics, a_watch_of_everything_gets_all_collections_in_order) {
  open();
  const Revision start = store_->revision();
  create("x", "a");
  Json other = config_map("x", "a");
  run(store_->create(collection_of("apps", "deployments"), other, Durability::Wait)).value();
  create("x", "b");
  auto watching = store_->watch({Collection(), {}, start, Visibility::Durable, 100});
  const auto events = run((*watching)->next());
  ASSERT_EQ(events->size(), 3u);
  EXPECT_EQ((*events)[1].collection.get(), "apps/deployments");
  EXPECT_EQ((*events)[2].object->name(), "b");
}

TEST_F(Store_Basics, a_watch_older_than_the_history_is_gone_and_a_slow_one_is_dropped) {
  open({.history = 5});
  const Revision start = store_->revision();
  auto slow = *store_->watch({kConfigMaps, {}, start, Visibility::Newest, 8});
  for (int i = 0; i < 20; ++i) create("ns", std::to_string(i));
  EXPECT_EQ(store_->watch({kConfigMaps, {}, start, Visibility::Newest, 8}).error().code(), Code::Gone);
  EXPECT_EQ(store_->compacted_revision(kConfigMaps).get(), store_->revision().get() - 5);
  auto recent = watch(store_->compacted_revision(kConfigMaps));
  EXPECT_EQ(run(recent->next())->size(), 5u);
  EXPECT_EQ(run(slow->next()).error().code(), Code::Gone);
}

TEST_F(Store_Basics, everything_is_there_again_after_a_restart) {
  open();
  for (int i = 0; i < 100; ++i) create("ns" + std::to_string(i % 3), std::to_string(i));
  Json cluster_scoped = Json::object({{"metadata", Json::object({{"name", "member1"}})}});
  run(store_->create(collection_of("cluster.karmada.io", "clusters"), cluster_scoped, Durability::Wait))
      .value();
  const auto before = store_->list(kConfigMaps);
  close();
  open();
  const auto after = store_->list(kConfigMaps);
  EXPECT_EQ(after.revision, Revision(before.revision));
  ASSERT_EQ(names(after.objects), names(before.objects));
  for (std::size_t i = 0; i < after.objects.size(); ++i)
    EXPECT_EQ(after.objects[i]->bytes(), before.objects[i]->bytes());
  EXPECT_NE(store_->get(collection_of("cluster.karmada.io", "clusters"), "", "member1"), nullptr);
  EXPECT_EQ(store_->watch({kConfigMaps, {}, Revision(1), Visibility::Newest, 8}).error().code(), Code::Gone);
}

TEST_F(Store_Basics, a_refused_commit_takes_back_all_that_followed_and_the_store_recovers) {
  open();
  const ObjectPtr kept = create("ns", "kept");
  auto newest = watch(store_->revision());
  auto durable = watch(store_->revision(), Visibility::Durable);
  disk_->hold_back();
  create("ns", "lost", Durability::Derived);
  run(store_->update(kConfigMaps, config_map("ns", "kept", "changed"), Revision(), Durability::Derived))
      .value();
  auto removed = begin(store_->remove(kConfigMaps, {"ns", "kept"}, Revision(), Durability::Wait));
  ASSERT_EQ(run(newest->next())->front().type, Event::Type::Added);
  disk_->refuse_with("disk full");
  disk_->release();
  const auto answer = removed.get();
  EXPECT_EQ(answer.error().code(), Code::Unavailable);
  EXPECT_NE(answer.error().message().find("disk full"), std::string::npos);
  EXPECT_EQ(names(store_->list(kConfigMaps).objects), std::vector<std::string>{"ns/kept"});
  EXPECT_EQ(store_->get(kConfigMaps, "ns", "kept"), kept);
  EXPECT_EQ(store_->revision(), kept->revision());
  EXPECT_TRUE(store_->stats().read_only);
  EXPECT_EQ(run(store_->create(kConfigMaps, config_map("ns", "x"), Durability::Derived)).error().code(),
            Code::Unavailable);
  const auto reset = run(newest->next());
  ASSERT_EQ(reset->back().type, Event::Type::Reset);
  disk_->refuse_with("");
  while (store_->stats().read_only) std::this_thread::yield();
  const ObjectPtr again = create("ns", "again");
  EXPECT_EQ(run(durable->next())->front().object, again);
}

TEST_F(Store_Basics, what_lies_beside_an_object_comes_and_goes_with_its_commits) {
  StoreOptions options;
  options.belonging = [](const Collection& collection, const ObjectPtr& object) {
    return SideValues{{collection.get() + "/" + object->name() + "/1", {}, true},
                      {collection.get() + "/" + object->name() + "/9", {}, true}};
  };
  open(options);
  create("ns", "a");
  create("ns", "b");
  const auto write = [&](const std::string& name, const std::string& value, SideValues beside) {
    return run(store_->update(kConfigMaps, config_map("ns", name, value), Revision(), Durability::Wait,
                              std::move(beside)));
  };
  const auto first = write("a", "1", {{"configmaps/a/1", "one"}, {"shared/1", "other"}});
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(write("b", "1", {{"configmaps/b/1", "two"}}).ok());
  auto kept = run(store_->side_values("configmaps/"));
  ASSERT_EQ(kept->size(), 2u);
  EXPECT_EQ((*kept)[0].key, "configmaps/a/1");
  EXPECT_EQ((*kept)[0].revision, (*first)->revision());
  EXPECT_EQ((*kept)[1].value, "two");
  // Neither a list nor a restart knows it, and a removal takes what belongs to the object.
  close();
  open(options);
  EXPECT_EQ(store_->collections(), std::vector<Collection>{kConfigMaps});
  EXPECT_EQ(run(store_->side_values("configmaps/"))->size(), 2u);
  ASSERT_TRUE(run(store_->remove(kConfigMaps, {"ns", "a"}, Revision(), Durability::Wait)).ok());
  kept = run(store_->side_values("configmaps/"));
  ASSERT_EQ(kept->size(), 1u);
  EXPECT_EQ((*kept)[0].value, "two");
  EXPECT_EQ(run(store_->side_values("shared/"))->size(), 1u);
}

TEST_F(Store_Basics, what_lies_beside_a_refused_commit_is_not_kept) {
  open();
  create("ns", "a");
  const std::uint64_t before = store_->setbacks();
  disk_->refuse_with("disk full");
  EXPECT_FALSE(run(store_->update(kConfigMaps, config_map("ns", "a", "2"), Revision(), Durability::Wait,
                                  {{"notes/1", "lost"}}))
                   .ok());
  disk_->refuse_with("");
  EXPECT_GT(store_->setbacks(), before);
  EXPECT_TRUE(run(store_->side_values("notes/"))->empty());
}

TEST_F(Store_Basics, close_ends_watches) {
  open();
  auto watching = watch(store_->revision());
  auto next = begin(watching->next());
  close();
  EXPECT_EQ(next.get().error().code(), Code::Cancelled);
}

TEST_F(Store_Basics, concurrent_writers_and_a_watcher_agree_on_one_history) {
  open();
  auto watching = watch(store_->revision(), Visibility::Durable);
  const Revision start = store_->revision();
  constexpr int kWriters = 8;
  constexpr int kEach = 200;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      FiberScope scope(executor_.strand(), "writer");
      for (int i = 0; i < kEach; ++i) {
        auto made = std::make_shared<std::promise<Result<ObjectPtr>>>();
        scope.spawn(
            deliver(store_->create(kConfigMaps, config_map("w" + std::to_string(w), std::to_string(i)),
                                   i % 2 == 0 ? Durability::Wait : Durability::Derived),
                    made));
        EXPECT_TRUE(made->get_future().get().ok());
      }
      scope.join_blocking();
    });
  }
  std::int64_t expected = start.get();
  while (expected < start.get() + kWriters * kEach) {
    const auto events = run(watching->next());
    ASSERT_TRUE(events.ok());
    for (const Event& event : *events) ASSERT_EQ(event.revision.get(), ++expected);
  }
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(store_->count(kConfigMaps), static_cast<std::size_t>(kWriters * kEach));
}

}  // namespace
}  // namespace flotilla::store
