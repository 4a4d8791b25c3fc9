// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <charconv>
#include <random>

#include "core/api/multi_cluster_version.hpp"
#include "core/apiserver/read/encoded.hpp"
#include "core/apiserver/read/reads.hpp"
#include "core/apiserver/response.hpp"
#include "core/apiserver/search/fleet.hpp"
#include "core/apiserver/shape.hpp"
#include "core/http/websocket.hpp"

namespace flotilla::apiserver {
namespace {

using search::CacheEvent;
using search::ResourceCache;

constexpr auto kBookmarkEvery = std::chrono::seconds(60);
constexpr auto kLastBookmark = std::chrono::seconds(2);  // before the end
constexpr std::size_t kBatch = 128u << 10;               // of initial events

// One member's part of a watch.
struct Follow {
  search::ResourceCachePtr cache;
  search::Namespaces shown;
  ResourceCache::Place place;
  ResourceCache::Snapshot initial;  // in the order of versions
  std::size_t next_initial = 0;
};

struct WatchOptions {
  api::MultiClusterVersion versions;
  Duration lifetime{0};
  bool bookmarks = false;
  bool initial = true;       // of members without a version
  bool all_initial = false;  // of those with one too
  bool announce_end = false;
};

// The watches of all members in one stream. Its versions add up: each event says how far it is in every
// member. It ends when a member comes to be cached, or this resource of one comes or goes: whoever watches
// has to list again.
class FleetWatch final : public http::BodyStream {
 public:
  FleetWatch(ServerPtr server, CallPtr call, Selection selection, search::TopicPtr topic,
             WatchOptions options)
      : server_(std::move(server)),
        call_(std::move(call)),
        selection_(std::move(selection)),
        topic_(std::move(topic)),
        arrivals_(server_->fleet.cache->table()->arrivals),
        versions_(options.versions),
        bookmarks_(options.bookmarks),
        announce_end_(options.announce_end) {
    server_->watches.fetch_add(1);
    const SteadyTime now = server_->executor.clock().steady_now();
    ends_at_ = now + std::chrono::duration_cast<SteadyTime::duration>(options.lifetime);
    next_bookmark_ = std::min<SteadyTime>(now + kBookmarkEvery, std::max(now, ends_at_ - kLastBookmark));
    for (const auto& [cluster, source] : topic_->sources) begin(source, options);
  }
  ~FleetWatch() override { server_->watches.fetch_sub(1); }

  Task<std::vector<http::Chunk>> next() override {
    for (;;) {
      const std::uint64_t seen = topic_->changed->version();
      if (!ended_) show_initial();
      if (chunks_.empty() && !ended_) show_news();
      if (!chunks_.empty()) co_return std::exchange(chunks_, {});
      const SteadyTime now = server_->executor.clock().steady_now();
      if (ended_ || is_over() || now >= ends_at_) co_return std::vector<http::Chunk>();
      tick(now);
      if (!chunks_.empty()) co_return std::exchange(chunks_, {});
      const SteadyTime until =
          bookmarks_ && !last_bookmark_sent_ ? std::min(ends_at_, next_bookmark_) : ends_at_;
      const Duration patience = std::max<Duration>(until - now, std::chrono::milliseconds(1));
      auto waiting = topic_->changed->wait_past_for(seen, patience);
      co_await std::move(waiting);
    }
  }

 private:
  void begin(const search::Topic::Source& source, const WatchOptions& options) {
    if (!source.cache->synced()) {
      awaited_.push_back(source.cache);
      return;
    }
    Follow follow{source.cache, source.shown, {}, {}, 0};
    const std::string_view version = options.versions.of(source.cache->cluster());
    const bool has_version = !version.empty() && version != "0";
    if (has_version && !options.all_initial) {
      std::int64_t after = 0;
      std::from_chars(version.data(), version.data() + version.size(), after);
      const auto place = source.cache->place_after(Revision(after));
      if (!place) return fail(place.error());
      follow.place = *place;
    } else {
      follow.initial = source.cache->list_and_place(call_->info.ns, follow.place);
      if (!options.initial) follow.initial.objects.clear();
      auto& objects = follow.initial.objects;
      std::erase_if(objects, [&](const ObjectPtr& object) { return !matches(follow, *object); });
      std::stable_sort(objects.begin(), objects.end(),
                       [](const ObjectPtr& a, const ObjectPtr& b) { return a->revision() < b->revision(); });
    }
    follows_.push_back(std::move(follow));
  }

  bool matches(const Follow& follow, const api::Object& object) const {
    return (call_->info.ns.empty() || object.ns() == call_->info.ns) && follow.shown.contains(object.ns()) &&
           selection_.matches(object);
  }

  // A batch of them, member by member; the bookmark behind the last.
  void show_initial() {
    std::size_t bytes = 0;
    for (; next_follow_ < follows_.size() && bytes < kBatch; ++next_follow_) {
      Follow& follow = follows_[next_follow_];
      auto& objects = follow.initial.objects;
      while (follow.next_initial < objects.size() && bytes < kBatch)
        bytes += append("ADDED", follow, *objects[follow.next_initial++]);
      if (follow.next_initial < objects.size()) return;
      if (follow.initial.version != Revision()) reach(follow, follow.initial.version);
      follow.initial = {};
      follow.next_initial = 0;
    }
    if (next_follow_ == follows_.size() && std::exchange(announce_end_, false)) append_bookmark(true);
  }

