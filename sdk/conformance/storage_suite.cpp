// SPDX-License-Identifier: Apache-2.0
#include "sdk/conformance/storage_suite.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <random>
#include <stdexcept>
#include <thread>

#include "sdk/conformance/storage_client.hpp"

namespace flotilla::conformance {
namespace {

struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void expect(bool holds, const std::string& otherwise) {
  if (!holds) throw Violation(otherwise);
}

template <typename A, typename B>
void expect_equal(const A& found, const B& wanted, const std::string& what) {
  if (found == wanted) return;
  if constexpr (std::is_arithmetic_v<A> && std::is_arithmetic_v<B>) {
    throw Violation(what + " is " + std::to_string(found) + ", not " + std::to_string(wanted));
  } else {
    throw Violation(what + " differs");
  }
}

void expect_ok(const Answer& answer, const std::string& what) {
  if (!answer.ok()) throw Violation(what + " failed: " + answer.message);
}

void expect_refused(const Answer& answer, flt_status_t status, const std::string& reason,
                    const std::string& what) {
  expect(!answer.ok(), what + " was not refused");
  expect_equal(answer.status, status, "status of " + what);
  if (!reason.empty())
    expect(answer.reason == reason, what + " has reason '" + answer.reason + "', not " + reason);
}

// A started backend; faults noted by the host are violations too.
class Subject {
 public:
  explicit Subject(const StorageSubject& subject)
      : client_(host_, *subject.component, subject.config_json, subject.state_dir) {
    expect(client_.instance().self() != nullptr, "create failed: " + client_.instance().created().message);
    expect_ok(client_.instance().start(), "start");
  }
  StorageClient* operator->() { return &client_; }
  StorageClient& client() { return client_; }
  std::int64_t put(const std::string& key, const std::string& value) {
    const Committed made = client_.commit(CommitSpec::put(key, value));
    expect_ok(made.answer, "put " + key);
    expect(made.succeeded, "put " + key + " without guards did not succeed");
    return made.revision;
  }
  std::vector<Kv> all(std::int64_t revision = 0) {
    const Ranged ranged = client_.range({.key = std::string(1, '\0'), .revision = revision});
    expect_ok(ranged.answer, "range of everything");
    return ranged.kvs;
  }
  bool has(std::uint64_t capability) { return (client_.describe().flags & capability) != 0; }
  void finish() {
    expect_ok(client_.instance().stop(), "stop");
    for (const std::string& fault : host_.faults()) throw Violation(fault);
  }
  TestHost& host() { return host_; }

