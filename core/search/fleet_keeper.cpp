// SPDX-License-Identifier: Apache-2.0
#include "core/search/fleet_keeper.hpp"

#include <algorithm>

#include "core/api/karmada.hpp"
#include "core/api/secret_data.hpp"
#include "core/base/log.hpp"
#include "core/search/member_feed.hpp"

namespace flotilla::search {
namespace {

const Logger kLog("search");
// A kind that nobody serves is looked for again.
constexpr Duration kUntilKnown = std::chrono::seconds(2);
constexpr Duration kReadinessStep = std::chrono::milliseconds(100);
// Others get their turn after so many members.
constexpr int kSteps = 4;

store::Collection clusters() {
  return store::collection_of(api::groups::kCluster, "clusters");
}
store::Collection registries() {
  return store::collection_of(api::groups::kSearch, "resourceregistries");
}

}  // namespace

FleetKeeper::FleetKeeper(KeeperContext context, KeeperOptions options)
    : context_(std::move(context)),
      options_(std::move(options)),
      scope_(context_.executor.strand(), "search") {
  informer::Informers& informers = context_.informers;
  informers.on(registries(), [this](const store::Event&) { touch_registries(); });
  informers.on(clusters(), [this](const store::Event& event) { on_cluster(event); });
  informers.on(store::collection_of("", "secrets"), [this](const store::Event& event) { on_secret(event); });
}

FleetKeeper::~FleetKeeper() {
  stop();
}

void FleetKeeper::start() {
  scope_.spawn(run());
  scope_.spawn(watch_readiness());
}

void FleetKeeper::stop() {
  scope_.cancel();
  scope_.join_blocking();
}

void FleetKeeper::begin_to_index() {
  indexing_.store(true);
  touch_registries();
}

void FleetKeeper::touch_registries() {
  {
    std::lock_guard lock(mutex_);
    due_.registries = true;
  }
  wake_.notify();
}

void FleetKeeper::on_cluster(const store::Event& event) {
  {
    std::lock_guard lock(mutex_);
    due_.clusters.insert(event.object->name());
  }
  wake_.notify();
}

void FleetKeeper::on_secret(const store::Event& event) {
  {
    std::lock_guard lock(mutex_);
    if (!secrets_.contains({event.object->ns(), event.object->name()})) return;
    due_.registries = true;
  }
  wake_.notify();
}

Task<void> FleetKeeper::run() {
  for (;;) {
    const std::uint64_t seen = wake_.version();
    Due due;
    {
      std::lock_guard lock(mutex_);
      due = std::exchange(due_, {});
    }
    if (due.registries || !due.clusters.empty()) {
      settling_ = true;
      auto working = settle(std::move(due));
      co_await std::move(working);
      settling_ = false;
    }
    if (registries_.unknown_kinds().empty()) {
      auto waiting = wake_.wait_past(seen);
      if (!co_await std::move(waiting)) co_return;
      continue;
    }
    auto waiting = wake_.wait_past_for(seen, kUntilKnown);
    if (!co_await std::move(waiting)) touch_registries();
  }
}

// Once, after the start: a member that does not answer is waited for no longer than the time allows.
Task<void> FleetKeeper::watch_readiness() {
  const Clock& clock = context_.executor.clock();
  const SteadyTime give_up =
      clock.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(options_.initialization_timeout);
  for (;;) {
    bool settled = false;
    {
      std::lock_guard lock(mutex_);
      settled = !settling_ && !due_.registries && due_.clusters.empty();
    }
    if (settled && all_synced()) break;
    if (clock.steady_now() >= give_up) {
      kLog.warn("caches of members are not complete, ready all the same");
      break;
    }
    auto sleeping = sleep_for(kReadinessStep);
    if (!co_await std::move(sleeping)) co_return;
  }
  fleet_->set_ready();
}

bool FleetKeeper::all_synced() const {
  for (const auto& [gvr, topic] : fleet_->table()->topics) {
    for (const auto& [cluster, source] : topic->sources) {
      if (!source.cache->synced()) return false;
    }
  }
  return true;
}

Task<void> FleetKeeper::settle(Due due) {
  bool changed = due.registries;
  if (due.registries) {
    read_registries();
    for (const ObjectPtr& cluster : context_.store.list(clusters()).objects)
      due.clusters.insert(cluster->name());
    for (const auto& [cluster, member] : members_) due.clusters.insert(cluster);
  }
  if (registries_.empty() && members_.empty() && !changed) co_return;
  int left = kSteps;
  for (const std::string& cluster : due.clusters) {
    settle_member(cluster, changed);
    if (--left > 0) continue;
    left = kSteps;
    auto behind = resume_on(scope_.executor());
    co_await std::move(behind);
  }
  if (changed) publish();
}

void FleetKeeper::read_registries() {
  std::vector<Json> objects;
  for (const ObjectPtr& object : context_.store.list(registries()).objects)
    objects.push_back(*object->content());
  const auto served = context_.resources();
  const std::set<std::string> before = registries_.unknown_kinds();
  registries_ =
      Registries(std::move(objects), [&served](const api::Gvk& kind) { return served->find_kind(kind); });
  for (const std::string& kind : registries_.unknown_kinds()) {
    if (!before.contains(kind))
      kLog.warn("a registry names a kind that is not served here", {{"kind", kind}});
  }
  std::lock_guard lock(mutex_);
  secrets_ = registries_.secrets();
}

// Ends what is no longer wanted of this member and begins what is wanted now.
void FleetKeeper::settle_member(const std::string& cluster, bool& changed) {
  Wanted wanted;
  if (const ObjectPtr object = registries_.empty() ? nullptr : context_.store.get(clusters(), "", cluster)) {
    wanted = registries_.wanted_of(*object->content());
    object->release_content();
  }
  const auto known = members_.find(cluster);
  if (wanted.resources.empty()) {
    if (known == members_.end()) return;
    end(known->second);
    members_.erase(known);
    changed = true;
    return;
  }
  if (known == members_.end()) ++arrivals_;
  Member& member = members_[cluster];
  auto access = access_of(wanted.index);
  // Who begins to index has to hear of everything.
  if (member.index != access) {
    end(member);
    start_index(cluster, member, std::move(access));
  }
  changed |= end_unwanted(member, wanted);
  changed |= follow_wanted(cluster, member, wanted);
}

bool FleetKeeper::end_unwanted(Member& member, const Wanted& wanted) const {
  bool changed = false;
  for (auto it = member.resources.begin(); it != member.resources.end();) {
    const auto still = wanted.resources.find(it->first);
    if (still != wanted.resources.end() && scope_of(still->second) == it->second.scope) {
      ++it;
      continue;
    }
    if (it->second.cancel) it->second.cancel();
    it = member.resources.erase(it);
    changed = true;
  }
  return changed;
}

bool FleetKeeper::follow_wanted(const std::string& cluster, Member& member, const Wanted& wanted) {
  bool changed = false;
  for (const auto& [gvr, shown] : wanted.resources) {
    const auto there = member.resources.find(gvr);
    if (there == member.resources.end()) {
      member.resources.emplace(gvr, follow(cluster, gvr, shown, member.indexer));
    } else if (there->second.shown == shown) {
      continue;
    } else {
      there->second.shown = shown;
    }
    changed = true;
  }
  return changed;
}

std::optional<OpenSearchAccess> FleetKeeper::access_of(const std::optional<OpenSearchTarget>& target) const {
  if (!target || !indexing_.load()) return std::nullopt;
  OpenSearchAccess access;
  access.addresses = target->addresses;
  if (target->secret_name.empty()) return access;
  const ObjectPtr secret =
      context_.store.get(store::collection_of("", "secrets"), target->secret_ns, target->secret_name);
  if (!secret) return access;
  const auto content = secret->content();
  const auto value = [&content](std::string_view key) {
    auto read = api::secret_value(*content, key);
    return read ? *std::move(read) : std::string();
  };
  access.user = value("username");
  if (!access.user.empty()) access.password = value("password");
  return access;
}

void FleetKeeper::start_index(const std::string& cluster, Member& member,
                              std::optional<OpenSearchAccess> access) {
  member.index = std::move(access);
  if (!member.index) return;
  if (member.index->addresses.empty()) {
    kLog.warn("a registry names no address of OpenSearch", {{"cluster", cluster}});
    return;
  }
  member.indexer = std::make_shared<OpenSearchIndexer>(context_.executor, cluster, *member.index);
  member.cancel_indexer = scope_.spawn_cancellable(context_.executor.strand(), run_indexer(member.indexer));
}

void FleetKeeper::end(Member& member) {
  for (const auto& [gvr, kept] : member.resources) {
    if (kept.cancel) kept.cancel();
  }
  member.resources.clear();
  if (member.cancel_indexer) member.cancel_indexer();
  member.cancel_indexer = nullptr;
  member.indexer.reset();
  member.index.reset();
}

// What has to be known: a search looks at all namespaces.
Namespaces FleetKeeper::scope_of(const Namespaces& shown) const {
  return options_.only_shown_namespaces ? shown : Namespaces::all();
}

FleetKeeper::Kept FleetKeeper::follow(const std::string& cluster, const Gvr& resource,
                                      const Namespaces& shown,
                                      const std::shared_ptr<OpenSearchIndexer>& indexer) {
  Kept kept;
  kept.shown = shown;
  kept.scope = scope_of(shown);
  CacheOptions options = options_.cache;
  if (indexer) options.sink = [indexer](const CacheEvent& event) { indexer->take(event); };
  kept.cache = std::make_shared<ResourceCache>(cluster, resource, signal_of(resource),
                                               context_.executor.clock().steady_now(), std::move(options));
  kept.cancel = scope_.spawn_cancellable(context_.executor.strand(),
                                         feed_cache(&context_.clusters, kept.cache, kept.scope));
  return kept;
}

std::shared_ptr<flotilla::Event> FleetKeeper::signal_of(const Gvr& resource) {
  auto& signal = signals_[resource];
  if (!signal) signal = std::make_shared<flotilla::Event>();
  return signal;
}

// Topics that are as they were stay the same objects: their watches go on.
void FleetKeeper::publish() {
  const auto before = fleet_->table();
  auto table = std::make_shared<FleetTable>();
  table->arrivals = arrivals_;
  for (const auto& [gvr, resource] : registries_.resources()) {
    auto topic = std::make_shared<Topic>();
    topic->resource = resource;
    topic->changed = signal_of(gvr);
    for (const auto& [cluster, member] : members_) {
      const auto kept = member.resources.find(gvr);
      if (kept != member.resources.end())
        topic->sources.emplace(cluster, Topic::Source{kept->second.cache, kept->second.shown});
    }
    const auto old = before->topics.find(gvr);
    const bool same = old != before->topics.end() && old->second->sources == topic->sources;
    table->topics.emplace(gvr, same ? old->second : topic);
  }
  fleet_->publish(std::move(table));
}

}  // namespace flotilla::search
