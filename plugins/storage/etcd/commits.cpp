// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "../requests.hpp"
#include "engine.hpp"
#include "messages.hpp"
#include "work.hpp"

namespace flotilla::plugins::storage::etcd {

struct CommitWork {
  struct Guard {
    std::string key;
    std::int64_t mod_revision;
  };
  struct Op {
    bool remove;
    std::string key;
    std::string value;
    std::int64_t ttl_ms;
  };

  std::shared_ptr<void> under_way;
  sdk::Call call;
  std::uint32_t flags = 0;
  std::vector<Guard> guards = {};
  std::vector<Op> ops = {};
  bool mark = false;                                               // it may change nothing
  std::vector<std::pair<std::int64_t, std::int64_t>> leases = {};  // by time to live; 0: not there yet
  bool leases_renewed = false;
  KeyOrder::TicketPtr ticket = {};

  std::int64_t lease_for(std::int64_t ttl_ms) const {
    for (const auto& [ttl, id] : leases)
      if (ttl == ttl_ms) return id;
    return 0;
  }
};

namespace {

// etcd makes no revision for a transaction that changes nothing, the contract wants one. True: nothing in the
// commit is sure to change something.
bool may_change_nothing(const CommitWork& work) {
  for (const CommitWork::Op& op : work.ops) {
    if (!op.remove) return false;
    for (const CommitWork::Guard& guard : work.guards)
      if (guard.mod_revision != 0 && guard.key == op.key) return false;
  }
  return true;
}

std::string transaction_of(const CommitWork& work, const Layout& layout) {
  const bool previous = (work.flags & FLT_COMMIT_RETURN_PREVIOUS) != 0;
  TxnWriter out;
  for (const CommitWork::Guard& guard : work.guards) out.guard(guard.key, guard.mod_revision);
  for (const CommitWork::Op& op : work.ops) {
    if (op.remove) {
      out.remove(op.key, previous);
    } else {
      out.put(op.key, op.value, work.lease_for(op.ttl_ms), previous);
    }
  }
  if (work.mark) out.put(layout.mark(), {}, 0, false);
  if ((work.flags & FLT_COMMIT_RETURN_CURRENT) != 0)
    for (const CommitWork::Guard& guard : work.guards) out.otherwise_read(guard.key);
  return out.take();
}

}  // namespace

void EtcdEngine::check(const flt_storage_commit_request_t& request) const {
  Limits limits;
  limits.ops = options_.max_ops;
  limits.guards = options_.max_ops;
  limits.key_bytes = kMaxKey;
  limits.value_bytes = options_.max_request_bytes - kRequestMargin;
  limits.ttl = true;
  check_commit(request, limits);
  if (request.expect_revision != 0)
    refuse("expect_revision cannot be had of etcd, which has other writers; use guards");
  std::uint64_t bytes = 0;
  const std::uint64_t around = options_.prefix.size() + 32;
  for (const flt_storage_guard_t& guard : guards_of(request)) bytes += 2 * (guard.key.n + around);
  for (const flt_storage_op_t& op : ops_of(request)) bytes += op.key.n + op.value.n + around;
  if (bytes > options_.max_request_bytes) {
    throw sdk::Failure(FLT_INVALID_ARGUMENT,
                       "the commit has " + std::to_string(bytes) + " bytes; etcd takes at most " +
                           std::to_string(options_.max_request_bytes) +
                           " (its --max-request-bytes, maxRequestBytes of the storage)");
  }
}

void EtcdEngine::commit(const flt_storage_commit_request_t& request, sdk::Call& call) {
  check(request);
  auto work = std::make_shared<CommitWork>(CommitWork{begin_work(), std::move(call)});
  work->flags = request.flags;
  KeyOrder::Keys keys;
  for (const flt_storage_guard_t& guard : guards_of(request)) {
    work->guards.push_back({layout_.key(sdk::view(guard.key)), guard.mod_revision});
    keys.reads.push_back(work->guards.back().key);
  }
  for (const flt_storage_op_t& op : ops_of(request)) {
    const bool remove = op.kind == FLT_OP_DELETE;
    work->ops.push_back({remove, layout_.key(sdk::view(op.key)),
                         remove ? std::string() : std::string(sdk::view(op.value)), remove ? 0 : op.ttl_ms});
    keys.writes.push_back(work->ops.back().key);
    const CommitWork::Op& made = work->ops.back();
    if (made.ttl_ms != 0 && std::none_of(work->leases.begin(), work->leases.end(),
                                         [&](const auto& lease) { return lease.first == made.ttl_ms; }))
      work->leases.emplace_back(made.ttl_ms, 0);
  }
  work->mark = may_change_nothing(*work) && work->ops.size() < options_.max_ops;
  order_.enter(std::move(keys), [this, work](KeyOrder::TicketPtr ticket) {
    work->ticket = std::move(ticket);
    send_leased(work);
  });
}

// The leases first, one after the other; there is seldom more than one.
void EtcdEngine::send_leased(std::shared_ptr<CommitWork> work) {
  const auto missing = std::find_if(work->leases.begin(), work->leases.end(),
                                    [](const auto& lease) { return lease.second == 0; });
  if (missing == work->leases.end()) return send_transaction(std::move(work));
  leases_->with_lease(missing->first, [this, work, missing](std::int64_t id, const ClusterAnswer* failed) {
    if (failed != nullptr) return answer_commit(work, *failed);
    missing->second = id;
    send_leased(work);
  });
}

void EtcdEngine::send_transaction(std::shared_ptr<CommitWork> work) {
  std::string request = transaction_of(*work, layout_);
  cluster_->call(kTxn, std::move(request), Cluster::Repeat::IfNotDone,
                 [this, work](ClusterAnswer answer) { answer_commit(work, answer); });
}

void EtcdEngine::answer_commit(const std::shared_ptr<CommitWork>& work, const ClusterAnswer& answer) {
  if (is_lost_lease(answer) && !std::exchange(work->leases_renewed, true)) {
    for (auto& [ttl, id] : work->leases) leases_->forget(std::exchange(id, 0));
    return send_leased(work);
  }
  work->call.run([&](sdk::Call& call) {
    if (!answer.ok()) throw failure_of(answer, options_, "commit");
    TxnAnswer txn;
    if (!read_txn(answer.body, txn)) throw sdk::Failure(FLT_INTERNAL, "etcd's answer is not understood");
    cluster_->saw(txn.revision);
    sdk::KvList kvs(call.arena());
    for (const WireValue& value : txn.values)
      kvs.add({layout_.host(value.key), value.value, value.create_revision, value.mod_revision});
    sdk::succeed_commit(call, txn.succeeded, txn.revision, &kvs);
  });
  order_.leave(work->ticket);
}

}  // namespace flotilla::plugins::storage::etcd