 private:
  TestHost host_;
  StorageClient client_;
};

void caps_limits(const StorageSubject& given) {
  Subject subject(given);
  const auto caps = subject->describe();
  expect(caps.max_ops_per_commit >= 1 && caps.max_guards >= 1,
         "at least one operation and guard are promised");
  expect(caps.max_key_bytes >= 512 && caps.max_value_bytes >= 1'500'000,
         "keys of 512 bytes and values of 1.5 MB must fit");
  // A host with a shorter struct gets no byte more than it has.
  std::array<unsigned char, sizeof(flt_storage_capabilities_t) + 8> memory;
  memory.fill(0xa5);
  flt_storage_capabilities_t small{};
  small.struct_size = offsetof(flt_storage_capabilities_t, max_guards);
  std::memcpy(memory.data(), &small, small.struct_size);
  subject->ops().describe(subject->instance().self(),
                          reinterpret_cast<flt_storage_capabilities_t*>(memory.data()));
  expect(std::all_of(memory.begin() + small.struct_size, memory.end(),
                     [](unsigned char byte) { return byte == 0xa5; }),
         "describe wrote beyond struct_size");
  subject.finish();
}

void status_fresh(const StorageSubject& given) {
  Subject subject(given);
  const Stated before = subject->status();
  expect_ok(before.answer, "status");
  expect(before.revision >= 1 && before.compacted <= before.revision && !before.read_only,
         "a fresh store is writable and at revision 1 or later");
  const std::int64_t made = subject.put("a", "1");
  expect_equal(subject->status().revision, made, "status.revision after a commit");
  subject.finish();
}

void commit_revision(const StorageSubject& given) {
  Subject subject(given);
  std::int64_t last = subject->status().revision;
  for (int i = 0; i < 20; ++i) {
    const std::int64_t made = subject.put("k" + std::to_string(i % 5), std::to_string(i));
    expect(subject.has(FLT_STORAGE_SHARED) ? made > last : made == last + 1,
           "a commit makes the next revision");
    last = made;
  }
  const Committed removed = subject->commit(CommitSpec::remove("not there"));
  expect(removed.succeeded && removed.revision > last, "deleting an absent key is a commit like any other");
  subject.finish();
}

void commit_guard(const StorageSubject& given) {
  Subject subject(given);
  const std::int64_t first = subject.put("a", "1");
  const auto refused = [&](CommitSpec spec, const std::string& what) {
    const Committed made = subject->commit(spec);
    expect_ok(made.answer, what);
    expect(!made.succeeded, what + " succeeded");
    expect_equal(made.revision, first, "revision answered by a failed guard");
    expect_equal(subject->status().revision, first, "revision after a failed guard");
  };
  refused(CommitSpec::put("a", "2").when("a", 0), "put when absent of a present key");
  refused(CommitSpec::put("a", "2").when("a", first + 7), "put with another revision");
  refused(CommitSpec::put("b", "2").when("a", first).when("b", first), "put with one of two guards failing");
  refused(CommitSpec::remove("a").when("a", 0), "delete with a failing guard");
  expect_equal(subject.all().size(), 1u, "number of keys after failed guards");
  expect(subject->commit(CommitSpec::put("a", "2").when("a", first).when("b", 0)).succeeded,
         "matching guards failed");
  expect(!subject->commit(CommitSpec::put("a", "3").when("a", first)).succeeded, "a stale guard held");
  subject.finish();
}

void commit_expect(const StorageSubject& given) {
  Subject subject(given);
  if (subject.has(FLT_STORAGE_SHARED)) return subject.finish();
  const std::int64_t first = subject.put("a", "1");
  expect(!subject->commit(CommitSpec::put("a", "2").expecting(first)).succeeded,
         "an old expected revision was taken");
  expect(!subject->commit(CommitSpec::put("a", "2").expecting(first + 2)).succeeded,
         "a future expected revision was taken");
  const Committed made = subject->commit(CommitSpec::put("a", "2").expecting(first + 1));
  expect(made.succeeded && made.revision == first + 1, "the right expected revision was refused");
  subject.finish();
}

void commit_atomic(const StorageSubject& given) {
  Subject subject(given);
  if (subject->describe().max_ops_per_commit < 3) return subject.finish();
  subject.put("b", "old");
  CommitSpec spec;
  spec.ops = {{"a", "1"}, {"b", "", true}, {"c", "3"}};
  const Committed made = subject->commit(spec);
  expect(made.succeeded, "three operations failed");
  const std::vector<Kv> wanted = {{"a", "1", made.revision, made.revision},
                                  {"c", "3", made.revision, made.revision}};
  expect(subject.all() == wanted, "three operations of one commit are not seen together at one revision");
  spec.ops = {{"a", "9"}, {"d", "9"}};
  spec.guards = {{"c", 1}};
  expect(!subject->commit(spec).succeeded && subject.all() == wanted, "a failed commit left traces");
  subject.finish();
}

void commit_invalid(const StorageSubject& given) {
  Subject subject(given);
  const std::int64_t before = subject->status().revision;
  CommitSpec spec;
  expect_refused(subject->commit(spec).answer, FLT_INVALID_ARGUMENT, "", "a commit without operations");
  spec.ops = {{"a", "1"}, {"b", "2"}, {"a", "3"}};
  expect_refused(subject->commit(spec).answer, FLT_INVALID_ARGUMENT, "", "a commit with a key twice");
  expect_refused(subject->commit(CommitSpec::put("", "1")).answer, FLT_INVALID_ARGUMENT, "", "an empty key");
  expect_refused(
      subject->commit(CommitSpec::put("a", std::string(subject->describe().max_value_bytes + 1, 'x'))).answer,
      FLT_INVALID_ARGUMENT, "", "a value beyond the limit");
  expect_equal(subject->status().revision, before, "revision after refused commits");
  subject.put("a", "still writable");
  subject.finish();
}

void commit_return(const StorageSubject& given) {
  Subject subject(given);
  const std::int64_t first = subject.put("a", "1");
  CommitSpec spec = CommitSpec::put("a", "2").when("a", 0).when("b", 0);
  spec.flags = FLT_COMMIT_RETURN_CURRENT | FLT_COMMIT_RETURN_PREVIOUS;
  expect(subject->commit(spec).kvs == std::vector<Kv>{{"a", "1", first, first}},
         "a failed guard does not show the current value");
  spec.guards = {{"a", first}};
  expect(subject->commit(spec).kvs == std::vector<Kv>{{"a", "1", first, first}},
         "success does not show the previous value");
  spec.guards.clear();
  spec.flags = 0;
  expect(subject->commit(spec).kvs.empty(), "values were shown that nobody asked for");
  subject.finish();
}

void commit_create_revision(const StorageSubject& given) {
  Subject subject(given);
  const std::int64_t made = subject.put("a", "1");
  const std::int64_t changed = subject.put("a", "2");
  expect(subject.all() == std::vector<Kv>{{"a", "2", made, changed}}, "an update changes mod_revision alone");
  expect(subject->commit(CommitSpec::remove("a")).succeeded, "delete failed");
  const std::int64_t again = subject.put("a", "3");
  expect(subject.all() == std::vector<Kv>{{"a", "3", again, again}},
         "a key made again has a new create_revision");
  subject.finish();
}

void commit_order(const StorageSubject& given) {
  Subject subject(given);
  std::vector<TestHost::Pending> pending;
  std::int64_t expected = subject->status().revision;
  const bool shared = subject.has(FLT_STORAGE_SHARED);
  for (int i = 0; i < 2000; ++i) {
    CommitSpec spec = CommitSpec::put("key" + std::to_string(i % 7), std::to_string(i));
    if (!shared) spec.expecting(expected + 1 + i);
    pending.push_back(subject->begin(spec));
  }
  for (auto& one : pending) {
    const Committed made = StorageClient::committed(one.wait());
    expect_ok(made.answer, "one of many commits");
    expect(made.succeeded && made.revision > expected, "commits are not in the order of their calls");
    expected = made.revision;
  }
  for (const Kv& kv : subject.all())
    expect(std::stoi(kv.value) >= 2000 - 7, "a later commit was overwritten by an earlier one");
  subject.finish();
}

void range_order(const StorageSubject& given) {
  Subject subject(given);
  const std::vector<std::string> keys = {
      std::string("a\0b", 3), "a", "a/b", "a-b", "a\xc3\xa4", "\x7f", "b", "\xfe", "A"};
  for (const std::string& key : keys) subject.put(key, "v" + key);
  std::vector<std::string> sorted = keys;
  std::sort(sorted.begin(), sorted.end(), [](const std::string& a, const std::string& b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
      return static_cast<unsigned char>(x) < static_cast<unsigned char>(y);
    });
  });
  const std::vector<Kv> all = subject.all();
  expect_equal(all.size(), sorted.size(), "number of keys");
  for (std::size_t i = 0; i < all.size(); ++i)
    expect(all[i].key == sorted[i] && all[i].value == "v" + sorted[i], "keys are not in bytewise order");
  expect_equal(subject->range({.key = "a", .end = ""}).kvs.size(), 1u, "range of one key");
  expect_equal(subject->range({.key = "a", .end = "b"}).kvs.size(), 5u, "range [a, b)");
  expect_equal(subject->range({.key = "x", .end = "c"}).kvs.size(), 0u,
               "range whose end is before its start");
  subject.finish();
}

