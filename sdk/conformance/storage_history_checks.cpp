// SPDX-License-Identifier: Apache-2.0
// Whole histories, against a model and against the order of time.
#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <thread>

#include "sdk/conformance/storage_history.hpp"
#include "sdk/conformance/storage_subject.hpp"

namespace flotilla::conformance {

void model_random(const StorageSubject& given) {
  Subject subject(given);
  std::mt19937_64 random(given.seed);
  const auto below = [&](std::uint64_t bound) { return random() % bound; };
  std::map<std::int64_t, std::map<std::string, Kv>> past;
  std::int64_t newest = subject->status().revision;
  std::int64_t compacted = newest;
  past[newest] = {};
  const auto same = [&](std::int64_t revision) {
    std::vector<Kv> wanted;
    for (const auto& [key, kv] : std::prev(past.upper_bound(revision))->second) wanted.push_back(kv);
    expect(subject.all(revision) == wanted, "seed " + std::to_string(given.seed) + ": revision " +
                                                std::to_string(revision) + " differs from the model");
  };
  const std::uint64_t max_ops = std::min<std::uint64_t>(subject->describe().max_ops_per_commit, 4);
  for (int step = 0; step < 400; ++step) {
    const auto& now = past.rbegin()->second;
    CommitSpec spec;
    bool holds = true;
    for (std::uint64_t n = 1 + below(max_ops), i = 0; i < n; ++i) {
      const std::string key = "k" + std::to_string(below(12));
      if (std::any_of(spec.ops.begin(), spec.ops.end(), [&](const auto& op) { return op.key == key; }))
        continue;
      const auto it = now.find(key);
      const std::int64_t is = it == now.end() ? 0 : it->second.mod_revision;
      const std::int64_t guess = below(4) == 0 ? is + 1 : is;
      if (below(2) == 0) spec.when(key, guess), holds = holds && guess == is;
      spec.ops.push_back({key, std::to_string(random()), below(3) == 0});
    }
    const Committed made = subject->commit(spec);
    expect_ok(made.answer, "commit of step " + std::to_string(step));
    expect_equal(made.succeeded, holds, "success of step " + std::to_string(step));
    if (!holds) continue;
    auto next = now;
    for (const auto& op : spec.ops) {
      const auto it = next.find(op.key);
      const std::int64_t created = it == next.end() ? made.revision : it->second.create_revision;
      if (op.remove) {
        next.erase(op.key);
      } else {
        next[op.key] = {op.key, op.value, created, made.revision};
      }
    }
    newest = made.revision;
    past[newest] = std::move(next);
    if (below(10) == 0) same(newest);
    if (below(10) == 0)
      same(compacted + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(newest - compacted + 1))));
    if (below(50) == 0) {
      compacted += static_cast<std::int64_t>(below(static_cast<std::uint64_t>(newest - compacted + 1)));
      expect_ok(subject->compact(compacted), "compact");
    }
  }
  same(newest);
  same(compacted);
  subject.finish();
}

// Clients read, write and compare-and-swap a few keys at once; where the backend is shared, through two
// instances.
void history_linear(const StorageSubject& given) {
  Subject subject(given);
  constexpr int kThreads = 8;
  constexpr int kEach = 150;
  std::optional<Subject> second;
  if (subject.has(FLT_STORAGE_SHARED)) second.emplace(given);
  StorageHistory history;
  const std::int64_t before = subject->status().revision;
  const auto work = [&](int number) {
    StorageClient& client = second && number % 2 == 1 ? second->client() : subject.client();
    std::mt19937_64 random(given.seed * 100 + static_cast<std::uint64_t>(number));
    for (int i = 0; i < kEach; ++i) {
      const std::string key = "k" + std::to_string(random() % 3);
      const std::string value = std::to_string(number) + "-" + std::to_string(i);
      if (random() % 3 == 0) {
        history.range(client, {.key = random() % 2 == 0 ? key : "k", .end = random() % 2 == 0 ? "k2" : "l"});
        continue;
      }
      const Ranged now = history.range(client, {.key = key, .end = ""});
      CommitSpec spec = random() % 4 == 0 ? CommitSpec::remove(key) : CommitSpec::put(key, value);
      if (random() % 4 != 0) spec.when(key, now.kvs.empty() ? 0 : now.kvs[0].mod_revision);
      if (random() % 3 == 0 && client.describe().max_ops_per_commit > 1)
        spec.ops.push_back({"kx" + key, value});
      expect_ok(history.commit(client, spec).answer, "commit");
    }
  };
  std::vector<std::thread> threads;
  std::vector<std::string> faults(kThreads);
  for (int number = 0; number < kThreads; ++number) {
    threads.emplace_back([&, number] {
      try {
        work(number);
      } catch (const std::exception& fault) {
        faults[static_cast<std::size_t>(number)] = fault.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& fault : faults) expect(fault.empty(), fault);
  std::vector<Event> events = history.expected_events();
  if (subject->can_watch()) {
    StorageWatch watch(subject.client(), {.start = before + 1});
    events = watch.until(subject->status(FLT_STATUS_LINEARIZABLE).revision);
  }
  const std::string fault = history.judge(events);
  expect(fault.empty(), "seed " + std::to_string(given.seed) + ": " + fault);
  if (second) second->finish();
  subject.finish();
}

}  // namespace flotilla::conformance
