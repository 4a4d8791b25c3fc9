// SPDX-License-Identifier: Apache-2.0
// The life of the backend, its state and its watches. Commits and ranges are in files of their own.
#include "engine.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <future>

#include "messages.hpp"
#include "work.hpp"

namespace flotilla::plugins::storage::etcd {
namespace {

constexpr std::int64_t kLongestElection = 20'000;      // that a start waits for, ms
constexpr std::int64_t kLongestStop = 10'000'000'000;  // for what is under way, ns
constexpr std::int64_t kStopMargin = 1'000'000'000;

void require_version(std::string_view version) {
  int major = 0;
  int minor = 0;
  const char* const end = version.data() + version.size();
  const char* at = std::from_chars(version.data(), end, major).ptr;
  if (at != end) std::from_chars(at + 1, end, minor);
  if (major > 3 || (major == 3 && minor >= 4)) return;
  throw sdk::Failure(FLT_FAILED_PRECONDITION,
                     "etcd " + std::string(version) + " is too old; version 3.4 or later is needed");
}

}  // namespace

EtcdEngine::EtcdEngine(const flt_host_t* host, const flt_create_args_t& args)
    : host_(host),
      log_(host),
      options_(parse_options(sdk::view(args.config_json))),
      layout_(options_.prefix) {}

EtcdEngine::~EtcdEngine() = default;

void EtcdEngine::start(sdk::Call& call) {
  auto cluster = std::make_unique<Cluster>(host_, options_);
  // Members that were just started have no leader for a while.
  const std::int64_t until = cluster->loop().now_ms() + kLongestElection;
  const auto ask = [&](const char* method, const std::string& request) {
    for (;;) {
      ClusterAnswer answer = cluster->wait(method, request);
      if (answer.ok()) return answer;
      if (!has_no_leader(answer) || cluster->loop().now_ms() > until)
        throw failure_of(answer, options_, "start");
    }
  };
  if (!options_.user.empty()) {
    auto renewed = std::make_shared<std::promise<bool>>();
    cluster->renew_token([renewed](bool done) { renewed->set_value(done); });
    if (!renewed->get_future().get()) {
      throw sdk::Failure(FLT_UNAUTHENTICATED, "etcd at " + options_.names() + " does not accept user " +
                                                  options_.user + "; check user and passwordFile");
    }
  }
  const ClusterAnswer stated = ask(kStatus, {});
  StatusAnswer status;
  if (!read_status(stated.body, status)) throw sdk::Failure(FLT_INTERNAL, "etcd's status is not understood");
  require_version(status.version);
  cluster->note_version(stated.endpoint, status.version);
  replicated_ = read_member_count(ask(kMemberList, {}).body) >= 3;
  cluster->saw(
      read_header_revision(ask(kRange, write_range({.key = layout_.mark(), .count_only = true})).body));
  cluster->on_move([this](std::size_t from) { moved(from); });
  cluster_ = std::move(cluster);
  leases_ = std::make_unique<Leases>(*cluster_);
  {
    std::lock_guard lock(mutex_);
    open_ = true;
  }
  call.succeed(nullptr);
}

void EtcdEngine::stop(std::int64_t deadline_ns, sdk::Call& call) {
  std::unordered_map<flt_stream_t*, std::shared_ptr<Watcher>> watchers;
  {
    std::lock_guard lock(mutex_);
    open_ = false;
    watchers = watchers_;
  }
  for (const auto& [stream, watcher] : watchers) watcher->stop();
  watchers.clear();
  if (cluster_) {
    const std::int64_t left = deadline_ns - host_->clock->monotonic_ns(host_) - kStopMargin;
    {
      std::unique_lock lock(mutex_);
      idle_.wait_for(lock, std::chrono::nanoseconds(std::clamp<std::int64_t>(left, 0, kLongestStop)),
                     [this] { return under_way_ == 0; });
    }
    cluster_->stop();
    leases_.reset();
    cluster_.reset();
  }
  call.succeed(nullptr);
}

void EtcdEngine::health() {
  std::lock_guard lock(mutex_);
  if (!open_) throw sdk::Failure(FLT_UNAVAILABLE, "there is no connection to etcd");
}

void EtcdEngine::describe(flt_storage_capabilities_t& out) {
  out.flags = FLT_STORAGE_DURABLE | FLT_STORAGE_SHARED | FLT_STORAGE_TTL | FLT_STORAGE_SERIALIZABLE;
  if (replicated_) out.flags |= FLT_STORAGE_REPLICATED;
  out.max_ops_per_commit = options_.max_ops;
  out.max_guards = options_.max_ops;
  out.max_key_bytes = kMaxKey;
  out.max_value_bytes = options_.max_request_bytes - kRequestMargin;
}

std::shared_ptr<void> EtcdEngine::begin_work() {
  std::lock_guard lock(mutex_);
  if (!open_) throw sdk::Failure(FLT_UNAVAILABLE, "there is no connection to etcd");
  ++under_way_;
  return {nullptr, [this](void*) {
            std::lock_guard ended(mutex_);
            if (--under_way_ == 0) idle_.notify_all();
          }};
}

// ---- status and compaction ----

// Everything is asked at once; the last answer makes ours.
void EtcdEngine::status(const flt_storage_status_request_t& request, sdk::Call& call) {
  const bool linearizable = (request.flags & FLT_STATUS_LINEARIZABLE) != 0;
  auto work = std::make_shared<StatusWork>(begin_work(), std::move(call), linearizable ? 3 : 2);
  cluster_->call(kStatus, {}, Cluster::Repeat::Yes, [this, work](ClusterAnswer answer) {
    StatusAnswer status;
    if (!answer.ok()) {
      work->failed.emplace(failure_of(answer, options_, "status"));
    } else if (!read_status(answer.body, status)) {
      work->failed.emplace(FLT_INTERNAL, "etcd's status is not understood");
    } else {
      cluster_->note_version(answer.endpoint, status.version);
      cluster_->saw(status.revision);
      work->bytes = static_cast<std::uint64_t>(status.bytes);
      work->role = status.leader == status.member ? "leader" : "follower";
      for (const std::string_view error : status.errors) {
        if (work->alarm.empty()) work->alarm = alarm_of(error, status.bytes);
      }
    }
    answer_status(work);
  });
  if (linearizable) {
    cluster_->call(kRange, write_range({.key = layout_.mark(), .count_only = true}), Cluster::Repeat::Yes,
                   [this, work](ClusterAnswer answer) {
                     if (!answer.ok()) work->not_linearizable.emplace(failure_of(answer, options_, "status"));
                     cluster_->saw(read_header_revision(answer.body));
                     answer_status(work);
                   });
  }
  find_compacted(cluster_->newest(), [this, work](std::int64_t compacted) {
    work->compacted = compacted;
    answer_status(work);
  });
}

void EtcdEngine::answer_status(const std::shared_ptr<StatusWork>& work) {
  if (--work->missing != 0) return;
  work->call.run([&](sdk::Call& call) {
    if (work->failed) throw *work->failed;
    if (work->not_linearizable) throw *work->not_linearizable;
    const std::int64_t newest = cluster_->newest();
    sdk::succeed_status(call, newest, std::min(work->compacted, newest), work->bytes, work->role,
                        work->alarm);
  });
}

// What was known last is asked first; it rarely changes.
void EtcdEngine::find_compacted(std::int64_t newest, std::function<void(std::int64_t)> then) {
  const std::int64_t known = compacted_;
  const RangeAsk ask{.key = layout_.mark(), .revision = known, .serializable = true, .count_only = true};
  cluster_->call(kRange, write_range(ask), Cluster::Repeat::Yes,
                 [this, known, newest, then = std::move(then)](ClusterAnswer answer) {
                   if (!is_compacted(answer)) return then(known);
                   search_compacted(known, newest, then);
                 });
}

void EtcdEngine::search_compacted(std::int64_t known_gone, std::int64_t known_there,
                                  std::function<void(std::int64_t)> then) {
  if (known_there - known_gone <= 1) {
    remember_compacted(known_there);
    return then(compacted_);
  }
  const std::int64_t middle = known_gone + (known_there - known_gone) / 2;
  const RangeAsk ask{.key = layout_.mark(), .revision = middle, .serializable = true, .count_only = true};
  cluster_->call(kRange, write_range(ask), Cluster::Repeat::Yes,
                 [this, known_gone, known_there, middle, then = std::move(then)](ClusterAnswer answer) {
                   if (is_compacted(answer)) return search_compacted(middle, known_there, then);
                   if (!answer.ok() && !is_future(answer)) return then(compacted_);
                   search_compacted(known_gone, middle, then);
                 });
}

void EtcdEngine::remember_compacted(std::int64_t revision) {
  std::int64_t known = compacted_;
  while (known < revision && !compacted_.compare_exchange_weak(known, revision)) {
  }
}

void EtcdEngine::compact(const flt_storage_compact_request_t& request, sdk::Call& call) {
  const std::int64_t revision = request.revision;
  auto work = std::make_shared<StatusWork>(begin_work(), std::move(call), 1);
  cluster_->call(kCompact, write_compact(revision), Cluster::Repeat::Yes,
                 [this, work, revision](ClusterAnswer answer) {
                   work->call.run([&](sdk::Call& owned) {
                     if (is_future(answer)) sdk::refuse_future(revision, cluster_->newest());
                     if (is_compacted(answer)) {
                       return find_compacted(cluster_->newest(), [work](std::int64_t compacted) {
                         sdk::succeed_compact(work->call, compacted);
                       });
                     }
                     if (!answer.ok()) throw failure_of(answer, options_, "compact");
                     cluster_->saw(read_header_revision(answer.body));
                     remember_compacted(revision);
                     sdk::succeed_compact(owned, compacted_);
                   });
                 });
}

// ---- watches ----

void EtcdEngine::watch(const flt_storage_watch_request_t& request, sdk::EventStream& stream) {
  flt_stream_t* const handle = stream.raw();
  std::shared_ptr<Watcher> watcher;
  {
    std::lock_guard lock(mutex_);
    if (!open_) throw sdk::Failure(FLT_UNAVAILABLE, "there is no connection to etcd");
    watcher = std::make_shared<Watcher>(
        Watcher::Services{*cluster_, layout_, [this](Watcher& ended) { watch_ended(ended); },
                          [this] { write_mark(); }},
        request, std::move(stream));
    watchers_.emplace(handle, watcher);
  }
  watcher->start();
}

void EtcdEngine::watch_progress(flt_stream_t* stream) {
  std::shared_ptr<Watcher> watcher;
  {
    std::lock_guard lock(mutex_);
    const auto it = watchers_.find(stream);
    if (it == watchers_.end() || !open_) return;
    watcher = it->second;
  }
  watcher->progress();
}

void EtcdEngine::watch_ended(Watcher& watcher) {
  std::lock_guard lock(mutex_);
  watchers_.erase(watcher.handle());
}

void EtcdEngine::moved(std::size_t from) {
  std::vector<std::shared_ptr<Watcher>> all;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [stream, watcher] : watchers_) all.push_back(watcher);
  }
  for (const auto& watcher : all) watcher->moved(from);
  // Members may be of different versions, while they are upgraded.
  cluster_->call(kStatus, {}, Cluster::Repeat::IfNotDone, [this](ClusterAnswer answer) {
    StatusAnswer status;
    if (answer.ok() && read_status(answer.body, status))
      cluster_->note_version(answer.endpoint, status.version);
  });
}

// One at a time serves all watches that wait for one.
void EtcdEngine::write_mark() {
  {
    std::lock_guard lock(mutex_);
    mark_again_ = std::exchange(marking_, true);
    if (mark_again_ || !open_) return;
  }
  TxnWriter transaction;
  transaction.put(layout_.mark(), {}, 0, false);
  cluster_->call(kTxn, transaction.take(), Cluster::Repeat::Yes, [this](ClusterAnswer) {
    bool again = false;
    {
      std::lock_guard lock(mutex_);
      marking_ = false;
      again = std::exchange(mark_again_, false);
    }
    if (again) write_mark();
  });
}

}  // namespace flotilla::plugins::storage::etcd