void range_limit(const StorageSubject& given) {
  Subject subject(given);
  for (int i = 100; i < 125; ++i) subject.put(std::to_string(i), "v");
  std::string from = "1";
  std::size_t seen = 0;
  for (bool more = true; more;) {
    const Ranged page = subject->range({.key = from, .limit = 10});
    expect_ok(page.answer, "a page");
    expect(page.kvs.size() <= 10, "a page is larger than its limit");
    seen += page.kvs.size();
    more = page.more;
    expect(!more || page.kvs.size() == 10, "a page with more behind it is not full");
    from = page.kvs.back().key + '\0';
  }
  expect_equal(seen, 25u, "number of keys over all pages");
  expect(!subject->range({.key = "1", .limit = 25}).more, "more is said where nothing follows");
  const Ranged counted =
      subject->range({.key = "1", .limit = 3, .flags = FLT_RANGE_COUNT | FLT_RANGE_KEYS_ONLY});
  expect_equal(counted.count, 25u, "count beside a limit");
  expect(counted.kvs.size() == 3 && counted.kvs[0].value.empty(), "KEYS_ONLY brings keys alone");
  subject.finish();
}

void range_past(const StorageSubject& given) {
  Subject subject(given);
  const std::int64_t first = subject.put("a", "1");
  const std::int64_t second = subject.put("b", "1");
  const std::int64_t third = subject.put("a", "2");
  const Committed removed = subject->commit(CommitSpec::remove("b"));
  expect(subject.all(first) == std::vector<Kv>{{"a", "1", first, first}}, "the world at the first commit");
  expect(subject.all(second) == std::vector<Kv>{{"a", "1", first, first}, {"b", "1", second, second}},
         "the world at the second commit");
  expect(subject.all(third) == std::vector<Kv>{{"a", "2", first, third}, {"b", "1", second, second}},
         "the world at the third commit");
  expect(subject.all(removed.revision) == std::vector<Kv>{{"a", "2", first, third}},
         "the world after the delete");
  expect_equal(subject->range({.key = "a", .revision = second}).revision, second,
               "revision of a range in the past");
  expect_refused(subject->range({.key = "a", .revision = removed.revision + 1}).answer, FLT_OUT_OF_RANGE,
                 "FutureRevision", "a range in the future");
  subject.finish();
}

