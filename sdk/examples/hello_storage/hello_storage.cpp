// SPDX-License-Identifier: Apache-2.0
// A storage backend: one map, and of every key its newest value alone. Enough for a daemon that forgets at
// its end.
#include <flotilla/sdk/storage.hpp>

#include <map>
#include <mutex>

namespace {

namespace sdk = flotilla::sdk;

class HelloStorage {
 public:
  static constexpr sdk::StorageInfo kInfo = {.name = "hello_storage", .summary = "One map in memory"};

  HelloStorage(const flt_host_t*, const flt_create_args_t&) {}

  void describe(flt_storage_capabilities_t& out) { out.max_value_bytes = 1u << 20; }
  void status(const flt_storage_status_request_t&, sdk::Call& call) {
    const std::lock_guard lock(mutex_);
    sdk::succeed_status(call, revision_, revision_, 0, "single");
  }
  void range(const flt_storage_range_request_t& request, sdk::Call& call) {
    const std::lock_guard lock(mutex_);
    if (request.revision != 0 && request.revision < revision_)
      sdk::refuse_compacted(request.revision, revision_);
    if (request.revision > revision_) sdk::refuse_future(request.revision, revision_);
    sdk::KvList found(call.arena());
    std::uint64_t count = 0;
    for (auto it = values_.lower_bound(sdk::view(request.key)); it != values_.end(); ++it) {
      if (request.end.p == nullptr ? it->first != sdk::view(request.key)
                                   : it->first >= sdk::view(request.end))
        break;
      if (count++ < request.limit || request.limit == 0)
        found.add({it->first, it->second.text, it->second.made, it->second.changed});
    }
    sdk::succeed_range(call, found, request.limit != 0 && count > request.limit, count, revision_);
  }
  void commit(const flt_storage_commit_request_t& request, sdk::Call& call) {
    const std::lock_guard lock(mutex_);
    for (std::uint64_t i = 0; i < request.n_guards; ++i) {
      const auto it = values_.find(sdk::view(request.guards[i].key));
      const std::int64_t there = it == values_.end() ? 0 : it->second.changed;
      if (there != request.guards[i].mod_revision) return sdk::succeed_commit(call, false, revision_);
    }
    ++revision_;
    for (std::uint64_t i = 0; i < request.n_ops; ++i) {
      const flt_storage_op_t& op = request.ops[i];
      if (op.kind == FLT_OP_DELETE) {
        values_.erase(std::string(sdk::view(op.key)));
        continue;
      }
      Value& value = values_[std::string(sdk::view(op.key))];
      value = {std::string(sdk::view(op.value)), value.made == 0 ? revision_ : value.made, revision_};
    }
    sdk::succeed_commit(call, true, revision_);
  }
  void compact(const flt_storage_compact_request_t&, sdk::Call& call) {
    sdk::succeed_compact(call, revision_);
  }

 private:
  struct Value {
    std::string text;
    std::int64_t made = 0, changed = 0;
  };
  std::mutex mutex_;
  std::map<std::string, Value, std::less<>> values_;
  std::int64_t revision_ = 1;
};

}  // namespace

FLT_PLUGIN((flotilla::sdk::PluginInfo{
               .id = "org.example.hello_storage", .version = "1.0.0", .name = "Hello storage"}),
           &flotilla::sdk::storage_component<HelloStorage>)
