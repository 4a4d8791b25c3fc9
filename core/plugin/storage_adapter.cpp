// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/storage_adapter.hpp"

#include <flotilla/abi/storage.h>

#include <algorithm>
#include <cstring>

namespace flotilla::plugin {
namespace {

CallOptions within(Duration timeout) {
  CallOptions options;
  options.timeout = timeout;
  return options;
}

CallOptions usual() {
  return within(std::chrono::seconds(30));
}

flt_str_t borrowed(const std::string& text) {
  return {text.data(), text.size()};
}
flt_bytes_t borrowed_bytes(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
std::string owned(flt_str_t text) {
  return {text.p == nullptr ? "" : text.p, static_cast<std::size_t>(text.n)};
}
std::string owned(flt_bytes_t bytes) {
  return {
      reinterpret_cast<const char*>(bytes.p == nullptr ? reinterpret_cast<const std::uint8_t*>("") : bytes.p),
      static_cast<std::size_t>(bytes.n)};
}

store::KeyValue owned(const flt_kv_t& kv) {
  return {owned(kv.key), owned(kv.value), Revision(kv.create_revision), Revision(kv.mod_revision)};
}

std::int64_t count_events(const void* batch) {
  const auto n = static_cast<std::int64_t>(static_cast<const flt_storage_events_t*>(batch)->n_events);
  return std::max<std::int64_t>(n, 1);
}

class PluginStorageWatch final : public store::StorageWatch {
 public:
  PluginStorageWatch(std::shared_ptr<Instance> instance, const flt_storage_ops_t& ops, std::string key,
                     std::string end, Revision start)
      : instance_(std::move(instance)),
        ops_(ops),
        stream_(instance_->services(), {.credit = kCredit, .cost = count_events}) {
    flt_storage_watch_request_t request{};
    request.struct_size = sizeof request;
    request.key = borrowed(key);
    request.end = borrowed(end);
    request.start_revision = start.get();
    ops_.watch(instance_->self(), &request, stream_.handle());
  }

  Task<Result<store::StoredChanges>> next() override {
    auto reading = stream_.next();
    auto batch = co_await std::move(reading);
    if (!batch) {
      const ErrorDetails* details = batch.error().details();
      if (details != nullptr && details->reason == "Compacted")
        co_return Error(Code::Gone, batch.error().message());
      co_return std::move(batch).error();
    }
    if (!*batch) co_return Error(Code::Unavailable, "the storage backend ended a watch");
    const auto& raw = *(*batch)->as<flt_storage_events_t>();
    store::StoredChanges out;
    out.progress = Revision(raw.progress);
    out.changes.reserve(raw.n_events);
    for (std::uint64_t i = 0; i < raw.n_events; ++i)
      out.changes.push_back({owned(raw.events[i].kv), raw.events[i].kind == FLT_EVENT_DELETE});
    co_return out;
  }

  void ask_progress() override { ops_.watch_progress(instance_->self(), stream_.handle()); }

 private:
  static constexpr std::int64_t kCredit = 4096;

  const std::shared_ptr<Instance> instance_;
  const flt_storage_ops_t& ops_;
  Stream stream_;
};

class StorageAdapter final : public store::StorageBackend {
 public:
  StorageAdapter(std::shared_ptr<Instance> instance, const flt_storage_ops_t& ops)
      : instance_(std::move(instance)), ops_(ops) {}

  std::string name() const override { return instance_->services()->owner(); }

  Task<Status> start() override {
    auto starting = instance_->start(std::chrono::minutes(5));  // a large file may be checked first
    Status started = co_await std::move(starting);
    if (!started) co_return started;
    ops_.describe(instance_->self(), &capabilities_);
    if ((capabilities_.flags & FLT_STORAGE_SHARED) != 0 && !can_watch())
      co_return Error(Code::Unsupported, "storage " + name() + " has other writers and no watch");
    co_return started;
  }

  Task<void> stop() override {
    const std::shared_ptr<Instance> instance = instance_;
    auto stopping = instance->stop(std::chrono::seconds(30));
    const Status stopped = co_await std::move(stopping);
    static_cast<void>(stopped);  // the instance has logged what is left of it
  }

  store::BackendCapabilities capabilities() const override {
    store::BackendCapabilities out;
    out.durable = (capabilities_.flags & FLT_STORAGE_DURABLE) != 0;
    out.shared = (capabilities_.flags & FLT_STORAGE_SHARED) != 0;
    out.max_value_bytes = capabilities_.max_value_bytes;
    return out;
  }

  Task<Result<store::BackendStatus>> status(bool linearizable) override {
    Op op = [instance = instance_, ops = &ops_, linearizable](flt_call_t* call) {
      flt_storage_status_request_t request{};
      request.struct_size = sizeof request;
      request.flags = linearizable ? FLT_STATUS_LINEARIZABLE : 0;
      ops->status(instance->self(), &request, call);
    };
    auto waiting = instance_->services()->call(std::move(op), usual());
    const Completion answer = co_await std::move(waiting);
    if (!answer.ok()) co_return answer.error;
    const auto& result = *answer.as<flt_storage_status_t>();
    store::BackendStatus status;
    status.revision = Revision(result.revision);
    status.compacted = Revision(result.compacted);
    status.bytes = result.bytes;
    status.read_only = (result.flags & FLT_STATUS_READ_ONLY) != 0;
    status.alarm = owned(result.alarm);
    co_return status;
  }

  Task<Result<Range>> range(std::string key, std::string end, Revision at, std::uint64_t limit) override {
    Op op = [instance = instance_, ops = &ops_, key = std::move(key), end = std::move(end), at,
             limit](flt_call_t* call) {
      flt_storage_range_request_t request{};
      request.struct_size = sizeof request;
      request.key = borrowed(key);
      request.end = borrowed(end);
      request.revision = at.get();
      request.limit = limit;
      ops->range(instance->self(), &request, call);
    };
    auto waiting = instance_->services()->call(std::move(op), usual());
    const Completion answer = co_await std::move(waiting);
    if (!answer.ok()) co_return answer.error;
    const auto& result = *answer.as<flt_storage_range_t>();
    Range range;
    range.more = result.more != 0;
    range.revision = Revision(result.revision);
    range.values.reserve(result.n_kvs);
    for (std::uint64_t i = 0; i < result.n_kvs; ++i) range.values.push_back(owned(result.kvs[i]));
    co_return range;
  }

  // Runs inline for FLT_EXEC_ASYNC, so the order of submission is the plugin's. Others need SERIAL.
  void commit(store::Commit commit, std::function<void(Result<store::CommitResult>)> done) override {
    Op op = [instance = instance_, ops = &ops_,
             commit = std::make_shared<const store::Commit>(std::move(commit))](flt_call_t* call) {
      submit(*instance, *ops, *commit, call);
    };
    instance_->services()->call(std::move(op), within(Duration::max()),
                                [done = std::move(done)](Completion answer) {
                                  if (!answer.ok()) return done(std::move(answer.error));
                                  const auto& result = *answer.as<flt_storage_commit_t>();
                                  done(store::CommitResult{result.succeeded != 0, Revision(result.revision)});
                                });
  }

  Task<Result<Revision>> compact(Revision revision) override {
    Op op = [instance = instance_, ops = &ops_, revision](flt_call_t* call) {
      flt_storage_compact_request_t request{};
      request.struct_size = sizeof request;
      request.revision = revision.get();
      ops->compact(instance->self(), &request, call);
    };
    auto waiting = instance_->services()->call(std::move(op), usual());
    const Completion answer = co_await std::move(waiting);
    if (!answer.ok()) co_return answer.error;
    co_return Revision(answer.as<flt_storage_compact_t>()->compacted);
  }

  Result<std::unique_ptr<store::StorageWatch>> watch(std::string key, std::string end,
                                                     Revision start) override {
    if (!can_watch()) return Error(Code::Unsupported, "storage " + name() + " has no watch");
    return std::unique_ptr<store::StorageWatch>(
        std::make_unique<PluginStorageWatch>(instance_, ops_, std::move(key), std::move(end), start));
  }

 private:
  // A watch runs beside everything else, so it must not block a thread.
  bool can_watch() const {
    return (instance_->component().exec & FLT_EXEC_ASYNC) != 0 && FLT_HAS(&ops_, watch) &&
           FLT_HAS(&ops_, watch_progress);
  }

  static void submit(Instance& instance, const flt_storage_ops_t& ops, const store::Commit& commit,
                     flt_call_t* call) {
    std::vector<flt_storage_guard_t> guards;
    for (const store::Guard& guard : commit.guards)
      guards.push_back({borrowed(guard.key), guard.mod_revision.get()});
    std::vector<flt_storage_op_t> operations;
    for (const store::Operation& operation : commit.operations) {
      operations.push_back({operation.remove ? FLT_OP_DELETE : FLT_OP_PUT, 0, borrowed(operation.key),
                            borrowed_bytes(operation.value), 0});
    }
    flt_storage_commit_request_t request{};
    request.struct_size = sizeof request;
    request.guards = guards.data();
    request.n_guards = guards.size();
    request.ops = operations.data();
    request.n_ops = operations.size();
    request.expect_revision = commit.expect.get();
    ops.commit(instance.self(), &request, call);
  }

  std::shared_ptr<Instance> instance_;
  const flt_storage_ops_t& ops_;
  flt_storage_capabilities_t capabilities_ = {sizeof(flt_storage_capabilities_t), 0, 0, 1, 1, 0, 0};
};

}  // namespace

Result<std::unique_ptr<store::StorageBackend>> make_storage_backend(std::shared_ptr<Instance> instance) {
  const flt_component_t& component = instance->component();
  if (std::strcmp(component.kind, FLT_KIND_STORAGE) != 0)
    return Error(Code::Invalid, instance->name() + " is no storage backend but " + component.kind);
  const auto* ops = instance->ops<flt_storage_ops_t>();
  if (ops == nullptr || !FLT_HAS(ops, describe) || !FLT_HAS(ops, status) || !FLT_HAS(ops, range) ||
      !FLT_HAS(ops, commit) || !FLT_HAS(ops, compact))
    return Error(Code::Invalid, "storage backend " + instance->name() + " lacks a required operation");
  if ((component.exec & (FLT_EXEC_ASYNC | FLT_EXEC_SERIAL)) == 0)
    return Error(Code::Invalid, "storage backend " + instance->name() +
                                    " must be ASYNC or SERIAL, to keep the order of commits");
  return std::unique_ptr<store::StorageBackend>(std::make_unique<StorageAdapter>(std::move(instance), *ops));
}

}  // namespace flotilla::plugin
