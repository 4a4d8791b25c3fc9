// SPDX-License-Identifier: Apache-2.0
// Watches. What every batch must be is looked at in storage_watch.cpp.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <random>
#include <thread>

#include "sdk/conformance/storage_subject.hpp"
#include "sdk/conformance/storage_watch.hpp"

namespace flotilla::conformance {
namespace {

constexpr auto kSoon = std::chrono::seconds(10);

Event put_event(std::string key, std::string value, std::int64_t created, std::int64_t revision) {
  return {false, {std::move(key), std::move(value), created, revision}, std::nullopt};
}
Event delete_event(std::string key, std::int64_t revision) {
  return {true, {std::move(key), "", 0, revision}, std::nullopt};
}

// Random puts and deletes of a few keys, several in a commit; returns the last revision.
std::int64_t write_some(Subject& subject, std::mt19937_64& random, int commits) {
  const std::uint64_t most = std::min<std::uint64_t>(subject->describe().max_ops_per_commit, 4);
  std::int64_t last = 0;
  for (int i = 0; i < commits; ++i) {
    CommitSpec spec;
    for (std::uint64_t n = 1 + random() % most; n > 0; --n) {
      const std::string key = "k" + std::to_string(random() % 20);
      if (std::any_of(spec.ops.begin(), spec.ops.end(), [&](const auto& op) { return op.key == key; }))
        continue;
      spec.ops.push_back({key, std::to_string(random()), random() % 3 == 0});
    }
    const Committed made = subject->commit(spec);
    expect_ok(made.answer, "commit");
    last = made.revision;
  }
  return last;
}

// What the world becomes by these events.
void replay(std::map<std::string, Kv>& world, const std::vector<Event>& events) {
  for (const Event& event : events) {
    if (event.removed) {
      expect(world.erase(event.kv.key) == 1,
             "a watch tells of the deletion of " + event.kv.key + ", which was absent");
    } else {
      world[event.kv.key] = event.kv;
    }
  }
}

void expect_same(const std::map<std::string, Kv>& world, const std::vector<Kv>& all,
                 const std::string& what) {
  std::vector<Kv> mine;
  for (const auto& [key, kv] : world) mine.push_back(kv);
  expect(mine == all, what + ": the events do not add up to the state");
}

}  // namespace

void watch_order(const StorageSubject& given) {
  Subject subject(given);
  subject.needs_watch();
  const std::int64_t before = subject->status().revision;
  const std::int64_t first = subject.put("b", "1");
  const std::int64_t second = subject.put("b", "2");
  CommitSpec spec;
  spec.ops = {{"c", "3"}, {"a", "3"}};
  if (subject->describe().max_ops_per_commit < 2) spec.ops = {{"a", "3"}};
  const std::int64_t third = subject->commit(spec).revision;
  const std::int64_t fourth = subject.remove("b");
  {
    StorageWatch watch(subject.client(), {.start = before + 1});
    std::vector<Event> wanted = {put_event("b", "1", first, first), put_event("b", "2", first, second),
                                 put_event("a", "3", third, third)};
    if (spec.ops.size() == 2) wanted.push_back(put_event("c", "3", third, third));
    wanted.push_back(delete_event("b", fourth));
    expect(watch.until(fourth) == wanted, "the events of the past are not the commits");
    const std::int64_t fifth = subject.put("b", "5");
    expect(watch.until(fifth) == std::vector<Event>{put_event("b", "5", fifth, fifth)},
           "the event of a new commit is not the commit");
  }
  subject.finish();
}

void watch_now(const StorageSubject& given) {
  Subject subject(given);
  subject.needs_watch();
  subject.put("a", "old");
  {
    StorageWatch watch(subject.client(), {.start = 0});
    // From which revision on it sees is only known once it has said something.
    watch.ask_progress();
    expect(watch.next(kSoon).has_value(), "a watch from now on does not tell its progress");
    const std::int64_t made = subject.put("a", "new");
    const std::vector<Event> events = watch.until(made);
    expect(events.size() == 1 && events[0].kv.value == "new", "a watch from now on shows something else");
  }
  subject.finish();
}

void watch_range(const StorageSubject& given) {
  Subject subject(given);
  subject.needs_watch();
  const std::int64_t before = subject->status().revision;
  {
    StorageWatch range(subject.client(), {.key = "b", .end = "d", .start = before + 1});
    StorageWatch single(subject.client(), {.key = "c", .end = "", .start = before + 1});
    for (const char* key : {"a", "b", "c", "cc", "d", "e"}) subject.put(key, "1");
    const std::int64_t last = subject.remove("c");
    const auto keys = [&](StorageWatch& watch) {
      watch.ask_progress();
      std::string all;
      for (const Event& event : watch.until(last)) all += (event.removed ? "-" : "+") + event.kv.key;
      return all;
    };
    expect(keys(range) == "+b+c+cc-c", "a watch of [b, d) shows other keys");
    expect(keys(single) == "+c-c", "a watch of one key shows other keys");
  }
  subject.finish();
}

void watch_previous(const StorageSubject& given) {
  Subject subject(given);
  subject.needs_watch();
  const std::int64_t before = subject->status().revision;
  const std::int64_t first = subject.put("a", "1");
  const std::int64_t second = subject.put("a", "2");
  const std::int64_t third = subject.remove("a");
  const std::int64_t fourth = subject.put("a", "4");
  {
    StorageWatch watch(subject.client(), {.start = before + 1, .flags = FLT_WATCH_PREVIOUS});
    const std::vector<Event> events = watch.until(fourth);
    expect_equal(events.size(), 4u, "number of events");
    expect(!events[0].previous && !events[3].previous, "something is said to be replaced that was not there");
    expect(events[1].previous == Kv{"a", "1", first, first}, "what a put replaced is not shown");
    expect(events[2].previous == Kv{"a", "2", first, second}, "what a delete removed is not shown");
    expect_equal(events[2].kv.mod_revision, third, "mod_revision of a deletion");
  }
  subject.finish();
}

void watch_resume(const StorageSubject& given) {
  Subject subject(given);
  subject.needs_watch();
  std::mt19937_64 random(given.seed);
  const std::int64_t before = subject->status().revision;
  std::map<std::string, Kv> world;
  std::atomic<bool> done{false};
  std::string fault;
  std::int64_t last = 0;
  std::thread writer([&] {
    try {
      last = write_some(subject, random, 400);
    } catch (const std::exception& wrong) {
      fault = wrong.what();
    }
    done = true;
  });
  std::int64_t reached = before;
  std::mt19937_64 breaks(given.seed + 1);
  try {
    while (!done || reached < last) {
      StorageWatch watch(subject.client(), {.start = reached + 1, .credit = 5});
      for (std::uint64_t n = 1 + breaks() % 8; n > 0; --n) {
        const auto batch = watch.next(std::chrono::milliseconds(500));
        if (!batch) break;
        replay(world, batch->events);
        reached = batch->progress;
      }
    }
  } catch (...) {
    writer.join();
    throw;
  }
  writer.join();
  expect(fault.empty(), fault);
  expect_same(world, subject.all(), "seed " + std::to_string(given.seed) + ", watches resumed often");
  subject.finish();
}

void watch_credit(const StorageSubject& given) {
  Subject subject(given);
  subject.needs_watch();
  const std::int64_t before = subject->status().revision;
  std::int64_t last = 0;
  {
    StorageWatch slow(subject.client(), {.start = before + 1, .credit = 1});
    for (int i = 0; i < 500; ++i) last = subject.put("k" + std::to_string(i), "v");
    // Others are not held up by it.
    StorageWatch fast(subject.client(), {.start = before + 1});
    expect_equal(fast.until(last).size(), 500u, "number of events of a watch beside one that does not read");
    expect_equal(slow.until(last).size(), 500u, "number of events of a watch with a credit of one");
  }
  subject.finish();
}

void watch_compacted(const StorageSubject& given) {
  Subject subject(given);
  subject.needs_watch();
  const std::int64_t before = subject->status().revision;
  subject.put("a", "1");
  subject.put("a", "2");
  const std::int64_t removed = subject.remove("a");
  const std::int64_t last = subject.put("a", "4");
  expect_ok(subject->compact(removed), "compact");
  for (const std::int64_t start : {before + 1, removed}) {
    StorageWatch late(subject.client(), {.start = start});
    const auto batch = late.next(kSoon);
    const auto end = late.ended();
    expect(!batch && end && end->status == FLT_OUT_OF_RANGE && end->reason == "Compacted",
           "a watch from " + std::to_string(start) + " with status.compacted " + std::to_string(removed) +
               " does not end with Compacted");
  }
  {
    StorageWatch watch(subject.client(), {.start = removed + 1});
    expect(watch.until(last) == std::vector<Event>{put_event("a", "4", last, last)},
           "a watch from behind the compacted revision is not complete");
  }
  subject.finish();
}

// A watch that does not read while the past is taken away ends with Compacted, or has it all.
void watch_behind(const StorageSubject& given) {
  Subject subject(given);
  subject.needs_watch();
  std::mt19937_64 random(given.seed);
  const std::int64_t before = subject->status().revision;
  {
    StorageWatch watch(subject.client(), {.start = before + 1, .credit = 1});
    std::int64_t last = 0;
    for (int round = 0; round < 10; ++round) {
      last = write_some(subject, random, 60);
      expect_ok(subject->compact(last - 3), "compact");
    }
    std::map<std::string, Kv> world;
    bool ended = false;
    while (watch.progress() < last && !ended) {
      const auto batch = watch.next(kSoon);
      if (batch) {
        replay(world, batch->events);
        continue;
      }
      const auto end = watch.ended();
      expect(end && end->reason == "Compacted",
             "a watch that is behind neither goes on nor ends with Compacted");
      ended = true;
    }
    if (!ended) expect_same(world, subject.all(), "seed " + std::to_string(given.seed));
  }
  subject.finish();
}

void watch_complete(const StorageSubject& given) {
  Subject subject(given);
  subject.needs_watch();
  constexpr int kWriters = 4;
  constexpr int kEach = 250;
  const std::int64_t before = subject->status().revision;
  std::vector<std::map<std::string, Kv>> worlds(3);
  {
    std::vector<std::unique_ptr<StorageWatch>> watches;
    for (std::size_t i = 0; i < worlds.size(); ++i)
      watches.push_back(std::make_unique<StorageWatch>(
          subject.client(), WatchSpec{.start = before + 1, .credit = static_cast<std::int64_t>(1 + 50 * i)}));
    std::vector<std::thread> writers;
    std::vector<std::string> faults(kWriters);
    std::vector<std::int64_t> last(kWriters);
    for (std::size_t w = 0; w < kWriters; ++w) {
      writers.emplace_back([&, w] {
        try {
          std::mt19937_64 random(given.seed + w);
          last[w] = write_some(subject, random, kEach);
        } catch (const std::exception& wrong) {
          faults[w] = wrong.what();
        }
      });
    }
    for (std::thread& writer : writers) writer.join();
    for (const std::string& fault : faults) expect(fault.empty(), fault);
    const std::int64_t newest = *std::max_element(last.begin(), last.end());
    const std::vector<Event> all = watches[0]->until(newest);
    replay(worlds[0], all);
    for (std::size_t i = 1; i < worlds.size(); ++i) {
      const std::vector<Event> same = watches[i]->until(newest);
      expect(same == all, "two watches of the same keys tell different histories");
      replay(worlds[i], same);
    }
  }
  expect_same(worlds[0], subject.all(), "seed " + std::to_string(given.seed) + ", concurrent writers");
  subject.finish();
}

void watch_close(const StorageSubject& given) {
  Subject subject(given);
  subject.needs_watch();
  for (const std::int64_t credit : {1, 1000}) {
    StorageWatch watch(subject.client(), {.start = subject->status().revision + 1, .credit = credit});
    for (int i = 0; i < 20; ++i) subject.put("a", std::to_string(i));
    watch.close();
    expect(watch.wait_for_end(kSoon), "a closed watch is not ended");
    watch.ask_progress();  // too late, and nothing happens
  }
  subject.finish();
}

void watch_stop(const StorageSubject& given) {
  Subject subject(given);
  subject.needs_watch();
  {
    StorageWatch quiet(subject.client(), {.start = subject->status().revision + 1});
    StorageWatch full(subject.client(), {.start = subject->status().revision + 1, .credit = 1});
    for (int i = 0; i < 20; ++i) subject.put("a", std::to_string(i));
    expect_ok(subject->instance().stop(), "stop beside open watches");
    expect(quiet.wait_for_end(kSoon) && full.wait_for_end(kSoon), "stop leaves a watch open");
  }
  subject.finish();
}

// Answers that a transport may have to cut.
void watch_large(const StorageSubject& given) {
  Subject subject(given);
  subject.needs_watch();
  const std::int64_t before = subject->status().revision;
  const std::string large(1'000'000, 'x');
  std::int64_t last = 0;
  for (int i = 0; i < 12; ++i) last = subject.put("large" + std::to_string(i % 4), large + std::to_string(i));
  const std::uint64_t many = std::min<std::uint64_t>(subject->describe().max_ops_per_commit, 100);
  CommitSpec spec;
  for (std::uint64_t i = 0; i < many; ++i)
    spec.ops.push_back({"many" + std::to_string(1000 + i), std::string(10'000, 'y')});
  last = subject->commit(spec).revision;
  {
    StorageWatch watch(subject.client(), {.start = before + 1, .flags = FLT_WATCH_PREVIOUS});
    const std::vector<Event> events = watch.until(last);
    expect_equal(events.size(), 12 + many, "number of large events");
    for (std::size_t i = 0; i < 12; ++i) {
      expect(events[i].kv.value == large + std::to_string(i), "a large value came back changed");
      expect(events[i].previous.has_value() == (i >= 4), "what a large value replaced is not shown");
    }
  }
  subject.finish();
}

// Nothing of what is watched changes, and still it says how far it is.
void progress_quiet(const StorageSubject& given) {
  Subject subject(given);
  subject.needs_watch();
  subject.put("watched", "1");
  {
    StorageWatch watch(subject.client(),
                       {.key = "watched", .end = "", .start = subject->status().revision + 1});
    for (int i = 0; i < 5; ++i) {
      const std::int64_t made = subject.put("other", std::to_string(i));
      watch.ask_progress();
      expect(watch.until(made).empty(), "a quiet watch has events");
    }
    // Also when nothing at all has changed.
    const std::int64_t told = watch.progress();
    watch.ask_progress();
    const auto batch = watch.next(kSoon);
    expect(batch && batch->events.empty() && batch->progress >= told, "progress is not told a second time");
  }
  subject.finish();
}

// Progress is asked for all the time while others write. That no event comes behind it is looked at with
// every batch.
void progress_truth(const StorageSubject& given) {
  Subject subject(given);
  subject.needs_watch();
  std::mt19937_64 random(given.seed);
  const std::int64_t before = subject->status().revision;
  std::atomic<bool> done{false};
  std::string fault;
  std::thread writer([&] {
    try {
      write_some(subject, random, 800);
    } catch (const std::exception& wrong) {
      fault = wrong.what();
    }
    done = true;
  });
  try {
    StorageWatch watch(subject.client(), {.start = before + 1, .credit = 20});
    std::map<std::string, Kv> world;
    while (!done) {
      const std::int64_t least = subject->status(FLT_STATUS_LINEARIZABLE).revision;
      watch.ask_progress();
      replay(world, watch.until(least));
    }
    writer.join();
    expect(fault.empty(), fault);
    watch.ask_progress();
    replay(world, watch.until(subject->status(FLT_STATUS_LINEARIZABLE).revision));
    expect_same(world, subject.all(), "seed " + std::to_string(given.seed) + ", progress asked for often");
  } catch (...) {
    if (writer.joinable()) writer.join();
    throw;
  }
  subject.finish();
}

}  // namespace flotilla::conformance
