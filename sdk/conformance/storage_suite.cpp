// SPDX-License-Identifier: Apache-2.0
#include "sdk/conformance/storage_suite.hpp"

#include "sdk/conformance/storage_subject.hpp"

namespace flotilla::conformance {
namespace {

constexpr StorageCheck kChecks[] = {
    {"STO-CAPS", "describe promises sane limits and respects struct_size", caps_limits},
    {"STO-STATUS", "status shows the newest revision", status_fresh},
    {"STO-STATUS-LINEARIZABLE", "a linearizable status knows every answered commit", status_linearizable},
    {"STO-COMMIT-REVISION", "every commit makes one new revision", commit_revision},
    {"STO-COMMIT-GUARD", "a commit happens iff all its guards hold", commit_guard},
    {"STO-COMMIT-EXPECT", "expect_revision is a guard on the revision itself", commit_expect},
    {"STO-COMMIT-ATOMIC", "the operations of a commit are seen together or never", commit_atomic},
    {"STO-COMMIT-INVALID", "what breaks the limits is refused and changes nothing", commit_invalid},
    {"STO-COMMIT-RETURN", "current and previous values are answered where asked for", commit_return},
    {"STO-COMMIT-CREATE", "create_revision is of the commit that made the key", commit_create_revision},
    {"STO-COMMIT-ORDER", "commits take effect in the order of their calls", commit_order},
    {"STO-COMMIT-COUNTER", "concurrent compare-and-swap loses and repeats nothing", commit_counter},
    {"STO-RANGE-ORDER", "keys are ordered bytewise", range_order},
    {"STO-RANGE-LIMIT", "pages, counts and keys alone", range_limit},
    {"STO-RANGE-PAST", "a range shows the world at its revision", range_past},
    {"STO-RANGE-PAGES", "pages at one revision are the world at that revision", range_pages_of_the_past},
    {"STO-RANGE-SERIALIZABLE", "a serializable range is a state of the store", range_serializable},
    {"STO-COMPACT", "compaction forgets the past and nothing else", compact_bound},
    {"STO-COMPACT-LOAD", "compaction beside reads and writes changes nothing of them", compact_under_load},
    {"STO-VALUE", "large and empty values come back as they were", value_large},
    {"STO-LIMIT-EXACT", "what describe promises fits", limit_exact},
    {"STO-LIMIT-BEYOND", "what is larger is refused and changes nothing", limit_beyond},
    {"STO-MODEL", "random histories agree with a model", model_random},
    {"STO-LINEAR", "concurrent histories are linearizable", history_linear},
    {"STO-WATCH-ORDER", "a watch shows every commit, by revision, then key", watch_order},
    {"STO-WATCH-NOW", "a watch from revision 0 begins now", watch_now},
    {"STO-WATCH-RANGE", "a watch shows its keys and no others", watch_range},
    {"STO-WATCH-PREVIOUS", "a watch shows what was replaced where asked for", watch_previous},
    {"STO-WATCH-RESUME", "watches that go on from each other's progress miss and repeat nothing",
     watch_resume},
    {"STO-WATCH-CREDIT", "a watch waits for credit and holds nobody up", watch_credit},
    {"STO-WATCH-COMPACTED", "a watch begins above status.compacted or ends with Compacted", watch_compacted},
    {"STO-WATCH-BEHIND", "a watch that compaction overtakes has it all or ends with Compacted", watch_behind},
    {"STO-WATCH-COMPLETE", "watches beside concurrent writers tell one history", watch_complete},
    {"STO-WATCH-LARGE", "large events come whole", watch_large},
    {"STO-WATCH-CLOSE", "a closed watch is ended", watch_close},
    {"STO-WATCH-STOP", "stop ends all watches", watch_stop},
    {"STO-PROGRESS", "progress is told on request, also where nothing changes", progress_quiet},
    {"STO-PROGRESS-TRUTH", "no event comes behind the progress that was told", progress_truth},
    {"STO-TTL", "a key goes when its time is over, not earlier", ttl_ends},
    {"STO-TTL-ANEW", "writing a key anew gives it a new time", ttl_lifted},
    {"STO-TTL-REFUSED", "a time to live that is not offered is refused", ttl_refused},
    {"STO-CANCEL", "cancelled calls complete, once and truthfully", cancel_completes},
    {"STO-STOP", "stop completes every call exactly once", stop_under_load},
    {"STO-STOP-LATE", "what comes after stop is refused", stop_refuses},
    {"STO-DURABLE-RESTART", "a durable backend has everything after a restart", durable_restart},
    {"STO-DURABLE-WATCH", "a watch goes on over a restart", durable_watch},
    {"STO-DURABLE-ALONE", "a backend that is not shared refuses a second user", durable_alone},
    {"STO-SHARED", "instances of a shared backend see each other's commits", shared_writers},
};

}  // namespace

std::span<const StorageCheck> storage_checks() {
  return kChecks;
}

Verdict run_check(const StorageCheck& check, const StorageSubject& subject) {
  const std::string rule = std::string(check.id) + ": " + check.rule + ": ";
  try {
    check.run(subject);
    return {};
  } catch (const NotApplicable& excluded) {
    return {Verdict::NotApplicable, rule + excluded.what()};
  } catch (const std::exception& fault) {
    return {Verdict::Failed, rule + fault.what()};
  }
}

}  // namespace flotilla::conformance
