// SPDX-License-Identifier: Apache-2.0
#include "sdk/conformance/storage_client.hpp"

namespace flotilla::conformance {
namespace {

flt_str_t str(const std::string& text) {
  return {text.data(), text.size()};
}
flt_bytes_t bytes(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::vector<Kv> kvs_of(const flt_kv_t* kvs, std::uint64_t count) {
  std::vector<Kv> all;
  for (std::uint64_t i = 0; i < count; ++i) all.push_back(kv_of(kvs[i]));
  return all;
}

}  // namespace

Kv kv_of(const flt_kv_t& kv) {
  const auto* value = reinterpret_cast<const char*>(kv.value.p);
  return {std::string(kv.key.p, kv.key.n), value == nullptr ? "" : std::string(value, kv.value.n),
          kv.create_revision, kv.mod_revision};
}

StorageClient::StorageClient(TestHost& host, const flt_component_t& component, std::string config,
                             std::string state_dir)
    : host_(host),
      ops_(*static_cast<const flt_storage_ops_t*>(component.ops)),
      instance_(host, component, std::move(config), std::move(state_dir)) {}

flt_storage_capabilities_t StorageClient::describe() const {
  flt_storage_capabilities_t out{};
  out.struct_size = sizeof out;
  ops_.describe(instance_.self(), &out);
  return out;
}

Stated StorageClient::status(std::uint32_t flags) {
  Stated stated;
  stated.answer = host_.run([&](flt_call_t* call) {
    const flt_storage_status_request_t request{sizeof request, flags};
    ops_.status(instance_.self(), &request, call);
  });
  if (!stated.answer.ok()) return stated;
  const auto& result = stated.answer.as<flt_storage_status_t>();
  stated.revision = result.revision;
  stated.compacted = result.compacted;
  stated.read_only = (result.flags & FLT_STATUS_READ_ONLY) != 0;
  if (result.alarm.p != nullptr) stated.alarm.assign(result.alarm.p, result.alarm.n);
  return stated;
}

Ranged StorageClient::range(const RangeSpec& spec) {
  Ranged ranged;
  ranged.answer = host_.run([&](flt_call_t* call) {
    flt_storage_range_request_t request{};
    request.struct_size = sizeof request;
    request.flags = spec.flags;
    request.key = str(spec.key);
    if (!spec.end.empty()) request.end = str(spec.end);
    request.revision = spec.revision;
    request.limit = spec.limit;
    ops_.range(instance_.self(), &request, call);
  });
  if (!ranged.answer.ok()) return ranged;
  const auto& result = ranged.answer.as<flt_storage_range_t>();
  ranged.kvs = kvs_of(result.kvs, result.n_kvs);
  ranged.more = result.more != 0;
  ranged.count = result.count;
  ranged.revision = result.revision;
  return ranged;
}

TestHost::Pending StorageClient::begin(const CommitSpec& spec) {
  return host_.begin([&](flt_call_t* call) {
    // Everything dies with this function, as the contract allows.
    std::vector<flt_storage_guard_t> guards;
    for (const auto& guard : spec.guards) guards.push_back({str(guard.key), guard.mod_revision});
    std::vector<flt_storage_op_t> ops;
    for (const auto& op : spec.ops)
      ops.push_back({op.remove ? FLT_OP_DELETE : FLT_OP_PUT, 0, str(op.key), bytes(op.value), op.ttl_ms});
    flt_storage_commit_request_t request{};
    request.struct_size = sizeof request;
    request.flags = spec.flags;
    request.guards = guards.data();
    request.n_guards = guards.size();
    request.ops = ops.data();
    request.n_ops = ops.size();
    request.expect_revision = spec.expect;
    ops_.commit(instance_.self(), &request, call);
  });
}

Committed StorageClient::committed(Answer answer) {
  Committed committed;
  if (answer.ok()) {
    const auto& result = answer.as<flt_storage_commit_t>();
    committed.succeeded = result.succeeded != 0;
    committed.revision = result.revision;
    committed.kvs = kvs_of(result.kvs, result.n_kvs);
  }
  committed.answer = std::move(answer);
  return committed;
}

Answer StorageClient::compact(std::int64_t revision) {
  return host_.run([&](flt_call_t* call) {
    const flt_storage_compact_request_t request{sizeof request, 0, revision};
    ops_.compact(instance_.self(), &request, call);
  });
}

}  // namespace flotilla::conformance
