// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <random>

#include "core/apiserver/custom/conversion.hpp"
#include "core/apiserver/read/event_frames.hpp"
#include "core/apiserver/read/reads.hpp"
#include "core/apiserver/shape.hpp"
#include "core/http/websocket.hpp"

namespace flotilla::apiserver {
namespace {

constexpr auto kBookmarkEvery = std::chrono::seconds(60);
constexpr auto kLastBookmark = std::chrono::seconds(2);  // before the end
constexpr std::size_t kBatch = 128u << 10;               // of initial events, made when the last was taken

// The frames of one watch, each ending with the one line break it has. Owned by its connection.
class WatchStream final : public http::BodyStream {
 public:
  WatchStream(ServerPtr server, CallPtr call, Selection selection)
      : server_(std::move(server)),
        call_(std::move(call)),
        selection_(std::move(selection)),
        format_(format_of(*call_)) {
    server_->watches.fetch_add(1);
    const Resource& resource = *call_->resource;
    const MetricLabels labels = {
        {"group", resource.group}, {"version", resource.version}, {"kind", resource.kind}};
    sent_events_ =
        server_->series.counter("apiserver_watch_events_total", "Events sent to those who watch.", labels);
    watchers_ = server_->series.gauge("apiserver_registered_watchers", "Watches that are open.", labels);
    watchers_->add(1);
  }
  ~WatchStream() override {
    server_->watches.fetch_sub(1);
    watchers_->add(-1);
  }

  // Objects shown first, each as ADDED.
  void begin_with(store::Snapshot snapshot, bool announce_end) {
    initial_ = std::move(snapshot);
    sent_ = initial_.revision;
    announce_end_ = announce_end;
  }
  void begin_after(Revision revision) { sent_ = revision; }
  void fail_with(const Error& error) {
    append_error(error);
    ended_ = true;
  }
  void follow(std::unique_ptr<store::Subscription> subscription, Duration timeout, bool bookmarks) {
    subscription_ = std::move(subscription);
    const SteadyTime now = server_->executor.clock().steady_now();
    ends_at_ = now + std::chrono::duration_cast<SteadyTime::duration>(timeout);
    bookmarks_ = bookmarks;
    next_bookmark_ = now + kBookmarkEvery;
    if (ends_at_ - kLastBookmark < next_bookmark_) next_bookmark_ = std::max(now, ends_at_ - kLastBookmark);
  }

  Task<std::vector<http::Chunk>> next() override {
    for (;;) {
      if (converts_ && next_initial_ == 0 && !initial_.objects.empty()) {
        auto ahead = convert_ahead(server_, call_, initial_.objects);
        if (Status there = co_await std::move(ahead); !there) fail_with(there.error());
      }
      show_initial();
      if (!chunks_.empty()) co_return std::exchange(chunks_, {});
      if (ended_) co_return std::vector<http::Chunk>();
      const SteadyTime now = server_->executor.clock().steady_now();
      if (now >= ends_at_) co_return std::vector<http::Chunk>();
      const SteadyTime until =
          bookmarks_ && !last_bookmark_sent_ ? std::min(ends_at_, next_bookmark_) : ends_at_;
      const Duration patience = std::max<Duration>(until - now, std::chrono::milliseconds(1));
      auto waiting = subscription_->next_for(patience);
      auto events = co_await std::move(waiting);
      if (converts_ && events) {
        call_->converted.clear();
        std::vector<ObjectPtr> fresh;
        for (const store::Event& event : *events) {
          fresh.push_back(event.object);
          // What it was is asked about, and shown when it leaves the selection.
          if (selection_.has_selector()) fresh.push_back(event.previous);
        }
        auto ahead = convert_ahead(server_, call_, std::move(fresh));
        if (Status there = co_await std::move(ahead); !there) {
          fail_with(there.error());
          continue;
        }
      }
      take(events);
    }
  }

