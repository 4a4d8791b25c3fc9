// SPDX-License-Identifier: Apache-2.0
// A watch as the checks want to read it. What every batch must be is looked at here: events by revision, then
// key, none twice, progress that never falls and is never late.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "sdk/conformance/storage_client.hpp"
#include "sdk/conformance/test_stream.hpp"

namespace flotilla::conformance {

struct Event {
  bool removed = false;
  Kv kv;
  std::optional<Kv> previous;
  bool operator==(const Event&) const = default;
};

struct EventBatch {
  std::vector<Event> events;
  std::int64_t progress = 0;
};

class StorageWatch {
 public:
  StorageWatch(StorageClient& client, const WatchSpec& spec);

  // Throws Violation when a batch breaks a rule. None: ended, or nothing came.
  std::optional<EventBatch> next(std::chrono::milliseconds patience = std::chrono::seconds(20));
  // Everything up to `revision`; throws Violation when it does not come.
  std::vector<Event> until(std::int64_t revision);
  void ask_progress();
  void close() { stream_.close(); }
  bool wait_for_end(std::chrono::milliseconds patience) { return stream_.wait_for_end(patience); }
  std::optional<Answer> ended() const { return stream_.ended(); }
  std::int64_t progress() const { return progress_; }

 private:
  StorageClient& client_;
  std::int64_t progress_ = 0;
  std::int64_t last_revision_ = 0;
  std::string last_key_;
  TestStream stream_;
};

}  // namespace flotilla::conformance
