// SPDX-License-Identifier: Apache-2.0
// Capabilities, status and commits.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <thread>

#include "sdk/conformance/storage_subject.hpp"

namespace flotilla::conformance {

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

void status_linearizable(const StorageSubject& given) {
  Subject subject(given);
  for (int i = 0; i < 20; ++i) {
    const std::int64_t made = subject.put("k", std::to_string(i));
    const Stated stated = subject->status(FLT_STATUS_LINEARIZABLE);
    expect_ok(stated.answer, "linearizable status");
    expect(stated.revision >= made, "a linearizable status does not know an answered commit");
  }
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
  subject.needs_own("expect_revision is not for it");
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
  if (subject->describe().max_ops_per_commit < 3) {
    subject.finish();
    throw NotApplicable("the backend's max_ops_per_commit is below 3");
  }
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

// All of them, or with other writers around those of one key.
void commit_order(const StorageSubject& given) {
  Subject subject(given);
  constexpr int kCommits = 2000;
  constexpr int kKeys = 7;
  const bool shared = subject.has(FLT_STORAGE_SHARED);
  const std::int64_t before = subject->status().revision;
  std::vector<TestHost::Pending> pending;
  for (int i = 0; i < kCommits; ++i) {
    CommitSpec spec = CommitSpec::put("key" + std::to_string(i % kKeys), std::to_string(i));
    if (!shared) spec.expecting(before + 1 + i);
    pending.push_back(subject->begin(spec));
  }
  std::vector<std::int64_t> last(shared ? kKeys : 1, before);
  for (int i = 0; i < kCommits; ++i) {
    const Committed made = StorageClient::committed(pending[static_cast<std::size_t>(i)].wait());
    expect_ok(made.answer, "one of many commits");
    std::int64_t& earlier = last[static_cast<std::size_t>(i) % last.size()];
    expect(made.succeeded && made.revision > earlier, "commits are not in the order of their calls");
    earlier = made.revision;
  }
  for (const Kv& kv : subject.all())
    expect(std::stoi(kv.value) >= kCommits - kKeys, "a later commit was overwritten by an earlier one");
  subject.finish();
}

// Many writers increase one counter each by compare-and-swap: no increment is lost and none counts twice.
void commit_counter(const StorageSubject& given) {
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

}  // namespace flotilla::conformance
