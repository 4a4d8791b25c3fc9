// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/registry.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "core/cluster/endpoint.hpp"

namespace flotilla::cluster {
namespace {

const DiscoveredResource* find_kind(const Discovery& discovery, const api::Gvk& gvk) {
  for (const DiscoveredResource& resource : discovery.resources) {
    if (resource.kind == gvk.kind && resource.version == gvk.version && resource.group == gvk.group)
      return &resource;
  }
  return nullptr;
}

// Groups that could not be read this time are as they were last time: unknown is not absent.
void keep_unread_groups(Discovery& fresh, const Discovery& known) {
  std::set<std::pair<std::string_view, std::string_view>> read;
  for (const DiscoveredResource& resource : fresh.resources) read.emplace(resource.group, resource.version);
  std::vector<DiscoveredResource> kept;
  for (const DiscoveredResource& resource : known.resources) {
    if (!read.contains({resource.group, resource.version})) kept.push_back(resource);
  }
  fresh.resources.insert(fresh.resources.end(), std::make_move_iterator(kept.begin()),
                         std::make_move_iterator(kept.end()));
}

}  // namespace

Member::Member(const Executor& executor, ClusterEndpoint endpoint,
               std::shared_ptr<ClusterConnection> connection, MemberHandler handler)
    : executor_(executor),
      endpoint_(std::move(endpoint)),
      connection_(std::move(connection)),
      handler_(std::move(handler)),
      scope_(executor.strand(), "member/" + endpoint_.cluster) {}

Member::~Member() {
  stop();
}

std::shared_ptr<const Discovery> Member::discovery() const {
  std::lock_guard lock(mutex_);
  return discovery_;
}

Task<Result<std::shared_ptr<const Discovery>>> Member::discover() {
  auto asking = connection_->discover();
  Result<Discovery> answer = co_await std::move(asking);
  if (!answer) co_return answer.error();
  std::lock_guard lock(mutex_);
  if (!answer->complete && discovery_) keep_unread_groups(*answer, *discovery_);
  auto found = std::make_shared<const Discovery>(*std::move(answer));
  discovery_ = found;
  co_return found;
}

Task<Result<DiscoveredResource>> Member::resource_of(api::Gvk gvk) {
  if (const auto known = discovery()) {
    if (const DiscoveredResource* resource = find_kind(*known, gvk)) co_return *resource;
  }
  auto asking = discover();
  const auto fresh = co_await std::move(asking);
  if (!fresh) co_return fresh.error();
  if (const DiscoveredResource* resource = find_kind(**fresh, gvk)) co_return *resource;
  if (!(*fresh)->complete) {
    co_return Error(Code::Unavailable, "cluster " + name() + " did not say whether it serves " + gvk.kind +
                                           " of " + gvk.api_version() + ": its discovery is incomplete");
  }
  co_return not_found("cluster " + name() + " does not serve " + gvk.kind + " of " + gvk.api_version());
}

std::shared_ptr<MemberCache> Member::cache(const Gvr& resource, const std::string& selector) {
  std::lock_guard lock(mutex_);
  std::shared_ptr<MemberCache>& cache = caches_[{resource, selector}];
  if (!cache) {
    cache = std::make_shared<MemberCache>(name(), resource, connection_, handler_, selector);
    scope_.spawn_on(executor_.strand(), cache->run());
  }
  return cache;
}

std::shared_ptr<Roster> Member::roster(const Gvr& resource, Roster::Trim trim) {
  std::lock_guard lock(mutex_);
  std::shared_ptr<Roster>& roster = rosters_[{resource, trim}];
  if (!roster) {
    roster = std::make_shared<Roster>(name(), resource, connection_, trim);
    scope_.spawn_on(executor_.strand(), roster->run());
  }
  return roster;
}

void Member::follow_as(const Member& other) {
  std::vector<std::pair<Gvr, std::string>> caches;
  std::vector<std::pair<Gvr, Roster::Trim>> rosters;
  {
    std::lock_guard lock(other.mutex_);
    for (const auto& [key, unused] : other.caches_) caches.push_back(key);
    for (const auto& [key, unused] : other.rosters_) rosters.push_back(key);
  }
  for (const auto& [resource, selector] : caches) cache(resource, selector);
  for (const auto& [resource, trim] : rosters) roster(resource, trim);
}

void Member::cancel() {
  scope_.cancel();
  connection_->close();
}

void Member::stop() {
  cancel();
  scope_.join_blocking();
}

ClusterRegistry::ClusterRegistry(const Executor& executor)
    : executor_(executor), gate_(std::make_shared<WriteGate>()) {}

ClusterRegistry::~ClusterRegistry() {
  stop();
}

void ClusterRegistry::add_driver(std::shared_ptr<ClusterDriver> driver) {
  const std::string name = driver->name();
  drivers_[name] = std::move(driver);
}

Result<std::shared_ptr<Member>> ClusterRegistry::attach(const std::string& driver, ClusterEndpoint endpoint) {
  const auto found = drivers_.find(driver);
  if (found == drivers_.end()) {
    std::string known;
    for (const auto& [name, unused] : drivers_) known += (known.empty() ? "" : ", ") + name;
    return invalid("cluster " + endpoint.cluster + ": no driver \"" + driver +
                   "\" is loaded (there are: " + known + ")");
  }
  std::lock_guard lock(mutex_);
  std::shared_ptr<Member>& member = members_[endpoint.cluster];
  if (member && same_endpoint(member->endpoint(), endpoint)) return member;
  auto connection = found->second->connect(endpoint);
  if (!connection) {
    if (!member) members_.erase(endpoint.cluster);
    return std::move(connection).context("connect to cluster " + endpoint.cluster);
  }
  *connection = gated(gate_, endpoint.cluster, *std::move(connection));
  const std::shared_ptr<Member> before = std::exchange(member, nullptr);
  const MemberHandler tell_all = [this](const MemberChange& change) {
    for (const MemberHandler& handler : handlers_) handler(change);
  };
  member = std::make_shared<Member>(executor_, std::move(endpoint), *std::move(connection), tell_all);
  if (before) {
    member->follow_as(*before);
    retire(before);
  }
  return member;
}

void ClusterRegistry::detach(const std::string& cluster) {
  std::lock_guard lock(mutex_);
  const auto it = members_.find(cluster);
  if (it == members_.end()) return;
  retire(std::move(it->second));
  members_.erase(it);
}

// With the mutex held. Members that have ended since are let go.
void ClusterRegistry::retire(std::shared_ptr<Member> member) {
  std::erase_if(retired_, [](const std::shared_ptr<Member>& old) { return old->finished(); });
  member->cancel();
  retired_.push_back(std::move(member));
}

std::shared_ptr<Member> ClusterRegistry::find(const std::string& cluster) const {
  {
    std::lock_guard lock(mutex_);
    const auto it = members_.find(cluster);
    if (it != members_.end()) return it->second;
  }
  return finder_ ? finder_(cluster) : nullptr;
}

std::vector<std::string> ClusterRegistry::drivers() const {
  std::vector<std::string> names;
  for (const auto& [name, driver] : drivers_) names.push_back(name);
  return names;
}

void ClusterRegistry::stop() {
  std::map<std::string, std::shared_ptr<Member>> members;
  std::vector<std::shared_ptr<Member>> retired;
  {
    std::lock_guard lock(mutex_);
    members.swap(members_);
    retired.swap(retired_);
  }
  for (const auto& [name, member] : members) member->stop();
  for (const auto& member : retired) member->stop();
}

}  // namespace flotilla::cluster
