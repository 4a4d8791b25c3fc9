// SPDX-License-Identifier: Apache-2.0
#include "engine.hpp"

#include <sys/statvfs.h>

#include <algorithm>
#include <chrono>

#include "../requests.hpp"

namespace flotilla::plugins::storage {
namespace {

constexpr Limits kLimits;
constexpr std::size_t kGroup = 1024;
constexpr std::size_t kGroupBytes = 16u << 20;
constexpr std::size_t kQueue = 100'000;
constexpr std::int64_t kPageBytes = 4096;
constexpr auto kProbeEvery = std::chrono::milliseconds(250);
// Upkeep waits for a moment in which nothing is asked, but not for ever.
constexpr auto kQuiet = std::chrono::milliseconds(50);
constexpr std::size_t kUpkeepEvery = 1024;  // commits; a part of kForgetAtOnce

std::string text(flt_str_t value) {
  return std::string(sdk::view(value));
}

double disk_room(const std::string& path) {
  struct statvfs disk {};
  if (::statvfs(path.c_str(), &disk) != 0) return 0;
  return static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
}

std::string half_restored(const std::string& path) {
  return path + " holds a backup that was restored by half; run flotillactl restore again";
}

void refuse_half_restored(const Database& database, const std::string& path) {
  if (database.loading()) throw sdk::Failure(FLT_FAILED_PRECONDITION, half_restored(path), "HalfRestored");
}

}  // namespace

SqliteEngine::SqliteEngine(const flt_host_t* host, const flt_create_args_t& args)
    : host_(host),
      log_(host),
      options_(parse_options(sdk::view(args.config_json), sdk::view(args.state_dir))),
      waker_(std::make_shared<Waker>([this] {
        {
          std::lock_guard lock(mutex_);
          credit_ = true;
        }
        changed_.notify_one();
      })) {}

SqliteEngine::~SqliteEngine() {
  waker_->stop();
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void SqliteEngine::start(sdk::Call& call) {
  database_ = std::make_unique<Database>(options_, log_);
  publish_now();
  if (database_->loading()) publish(half_restored(options_.path));
  line_ = std::make_unique<SyncLine>([this] { database_->sync(); });
  thread_ = std::thread([this] { run(); });
  call.succeed(nullptr);
}

void SqliteEngine::stop(std::int64_t, sdk::Call& call) {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
  call.succeed(nullptr);
}

void SqliteEngine::health() {
  std::lock_guard lock(mutex_);
  if (!facts_.read_only_because.empty()) throw sdk::Failure(FLT_UNAVAILABLE, facts_.read_only_because);
}

void SqliteEngine::describe(flt_storage_capabilities_t& out) {
  out.flags = FLT_STORAGE_DURABLE;
  out.max_ops_per_commit = kLimits.ops;
  out.max_guards = kLimits.guards;
  out.max_key_bytes = kLimits.key_bytes;
  out.max_value_bytes = kLimits.value_bytes;
}

void SqliteEngine::status(const flt_storage_status_request_t&, sdk::Call& call) {
  std::lock_guard lock(mutex_);
  sdk::succeed_status(call, facts_.revision, facts_.compacted, facts_.bytes, "single",
                      facts_.read_only_because);
}

void SqliteEngine::range(const flt_storage_range_request_t& request, sdk::Call& call) {
  PendingRange range{text(request.key), text(request.end), request.end.p == nullptr,
                     request.revision,  request.limit,     request.flags};
  enqueue({std::move(range), std::move(call)});
}

void SqliteEngine::commit(const flt_storage_commit_request_t& request, sdk::Call& call) {
  check_commit(request, kLimits);
  PendingCommit commit;
  commit.expect_revision = request.expect_revision;
  commit.flags = request.flags;
  commit.guards.reserve(request.n_guards);
  for (const flt_storage_guard_t& guard : guards_of(request))
    commit.guards.push_back({text(guard.key), guard.mod_revision});
  commit.ops.reserve(request.n_ops);
  for (const flt_storage_op_t& op : ops_of(request)) {
    const bool remove = op.kind == FLT_OP_DELETE;
    commit.ops.push_back({remove, text(op.key), remove ? std::string() : std::string(sdk::view(op.value))});
  }
  enqueue({std::move(commit), std::move(call)});
}

void SqliteEngine::compact(const flt_storage_compact_request_t& request, sdk::Call& call) {
  enqueue({PendingCompact{request.revision}, std::move(call)});
}

void SqliteEngine::save(sdk::SnapshotStream& stream) {
  enqueue(make_save(std::move(stream), waker_));
}

void SqliteEngine::load(const flt_snapshot_load_request_t& request, sdk::Call& call) {
  PendingLoad load;
  load.flags = request.flags;
  load.revision = request.revision;
  load.values.reserve(request.n_kvs);
  for (std::uint64_t i = 0; i < request.n_kvs; ++i) {
    const flt_kv_t& kv = request.kvs[i];
    load.values.push_back(
        {text(kv.key), std::string(sdk::view(kv.value)), kv.create_revision, kv.mod_revision});
  }
  enqueue({std::move(load), std::move(call)});
}

void SqliteEngine::maintain(const flt_maintenance_request_t& request, sdk::ReportStream& stream) {
  const bool alone = (request.flags & FLT_MAINTENANCE_ALONE) != 0;
  if (request.what == FLT_MAINTENANCE_CHECK) return enqueue(make_check(std::move(stream), alone, waker_));
  if (request.what == FLT_MAINTENANCE_COMPACT)
    return enqueue(make_compaction(std::move(stream), alone, waker_));
  throw sdk::Failure(FLT_UNIMPLEMENTED, "no such maintenance");
}

void SqliteEngine::figures(sdk::Call& call) {
  Facts facts;
  std::size_t waiting = 0;
  {
    std::lock_guard lock(mutex_);
    facts = facts_;
    waiting = queue_.size();
  }
  const auto number = [](auto value) { return static_cast<double>(value); };
  sdk::succeed_figures(
      call, {{"keys", "Keys that have a value.", number(facts.keys)},
             {"database_bytes", "Size of the database file.", number(facts.bytes - facts.log_bytes)},
             {"log_bytes", "Size of the write-ahead log.", number(facts.log_bytes)},
             {"free_bytes", "Of the database file, what is free to be written again.",
              number(facts.free_pages * kPageBytes)},
             {"disk_free_bytes", "Room left on the disk of the database.", disk_room(options_.path)},
             {"history_revisions", "Past revisions that are kept.", number(facts.revision - facts.compacted)},
             {"waiting_requests", "Commits and reads that wait for the database.", number(waiting)},
             {"read_only", "1: writes are refused.", facts.read_only_because.empty() ? 0.0 : 1.0}});
}

void SqliteEngine::enqueue(std::unique_ptr<Background> work) {
  {
    std::lock_guard lock(mutex_);
    if (!stopping_ && thread_.joinable()) arriving_.push_back(std::move(work));
  }
  if (work) return work->fail(sdk::Failure(FLT_UNAVAILABLE, "the database is not open"));
  changed_.notify_one();
}

void SqliteEngine::enqueue(Job job) {
  bool idle = false;
  const char* refused = nullptr;
  {
    std::lock_guard lock(mutex_);
    if (stopping_ || !thread_.joinable()) {
      refused = "the database is not open";
    } else if (queue_.size() >= kQueue) {
      refused = "too many commits wait for the disk";
    } else {
      idle = queue_.empty();
      queue_.push_back(std::move(job));
    }
  }
  if (refused != nullptr) return job.call.fail(FLT_UNAVAILABLE, refused);
  if (idle) changed_.notify_one();
}

void SqliteEngine::run() {
  Upkeep upkeep = Upkeep::Now;
  for (;;) {
    std::deque<Job> jobs = take(upkeep);
    if (jobs.empty()) {
      std::lock_guard lock(mutex_);
      if (stopping_ && queue_.empty()) break;
    }
    const bool was_read_only = read_only_;
    const bool idle = jobs.empty() && !background_ready();
    serve(jobs);
    step_background();
    if (const auto failure = line_->failure(); failure && !read_only_) become_read_only(*failure);
    // The way back is tried when nothing is asked, not right after the failure.
    if (read_only_ && !(was_read_only && idle)) {
      upkeep = Upkeep::None;
    } else if (!read_only_ && !idle && commits_since_upkeep_ < kUpkeepEvery) {
      upkeep = Upkeep::Soon;
    } else if (database_ && database_->loading()) {
      upkeep = Upkeep::None;
    } else {
      commits_since_upkeep_ = 0;
      upkeep = tend() ? Upkeep::Now : Upkeep::None;
    }
  }
  line_->settle();
  {
    std::lock_guard lock(mutex_);
    for (auto& work : std::exchange(arriving_, {})) background_.push_back(std::move(work));
  }
  fail_background(sdk::Failure(FLT_CANCELLED, "the database is closing"));
  try {
    if (line_->failure() && database_) database_->abandon();
    if (!read_only_ && !line_->failure()) database_->close_cleanly();
  } catch (const sdk::Failure& failure) {
    log_.write(FLT_LOG_WARN, "the database was not closed cleanly",
               {{sdk::str("error"), sdk::str(failure.what())}});
  }
  line_.reset();
  database_.reset();
}

// Everything that waits. Without anything: when there is work of our own to do.
std::deque<SqliteEngine::Job> SqliteEngine::take(Upkeep upkeep) {
  std::unique_lock lock(mutex_);
  const auto due = [this] { return stopping_ || !queue_.empty() || !arriving_.empty() || credit_; };
  credit_ = background_ready();
  if (read_only_) {
    changed_.wait_for(lock, kProbeEvery, due);
  } else if (upkeep == Upkeep::Soon) {
    changed_.wait_for(lock, kQuiet, due);
  } else if (upkeep == Upkeep::None) {
    changed_.wait(lock, due);
  }
  for (auto& work : std::exchange(arriving_, {})) background_.push_back(std::move(work));
  return std::exchange(queue_, {});
}

bool SqliteEngine::background_ready() const {
  return std::any_of(background_.begin(), background_.end(), [](const auto& work) { return work->ready(); });
}

void SqliteEngine::fail_background(const sdk::Failure& failure) {
  begun_ = 0;
  for (const auto& work : std::exchange(background_, {})) work->fail(failure);
}

// One step of each that has room. What was begun sees nothing that is not safe.
void SqliteEngine::step_background() {
  for (std::size_t i = 0; i < background_.size(); ++i) {
    try {
      if (!database_ || line_->failure()) throw sdk::Failure(FLT_UNAVAILABLE, "the database is read-only");
      refuse_half_restored(*database_, options_.path);
      if (i >= begun_) {
        line_->settle();
        background_[i]->begin(*database_);
        begun_ = i + 1;
      }
      if (!background_[i]->ready() || background_[i]->step(*database_)) continue;
    } catch (const sdk::Failure& failure) {
      background_[i]->fail(failure);
    }
    background_.erase(background_.begin() + static_cast<std::ptrdiff_t>(i));
    begun_ -= i < begun_ ? 1 : 0;
    --i;
  }
}

void SqliteEngine::load_now(const PendingLoad& load) {
  if ((load.flags & FLT_SNAPSHOT_FIRST) != 0) {
    database_->begin_load();
    publish(half_restored(options_.path));
  }
  if (!database_->loading()) throw sdk::Failure(FLT_FAILED_PRECONDITION, "nothing was begun to be loaded");
  std::vector<sdk::StoredValue> values;
  values.reserve(load.values.size());
  for (const PendingLoad::Value& value : load.values)
    values.push_back({value.key, value.value, value.create_revision, value.mod_revision});
  database_->load(values);
  if ((load.flags & FLT_SNAPSHOT_LAST) == 0) return;
  database_->end_load(load.revision);
  publish_now();
  publish(std::string());
}

void SqliteEngine::serve(std::deque<Job>& jobs) {
  while (!jobs.empty()) {
    if (std::holds_alternative<PendingCommit>(jobs.front().work)) {
      serve_group(jobs);
      continue;
    }
    serve_one(jobs.front());
    jobs.pop_front();
  }
}

void SqliteEngine::serve_one(Job& job) {
  line_->settle();
  job.call.run([&](sdk::Call& call) {
    if (!database_) throw sdk::Failure(FLT_UNAVAILABLE, options_.path + " could not be opened again");
    if (const auto* load = std::get_if<PendingLoad>(&job.work)) {
      try {
        load_now(*load);
      } catch (...) {
        database_->roll_back();
        throw;
      }
      return call.succeed(nullptr);
    }
    refuse_half_restored(*database_, options_.path);
    if (const auto* range = std::get_if<PendingRange>(&job.work)) {
      sdk::KvList kvs(call.arena());
      const Database::RangeTotals totals = database_->range(*range, kvs);
      return sdk::succeed_range(call, kvs, totals.more, totals.count, totals.revision);
    }
    database_->compact(std::get<PendingCompact>(job.work).revision);
    database_->sync();
    publish_now();
    sdk::succeed_compact(call, database_->compacted());
  });
}

// The commits at the front of `jobs` that fit into one transaction.
std::deque<SqliteEngine::Job> SqliteEngine::take_group(std::deque<Job>& jobs) {
  std::deque<Job> group;
  std::size_t bytes = 0;
  while (!jobs.empty() && group.size() < kGroup && bytes < kGroupBytes &&
         std::holds_alternative<PendingCommit>(jobs.front().work)) {
    for (const PendingOp& op : std::get<PendingCommit>(jobs.front().work).ops) bytes += op.value.size();
    group.push_back(std::move(jobs.front()));
    jobs.pop_front();
  }
  return group;
}

// Writes a group and hands it on to be made safe.
void SqliteEngine::serve_group(std::deque<Job>& jobs) {
  auto group = std::make_shared<Group>();
  group->jobs = take_group(jobs);
  commits_since_upkeep_ += group->jobs.size();
  if (read_only_) {
    return fail_group(
        group->jobs,
        sdk::Failure(FLT_UNAVAILABLE, "the database is read-only: " + facts_.read_only_because, "ReadOnly"));
  }
  group->answers.reserve(group->jobs.size());
  try {
    refuse_half_restored(*database_, options_.path);
  } catch (const sdk::Failure& failure) {
    return fail_group(group->jobs, failure);
  }
  try {
    database_->begin();
    for (Job& job : group->jobs) {
      Answer answer{false, 0, sdk::KvList(job.call.arena())};
      answer.succeeded = database_->apply(std::get<PendingCommit>(job.work), &answer.kvs);
      answer.revision = database_->revision();
      group->answers.push_back(std::move(answer));
    }
    database_->save();
  } catch (const sdk::Failure& failure) {
    line_->settle();
    database_->roll_back();
    become_read_only(failure);
    return fail_group(group->jobs, failure);
  }
  group->revision = database_->revision();
  group->compacted = database_->compacted();
  group->keys = database_->content().keys;
  const auto safe = [this, group] {
    publish(group->revision, group->compacted, group->keys);
    for (std::size_t i = 0; i < group->jobs.size(); ++i) {
      group->jobs[i].call.run([&](sdk::Call& call) {
        const Answer& answer = group->answers[i];
        sdk::succeed_commit(call, answer.succeeded, answer.revision, &answer.kvs);
      });
    }
  };
  const auto lost = [group](const sdk::Failure& failure) { fail_group(group->jobs, failure); };
  line_->add({safe, lost}, jobs.empty() && !anything_asked());
}

void SqliteEngine::become_read_only(const sdk::Failure& failure) {
  read_only_ = true;
  fail_background(failure);
  log_.write(FLT_LOG_ERROR, "the database cannot be written, read-only",
             {{sdk::str("path"), sdk::str(options_.path)}, {sdk::str("error"), sdk::str(failure.what())}});
  publish(std::string(failure.what()) + "; writes go on by themselves when it is gone");
}

bool SqliteEngine::anything_asked() {
  std::lock_guard lock(mutex_);
  return !queue_.empty();
}

void SqliteEngine::fail_group(std::deque<Job>& group, const sdk::Failure& failure) {
  for (Job& job : group) job.call.fail(failure.code(), failure.what(), failure.reason());
}

// Upkeep, and the way back from read-only. True if there is more to do soon.
bool SqliteEngine::tend() {
  try {
    if (!read_only_) {
      const bool more = database_->tend();
      std::lock_guard lock(mutex_);
      facts_.free_pages = database_->free_pages();
      return more;
    }
    recover();
  } catch (const sdk::Failure& failure) {
    if (database_) database_->roll_back();
    if (!read_only_)
      log_.write(FLT_LOG_WARN, "upkeep of the database failed",
                 {{sdk::str("error"), sdk::str(failure.what())}});
  }
  return false;
}

// Throws what still stands in the way.
void SqliteEngine::recover() {
  line_->settle();
  if (line_->failure() || !database_) {
    if (database_) database_->abandon();
    database_.reset();
    database_ = std::make_unique<Database>(options_, log_);
  }
  database_->probe();
  line_->reset();
  read_only_ = false;
  log_.write(FLT_LOG_INFO, "the database takes writes again", {{sdk::str("path"), sdk::str(options_.path)}});
  publish_now();
  publish(std::string());
}

void SqliteEngine::publish(std::int64_t revision, std::int64_t compacted, std::int64_t keys) {
  const std::uint64_t log_bytes = file_size(options_.path + "-wal");
  const std::uint64_t bytes = file_size(options_.path) + log_bytes;
  std::lock_guard lock(mutex_);
  facts_.revision = revision;
  facts_.compacted = compacted;
  facts_.keys = keys;
  facts_.bytes = bytes;
  facts_.log_bytes = log_bytes;
}

// By the thread, with nothing on its way to the disk.
void SqliteEngine::publish_now() {
  publish(database_->revision(), database_->compacted(), database_->content().keys);
  std::lock_guard lock(mutex_);
  facts_.free_pages = database_->free_pages();
}

void SqliteEngine::publish(std::string read_only) {
  std::lock_guard lock(mutex_);
  facts_.read_only_because = std::move(read_only);
}

}  // namespace flotilla::plugins::storage