void compact_bound(const StorageSubject& given) {
  Subject subject(given);
  const std::int64_t first = subject.put("a", "1");
  const std::int64_t second = subject.put("a", "2");
  const std::int64_t third = subject.put("b", "1");
  expect_ok(subject->compact(second), "compact");
  expect_equal(subject->status().compacted, second, "status.compacted");
  expect_refused(subject->range({.key = "a", .revision = first}).answer, FLT_OUT_OF_RANGE, "Compacted",
                 "a range behind compaction");
  expect(subject.all(second) == std::vector<Kv>{{"a", "2", first, second}}, "a range at the bound must work");
  expect_equal(subject.all(third).size(), 2u, "number of live keys after compaction");
  expect_ok(subject->compact(first), "compact again at an older revision");
  expect_equal(subject->status().compacted, second, "status.compacted, which never falls");
  expect_refused(subject->compact(third + 10), FLT_OUT_OF_RANGE, "FutureRevision",
                 "compaction in the future");
  subject.finish();
}

void value_large(const StorageSubject& given) {
  Subject subject(given);
  std::string large(1'400'000, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 31 >> 3);
  subject.put("large", large);
  subject.put("empty", "");
  const std::vector<Kv> all = subject.all();
  expect(all.size() == 2 && all[0].value.empty() && all[1].value == large,
         "a large or empty value came back changed");
  subject.finish();
}

void durable_restart(const StorageSubject& given) {
  std::vector<Kv> before;
  std::int64_t revision = 0;
  {
    Subject subject(given);
    if (!subject.has(FLT_STORAGE_DURABLE)) return subject.finish();
    for (int i = 0; i < 50; ++i) revision = subject.put("k" + std::to_string(i), std::string(200, 'v'));
    before = subject.all();
    subject.finish();
  }
  Subject subject(given);
  expect(subject.all() == before, "something else is there after a restart");
  expect_equal(subject->status().revision, revision, "revision after a restart");
  expect(subject.put("more", "1") > revision, "revisions went back after a restart");
  subject.finish();
}

