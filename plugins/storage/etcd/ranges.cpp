// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include "engine.hpp"
#include "messages.hpp"
#include "work.hpp"

namespace flotilla::plugins::storage::etcd {
namespace {

constexpr std::int64_t kFirstPage = 200;  // keys, while nothing is known of their values
constexpr std::int64_t kLargestPage = 10'000;
constexpr std::int64_t kPageBytes = 4 << 20;

}  // namespace

// A range is read in pages of a bounded size, all at the revision of the first.
struct RangeWork {
  std::shared_ptr<void> under_way;
  sdk::Call call;
  RangeAsk ask;
  std::string key;  // of the next page
  std::string end;
  std::uint64_t limit = 0;
  bool keys_only = false;
  std::int64_t page = kFirstPage;
  std::uint64_t seen = 0;
  std::uint64_t bytes = 0;
  std::uint64_t count = 0;
  std::int64_t revision = 0;
  std::optional<sdk::KvList> kvs = {};
};

void EtcdEngine::range(const flt_storage_range_request_t& request, sdk::Call& call) {
  auto work = std::make_shared<RangeWork>(RangeWork{begin_work(), std::move(call), {}, {}, {}});
  work->key = layout_.key(sdk::view(request.key));
  if (request.end.p != nullptr) work->end = layout_.key(sdk::view(request.end));
  work->limit = request.limit;
  work->keys_only = (request.flags & FLT_RANGE_KEYS_ONLY) != 0;
  work->ask.revision = request.revision;
  work->ask.keys_only = work->keys_only;
  work->ask.serializable = (request.flags & FLT_RANGE_SERIALIZABLE) != 0;
  work->kvs.emplace(work->call.arena());
  if (work->keys_only) work->page = kLargestPage;
  if (request.end.p != nullptr && work->key >= work->end) {
    work->end = work->key + '\0';  // empty: nothing but a revision is asked for
    work->ask.count_only = true;
  }
  next_page(std::move(work));
}

void EtcdEngine::next_page(std::shared_ptr<RangeWork> work) {
  RangeAsk ask = work->ask;
  ask.key = work->key;
  ask.end = work->end;
  ask.limit = work->page;
  if (work->limit != 0) ask.limit = std::min(ask.limit, static_cast<std::int64_t>(work->limit - work->seen));
  std::string request = write_range(ask);
  cluster_->call(kRange, std::move(request), Cluster::Repeat::Yes,
                 [this, work](ClusterAnswer answer) { take_page(work, answer); });
}

void EtcdEngine::take_page(const std::shared_ptr<RangeWork>& work, const ClusterAnswer& answer) {
  if (is_compacted(answer)) {
    return find_compacted(cluster_->newest(), [work](std::int64_t compacted) {
      work->call.run([&](sdk::Call&) { sdk::refuse_compacted(work->ask.revision, compacted); });
    });
  }
  work->call.run([&](sdk::Call& call) {
    if (is_future(answer)) sdk::refuse_future(work->ask.revision, cluster_->newest());
    if (!answer.ok()) throw failure_of(answer, options_, "read");
    RangeAnswer range;
    if (!read_range(answer.body, range)) throw sdk::Failure(FLT_INTERNAL, "etcd's answer is not understood");
    cluster_->saw(range.revision);
    if (work->ask.count_only) range = {range.revision, {}, false, 0};
    if (work->revision == 0) {
      work->revision = work->ask.revision != 0 ? work->ask.revision : range.revision;
      work->count = static_cast<std::uint64_t>(range.count);
    }
    for (const WireValue& value : range.values) {
      work->bytes += value.key.size() + value.value.size();
      work->kvs->add({layout_.host(value.key), value.value, value.create_revision, value.mod_revision},
                     !work->keys_only);
    }
    work->seen += range.values.size();
    if (!range.more || (work->limit != 0 && work->seen >= work->limit))
      return sdk::succeed_range(call, *work->kvs, range.more, work->count, work->revision);
    work->key = std::string(range.values.back().key) + '\0';
    work->ask.revision = work->revision;
    const auto each = static_cast<std::int64_t>(work->bytes / work->seen) + 1;
    if (!work->keys_only) work->page = std::clamp<std::int64_t>(kPageBytes / each, 1, kLargestPage);
    next_page(work);
  });
}

}  // namespace flotilla::plugins::storage::etcd
