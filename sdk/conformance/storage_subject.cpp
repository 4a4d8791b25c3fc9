// SPDX-License-Identifier: Apache-2.0
#include "sdk/conformance/storage_subject.hpp"

namespace flotilla::conformance {

void expect(bool holds, const std::string& otherwise) {
  if (!holds) throw Violation(otherwise);
}

void expect_ok(const Answer& answer, const std::string& what) {
  if (!answer.ok()) throw Violation(what + " failed: " + answer.message);
}

void expect_refused(const Answer& answer, flt_status_t status, const std::string& reason,
                    const std::string& what) {
  expect(!answer.ok(), what + " was not refused");
  expect_equal(answer.status, status, "status of " + what + " (" + answer.message + ")");
  if (!reason.empty())
    expect(answer.reason == reason, what + " has reason '" + answer.reason + "', not " + reason);
}

Subject::Subject(const StorageSubject& subject)
    : client_(host_, *subject.component, subject.config_json, subject.state_dir) {
  expect(client_.instance().self() != nullptr, "create failed: " + client_.instance().created().message);
  expect_ok(client_.instance().start(), "start");
}

std::int64_t Subject::put(const std::string& key, const std::string& value) {
  const Committed made = client_.commit(CommitSpec::put(key, value));
  expect_ok(made.answer, "put " + key);
  expect(made.succeeded, "put " + key + " without guards did not succeed");
  return made.revision;
}

std::int64_t Subject::remove(const std::string& key) {
  const Committed made = client_.commit(CommitSpec::remove(key));
  expect_ok(made.answer, "delete " + key);
  return made.revision;
}

std::vector<Kv> Subject::all(std::int64_t revision) {
  const Ranged ranged = client_.range({.key = std::string(1, '\0'), .revision = revision});
  expect_ok(ranged.answer, "range of everything");
  return ranged.kvs;
}

void Subject::needs(std::uint64_t capability, const char* name) {
  if (has(capability)) return;
  finish();
  throw NotApplicable(std::string("the backend does not have ") + name);
}

void Subject::needs_own(const char* name) {
  if (!has(FLT_STORAGE_SHARED)) return;
  finish();
  throw NotApplicable(std::string("the backend has FLT_STORAGE_SHARED; ") + name);
}

void Subject::needs_watch() {
  if (client_.can_watch()) return;
  expect(!has(FLT_STORAGE_SHARED), "a shared backend must have watch and watch_progress");
  finish();
  throw NotApplicable("the backend has no watch, and need not: it has no other writers (FLT_STORAGE_SHARED)");
}

void Subject::finish() {
  expect_ok(client_.instance().stop(), "stop");
  for (const std::string& fault : host_.faults()) throw Violation(fault);
}

}  // namespace flotilla::conformance
