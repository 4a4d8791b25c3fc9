// SPDX-License-Identifier: Apache-2.0
#include "sdk/conformance/storage_history.hpp"

#include <algorithm>
#include <set>

namespace flotilla::conformance {
namespace {

// The newest version not after `revision`; null: the key is absent then.
const Kv* at(const std::map<std::int64_t, Kv>& versions, std::int64_t revision) {
  auto it = versions.upper_bound(revision);
  if (it == versions.begin()) return nullptr;
  --it;
  return it->second.create_revision == 0 ? nullptr : &it->second;
}

std::string place(std::int64_t revision) {
  return " at revision " + std::to_string(revision);
}

}  // namespace

Committed StorageHistory::commit(StorageClient& client, const CommitSpec& spec) {
  Done done;
  done.commit = spec;
  done.begun = monotonic_ns();
  Committed made = client.commit(spec);
  done.ended = monotonic_ns();
  done.known = made.answer.ok();
  done.succeeded = made.succeeded;
  done.revision = made.revision;
  std::lock_guard lock(mutex_);
  done_.push_back(std::move(done));
  return made;
}

Ranged StorageHistory::range(StorageClient& client, const RangeSpec& spec) {
  Done done;
  done.is_range = true;
  done.range = spec;
  done.begun = monotonic_ns();
  Ranged ranged = client.range(spec);
  done.ended = monotonic_ns();
  done.known = ranged.answer.ok();
  done.revision = ranged.revision;
  done.seen = ranged.kvs;
  std::lock_guard lock(mutex_);
  done_.push_back(std::move(done));
  return ranged;
}

std::size_t StorageHistory::answered() const {
  std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count_if(done_.begin(), done_.end(), [](const Done& done) {
    return done.known && !done.is_range && done.succeeded;
  }));
}

std::vector<Event> StorageHistory::expected_events() const {
  std::lock_guard lock(mutex_);
  std::vector<const Done*> commits;
  for (const Done& done : done_)
    if (done.known && done.succeeded) commits.push_back(&done);
  std::sort(commits.begin(), commits.end(),
            [](const Done* a, const Done* b) { return a->revision < b->revision; });
  std::map<std::string, std::int64_t> created;
  std::vector<Event> events;
  for (const Done* done : commits) {
    for (const auto& op : done->commit.ops) {
      if (op.remove) {
        if (created.erase(op.key) != 0) events.push_back({true, {op.key, "", 0, done->revision}, {}});
      } else {
        const std::int64_t since = created.emplace(op.key, done->revision).first->second;
        events.push_back({false, {op.key, op.value, since, done->revision}, {}});
      }
    }
  }
  return events;
}

std::string StorageHistory::judge(const std::vector<Event>& events) const {
  std::lock_guard lock(mutex_);
  Versions versions;
  for (const Event& event : events) {
    Kv kv = event.kv;
    if (event.removed) kv.create_revision = 0;
    versions[kv.key][kv.mod_revision] = std::move(kv);
  }
  for (const auto& fault : {judge_commits(events), judge_answers(versions), judge_time()})
    if (!fault.empty()) return fault;
  return {};
}

// Every answered commit is in the events, and every put of the events is one that was asked for, once.
std::string StorageHistory::judge_commits(const std::vector<Event>& events) const {
  std::map<std::int64_t, std::vector<const Event*>> by_revision;
  std::set<std::pair<std::string, std::string>> told;
  for (const Event& event : events) {
    by_revision[event.kv.mod_revision].push_back(&event);
    if (!event.removed && !told.emplace(event.kv.key, event.kv.value).second)
      return event.kv.key + " was written twice with one value" + place(event.kv.mod_revision);
  }
  std::set<std::int64_t> revisions;
  std::set<std::pair<std::string, std::string>> asked;
  for (const Done& done : done_) {
    if (done.is_range) continue;
    for (const auto& op : done.commit.ops)
      if (!op.remove) asked.emplace(op.key, op.value);
    if (!done.known || !done.succeeded) continue;
    if (!revisions.insert(done.revision).second)
      return "two commits were answered with one revision" + place(done.revision);
    for (const auto& op : done.commit.ops) {
      const auto& made = by_revision[done.revision];
      const bool there = std::any_of(made.begin(), made.end(), [&](const Event* event) {
        return event->kv.key == op.key && event->removed == op.remove && event->kv.value == op.value;
      });
      if (!there && !op.remove)
        return "the answered put of " + op.key + " is not in the history" + place(done.revision);
    }
  }
  for (const auto& put : told)
    if (!asked.contains(put)) return "the history has a put of " + put.first + " that nobody asked for";
  return {};
}

bool StorageHistory::holds(const Versions& versions, const CommitSpec& spec, std::int64_t revision) {
  return std::all_of(spec.guards.begin(), spec.guards.end(), [&](const CommitSpec::Guard& guard) {
    const auto it = versions.find(guard.key);
    const Kv* kv = it == versions.end() ? nullptr : at(it->second, revision);
    return (kv == nullptr ? 0 : kv->mod_revision) == guard.mod_revision;
  });
}

std::string StorageHistory::judge_answers(const Versions& versions) const {
  for (const Done& done : done_) {
    if (!done.known) continue;
    if (done.is_range) {
      std::vector<Kv> wanted;
      for (const auto& [key, kvs] : versions) {
        if (key < done.range.key || (done.range.end.empty() ? key != done.range.key : key >= done.range.end))
          continue;
        if (const Kv* kv = at(kvs, done.revision)) wanted.push_back(*kv);
      }
      if (wanted != done.seen) return "a range is not the state" + place(done.revision);
    } else if (done.succeeded !=
               holds(versions, done.commit, done.succeeded ? done.revision - 1 : done.revision)) {
      return std::string("a commit ") + (done.succeeded ? "succeeded against" : "was refused in spite of") +
             " its guards" + place(done.revision);
    }
  }
  return {};
}

std::string StorageHistory::judge_time() const {
  std::vector<const Done*> by_begin;
  std::vector<const Done*> by_end;
  for (const Done& done : done_) {
    if (!done.known) continue;
    by_begin.push_back(&done);
    by_end.push_back(&done);
  }
  std::sort(by_begin.begin(), by_begin.end(),
            [](const Done* a, const Done* b) { return a->begun < b->begun; });
  std::sort(by_end.begin(), by_end.end(), [](const Done* a, const Done* b) { return a->ended < b->ended; });
  std::int64_t newest = 0;  // of all that had ended
  auto ended = by_end.begin();
  for (const Done* done : by_begin) {
    for (; ended != by_end.end() && (*ended)->ended < done->begun; ++ended)
      newest = std::max(newest, (*ended)->revision);
    const bool writes = !done->is_range && done->succeeded;
    if (writes ? done->revision <= newest : done->revision < newest) {
      return std::string(writes ? "a commit" : "an answer") + place(done->revision) +
             " began after one at revision " + std::to_string(newest) + " had ended";
    }
  }
  return {};
}

}  // namespace flotilla::conformance
