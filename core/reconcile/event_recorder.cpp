// SPDX-License-Identifier: Apache-2.0
#include "core/reconcile/event_recorder.hpp"

#include <algorithm>
#include <cstdio>

#include "core/base/log.hpp"

namespace flotilla::reconcile {
namespace {

const Logger kLog("events");
constexpr std::size_t kMostPending = 4096;
constexpr std::size_t kMostPendingWarnings = 8192;
constexpr std::size_t kMostWritten = 8192;
// News of what went well: at once as long as they are few, else at this pace.
constexpr double kBurst = 128;
constexpr double kPerSecond = 500;
constexpr int kWarningsFirst = 1;
constexpr std::size_t kBusy = 64;  // commits that wait for the disk
constexpr int kMostLooks = 10;
constexpr auto kLookAgain = std::chrono::milliseconds(20);
constexpr auto kForgetAfter = std::chrono::minutes(10);  // client-go's correlation window

const store::StoredKind& event_kind() {
  static const store::StoredKind kind{{"", "v1", "Event"}, "events", true, false, false};
  return kind;
}

api::Json reference_to(const api::Json& object) {
  const api::Json& metadata = object["metadata"];
  api::Json reference = api::Json::object({{"apiVersion", object["apiVersion"]},
                                           {"kind", object["kind"]},
                                           {"name", metadata["name"]},
                                           {"uid", metadata["uid"]}});
  if (metadata.contains("namespace")) reference.set("namespace", metadata["namespace"]);
  if (metadata.contains("resourceVersion")) reference.set("resourceVersion", metadata["resourceVersion"]);
  return reference;
}

// client-go: the object's name, a dot, and the time in hexadecimal nanoseconds.
std::string event_name(std::string_view object, WallTime now) {
  char suffix[24];
  std::snprintf(suffix, sizeof suffix, ".%016llx",
                static_cast<unsigned long long>(now.time_since_epoch().count()));
  return std::string(object) + suffix;
}

}  // namespace

EventRecorder::EventRecorder(const Executor& executor, store::Writer& writer, std::string component)
    : writer_(writer),
      component_(std::move(component)),
      scope_(executor.strand(), "events"),
      queue_(executor.clock()) {}

EventRecorder::~EventRecorder() {
  stop();
}

void EventRecorder::start() {
  scope_.spawn(run());
}

void EventRecorder::stop() {
  queue_.shut_down();
  scope_.cancel();
  scope_.join_blocking();
}

void EventRecorder::record(const api::Json& object, std::string_view type, std::string_view reason,
                           std::string_view message) {
  if (listener_) return listener_(object, type, reason, message);
  // In a flood most is dropped: at no cost.
  if (type != kWarning && waiting_.load(std::memory_order_relaxed) >= kMostPending) return;
  std::string identity = std::string(object["kind"].as_string()) + '/' + api::key_of(object).text() + '/' +
                         std::string(api::uid_of(object)) + '/' + std::string(reason) + '/' +
                         std::string(message);
  {
    std::lock_guard lock(mutex_);
    const auto it = pending_.find(identity);
    if (it != pending_.end()) {
      ++it->second.count;
      return;
    }
    const bool warning = type == kWarning;
    if (pending_.size() >= (warning ? kMostPendingWarnings : kMostPending)) return;
    Pending pending;
    pending.regarding = reference_to(object);
    const std::string_view ns = api::namespace_of(object);
    pending.ns = ns.empty() ? "default" : ns;
    pending.type = type;
    pending.reason = reason;
    pending.message = message.substr(0, 1024);  // the API's limit
    pending.count = 1;
    pending_.emplace(identity, std::move(pending));
    waiting_.store(pending_.size(), std::memory_order_relaxed);
  }
  queue_.add(identity, type == kWarning ? kWarningsFirst : 0);
}

Task<void> EventRecorder::run() {
  for (;;) {
    auto waiting = queue_.next();
    std::optional<std::string> identity = co_await std::move(waiting);
    if (!identity) co_return;
    Pending pending;
    {
      std::lock_guard lock(mutex_);
      auto node = pending_.extract(*identity);
      if (!node.empty()) pending = std::move(node.mapped());
      waiting_.store(pending_.size(), std::memory_order_relaxed);
    }
    if (pending.count > 0) {
      auto yielding = yield_to_writes();
      co_await std::move(yielding);
      if (pending.type != kWarning) {
        auto pacing = pace();
        co_await std::move(pacing);
      }
      auto writing = write(*identity, std::move(pending));
      co_await std::move(writing);
    }
    queue_.done(*identity);
  }
}

// Events are for people, who can wait: while commits queue up for the disk, they stand back, at most for a
// while.
Task<void> EventRecorder::yield_to_writes() {
  for (int looks = 0; looks < kMostLooks && writer_.store().stats().pending_commits > kBusy; ++looks) {
    auto sleeping = sleep_for(kLookAgain);
    if (!co_await std::move(sleeping)) co_return;
  }
}

Task<void> EventRecorder::pace() {
  const SteadyTime now = writer_.clock().steady_now();
  const double passed = std::chrono::duration<double>(now - refilled_).count();
  allowed_ = std::min(kBurst, allowed_ + passed * kPerSecond);
  refilled_ = now;
  if (--allowed_ >= 0) co_return;
  auto sleeping = sleep_for(kLookAgain);
  co_await std::move(sleeping);
}

Task<void> EventRecorder::write(std::string identity, Pending pending) {
  const WallTime now = writer_.clock().now();
  const std::string stamp = format_time(now);
  const auto known = written_.find(identity);
  if (known != written_.end() && now - known->second.last < kForgetAfter) {
    known->second.last = now;
    const int more = pending.count;
    auto counting = writer_.modify(event_kind(), store::Part::Main, {pending.ns, known->second.name},
                                   [stamp, more](api::Json& event) -> Result<bool> {
                                     event.set("count", event["count"].as_int() + more);
                                     event.set("lastTimestamp", stamp);
                                     return true;
                                   });
    const auto counted = co_await std::move(counting);
    if (counted.ok()) co_return;
  }
  forget_old(now);
  const std::string name = event_name(pending.regarding["name"].as_string(), now);
  api::Json event =
      api::Json::object({{"apiVersion", "v1"},
                         {"kind", "Event"},
                         {"metadata", api::Json::object({{"name", name}, {"namespace", pending.ns}})},
                         {"involvedObject", pending.regarding},
                         {"type", pending.type},
                         {"reason", pending.reason},
                         {"message", pending.message},
                         {"source", api::Json::object({{"component", component_}})},
                         {"reportingComponent", component_},
                         {"reportingInstance", ""},
                         {"eventTime", nullptr},
                         {"firstTimestamp", stamp},
                         {"lastTimestamp", stamp},
                         {"count", pending.count}});
  auto creating = writer_.create(event_kind(), std::move(event));
  const auto created = co_await std::move(creating);
  if (created.ok()) {
    written_.insert_or_assign(identity, Written{name, now});
  } else if (!created.error().is(Code::Forbidden)) {  // its namespace is going away
    kLog.debug("event not written", {{"error", created.error().message()}});
  }
}

void EventRecorder::forget_old(WallTime now) {
  if (written_.size() < kMostWritten) return;
  std::erase_if(written_, [&](const auto& entry) { return now - entry.second.last >= kForgetAfter; });
  if (written_.size() >= kMostWritten) written_.clear();
}

}  // namespace flotilla::reconcile