 private:
  // Everything beside event and type that a frame's bytes depend on.
  static std::string format_of(const Call& call) {
    std::string format = call.resource->group_version() + " " + call.resource->resource + " ";
    format += std::to_string(static_cast<int>(call.media.shape)) + call.media.table_version + " ";
    format.append(call.query.get("includeObject")).append(" ");
    return format + std::to_string(reinterpret_cast<std::uintptr_t>(call.served.get()));
  }

  // A batch of them; the bookmark behind the last.
  void show_initial() {
    std::size_t bytes = 0;
    auto& objects = initial_.objects;
    for (; next_initial_ < objects.size() && bytes < kBatch; ++next_initial_) {
      const ObjectPtr object = std::move(objects[next_initial_]);
      const bool chosen = matches(*object);
      if (chosen) bytes += append("ADDED", object);
      if (selection_.reads_content() || call_->media.shape == Shape::Table) object->release_content();
    }
    if (next_initial_ < objects.size()) return;
    if (std::exchange(announce_end_, false)) append_bookmark(initial_.revision, true);
    if (!objects.empty()) std::vector<ObjectPtr>().swap(objects);
    next_initial_ = 0;
  }

  void take(const Result<std::vector<store::Event>>& events) {
    if (!events) {
      // Too slow, or the server ends: an orderly end, after which the client watches on from where it was.
      ended_ = true;
      return;
    }
    for (const store::Event& event : *events) {
      if (event.type == store::Event::Type::Reset) {
        ended_ = true;
        return;
      }
      show(event);
      sent_ = event.revision;
    }
    tick();
  }

  void tick() {
    const SteadyTime now = server_->executor.clock().steady_now();
    if (!bookmarks_ || last_bookmark_sent_ || now < next_bookmark_) return;
    append_bookmark(std::max(sent_, subscription_->progress()), false);
    last_bookmark_sent_ = now + kLastBookmark >= ends_at_;
    next_bookmark_ = std::min(now + kBookmarkEvery, ends_at_ - kLastBookmark);
  }

  void show(const store::Event& event) {
    const bool was = event.previous && matches(*event.previous);
    const bool is = matches(*event.object);
    if (event.type == store::Event::Type::Deleted) {
      if (is || was) append("DELETED", event.object);
    } else if (is) {
      append(was ? "MODIFIED" : "ADDED", event.object);
    } else if (was) {
      append("DELETED", leaving(event));
    }
  }

  bool matches(const api::Object& object) const {
    return selection_.matches(object, converts_ ? converted_form(*call_, object) : nullptr);
  }

  // The object as it was, at the revision of the change that took it out of the selection.
  ObjectPtr leaving(const store::Event& event) {
    ObjectPtr object = event.previous->at_revision(event.revision);
    if (const Json* form = converts_ ? converted_form(*call_, *event.previous) : nullptr) {
      Json shown = *form;
      shown["metadata"].set("resourceVersion", std::to_string(event.revision.get()));
      call_->converted.emplace(object.get(), std::pair(object, std::move(shown)));
    }
    return object;
  }

  // Returns the bytes it took.
  std::size_t append(std::string_view type, const ObjectPtr& object) {
    const bool has_columns = call_->media.shape == Shape::Table && std::exchange(first_, false);
    EventFrames::Frame frame;
    const auto encode = [&] { return event_frame(*server_, *call_, type, *object, has_columns); };
    if (has_columns) {
      frame = std::make_shared<const std::string>(encode());
    } else {
      frame = server_->frames.get({object->revision(), type, format_}, encode);
    }
    const std::string_view bytes = *frame;
    sent_events_->add();
    chunks_.push_back({std::move(frame), bytes});
    return bytes.size();
  }

  void append_bookmark(Revision revision, bool initial_events_end) {
    append_frame("BOOKMARK",
                 bookmark_object(*call_, std::to_string(revision.get()), initial_events_end).dump());
  }
  void append_error(const Error& error) { append_frame("ERROR", status_object(error).dump()); }
  void append_frame(std::string_view type, std::string_view object) {
    std::string frame = "{\"type\":\"";
    frame.append(type).append("\",\"object\":").append(object).append("}\n");
    chunks_.push_back(http::Chunk::of(std::move(frame)));
  }

