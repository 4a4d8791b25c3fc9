// SPDX-License-Identifier: Apache-2.0
// Ranges, compaction and limits.
#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include "sdk/conformance/storage_subject.hpp"

namespace flotilla::conformance {

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

// Pages are asked for one by one, at the revision of the first, while others write.
void range_pages_of_the_past(const StorageSubject& given) {
  Subject subject(given);
  for (int i = 0; i < 60; ++i) subject.put("k" + std::to_string(100 + i), "old");
  const Ranged first = subject->range({.key = "k", .limit = 7});
  expect_ok(first.answer, "the first page");
  for (int i = 0; i < 60; ++i) {
    const std::string key = "k" + std::to_string(100 + i);
    i % 3 == 0 ? subject.remove(key) : subject.put(key, "new");
  }
  std::vector<Kv> all = first.kvs;
  for (bool more = first.more; more;) {
    const Ranged page =
        subject->range({.key = all.back().key + '\0', .revision = first.revision, .limit = 7});
    expect_ok(page.answer, "a page in the past");
    all.insert(all.end(), page.kvs.begin(), page.kvs.end());
    more = page.more;
  }
  expect_equal(all.size(), 60u, "number of keys over all pages of the past");
  for (const Kv& kv : all)
    expect(kv.value == "old", kv.key + " is not as it was at the revision of the range");
  subject.finish();
}

void range_serializable(const StorageSubject& given) {
  Subject subject(given);
  subject.put("a", "1");
  const Ranged ranged = subject->range({.key = "a", .flags = FLT_RANGE_SERIALIZABLE});
  expect_ok(ranged.answer, "a serializable range");
  expect(ranged.kvs.size() <= 1 && ranged.revision >= 1, "a serializable range is no state of the store");
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

// What can be read stays the truth while the past is taken away under it.
void compact_under_load(const StorageSubject& given) {
  Subject subject(given);
  std::atomic<bool> done{false};
  std::string fault;
  std::thread compactor([&] {
    for (std::int64_t bound = 0; !done;) {
      const Stated stated = subject->status();
      if (!stated.answer.ok() || stated.revision - 20 <= bound) continue;
      bound = stated.revision - 20;
      const Answer answer = subject->compact(bound);
      if (!answer.ok()) fault = "compact failed: " + answer.message;
      if (subject->status().compacted < bound) fault = "status.compacted is behind an answered compact";
    }
  });
  std::map<std::string, std::string> model;
  std::string wrong;
  for (int i = 0; i < 600 && wrong.empty(); ++i) {
    const std::string key = "k" + std::to_string(i % 13);
    const Committed made = subject->commit(CommitSpec::put(key, std::to_string(i)));
    model[key] = std::to_string(i);
    const Ranged now = subject->range({.key = "k", .end = "l", .revision = i % 2 == 0 ? 0 : made.revision});
    if (!now.answer.ok() && now.answer.reason == "Compacted") continue;
    if (!made.answer.ok()) wrong = "a commit beside compaction failed: " + made.answer.message;
    if (!now.answer.ok()) wrong = "a range beside compaction failed: " + now.answer.message;
    if (now.kvs.size() != model.size()) wrong = "a range beside compaction has another number of keys";
    for (const Kv& kv : now.kvs)
      if (kv.value != model[kv.key]) wrong = kv.key + " is wrong beside compaction";
  }
  done = true;
  compactor.join();
  expect(wrong.empty(), wrong);
  expect(fault.empty(), fault);
  subject.finish();
}

// The largest that describe() promises is taken.
void limit_exact(const StorageSubject& given) {
  Subject subject(given);
  const auto caps = subject->describe();
  const std::string key(std::min<std::size_t>(caps.max_key_bytes, 1u << 16), 'k');
  const std::string value(caps.max_value_bytes, 'v');
  expect_ok(subject->commit(CommitSpec::put(key, value)).answer, "the largest key with the largest value");
  const Ranged read = subject->range({.key = key, .end = ""});
  expect(read.kvs.size() == 1 && read.kvs[0].value == value, "the largest value came back changed");
  CommitSpec spec;
  const std::uint64_t ops = std::min<std::uint64_t>(caps.max_ops_per_commit, 5000);
  for (std::uint64_t i = 0; i < ops; ++i) spec.ops.push_back({"op" + std::to_string(i), "v"});
  const std::uint64_t guards = std::min<std::uint64_t>(caps.max_guards, 5000);
  for (std::uint64_t i = 0; i < guards; ++i) spec.guards.push_back({"guard" + std::to_string(i), 0});
  const Committed made = subject->commit(spec);
  expect_ok(made.answer, "as many operations and guards as are promised");
  expect(made.succeeded, "a commit of many operations failed");
  expect_equal(subject->range({.key = "op", .end = "oq"}).kvs.size(), ops,
               "number of keys of a large commit");
  subject.finish();
}

// What is larger is refused with words, and the backend goes on.
void limit_beyond(const StorageSubject& given) {
  Subject subject(given);
  const auto caps = subject->describe();
  const std::int64_t before = subject->status().revision;
  const auto refused = [&](const CommitSpec& spec, const std::string& what) {
    expect_refused(subject->commit(spec).answer, FLT_INVALID_ARGUMENT, "", what);
  };
  refused(CommitSpec::put("a", std::string(caps.max_value_bytes + 1, 'v')), "a value that is too large");
  if (caps.max_key_bytes < 1u << 24)
    refused(CommitSpec::put(std::string(caps.max_key_bytes + 1, 'k'), "v"), "a key that is too long");
  CommitSpec spec;
  if (caps.max_ops_per_commit < 100'000) {
    for (std::uint64_t i = 0; i <= caps.max_ops_per_commit; ++i) spec.ops.push_back({std::to_string(i), "v"});
    refused(spec, "one operation more than promised");
  }
  if (caps.max_guards < 100'000) {
    spec = CommitSpec::put("a", "v");
    for (std::uint64_t i = 0; i <= caps.max_guards; ++i) spec.guards.push_back({std::to_string(i), 0});
    refused(spec, "one guard more than promised");
  }
  // Each value is allowed, all together may be too much; then it is refused like the others.
  spec = {};
  for (int i = 0; i < 3; ++i) spec.ops.push_back({std::to_string(i), std::string(caps.max_value_bytes, 'v')});
  const Answer together = subject->commit(spec).answer;
  expect(together.ok() || together.status == FLT_INVALID_ARGUMENT,
         "several large values in one commit ended with: " + together.message);
  if (!together.ok()) expect_equal(subject->status().revision, before, "revision after refused commits");
  subject.put("a", "still writable");
  subject.finish();
}

}  // namespace flotilla::conformance
