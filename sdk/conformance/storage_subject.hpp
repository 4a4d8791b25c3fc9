// SPDX-License-Identifier: Apache-2.0
// What the checks of storage backends are written with.
#pragma once

#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "sdk/conformance/storage_client.hpp"
#include "sdk/conformance/storage_suite.hpp"

namespace flotilla::conformance {

struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// The rule says nothing to a backend of these capabilities.
struct NotApplicable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void expect(bool holds, const std::string& otherwise);
void expect_ok(const Answer& answer, const std::string& what);
void expect_refused(const Answer& answer, flt_status_t status, const std::string& reason,
                    const std::string& what);

template <typename A, typename B>
void expect_equal(const A& found, const B& wanted, const std::string& what) {
  if (found == wanted) return;
  if constexpr (std::is_arithmetic_v<A> && std::is_arithmetic_v<B>) {
    throw Violation(what + " is " + std::to_string(found) + ", not " + std::to_string(wanted));
  } else {
    throw Violation(what + " differs");
  }
}

// A started backend; faults noted by the host are violations too.
class Subject {
 public:
  explicit Subject(const StorageSubject& subject);
  StorageClient* operator->() { return &client_; }
  StorageClient& client() { return client_; }
  TestHost& host() { return host_; }

  std::int64_t put(const std::string& key, const std::string& value);
  std::int64_t remove(const std::string& key);
  std::vector<Kv> all(std::int64_t revision = 0);
  bool has(std::uint64_t capability) { return (client_.describe().flags & capability) != 0; }
  // Leave the check when the backend has, or lacks, these.
  void needs(std::uint64_t capability, const char* name);
  void needs_own(const char* name);
  void needs_watch();
  void finish();

 private:
  TestHost host_;
  StorageClient client_;
};

// One per rule, in files by theme; storage_suite.cpp has the table.
void caps_limits(const StorageSubject& given);
void status_fresh(const StorageSubject& given);
void status_linearizable(const StorageSubject& given);
void commit_revision(const StorageSubject& given);
void commit_guard(const StorageSubject& given);
void commit_expect(const StorageSubject& given);
void commit_atomic(const StorageSubject& given);
void commit_invalid(const StorageSubject& given);
void commit_return(const StorageSubject& given);
void commit_create_revision(const StorageSubject& given);
void commit_order(const StorageSubject& given);
void commit_counter(const StorageSubject& given);
void range_order(const StorageSubject& given);
void range_limit(const StorageSubject& given);
void range_past(const StorageSubject& given);
void range_pages_of_the_past(const StorageSubject& given);
void range_serializable(const StorageSubject& given);
void compact_bound(const StorageSubject& given);
void compact_under_load(const StorageSubject& given);
void value_large(const StorageSubject& given);
void limit_exact(const StorageSubject& given);
void limit_beyond(const StorageSubject& given);
void model_random(const StorageSubject& given);
void history_linear(const StorageSubject& given);
void watch_order(const StorageSubject& given);
void watch_now(const StorageSubject& given);
void watch_range(const StorageSubject& given);
void watch_previous(const StorageSubject& given);
void watch_resume(const StorageSubject& given);
void watch_credit(const StorageSubject& given);
void watch_compacted(const StorageSubject& given);
void watch_behind(const StorageSubject& given);
void watch_complete(const StorageSubject& given);
void watch_close(const StorageSubject& given);
void watch_stop(const StorageSubject& given);
void watch_large(const StorageSubject& given);
void progress_quiet(const StorageSubject& given);
void progress_truth(const StorageSubject& given);
void ttl_ends(const StorageSubject& given);
void ttl_lifted(const StorageSubject& given);
void ttl_refused(const StorageSubject& given);
void cancel_completes(const StorageSubject& given);
void stop_under_load(const StorageSubject& given);
void stop_refuses(const StorageSubject& given);
void durable_restart(const StorageSubject& given);
void durable_watch(const StorageSubject& given);
void durable_alone(const StorageSubject& given);
void shared_writers(const StorageSubject& given);

}  // namespace flotilla::conformance
