// SPDX-License-Identifier: Apache-2.0
#include "core/informer/informers.hpp"

#include "core/base/log.hpp"

namespace flotilla::informer {
namespace {

const Logger kLog("informer");
constexpr std::size_t kQueueLimit = 1'000'000;  // pointers alone: memory is bounded by the store's own

}  // namespace

using store::Event;

std::size_t Informers::KnownKeyHash::operator()(const KnownKey& known) const {
  const std::hash<std::string> hash;
  return hash(known.collection.get()) * 31 + hash(known.key.ns) * 17 + hash(known.key.name);
}

Informers::Informers(const Executor& executor, store::Store& store)
    : store_(store), scope_(executor.strand(), "informer") {}

Informers::~Informers() {
  stop();
}

void Informers::on(const store::Collection& collection, Handler handler) {
  handlers_[collection].push_back(std::move(handler));
}

void Informers::on_any(Handler handler) {
  any_handlers_.push_back(std::move(handler));
}

void Informers::start() {
  scope_.spawn(run());
}

void Informers::stop() {
  scope_.cancel();
  scope_.join_blocking();
}

Task<void> Informers::run() {
  for (;;) {
    relist();
    synced_.store(true, std::memory_order_release);
    auto following = follow();
    if (!co_await std::move(following)) co_return;
    kLog.warn("watch was reset, comparing with a new list", {{"revision", seen_.get()}});
  }
}

// False when the store closes.
Task<bool> Informers::follow() {
  store::WatchRequest request;
  request.after = seen_;
  request.limit = kQueueLimit;
  auto subscription = store_.watch(request);
  if (!subscription) co_return !subscription.error().is(Code::Cancelled);
  for (;;) {
    auto waiting = (*subscription)->next();
    const Result<std::vector<Event>> events = co_await std::move(waiting);
    if (!events) co_return !events.error().is(Code::Cancelled);
    if (events->empty()) co_return false;
    for (const Event& event : *events) {
      if (event.type == Event::Type::Reset) co_return true;
      hand_out(event);
    }
  }
}

// Lists the world collection by collection; what happens meanwhile comes through the watch, which starts at
// the oldest of these lists. Handlers may so see a change twice, never miss one.
void Informers::relist() {
  const Revision start = store_.revision();
  std::unordered_map<KnownKey, api::ObjectPtr, KnownKeyHash> before;
  before.swap(known_);
  for (const store::Collection& collection : store_.collections()) {
    const store::Snapshot snapshot = store_.list(collection);
    for (const api::ObjectPtr& object : snapshot.objects) {
      const auto it = before.find({collection, object->key()});
      const api::ObjectPtr previous = it == before.end() ? nullptr : it->second;
      if (it != before.end()) before.erase(it);
      if (previous && previous->revision() == object->revision() && previous->uid() == object->uid()) {
        known_.insert_or_assign({collection, object->key()}, object);
        continue;
      }
      const auto type = previous ? Event::Type::Modified : Event::Type::Added;
      hand_out({type, collection, object->revision(), object, previous});
    }
  }
  for (const auto& [known, object] : before) {
    hand_out({Event::Type::Deleted, known.collection, start, object, object});
  }
  seen_ = start;
}

void Informers::hand_out(const Event& event) {
  const KnownKey key{event.collection, event.object->key()};
  if (event.type == Event::Type::Deleted) {
    known_.erase(key);
  } else {
    known_.insert_or_assign(key, event.object);
  }
  seen_ = std::max(seen_, event.revision);
  if (const auto it = handlers_.find(event.collection); it != handlers_.end()) {
    for (const Handler& handler : it->second) handler(event);
  }
  for (const Handler& handler : any_handlers_) handler(event);
}

}  // namespace flotilla::informer
