// SPDX-License-Identifier: Apache-2.0
// Two stores on one storage, as two daemons have them.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "core/store/store.hpp"
#include "tests/unit/store/store_fixture.hpp"

namespace flotilla::store {
namespace {

const Collection kConfigMaps = collection_of("", "configmaps");
const Collection kDeployments = collection_of("apps", "deployments");
const Collection kNodes = collection_of("", "nodes");

Json object_of(const char* kind, const std::string& ns, const std::string& name,
               const std::string& value = "v") {
  Json metadata = Json::object({{"name", name}});
  if (!ns.empty()) metadata.set("namespace", ns);
  return Json::object({{"apiVersion", "v1"},
                       {"kind", kind},
                       {"metadata", std::move(metadata)},
                       {"data", Json::object({{"k", value}})}});
}
Json config_map(const std::string& name, const std::string& value = "v") {
  return object_of("ConfigMap", "ns", name, value);
}

class Store_Shared : public StoreFixture {
 protected:
  ~Store_Shared() override {
    disk_->hold_watches_back(false);
    for (auto& store : both_) {
      if (store) end(store);
    }
  }

  void open_both() {
    for (auto& store : both_) store = open_one();
  }
  std::unique_ptr<Store> open_one() {
    StoreOptions options;
    options.patience = std::chrono::milliseconds(200);
    auto store = std::make_unique<Store>(executor_, std::make_unique<MemoryBackend>(disk_, true), options);
    const Status opened = run(store->open());
    EXPECT_TRUE(opened.ok()) << opened.error().message();
    return store;
  }
  void end(std::unique_ptr<Store>& store) {
    auto closed = std::make_shared<std::promise<void>>();
    scope_.spawn_on(executor_.strand(), deliver_void(store->close(), closed));
    closed->get_future().get();
    store.reset();
  }
  ObjectPtr create(Store& store, const std::string& name, const std::string& value = "v") {
    auto made = run(store.create(kConfigMaps, config_map(name, value), Durability::Wait));
    EXPECT_TRUE(made.ok()) << (made ? "" : made.error().message());
    return made ? *made : nullptr;
  }
  Store& a() { return *both_[0]; }
  Store& b() { return *both_[1]; }

