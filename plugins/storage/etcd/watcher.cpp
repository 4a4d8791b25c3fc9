// SPDX-License-Identifier: Apache-2.0
#include "watcher.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace flotilla::plugins::storage::etcd {
namespace {

constexpr std::int64_t kFirstPause = 50;  // ms
constexpr std::int64_t kLongestPause = 1000;
constexpr std::int64_t kAskAgain = 300;  // for progress, ms
constexpr std::size_t kBatch = 500;      // events
constexpr std::size_t kBatchBytes = 4u << 20;

flt_kv_t kv_of(const sdk::Arena& arena, const Layout& layout, const WireValue& value, bool with_value) {
  return {arena.copy(layout.host(value.key)),
          with_value ? arena.copy_bytes(value.value) : flt_bytes_t{nullptr, 0}, value.create_revision,
          value.mod_revision};
}

}  // namespace

Watcher::Watcher(Services services, const flt_storage_watch_request_t& request, sdk::EventStream stream)
    : services_(std::move(services)),
      key_(services_.layout.key(sdk::view(request.key))),
      end_(request.end.p == nullptr ? key_ + '\0' : services_.layout.key(sdk::view(request.end))),
      previous_((request.flags & FLT_WATCH_PREVIOUS) != 0),
      stream_(std::move(stream)),
      next_(request.start_revision) {}

void Watcher::start() {
  auto* self = new std::shared_ptr<Watcher>(shared_from_this());
  stream_.on_credit([](void* ctx) { (*static_cast<std::shared_ptr<Watcher>*>(ctx))->credit(); }, self,
                    [](void* ctx) { delete static_cast<std::shared_ptr<Watcher>*>(ctx); });
  next_ == 0 ? from_now() : connect();
}

// What "now" is, says a quorum.
void Watcher::from_now() {
  const RangeAsk ask{.key = services_.layout.mark(), .count_only = true};
  services_.cluster.call(kRange, write_range(ask), Cluster::Repeat::Yes,
                         [self = shared_from_this()](ClusterAnswer answer) {
                           RangeAnswer range;
                           if (answer.ok() && read_range(answer.body, range)) {
                             {
                               std::lock_guard lock(self->mutex_);
                               self->next_ = range.revision + 1;
                             }
                             return self->connect();
                           }
                           self->refused(failure_of(answer, self->services_.cluster.options(), "watch"));
                         });
}

void Watcher::connect() {
  std::uint64_t number = 0;
  WatchAsk ask;
  {
    std::lock_guard lock(mutex_);
    waiting_ = false;
    if (over_) return;
    number = ++source_number_;
    fragments_.clear();
    held_.clear();
    reading_ = false;
    ask.start_revision = std::max<std::int64_t>(next_ - 1, 1);
  }
  const auto self = shared_from_this();
  const Cluster::Opened opened = services_.cluster.open(
      kWatch, {[self, number](std::string body) { self->message(number, std::move(body)); },
               [self, number](RpcAnswer ending) { self->disconnected(number, std::move(ending)); }});
  if (!opened.stream) return stop();
  ask.key = key_;
  const std::string behind_mark = services_.layout.mark() + '\0';
  ask.end = services_.cluster.tells_progress(opened.endpoint) ? end_ : behind_mark;
  ask.previous = previous_;
  std::lock_guard lock(mutex_);
  if (over_ || number != source_number_) return opened.stream->cancel();
  source_ = opened.stream;
  endpoint_ = opened.endpoint;
  source_->send(write_watch_create(ask));
  read_on();
}

void Watcher::message(std::uint64_t stream, std::string body) {
  std::lock_guard lock(mutex_);
  if (over_ || stream != source_number_) return;
  reading_ = false;
  take(std::move(body));
  read_on();
}

void Watcher::read_on() {
  if (over_ || blocked_ || reading_ || !held_.empty() || !source_) return;
  reading_ = true;
  source_->want();
}

// Large answers come in several messages.
void Watcher::take(std::string body) {
  WatchAnswer answer;
  if (!read_watch(body, answer)) return source_->cancel();  // disconnected() does the rest
  const bool more = answer.fragment;
  fragments_.push_back(std::move(body));
  if (!more) deliver(std::exchange(fragments_, {}));
}

