// SPDX-License-Identifier: Apache-2.0
// Start, stop, restart, cancellation, time to live.
#include <chrono>
#include <optional>
#include <thread>

#include "sdk/conformance/storage_subject.hpp"
#include "sdk/conformance/storage_watch.hpp"

namespace flotilla::conformance {

void durable_restart(const StorageSubject& given) {
  std::vector<Kv> before;
  std::int64_t revision = 0;
  {
    Subject subject(given);
    subject.needs(FLT_STORAGE_DURABLE, "FLT_STORAGE_DURABLE");
    for (int i = 0; i < 50; ++i) revision = subject.put("k" + std::to_string(i), std::string(200, 'v'));
    before = subject.all();
    subject.finish();
  }
  Subject subject(given);
  expect(subject.all() == before, "something else is there after a restart");
  expect(subject.has(FLT_STORAGE_SHARED) ? subject->status().revision >= revision
                                         : subject->status().revision == revision,
         "the revision after a restart is another one");
  expect(subject.put("more", "1") > revision, "revisions went back after a restart");
  subject.finish();
}

void durable_alone(const StorageSubject& given) {
  Subject subject(given);
  subject.needs(FLT_STORAGE_DURABLE, "FLT_STORAGE_DURABLE");
  subject.needs_own("any number of instances may use it");
  subject.put("a", "1");
  TestHost other_host;
  StorageClient other(other_host, *given.component, given.config_json, given.state_dir);
  expect_refused(other.instance().start(), FLT_FAILED_PRECONDITION, "",
                 "a second instance on the same state");
  subject.put("a", "2");
  subject.finish();
}

void stop_under_load(const StorageSubject& given) {
  Subject subject(given);
  std::vector<TestHost::Pending> pending;
  for (int i = 0; i < 500; ++i)
    pending.push_back(subject->begin(CommitSpec::put("k" + std::to_string(i), "v")));
  expect_ok(subject->instance().stop(), "stop");
  for (auto& one : pending) {
    const Answer answer = one.wait();
    expect(answer.ok() || answer.status == FLT_UNAVAILABLE || answer.status == FLT_CANCELLED,
           "a commit during stop ended oddly: " + answer.message);
  }
  subject.finish();
}

void stop_refuses(const StorageSubject& given) {
  Subject subject(given);
  subject.put("a", "1");
  expect_ok(subject->instance().stop(), "stop");
  const Answer late = subject->commit(CommitSpec::put("a", "2")).answer;
  expect(late.ok() || late.status == FLT_UNAVAILABLE, "a commit after stop ended with: " + late.message);
  subject.finish();
}

// Nobody waits any more, but every call is completed once, and what it says is true.
void cancel_completes(const StorageSubject& given) {
  Subject subject(given);
  std::vector<TestHost::Pending> pending;
  for (int i = 0; i < 300; ++i) {
    pending.push_back(subject->begin(CommitSpec::put("k" + std::to_string(i), "v")));
    if (i % 2 == 0) pending.back().cancel();
  }
  for (std::size_t i = 0; i < pending.size(); ++i) {
    const Committed made = StorageClient::committed(pending[i].wait());
    if (made.answer.status == FLT_CANCELLED) continue;
    expect_ok(made.answer, "a commit");
    expect(made.succeeded && subject->range({.key = "k" + std::to_string(i), .end = ""}).kvs.size() == 1,
           "a commit was answered and is not there");
  }
  subject.finish();
}

// ---- time to live ----

namespace {
constexpr std::int64_t kTtl = 2000;  // ms
}  // namespace

void ttl_ends(const StorageSubject& given) {
  Subject subject(given);
  subject.needs(FLT_STORAGE_TTL, "FLT_STORAGE_TTL");
  std::optional<StorageWatch> watch;
  if (subject->can_watch())
    watch.emplace(subject.client(), WatchSpec{.start = subject->status().revision + 1});
  const std::int64_t begun = monotonic_ns();
  CommitSpec spec = CommitSpec::put("short", "1");
  spec.ops[0].ttl_ms = kTtl;
  spec.ops.push_back({"long", "1"});
  expect_ok(subject->commit(spec).answer, "put with a time to live");
  const auto there = [&] { return subject->range({.key = "short", .end = ""}).kvs.size() == 1; };
  expect(there(), "a key with a time to live is not there");
  std::int64_t gone = 0;
  for (gone = monotonic_ns(); there(); gone = monotonic_ns()) {
    expect(gone - begun < (kTtl + 30'000) * 1'000'000, "a key outlives its time by more than 30 s");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  expect(gone - begun >= kTtl * 1'000'000, "a key went before its time");
  expect_equal(subject.all().size(), 1u, "number of keys that live for ever");
  if (watch) {
    const std::vector<Event> events = watch->until(subject->status(FLT_STATUS_LINEARIZABLE).revision);
    expect(events.size() == 3 && events[2].removed && events[2].kv.key == "short",
           "a watch does not show the end of a key's time as a deletion");
  }
  watch.reset();
  subject.finish();
}

void ttl_lifted(const StorageSubject& given) {
  Subject subject(given);
  subject.needs(FLT_STORAGE_TTL, "FLT_STORAGE_TTL");
  CommitSpec spec = CommitSpec::put("stays", "1");
  spec.ops[0].ttl_ms = kTtl;
  spec.ops.push_back({"goes", "1", false, kTtl});
  spec.ops.push_back({"longer", "1", false, kTtl});
  expect_ok(subject->commit(spec).answer, "put with a time to live");
  subject.put("stays", "2");
  spec = CommitSpec::put("longer", "2");
  spec.ops[0].ttl_ms = 600'000;
  expect_ok(subject->commit(spec).answer, "put with a longer time to live");
  const std::int64_t begun = monotonic_ns();
  while (subject.all().size() == 3) {
    expect(monotonic_ns() - begun < (kTtl + 30'000) * 1'000'000, "a key outlives its time by more than 30 s");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  const std::vector<Kv> left = subject.all();
  expect(left.size() == 2 && left[0].key == "longer" && left[1].key == "stays",
         "writing a key anew does not change its time to live");
  subject.finish();
}

void ttl_refused(const StorageSubject& given) {
  Subject subject(given);
  CommitSpec spec = CommitSpec::put("a", "1");
  spec.ops[0].ttl_ms = subject.has(FLT_STORAGE_TTL) ? -1 : 1000;
  const Answer answer = subject->commit(spec).answer;
  expect(answer.status == FLT_UNIMPLEMENTED || answer.status == FLT_INVALID_ARGUMENT,
         "a time to live that cannot be was not refused");
  expect(subject.all().empty(), "a refused commit left traces");
  subject.finish();
}

// The history that a watch resumes with is as durable as the state.
void durable_watch(const StorageSubject& given) {
  std::int64_t first = 0;
  std::int64_t last = 0;
  {
    Subject subject(given);
    subject.needs(FLT_STORAGE_DURABLE, "FLT_STORAGE_DURABLE");
    subject.needs_watch();
    for (int i = 0; i < 40; ++i) {
      last = i % 5 == 4 ? subject.remove("k" + std::to_string(i - 1))
                        : subject.put("k" + std::to_string(i), "v");
      if (i == 0) first = last;
    }
    subject.finish();
  }
  Subject subject(given);
  std::vector<Event> events;
  {
    StorageWatch watch(subject.client(), {.start = first});
    last = subject.put("more", "1");
    events = watch.until(last);
  }
  expect_equal(events.size(), 41u, "number of events over a restart");
  expect(events.front().kv.mod_revision == first && events.back().kv.key == "more",
         "the events over a restart are not the history");
  subject.finish();
}

// Two instances on the same storage are two daemons: each sees what the other was answered.
void shared_writers(const StorageSubject& given) {
  Subject subject(given);
  subject.needs(FLT_STORAGE_SHARED, "FLT_STORAGE_SHARED");
  Subject other(given);
  {
    StorageWatch watch(other.client(), {.start = subject->status().revision + 1});
    std::int64_t last = 0;
    for (int i = 0; i < 100; ++i) {
      Subject& writer = i % 2 == 0 ? subject : other;
      Subject& reader = i % 2 == 0 ? other : subject;
      last = writer.put("k", std::to_string(i));
      const std::vector<Kv> seen = reader.all();
      expect(seen.size() == 1 && seen[0].value == std::to_string(i) && seen[0].mod_revision == last,
             "a write of one instance is not seen by the other");
      expect(!reader->commit(CommitSpec::put("k", "stale").when("k", last - 1)).succeeded,
             "a guard does not see the write of another instance");
    }
    expect_equal(watch.until(last).size(), 100u, "number of events of two writers");
  }
  other.finish();
  subject.finish();
}

}  // namespace flotilla::conformance
