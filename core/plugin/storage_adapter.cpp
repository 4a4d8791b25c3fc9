// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/storage_adapter.hpp"

#include <flotilla/abi/ext/storage_maintenance.h>
#include <flotilla/abi/ext/storage_snapshot.h>
#include <flotilla/abi/storage.h>

#include <algorithm>
#include <cstring>

#include "core/store/storage_extras.hpp"

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

std::int64_t count_kvs(const void* batch) {
  const auto n = static_cast<std::int64_t>(static_cast<const flt_snapshot_batch_t*>(batch)->n_kvs);
  return std::max<std::int64_t>(n, 1);
}

class PluginSnapshot final : public store::SnapshotReader {
 public:
  PluginSnapshot(std::shared_ptr<Instance> instance, const flt_snapshot_ops_t& ops)
      : instance_(std::move(instance)), stream_(instance_->services(), {.credit = 4096, .cost = count_kvs}) {
    flt_snapshot_save_request_t request{};
    request.struct_size = sizeof request;
    ops.save(instance_->self(), &request, stream_.handle());
  }

  Task<Result<std::optional<Part>>> next() override {
    auto reading = stream_.next(kPatience);
    auto batch = co_await std::move(reading);
    if (!batch) co_return std::move(batch).error();
    if (!*batch) co_return std::optional<Part>();
    const auto& raw = *(*batch)->as<flt_snapshot_batch_t>();
    Part part;
    part.revision = Revision(raw.revision);
    part.values.reserve(raw.n_kvs);
    for (std::uint64_t i = 0; i < raw.n_kvs; ++i) part.values.push_back(owned(raw.kvs[i]));
    co_return std::optional<Part>(std::move(part));
  }

 private:
  static constexpr Duration kPatience = std::chrono::minutes(5);

  const std::shared_ptr<Instance> instance_;
  Stream stream_;
};

class PluginMaintenance final : public store::MaintenanceReader {
 public:
  PluginMaintenance(std::shared_ptr<Instance> instance, const flt_maintenance_ops_t& ops,
                    store::Maintenance what, bool alone)
      : instance_(std::move(instance)), stream_(instance_->services(), {.credit = 16}) {
    flt_maintenance_request_t request{};
    request.struct_size = sizeof request;
    request.flags = alone ? FLT_MAINTENANCE_ALONE : 0;
    request.what = what == store::Maintenance::Check ? FLT_MAINTENANCE_CHECK : FLT_MAINTENANCE_COMPACT;
    ops.run(instance_->self(), &request, stream_.handle());
  }

  Task<Result<std::optional<store::MaintenanceReport>>> next() override {
    using Kind = store::MaintenanceReport::Kind;
    auto reading = stream_.next();
    auto batch = co_await std::move(reading);
    if (!batch) co_return std::move(batch).error();
    if (!*batch) co_return std::optional<store::MaintenanceReport>();
    const auto& raw = *(*batch)->as<flt_maintenance_report_t>();
    store::MaintenanceReport report;
    report.kind = raw.kind == FLT_MAINTENANCE_FAULT     ? Kind::Fault
                  : raw.kind == FLT_MAINTENANCE_FINDING ? Kind::Finding
                                                        : Kind::Progress;
    report.done = raw.done;
    report.total = raw.total;
    report.text = owned(raw.text);
    co_return std::optional<store::MaintenanceReport>(std::move(report));
  }

 private:
  const std::shared_ptr<Instance> instance_;
  Stream stream_;
};

class StorageAdapter final : public store::StorageBackend, public store::StorageExtras {
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

  bool has_snapshots() const override { return snapshots() != nullptr; }
  std::unique_ptr<store::SnapshotReader> save() override {
    return std::make_unique<PluginSnapshot>(instance_, *snapshots());
  }

  Task<Status> load(store::LoadedPart part) override {
    auto kept = std::make_shared<const store::LoadedPart>(std::move(part));
    Op op = [instance = instance_, ops = snapshots(), kept](flt_call_t* call) {
      std::vector<flt_kv_t> kvs;
      kvs.reserve(kept->values.size());
      for (const store::KeyValue& kv : kept->values)
        kvs.push_back(
            {borrowed(kv.key), borrowed_bytes(kv.value), kv.create_revision.get(), kv.mod_revision.get()});
      flt_snapshot_load_request_t request{};
      request.struct_size = sizeof request;
      request.flags = (kept->first ? FLT_SNAPSHOT_FIRST : 0u) | (kept->last ? FLT_SNAPSHOT_LAST : 0u);
      request.kvs = kvs.data();
      request.n_kvs = kvs.size();
      request.revision = kept->revision.get();
      ops->load(instance->self(), &request, call);
    };
    auto waiting = instance_->services()->call(std::move(op), within(std::chrono::minutes(5)));
    const Completion answer = co_await std::move(waiting);
    if (answer.ok()) co_return Status();
    if (answer.reason == "NotEmpty") co_return Error(Code::Conflict, answer.error.message());
    co_return answer.error;
  }

  bool has_maintenance() const override { return maintenance() != nullptr; }
  std::unique_ptr<store::MaintenanceReader> maintain(store::Maintenance what, bool alone) override {
    return std::make_unique<PluginMaintenance>(instance_, *maintenance(), what, alone);
  }
  std::uint64_t max_operations() const override { return capabilities_.max_ops_per_commit; }

  Task<Result<std::vector<store::StorageFigure>>> figures() override {
    const auto* ops = maintenance();
    Op op = [instance = instance_, ops](flt_call_t* call) { ops->figures(instance->self(), call); };
    auto waiting = instance_->services()->call(std::move(op), usual());
    const Completion answer = co_await std::move(waiting);
    if (!answer.ok()) co_return answer.error;
    const auto& raw = *answer.as<flt_storage_figures_t>();
    std::vector<store::StorageFigure> figures;
    for (std::uint64_t i = 0; i < raw.n_figures; ++i)
      figures.push_back({owned(raw.figures[i].name), owned(raw.figures[i].help), raw.figures[i].value});
    co_return figures;
  }

 private:
  const flt_snapshot_ops_t* snapshots() const {
    const auto* ops = static_cast<const flt_snapshot_ops_t*>(instance_->query(FLT_STORAGE_SNAPSHOT));
    return ops != nullptr && FLT_HAS(ops, save) && FLT_HAS(ops, load) ? ops : nullptr;
  }
  const flt_maintenance_ops_t* maintenance() const {
    const auto* ops = static_cast<const flt_maintenance_ops_t*>(instance_->query(FLT_STORAGE_MAINTENANCE));
    return ops != nullptr && FLT_HAS(ops, run) && FLT_HAS(ops, figures) ? ops : nullptr;
  }

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