  std::array<std::unique_ptr<Store>, 2> both_;
};

TEST_F(Store_Shared, who_wrote_reads_it_and_the_others_once_they_asked_for_the_newest) {
  open_both();
  const ObjectPtr made = create(a(), "x");
  EXPECT_EQ(a().get(kConfigMaps, "ns", "x")->revision(), made->revision());
  ASSERT_TRUE(run(b().fresh()).ok());
  const ObjectPtr seen = b().get(kConfigMaps, "ns", "x");
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->revision(), made->revision());
  EXPECT_EQ(seen->bytes(), made->bytes());
  EXPECT_EQ(b().durable_revision(), a().durable_revision());
}

TEST_F(Store_Shared, objects_of_every_shape_of_key_are_removed) {
  open_both();
  const std::vector<std::tuple<Collection, std::string, Json>> all = {
      {kConfigMaps, "ns", object_of("ConfigMap", "ns", "x")},
      {kDeployments, "ns", object_of("Deployment", "ns", "x")},
      {kNodes, "", object_of("Node", "", "x")},
      {collection_of("work.karmada.io", "clusters"), "", object_of("Cluster", "", "x")}};
  for (const auto& [collection, ns, object] : all)
    ASSERT_TRUE(run(a().create(collection, object, Durability::Wait)).ok());
  for (const auto& [collection, ns, object] : all) {
    auto removed = run(b().remove(collection, {ns, "x"}, Revision(), Durability::Wait));
    ASSERT_TRUE(removed.ok()) << collection.get() << ": " << removed.error().message();
    ASSERT_TRUE(run(a().fresh()).ok());
    EXPECT_EQ(a().get(collection, ns, "x"), nullptr) << collection.get();
    EXPECT_EQ(a().count(collection), 0u);
  }
  EXPECT_EQ(a().stats().bytes, 0u);
  EXPECT_EQ(b().stats().bytes, 0u);
}

TEST_F(Store_Shared, memory_that_lags_refuses_nothing_that_storage_would_take) {
  open_both();
  create(a(), "x");
  ASSERT_TRUE(run(b().fresh()).ok());
  // b does not hear that x is gone, nor that y is there.
  const auto told = b().get(kConfigMaps, "ns", "x");
  ASSERT_TRUE(run(a().remove(kConfigMaps, {"ns", "x"}, Revision(), Durability::Wait)).ok());
  EXPECT_TRUE(run(b().create(kConfigMaps, config_map("x", "again"), Durability::Wait)).ok());
  const ObjectPtr y = create(a(), "y");
  auto updated = run(b().update(kConfigMaps, config_map("y", "new"), y->revision(), Durability::Wait));
  ASSERT_TRUE(updated.ok()) << updated.error().message();
  EXPECT_GT((*updated)->revision(), y->revision());
}

TEST_F(Store_Shared, what_is_there_or_gone_or_changed_is_told_as_ever) {
  open_both();
  const ObjectPtr x = create(a(), "x");
  EXPECT_TRUE(
      run(b().create(kConfigMaps, config_map("x"), Durability::Wait)).error().is(Code::AlreadyExists));
  EXPECT_TRUE(run(b().update(kConfigMaps, config_map("none"), Revision(), Durability::Wait))
                  .error()
                  .is(Code::NotFound));
  ASSERT_TRUE(run(a().update(kConfigMaps, config_map("x", "2"), x->revision(), Durability::Wait)).ok());
  EXPECT_TRUE(run(b().update(kConfigMaps, config_map("x", "3"), x->revision(), Durability::Wait))
                  .error()
                  .is(Code::Conflict));
  EXPECT_TRUE(run(b().update(kConfigMaps, config_map("x", "4"), Revision(), Durability::Wait)).ok());
}

TEST_F(Store_Shared, two_that_count_in_one_object_lose_nothing) {
  open_both();
  create(a(), "counter", "0");
  constexpr int kEach = 50;
  const auto count = [](Store* store) -> Task<int> {
    int lost = 0;
    for (int i = 0; i < kEach;) {
      auto asking = store->fresh();
      (void)co_await std::move(asking);
      const ObjectPtr now = store->get(kConfigMaps, "ns", "counter");
      const int value = std::stoi(std::string((*now->content())["data"]["k"].as_string()));
      Json next = config_map("counter", std::to_string(value + 1));
      auto writing = store->update(kConfigMaps, std::move(next), now->revision(), Durability::Derived);
      const auto written = co_await std::move(writing);
      if (written) {
        ++i;
      } else if (written.error().is(Code::Conflict)) {
        ++lost;
      } else {
        co_return -1;
      }
    }
    co_return lost;
  };
  auto first = begin(count(&a()));
  auto second = begin(count(&b()));
  EXPECT_GE(first.get(), 0);
  EXPECT_GE(second.get(), 0);
  ASSERT_TRUE(run(a().fresh()).ok());
  EXPECT_EQ((*a().get(kConfigMaps, "ns", "counter")->content())["data"]["k"].as_string(),
            std::to_string(2 * kEach));
}

TEST_F(Store_Shared, watches_of_both_tell_one_history_and_one_moves_over_without_a_gap) {
  open_both();
  auto at_a = a().watch({kConfigMaps, {}, a().revision(), Visibility::Durable, 10'000});
  ASSERT_TRUE(at_a.ok());
  const Revision begin = a().revision();
  std::vector<std::int64_t> written;
  for (int i = 0; i < 20; ++i)
    written.push_back(create(i % 3 == 0 ? b() : a(), "o" + std::to_string(i))->revision().get());
  std::vector<std::int64_t> heard;
  while (heard.size() < 10) {
    const auto events = run((*at_a)->next());
    ASSERT_TRUE(events.ok());
    for (const Event& event : *events) heard.push_back(event.revision.get());
  }
  // It may be ahead of the other daemon, which must not repeat anything.
  const Revision after(heard.back());
  auto at_b = b().watch({kConfigMaps, {}, after, Visibility::Durable, 10'000});
  ASSERT_TRUE(at_b.ok());
  while (heard.size() < written.size()) {
    const auto events = run((*at_b)->next());
    ASSERT_TRUE(events.ok());
    for (const Event& event : *events) heard.push_back(event.revision.get());
  }
  EXPECT_EQ(heard, written);
  EXPECT_GT(heard.front(), begin.get());
}

TEST_F(Store_Shared, a_watch_from_beyond_what_this_daemon_knows_does_not_repeat) {
  open_both();
  ASSERT_TRUE(run(b().fresh()).ok());
  disk_->hold_watches_back(true);
  auto writing = begin(a().create(kConfigMaps, config_map("x"), Durability::Wait));
  const auto made = writing.get();  // answered although no watch tells it
  ASSERT_TRUE(made.ok());
  auto watching = b().watch({kConfigMaps, {}, (*made)->revision(), Visibility::Durable, 10'000});
  ASSERT_TRUE(watching.ok());
  disk_->hold_watches_back(false);
  create(a(), "y");
  const auto events = run((*watching)->next());
  ASSERT_TRUE(events.ok());
  ASSERT_EQ(events->size(), 1u);
  EXPECT_EQ(events->front().object->name(), "y");
}

TEST_F(Store_Shared, readers_that_want_the_newest_are_told_when_storage_does_not_tell) {
  open_both();
  disk_->hold_watches_back(true);
  auto writing = begin(a().create(kConfigMaps, config_map("x"), Durability::Wait));
  auto reading = begin(b().fresh());
  ASSERT_TRUE(writing.get().ok());
  static_cast<void>(reading.get());
  const Status late = run(b().fresh());
  ASSERT_FALSE(late.ok());
  EXPECT_TRUE(late.error().is(Code::Timeout)) << late.error().message();
  disk_->hold_watches_back(false);
  EXPECT_TRUE(run(b().fresh()).ok());
}

TEST_F(Store_Shared, what_was_compacted_while_nobody_listened_is_loaded_again) {
  open_both();
  create(a(), "old");
  ASSERT_TRUE(run(b().fresh()).ok());
  auto inside = b().watch({kConfigMaps, {}, b().revision(), Visibility::Newest, 10'000});
  auto client = b().watch({kConfigMaps, {}, b().revision(), Visibility::Durable, 10'000});
  ASSERT_TRUE(inside.ok() && client.ok());
  disk_->hold_watches_back(true);
  auto first = begin(a().create(kConfigMaps, config_map("x"), Durability::Wait));
  auto second = begin(a().remove(kConfigMaps, {"ns", "old"}, Revision(), Durability::Wait));
  ASSERT_TRUE(first.get().ok() && second.get().ok());
  disk_->forget_before(Revision(disk_->revision.get() + 1));
  disk_->hold_watches_back(false);
  const auto reset = run((*inside)->next());
  ASSERT_TRUE(reset.ok());
  EXPECT_EQ(reset->front().type, Event::Type::Reset);
  const auto gone = run((*client)->next());
  ASSERT_FALSE(gone.ok());
  EXPECT_TRUE(gone.error().is(Code::Gone));
  ASSERT_TRUE(run(b().fresh()).ok());
  EXPECT_TRUE(b().get(kConfigMaps, "ns", "x"));
  EXPECT_FALSE(b().get(kConfigMaps, "ns", "old"));
}

TEST_F(Store_Shared, derived_writes_of_who_was_fenced_off_are_refused_by_storage) {
  open_both();
  const auto take_over = [&](Store& store, Revision expected) {
    auto taken = run(store.update(kConfigMaps, config_map("lease"), expected, Durability::Wait,
                                  {{"fence/leader", "", false, {}}}));
    EXPECT_TRUE(taken.ok());
    return (*taken)->revision();
  };
  create(a(), "lease");
  const Revision first = take_over(a(), Revision());
  int lost = 0;
  a().fence("fence/leader", first, [&] { ++lost; });
  EXPECT_TRUE(run(a().create(kConfigMaps, config_map("led"), Durability::Derived)).ok());
  take_over(b(), Revision());
  const auto refused = run(a().update(kConfigMaps, config_map("led", "2"), Revision(), Durability::Derived));
  ASSERT_FALSE(refused.ok());
  EXPECT_TRUE(refused.error().is(Code::Unavailable)) << refused.error().message();
  EXPECT_FALSE(run(a().create(kConfigMaps, config_map("late"), Durability::Derived)).ok());
  EXPECT_EQ(lost, 1);
  // What clients write is theirs.
  EXPECT_TRUE(run(a().update(kConfigMaps, config_map("led", "3"), Revision(), Durability::Wait)).ok());
}

TEST_F(Store_Shared, storage_that_refuses_loses_nothing_and_takes_nothing_back) {
  open_both();
  const ObjectPtr x = create(a(), "x");
  disk_->refuse_with("no space");
  const auto refused = run(a().update(kConfigMaps, config_map("x", "2"), x->revision(), Durability::Wait));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(a().get(kConfigMaps, "ns", "x")->revision(), x->revision());
  disk_->refuse_with("");
  EXPECT_TRUE(run(a().update(kConfigMaps, config_map("x", "2"), x->revision(), Durability::Wait)).ok());
}

// Many writers on both sides, one watch on each: the same history, and the last of it is the state of both.
TEST_F(Store_Shared, any_mix_of_writers_leaves_both_with_one_history) {
  open_both();
  const unsigned seed = std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  SCOPED_TRACE("seed " + std::to_string(seed));
  const Revision from = a().revision();
  std::vector<std::unique_ptr<Subscription>> watches;
  for (auto& store : both_)
    watches.push_back(*store->watch({kConfigMaps, {}, from, Visibility::Durable, 100'000}));
  const auto play = [](Store* store, unsigned own_seed) -> Task<int> {
    std::mt19937 random(own_seed);
    int written = 0;
    for (int i = 0; i < 200; ++i) {
      const std::string name = "o" + std::to_string(random() % 10);
      const unsigned dice = random() % 3;
      Task<Result<ObjectPtr>> writing;
      if (dice == 0) {
        writing = store->create(kConfigMaps, config_map(name, std::to_string(i)), Durability::Derived);
      } else if (dice == 1) {
        writing =
            store->update(kConfigMaps, config_map(name, std::to_string(i)), Revision(), Durability::Derived);
      } else {
        writing = store->remove(kConfigMaps, {"ns", name}, Revision(), Durability::Derived);
      }
      const auto done = co_await std::move(writing);
      if (done) ++written;
    }
    co_return written;
  };
  std::vector<std::future<int>> players;
  for (unsigned i = 0; i < 8; ++i) players.push_back(begin(play(both_[i % 2].get(), seed + i)));
  std::size_t written = 0;
  for (auto& player : players) written += static_cast<std::size_t>(player.get());
  std::vector<std::vector<std::pair<std::int64_t, std::string>>> heard(2);
  for (std::size_t i = 0; i < 2; ++i) {
    std::map<std::string, std::int64_t> state;
    while (heard[i].size() < written) {
      const auto events = run(watches[i]->next());
      ASSERT_TRUE(events.ok());
      for (const Event& event : *events) {
        heard[i].emplace_back(event.revision.get(), event.object->name());
        if (event.type == Event::Type::Deleted) {
          EXPECT_EQ(state.erase(event.object->name()), 1u);
        } else {
          EXPECT_EQ(state.contains(event.object->name()), event.type == Event::Type::Modified);
          state[event.object->name()] = event.revision.get();
        }
      }
    }
    ASSERT_TRUE(run(both_[i]->fresh()).ok());
    const Snapshot snapshot = both_[i]->list(kConfigMaps);
    EXPECT_EQ(snapshot.objects.size(), state.size());
    for (const ObjectPtr& object : snapshot.objects)
      EXPECT_EQ(object->revision().get(), state[object->name()]);
  }
  EXPECT_EQ(heard[0], heard[1]);
  EXPECT_TRUE(std::is_sorted(heard[0].begin(), heard[0].end()));
}

}  // namespace
}  // namespace flotilla::store
