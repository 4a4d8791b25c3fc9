// SPDX-License-Identifier: Apache-2.0
// What concurrent clients did and were answered, and whether that could have happened one after the other in
// an order that respects time. Revisions give the order, so nothing has to be searched: every answer must fit
// the state at its revision, and what began after another had ended must not have an older revision.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "sdk/conformance/storage_client.hpp"
#include "sdk/conformance/storage_watch.hpp"

namespace flotilla::conformance {

class StorageHistory {
 public:
  // Both do it and record it. Any thread. Values of one history are distinct.
  Committed commit(StorageClient& client, const CommitSpec& spec);
  Ranged range(StorageClient& client, const RangeSpec& spec);

  // `events`: what a watch of everything told from before the first commit on; from it the states are made.
  // Commits that failed may be among them, once. Empty: it could have been.
  std::string judge(const std::vector<Event>& events) const;
  // For backends without a watch: the events that the answered commits should make.
  std::vector<Event> expected_events() const;
  std::size_t answered() const;

 private:
  struct Done {
    std::int64_t begun = 0;
    std::int64_t ended = 0;
    std::int64_t revision = 0;
    bool known = false;  // answered without an error
    bool is_range = false;
    CommitSpec commit;
    bool succeeded = false;
    RangeSpec range;
    std::vector<Kv> seen;
  };
  using Versions =
      std::map<std::string, std::map<std::int64_t, Kv>>;  // by key and revision; value of none: gone

  std::string judge_commits(const std::vector<Event>& events) const;
  std::string judge_answers(const Versions& versions) const;
  std::string judge_time() const;
  static bool holds(const Versions& versions, const CommitSpec& spec, std::int64_t revision);

  mutable std::mutex mutex_;
  std::vector<Done> done_;
};

}  // namespace flotilla::conformance