void Watcher::deliver(std::vector<std::string> bodies) {
  std::vector<WatchAnswer> parts(bodies.size());
  bool any = false;
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    read_watch(bodies[i], parts[i]);
    any = any || !parts[i].events.empty();
  }
  const WatchAnswer& last = parts.back();
  if (last.cancelled) return cancelled(last);
  services_.cluster.saw(last.revision);
  denied_ = false;
  if (last.created) {
    failures_ = 0;
  } else if (any) {
    deliver_events(bodies, parts);
  } else if (last.watch_id >= 0 || services_.cluster.tells_progress(endpoint_)) {
    push_progress(last.revision);
  }
}

bool Watcher::wants(const WireEvent& event) const {
  return event.value.mod_revision >= next_ && event.value.key >= key_ && event.value.key < end_;
}

// In batches of a bounded size; the events of one revision stay together. What finds no credit is held.
void Watcher::deliver_events(std::vector<std::string>& bodies, const std::vector<WatchAnswer>& parts) {
  std::vector<const WireEvent*> wanted;
  std::int64_t reached = 0;
  for (const WatchAnswer& part : parts) {
    for (const WireEvent& event : part.events) {
      reached = std::max(reached, event.value.mod_revision);
      if (wants(event)) wanted.push_back(&event);
    }
  }
  std::sort(wanted.begin(), wanted.end(), [](const WireEvent* a, const WireEvent* b) {
    return std::tie(a->value.mod_revision, a->value.key) < std::tie(b->value.mod_revision, b->value.key);
  });
  std::size_t from = 0;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < wanted.size() && !over_; ++i) {
    if (blocked_) {
      held_ = std::move(bodies);
      return;
    }
    const WireEvent& event = *wanted[i];
    bytes += event.value.key.size() + event.value.value.size();
    if (event.previous) bytes += event.previous->value.size();
    const bool whole =
        i + 1 == wanted.size() || wanted[i + 1]->value.mod_revision != event.value.mod_revision;
    if (!whole || (i + 1 < wanted.size() && i + 1 - from < kBatch && bytes < kBatchBytes)) continue;
    if (!push_events(std::span(wanted).subspan(from, i + 1 - from))) return;
    from = i + 1;
    bytes = 0;
  }
  if (!over_ && reached >= next_) push_progress(reached);
}

// False: the stream is over.
bool Watcher::push_events(std::span<const WireEvent* const> wanted) {
  const sdk::Arena arena = stream_.begin();
  std::vector<flt_storage_event_t> events;
  events.reserve(wanted.size());
  for (const WireEvent* event : wanted) {
    flt_storage_event_t& out = events.emplace_back();
    out = {};
    out.kind = event->removed ? FLT_EVENT_DELETE : FLT_EVENT_PUT;
    out.kv = kv_of(arena, services_.layout, event->value, !event->removed);
    if (event->removed) out.kv.create_revision = 0;
    if (!previous_) continue;
    if (event->previous) {
      out.previous = kv_of(arena, services_.layout, *event->previous, true);
    } else if (event->removed || event->value.version > 1) {
      // It replaced something that is forgotten by now.
      if (source_) source_->cancel();
      finish(FLT_OUT_OF_RANGE,
             "the watch fell behind compaction, which has passed revision " +
                 std::to_string(event->value.mod_revision - 1),
             "Compacted");
      return false;
    }
  }
  push(events, arena, wanted.back()->value.mod_revision);
  return !over_;
}

void Watcher::push_progress(std::int64_t revision) {
  if (revision < next_ - 1) return;
  if (blocked_) {
    progress_due_ = true;
    return;
  }
  push({}, stream_.begin(), revision);
}

void Watcher::push(const std::vector<flt_storage_event_t>& events, const sdk::Arena& arena,
                   std::int64_t progress) {
  const auto kept = arena.array<flt_storage_event_t>(events.size());
  std::copy(events.begin(), events.end(), kept.begin());
  next_ = std::max(next_, progress + 1);
  told_ = progress;
  const std::int64_t credit = stream_.push(arena, kept, progress);
  blocked_ = credit == 0;
  if (credit >= 0) return;
  if (source_) source_->cancel();
  finish(FLT_OK, {}, {});
}

void Watcher::cancelled(const WatchAnswer& answer) {
  const std::string reason(answer.cancel_reason);
  source_->cancel();  // disconnected() begins anew, unless this is the end
  if (answer.compact_revision != 0) {
    finish(FLT_OUT_OF_RANGE,
           "revision " + std::to_string(next_) + " was compacted; a watch can begin above " +
               std::to_string(answer.compact_revision),
           "Compacted");
  } else if (reason.find("permission denied") != std::string::npos) {
    if (!services_.cluster.options().user.empty() && !denied_) {
      denied_ = true;
      return;
    }
    finish(
        FLT_PERMISSION_DENIED,
        "etcd: " + reason + "; grant the user readwrite on the prefix " + services_.cluster.options().prefix,
        {});
  }
}