  void show_news() {
    if (next_follow_ < follows_.size()) return;
    for (Follow& follow : follows_) {
      const auto news = follow.cache->read(follow.place);
      if (!news) return fail(news.error());
      for (const CacheEvent& event : news->events) show(follow, event);
      reach(follow, news->version);
    }
  }

  void show(Follow& follow, const CacheEvent& event) {
    const bool was = event.previous && matches(follow, *event.previous);
    const bool is = matches(follow, *event.object);
    if (event.type == CacheEvent::Type::Deleted) {
      if (is || was) append("DELETED", follow, *event.object);
    } else if (is) {
      append(was ? "MODIFIED" : "ADDED", follow, *event.object);
    } else if (was) {
      append("DELETED", follow, *event.previous->at_revision(event.revision));
    }
  }

  void reach(const Follow& follow, Revision version) {
    versions_.set(follow.cache->cluster(), std::to_string(version.get()));
  }

  // Returns the bytes it took.
  std::size_t append(std::string_view type, const Follow& follow, const api::Object& object) {
    reach(follow, object.revision());
    const std::string version = versions_.encode();
    std::string frame;
    if (call_->media.shape == Shape::Object) {
      const auto [head, tail] = around_version(object.bytes());
      frame.reserve(head.size() + tail.size() + version.size() + 48);
      frame.append("{\"type\":\"").append(type).append("\",\"object\":");
      frame.append(head).append(version).append(tail).append("}\n");
    } else {
      Json shown = *object.content();
      object.release_content();
      shown["metadata"].set("resourceVersion", version);
      const bool has_columns = call_->media.shape == Shape::Table && std::exchange(first_, false);
      frame = event_frame(*server_, *call_, type, shown, has_columns);
    }
    const std::size_t size = frame.size();
    chunks_.push_back(http::Chunk::of(std::move(frame)));
    return size;
  }

  void append_frame(std::string_view type, const Json& object) {
    chunks_.push_back(
        http::Chunk::of("{\"type\":\"" + std::string(type) + "\",\"object\":" + object.dump() + "}\n"));
  }
  void append_bookmark(bool initial_events_end) {
    append_frame("BOOKMARK", bookmark_object(*call_, versions_.encode(), initial_events_end));
  }
  void fail(const Error& error) {
    append_frame("ERROR", status_object(error));
    ended_ = true;
  }

  void tick(SteadyTime now) {
    if (!bookmarks_ || last_bookmark_sent_ || now < next_bookmark_) return;
    append_bookmark(false);
    last_bookmark_sent_ = now + kLastBookmark >= ends_at_;
    next_bookmark_ = std::min<SteadyTime>(now + kBookmarkEvery, ends_at_ - kLastBookmark);
  }

  bool is_over() const {
    const auto table = server_->fleet.cache->table();
    const auto topic =
        table->topics.find({call_->resource->group, call_->resource->version, call_->resource->resource});
    return table->arrivals != arrivals_ || topic == table->topics.end() || topic->second != topic_ ||
           std::any_of(awaited_.begin(), awaited_.end(), [](const auto& cache) { return cache->synced(); });
  }

  ServerPtr server_;
  CallPtr call_;
  Selection selection_;
  const search::TopicPtr topic_;
  const std::uint64_t arrivals_;
  api::MultiClusterVersion versions_;
  std::vector<Follow> follows_;
  std::vector<search::ResourceCachePtr> awaited_;  // that had no list yet
  std::size_t next_follow_ = 0;                    // whose initial events come next
  std::vector<http::Chunk> chunks_;
  SteadyTime ends_at_, next_bookmark_;
  bool bookmarks_;
  bool announce_end_;
  bool last_bookmark_sent_ = false;
  bool ended_ = false;
  bool first_ = true;
};

Duration random_lifetime() {
  static std::atomic<std::uint32_t> turn{std::random_device{}()};
  std::minstd_rand random(turn.fetch_add(1));
  return std::chrono::seconds(1800 + static_cast<int>(random() % 1800));
}

}  // namespace

Task<http::Response> serve_fleet_watch(ServerPtr server, CallPtr call, search::TopicPtr topic) {
  const Query& query = call->query;
  if (call->media.encoding == Encoding::Yaml) {
    co_return error_response(
        *call, Error(Code::NotAcceptable,
                     "only the following media types are accepted: application/json;stream=watch"));
  }
  if (auto numbers = check_list_numbers(query); !numbers) co_return error_response(*call, numbers.error());
  auto selection = read_fleet_selection(*call);
  if (!selection) co_return error_response(*call, selection.error());
  if (auto valid = check_list_options(query, true); !valid) co_return error_response(*call, valid.error());
  const auto timeout = query.integer("timeoutSeconds");
  WatchOptions options;
  options.versions = api::MultiClusterVersion::decode(query.get("resourceVersion"));
  options.lifetime = timeout->value_or(0) > 0 ? Duration(std::chrono::seconds(**timeout)) : random_lifetime();
  options.bookmarks = query.flag("allowWatchBookmarks");
  options.all_initial = query.flag("sendInitialEvents");
  options.initial = options.all_initial || !query.has("sendInitialEvents");
  options.announce_end = options.all_initial && options.bookmarks;
  auto waiting = wait_for_caches(server, topic);
  co_await std::move(waiting);
  auto stream =
      std::make_unique<FleetWatch>(server, call, *std::move(selection), std::move(topic), std::move(options));
  if (http::wants_websocket(call->request))
    co_return http::websocket_response(call->request, std::move(stream));
  http::Response response;
  response.headers.set("Content-Type", "application/json");
  response.stream = std::move(stream);
  co_return response;
}

}  // namespace flotilla::apiserver