  ServerPtr server_;
  CallPtr call_;
  Selection selection_;
  const std::string format_;
  const bool converts_ = converts(*call_);
  std::shared_ptr<Counter> sent_events_;
  std::shared_ptr<Gauge> watchers_;
  std::unique_ptr<store::Subscription> subscription_;
  std::vector<http::Chunk> chunks_;
  store::Snapshot initial_;
  std::size_t next_initial_ = 0;
  bool announce_end_ = false;
  Revision sent_;  // nothing up to here is still to be shown
  SteadyTime ends_at_;
  SteadyTime next_bookmark_;
  bool bookmarks_ = false;
  bool last_bookmark_sent_ = false;
  bool ended_ = false;
  bool first_ = true;
};

Duration random_lifetime() {
  static thread_local std::minstd_rand random{std::random_device{}()};
  return std::chrono::seconds(1800 + static_cast<int>(random() % 1800));
}

// In the store's terms: a newest snapshot and the subscription behind it.
Result<std::unique_ptr<store::Subscription>> subscribe(Server& server, const Call& call, Revision after) {
  store::WatchRequest request;
  request.collection = collection_of(*call.resource);
  request.ns = call.info.ns;
  request.after = after;
  request.visibility = store::Visibility::Durable;
  return server.store.watch(request);
}

}  // namespace

Task<http::Response> serve_watch(ServerPtr server, CallPtr call) {
  const Query& query = call->query;
  if (call->media.encoding == Encoding::Yaml) {
    co_return error_response(
        *call, Error(Code::NotAcceptable,
                     "only the following media types are accepted: application/json;stream=watch, "
                     "application/vnd.kubernetes.protobuf;stream=watch"));
  }
  if (auto numbers = check_list_numbers(query); !numbers) co_return error_response(*call, numbers.error());
  auto selection = Selection::read(*call->resource, query, call->info.name);
  if (!selection) co_return error_response(*call, selection.error());
  auto timeout = query.integer("timeoutSeconds");
  if (!timeout) co_return error_response(*call, timeout.error());
  if (auto valid = check_list_options(query, true); !valid) co_return error_response(*call, valid.error());
  auto version = read_version(query.get("resourceVersion"));
  if (!version) co_return error_response(*call, version.error());

  const bool initial = query.flag("sendInitialEvents");
  const bool bookmarks = query.flag("allowWatchBookmarks");
  const Duration lifetime =
      timeout->value_or(0) > 0 ? Duration(std::chrono::seconds(**timeout)) : random_lifetime();
  auto stream = std::make_unique<WatchStream>(server, call, *selection);
  Revision after(static_cast<std::int64_t>(*version));
  if (*version == 0 || initial) {
    if (*version != 0) {
      auto reached = wait_for_version(server, *version);
      if (auto there = co_await std::move(reached); !there) co_return error_response(*call, there.error());
    }
    store::Snapshot snapshot = server->store.list(collection_of(*call->resource), call->info.ns);
    auto durable = server->store.durable(snapshot.revision);
    if (auto safe = co_await std::move(durable); !safe) co_return error_response(*call, safe.error());
    after = snapshot.revision;
    const bool shows = initial || !query.has("sendInitialEvents");
    if (!shows) snapshot.objects.clear();
    stream->begin_with(std::move(snapshot), initial && bookmarks);
  } else {
    stream->begin_after(after);
  }
  auto subscription = subscribe(*server, *call, after);
  if (subscription) {
    stream->follow(*std::move(subscription), lifetime, bookmarks);
  } else {
    stream->fail_with(subscription.error());
  }
  if (http::wants_websocket(call->request)) {
    co_return http::websocket_response(call->request, std::move(stream));
  }
  http::Response response;
  response.headers.set("Content-Type", "application/json");
  response.stream = std::move(stream);
  co_return response;
}

}  // namespace flotilla::apiserver