void Watcher::disconnected(std::uint64_t stream, RpcAnswer ending) {
  std::size_t endpoint = 0;
  bool stale = is_stale_token(ending);
  {
    std::lock_guard lock(mutex_);
    if (over_ || stream != source_number_) return;
    source_.reset();
    reading_ = false;
    endpoint = endpoint_;
    ++failures_;
    stale = stale || denied_;
  }
  if (stale && !services_.cluster.options().user.empty()) {
    return services_.cluster.renew_token([self = shared_from_this()](bool) { self->connect_later(); });
  }
  // A stream that was closed by us or by etcd itself is no reason to leave the member.
  if (is_passing(ending) && ending.code != FLT_CANCELLED) services_.cluster.give_up(endpoint);
  connect_later();
}

// On the cluster's thread.
void Watcher::connect_later() {
  std::int64_t pause = 0;
  {
    std::lock_guard lock(mutex_);
    if (over_ || waiting_) return;
    waiting_ = true;
    if (failures_ > 1) pause = std::min(kFirstPause << std::min(failures_, 6), kLongestPause);
  }
  services_.cluster.loop().after(pause, [self = shared_from_this()] { self->connect(); });
}

void Watcher::moved(std::size_t from) {
  {
    std::lock_guard lock(mutex_);
    if (over_ || !source_ || endpoint_ != from) return;
    source_->cancel();
    source_.reset();
    reading_ = false;
    ++source_number_;
  }
  connect_later();
}

void Watcher::credit() {
  std::lock_guard lock(mutex_);
  if (over_) return;
  if (stream_.closed()) {
    if (source_) source_->cancel();
    return finish(FLT_OK, {}, {});
  }
  blocked_ = false;
  if (std::exchange(progress_due_, false)) push_progress(next_ - 1);
  if (!held_.empty() && !blocked_ && source_) deliver(std::exchange(held_, {}));
  read_on();
}

void Watcher::refused(const sdk::Failure& failure) {
  std::lock_guard lock(mutex_);
  if (!over_) finish(failure.code(), failure.what(), failure.reason());
}

void Watcher::stop() {
  std::lock_guard lock(mutex_);
  if (over_) return;
  if (source_) source_->cancel();
  finish(FLT_UNAVAILABLE, "the storage backend stops", {});
}

void Watcher::finish(flt_status_t status, const std::string& message, const std::string& reason) {
  over_ = true;
  source_.reset();
  services_.ended(*this);  // while the host still knows the stream by its handle
  stream_.end(status, message, reason);
}

// A quorum says what the newest revision is. If the watch is there already, it says so itself.
void Watcher::progress() {
  {
    std::lock_guard lock(mutex_);
    if (over_) return;
  }
  const RangeAsk ask{.key = services_.layout.mark(), .count_only = true};
  services_.cluster.call(kRange, write_range(ask), Cluster::Repeat::Yes,
                         [self = shared_from_this()](ClusterAnswer answer) {
                           RangeAnswer range;
                           if (!answer.ok() || !read_range(answer.body, range)) return;
                           {
                             std::lock_guard lock(self->mutex_);
                             if (self->over_) return;
                             if (self->next_ > range.revision) {
                               self->push_progress(self->next_ - 1);
                               return;
                             }
                             self->progress_to_ = std::max(self->progress_to_, range.revision);
                             if (self->asking_) return;
                             self->asking_ = true;
                           }
                           self->ask_progress();
                         });
}

// Until it is reached: a member may be behind, or a stream just broken. On the cluster's thread.
void Watcher::ask_progress() {
  std::shared_ptr<RpcStream> source;
  bool told = false;
  {
    std::lock_guard lock(mutex_);
    if (over_ || next_ > progress_to_) {
      asking_ = false;
      if (!over_ && told_ < progress_to_) push_progress(next_ - 1);
      return;
    }
    source = source_;
    told = services_.cluster.tells_progress(endpoint_);
  }
  if (source) told ? source->send(write_watch_progress()) : services_.write_mark();
  services_.cluster.loop().after(kAskAgain, [self = shared_from_this()] { self->ask_progress(); });
}

}  // namespace flotilla::plugins::storage::etcd