void durable_alone(const StorageSubject& given) {
  Subject subject(given);
  if (!subject.has(FLT_STORAGE_DURABLE) || subject.has(FLT_STORAGE_SHARED)) return subject.finish();
  subject.put("a", "1");
  TestHost other_host;
  StorageClient other(other_host, *given.component, given.config_json, given.state_dir);
  expect_refused(other.instance().start(), FLT_FAILED_PRECONDITION, "",
                 "a second instance on the same state");
  subject.put("a", "2");
  subject.finish();
}

// Many writers increase one counter each by compare-and-swap: no increment is lost and none counts twice.
void commit_linear(const StorageSubject& given) {
  Subject subject(given);
  constexpr int kThreads = 6;
  constexpr int kEach = 100;
  std::vector<std::thread> threads;
  std::vector<std::string> faults(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      try {
        for (int done = 0; done < kEach;) {
          const Ranged now = subject->range({.key = "counter", .end = ""});
          expect_ok(now.answer, "range");
          const int value = now.kvs.empty() ? 0 : std::stoi(now.kvs[0].value);
          const Committed made =
              subject->commit(CommitSpec::put("counter", std::to_string(value + 1))
                                  .when("counter", now.kvs.empty() ? 0 : now.kvs[0].mod_revision));
          expect_ok(made.answer, "compare-and-swap");
          if (!made.succeeded) continue;
          ++done;
          // What was answered is seen at once.
          const Ranged after = subject->range({.key = "counter", .end = ""});
          expect(after.kvs.at(0).mod_revision >= made.revision,
                 "an answered commit is not seen by a later range");
        }
      } catch (const std::exception& fault) {
        faults[static_cast<std::size_t>(t)] = fault.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& fault : faults) expect(fault.empty(), fault);
  expect(subject.all().at(0).value == std::to_string(kThreads * kEach),
         "increments were lost or counted twice");
  subject.finish();
}

// Random commits and ranges against a map with all its past.
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

constexpr StorageCheck kChecks[] = {
    {"STO-CAPS", "describe promises sane limits and respects struct_size", caps_limits},
    {"STO-STATUS", "status shows the newest revision", status_fresh},
    {"STO-COMMIT-REVISION", "every commit makes one new revision", commit_revision},
    {"STO-COMMIT-GUARD", "a commit happens iff all its guards hold", commit_guard},
    {"STO-COMMIT-EXPECT", "expect_revision is a guard on the revision itself", commit_expect},
    {"STO-COMMIT-ATOMIC", "the operations of a commit are seen together or never", commit_atomic},
    {"STO-COMMIT-INVALID", "what breaks the limits is refused and changes nothing", commit_invalid},
    {"STO-COMMIT-RETURN", "current and previous values are answered where asked for", commit_return},
    {"STO-COMMIT-CREATE", "create_revision is of the commit that made the key", commit_create_revision},
    {"STO-COMMIT-ORDER", "commits take effect in the order of their calls", commit_order},
    {"STO-COMMIT-LINEAR", "concurrent compare-and-swap loses and repeats nothing", commit_linear},
    {"STO-RANGE-ORDER", "keys are ordered bytewise", range_order},
    {"STO-RANGE-LIMIT", "pages, counts and keys alone", range_limit},
    {"STO-RANGE-PAST", "a range shows the world at its revision", range_past},
    {"STO-COMPACT", "compaction forgets the past and nothing else", compact_bound},
    {"STO-VALUE", "large and empty values come back as they were", value_large},
    {"STO-MODEL", "random histories agree with a model", model_random},
    {"STO-STOP", "stop completes every call exactly once", stop_under_load},
    {"STO-DURABLE-RESTART", "a durable backend has everything after a restart", durable_restart},
    {"STO-DURABLE-ALONE", "a backend that is not shared refuses a second user", durable_alone},
};

}  // namespace

std::span<const StorageCheck> storage_checks() {
  return kChecks;
}

std::string run_check(const StorageCheck& check, const StorageSubject& subject) {
  try {
    check.run(subject);
    return {};
  } catch (const std::exception& fault) {
    return std::string(check.id) + ": " + check.rule + ": " + fault.what();
  }
}

}  // namespace flotilla::conformance
