// SPDX-License-Identifier: Apache-2.0
#include "sdk/conformance/storage_watch.hpp"

#include <algorithm>

#include "sdk/conformance/storage_subject.hpp"

namespace flotilla::conformance {
namespace {

std::int64_t cost(const void* batch) {
  const auto n = static_cast<std::int64_t>(static_cast<const flt_storage_events_t*>(batch)->n_events);
  return std::max<std::int64_t>(n, 1);
}

}  // namespace

StorageWatch::StorageWatch(StorageClient& client, const WatchSpec& spec)
    : client_(client), stream_(client.host(), spec.credit, cost) {
  // Everything dies with this function, as the contract allows.
  const WatchSpec copy = spec;
  flt_storage_watch_request_t request{};
  request.struct_size = sizeof request;
  request.flags = copy.flags;
  request.key = {copy.key.data(), copy.key.size()};
  if (!copy.end.empty()) request.end = {copy.end.data(), copy.end.size()};
  request.start_revision = copy.start;
  client_.ops().watch(client_.instance().self(), &request, stream_.handle());
}

std::optional<EventBatch> StorageWatch::next(std::chrono::milliseconds patience) {
  const auto raw = stream_.next(patience);
  if (!raw) return std::nullopt;
  const auto& batch = *static_cast<const flt_storage_events_t*>(raw->data);
  expect(batch.struct_size >= sizeof batch, "a batch of events has a wrong struct_size");
  EventBatch out;
  out.progress = batch.progress;
  for (std::uint64_t i = 0; i < batch.n_events; ++i) {
    const flt_storage_event_t& event = batch.events[i];
    expect(event.kind == FLT_EVENT_PUT || event.kind == FLT_EVENT_DELETE, "an event is of no known kind");
    Event& made = out.events.emplace_back();
    made.removed = event.kind == FLT_EVENT_DELETE;
    made.kv = kv_of(event.kv);
    if (event.previous.key.p != nullptr) made.previous = kv_of(event.previous);
    const std::int64_t revision = made.kv.mod_revision;
    const std::string what = "the event of " + made.kv.key + " at revision " + std::to_string(revision);
    // Also what a split revision looks like: progress is at least that of the events before it.
    expect(revision > progress_, what + " came after progress " + std::to_string(progress_));
    expect(revision > last_revision_ || (revision == last_revision_ && made.kv.key > last_key_),
           what + " is not in order, or came twice");
    last_revision_ = revision;
    last_key_ = made.kv.key;
  }
  expect(batch.progress >= progress_, "progress fell");
  expect(batch.progress >= last_revision_, "progress is behind the events of its own batch");
  progress_ = batch.progress;
  return out;
}

std::vector<Event> StorageWatch::until(std::int64_t revision) {
  std::vector<Event> all;
  while (progress_ < revision) {
    auto batch = next();
    if (!batch) {
      const auto end = ended();
      throw Violation("the watch stays at revision " + std::to_string(progress_) + ", not " +
                      std::to_string(revision) + (end ? "; it ended: " + end->message : "; nothing comes"));
    }
    for (Event& event : batch->events) all.push_back(std::move(event));
  }
  return all;
}

void StorageWatch::ask_progress() {
  client_.ops().watch_progress(client_.instance().self(), stream_.handle());
}

}  // namespace flotilla::conformance
