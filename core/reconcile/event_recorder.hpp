// SPDX-License-Identifier: Apache-2.0
// Writes core/v1 Events about objects, as kubectl describe shows them. Equal events (object, type, reason,
// message) are counted in one Event rather than written again; a burst beyond the bound is dropped, never
// waited for. Warnings come before news of what went well, of which only so many are written a second.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "core/async/fiber_scope.hpp"
#include "core/async/work_queue.hpp"
#include "core/store/writer.hpp"

namespace flotilla::reconcile {

inline constexpr std::string_view kNormal = "Normal";
inline constexpr std::string_view kWarning = "Warning";

class EventRecorder {
 public:
  EventRecorder(const Executor& executor, store::Writer& writer, std::string component);
  ~EventRecorder();

  // From any thread; returns at once. `object` needs apiVersion, kind and metadata.
  void record(const api::Json& object, std::string_view type, std::string_view reason,
              std::string_view message);
  void start();
  void stop();
  // Instead of start(): `listener` is told, at once, and nothing is written. Before the first record().
  using Listener = std::function<void(const api::Json& object, std::string_view type, std::string_view reason,
                                      std::string_view message)>;
  void tell_instead(Listener listener) { listener_ = std::move(listener); }

 private:
  struct Pending {
    api::Json regarding;
    std::string ns, type, reason, message;
    int count = 0;
  };
  struct Written {
    std::string name;
    WallTime last;
  };

  Task<void> run();
  Task<void> yield_to_writes();
  Task<void> pace();
  Task<void> write(std::string identity, Pending pending);
  void forget_old(WallTime now);

  store::Writer& writer_;
  std::string component_;
  Listener listener_;
  FiberScope scope_;
  WorkQueue<std::string> queue_;
  std::mutex mutex_;
  std::map<std::string, Pending> pending_;
  std::atomic<std::size_t> waiting_ = 0;  // its size
  // On the strand only.
  std::map<std::string, Written> written_;
  double allowed_ = 0;
  SteadyTime refilled_{};
};

}  // namespace flotilla::reconcile
