// SPDX-License-Identifier: Apache-2.0
#include "core/planning/rehearsal.hpp"

#include <deque>
#include <set>

#include "core/informer/informers.hpp"
#include "core/planning/blocking_call.hpp"
#include "core/planning/fork_backend.hpp"
#include "core/reconcile/event_recorder.hpp"

namespace flotilla::planning {
namespace {

namespace c = controllers;
using store::Durability;
using store::Event;

// Who decides, in the order of the way of one object. The others (dispatch, status, what follows health) act
// on members or on what they report, and a rehearsal has none.
constexpr const char* kRoster[] = {
    "detector", "dependencies-distributor", "taint-manager", "cluster-taint-manager", "scheduler", "binding"};
constexpr std::size_t kStepsBetweenLooks = 64;
constexpr std::size_t kMostRemarks = 1'000;
constexpr double kNoPause = 1e9;  // evictions a second
// A policy's templates, their bindings and Works are looked at several times each.
constexpr std::size_t kMostParsed = 16'384;

store::StoreOptions fork_options(store::Store& world, std::map<Key, ObjectPtr>& reads,
                                 std::deque<ObjectPtr>& bindings) {
  store::StoreOptions options;
  options.history = 1;
  options.history_bytes = 1;
  options.parsed = kMostParsed;
  options.origin = [&world, &reads, &bindings](const Collection& collection, std::string_view ns,
                                               std::string_view name) {
    ObjectPtr found = world.get(collection, ns, name);
    reads.try_emplace(Key{collection, {std::string(ns), std::string(name)}}, found);
    const bool binding = collection == c::kinds::kResourceBinding.collection() ||
                         collection == c::kinds::kClusterResourceBinding.collection();
    if (found && binding) bindings.push_back(found);
    return found;
  };
  return options;
}

}  // namespace

// Members in the order of construction; each stands on those above it.
struct Rehearsal::State {
  explicit State(const Sources& given)
      : sources(given),
        clock(given.executor.clock().now()),
        executor(clock, {.io_threads = 1, .blocking_threads = 1}),
        strand(executor.strand()),
        store(executor, std::make_unique<ForkBackend>(given.store.revision()),
              fork_options(given.store, reads, taken_bindings)),
        writer(store, clock, given.admission ? given.admission(store, clock) : store::Admission()),
        informers(executor, store),
        recorder(executor, writer, "flotilla"),
        members(executor),
        set(context()) {
    recorder.tell_instead([this](const Json& object, std::string_view type, std::string_view reason,
                                 std::string_view message) { note(object, type, reason, message); });
    for (const char* name : kRoster) {
      if (c::Controller* controller = set.find(name)) roster.push_back(controller);
    }
    call_blocking(strand, store.open());
    store::WatchRequest everything;
    everything.after = store.revision();
    everything.limit = 10'000'000;
    if (auto watch = store.watch(everything)) subscription = *std::move(watch);
    heard = store.revision();
  }
  ~State() {
    subscription.reset();
    call_blocking(strand, close());
    executor.stop();
  }

  // Budgets count what goes over time; here all goes at one moment. Their word is said in the plan.
  c::Options rehearsed() const {
    c::Options options = sources.options;
    options.removal_budget = 0;
    options.resource_eviction_rate = kNoPause;
    return options;
  }
  c::Context context() {
    return {executor,
            store,
            writer,
            informers,
            recorder,
            sources.interpreter,
            members,
            sources.policies,
            sources.rules,
            sources.resources,
            rehearsed(),
            nullptr,
            sources.interpreters,
            std::make_shared<Congestion>(),
            sources.further_schedulers};
  }
  Task<bool> close() {
    auto closing = store.close();
    co_await std::move(closing);
    co_return true;
  }

  void note(const Json& object, std::string_view type, std::string_view reason, std::string_view message);
  void tell(const Collection& collection, const ObjectPtr& object);
  void introduce_bindings();
  void follow(const Event& event);
  Task<bool> hear();
  Task<bool> step_all(bool later);
  Task<Status> run(SteadyTime deadline);

  const Sources& sources;
  std::map<Key, ObjectPtr> reads;
  std::deque<ObjectPtr> taken_bindings;  // from the origin, not yet told
  ManualClock clock;
  Executor executor;
  AnyExecutor strand;
  store::Store store;
  store::Writer writer;
  informer::Informers informers;
  reconcile::EventRecorder recorder;
  cluster::ClusterRegistry members;
  c::ControllerSet set;
  std::vector<c::Controller*> roster;
  std::unique_ptr<store::Subscription> subscription;
  Revision heard;
  std::set<Key> told;
  std::map<Key, Written> written;
  std::vector<Remark> remarks;
  std::set<std::string> remarked;
  std::map<Key, Obstacle> obstacles;
  std::size_t steps = 0;
};

void Rehearsal::State::note(const Json& object, std::string_view type, std::string_view reason,
                            std::string_view message) {
  if (type != reconcile::kWarning || remarks.size() >= kMostRemarks) return;
  std::string fact(object["kind"].as_string());
  fact.append(" ")
      .append(api::key_of(object).text())
      .append("\n")
      .append(reason)
      .append("\n")
      .append(message);
  if (!remarked.insert(std::move(fact)).second) return;
  Json metadata = Json::object({{"name", api::name_of(object)}, {"uid", api::uid_of(object)}});
  if (const std::string_view ns = api::namespace_of(object); !ns.empty()) metadata.set("namespace", ns);
  remarks.push_back({Json::object({{"apiVersion", object["apiVersion"]},
                                   {"kind", object["kind"]},
                                   {"metadata", std::move(metadata)}}),
                     std::string(type), std::string(reason), std::string(message)});
}

void Rehearsal::State::tell(const Collection& collection, const ObjectPtr& object) {
  Event event;
  event.type = Event::Type::Added;
  event.collection = collection;
  event.revision = heard;
  event.object = object;
  informers.tell(event);
}

// A binding is of no use without its Works: who looks for orphans must find them.
void Rehearsal::State::introduce_bindings() {
  while (!taken_bindings.empty()) {
    const ObjectPtr binding = std::move(taken_bindings.front());
    taken_bindings.pop_front();
    const c::BindingScope& scope = binding->ns().empty() ? c::kClusterScope : c::kNamespacedScope;
    const std::string* id = binding->labels().find(scope.id_label);
    const std::string none;
    for (const ObjectKey& key : sources.controllers.works().of(scope, id == nullptr ? none : *id)) {
      const Collection works = c::kinds::kWork.collection();
      if (const ObjectPtr work = store.get(works, key.ns, key.name)) tell(works, work);
    }
    tell(scope.kind.collection(), binding);
  }
}

void Rehearsal::State::follow(const Event& event) {
  heard = std::max(heard, event.revision);
  const Key key{event.collection, event.object->key()};
  const auto [it, fresh] = written.try_emplace(key);
  if (fresh) it->second = {key, event.previous, nullptr};
  it->second.after = event.type == Event::Type::Deleted ? nullptr : event.object;
  informers.tell(event);
}

Task<bool> Rehearsal::State::hear() {
  introduce_bindings();
  while (heard < store.revision()) {
    auto waiting = subscription->next();
    const auto events = co_await std::move(waiting);
    if (!events || events->empty()) co_return false;
    for (const Event& event : *events) follow(event);
    introduce_bindings();
  }
  co_return true;
}

Task<bool> Rehearsal::State::step_all(bool later) {
  bool moved = false;
  for (c::Controller* controller : roster) {
    auto stepping = controller->step(later);
    const auto step = co_await std::move(stepping);
    if (!step) continue;
    moved = true;
    ++steps;
    const auto kind = step->outcome.kind();
    if (kind == reconcile::Outcome::Kind::Retry || kind == reconcile::Outcome::Kind::GiveUp) {
      obstacles.insert_or_assign(step->key, Obstacle{controller->name(), step->outcome.error()});
    } else {
      const auto it = obstacles.find(step->key);
      if (it != obstacles.end() && it->second.controller == controller->name()) obstacles.erase(it);
    }
    auto hearing = hear();
    co_await std::move(hearing);
  }
  co_return moved;
}

Task<Status> Rehearsal::State::run(SteadyTime deadline) {
  auto hearing = hear();
  co_await std::move(hearing);
  for (std::size_t looks = 0;; ++looks) {
    if (looks % kStepsBetweenLooks == 0 && sources.executor.clock().steady_now() > deadline) {
      co_return Error(Code::Timeout, "the plan has more consequences than can be looked at in time (" +
                                         std::to_string(steps) + " steps done): plan a part of it");
    }
    if (sources.stopping != nullptr && sources.stopping->load())
      co_return Error(Code::Cancelled, "the daemon is stopping");
    auto stepping = step_all(false);
    if (co_await std::move(stepping)) continue;
    auto skipping = step_all(true);
    if (!co_await std::move(skipping)) co_return Status();
  }
}

Rehearsal::Rehearsal(const Sources& sources) : state_(std::make_unique<State>(sources)) {}
Rehearsal::~Rehearsal() = default;

ObjectPtr Rehearsal::look(const Collection& collection, const ObjectKey& key) {
  return state_->store.get(collection, key.ns, key.name);
}

bool Rehearsal::introduce(const Collection& collection, const ObjectKey& key) {
  const ObjectPtr object = look(collection, key);
  // Bindings are told as they are taken.
  const bool binding = collection == c::kinds::kResourceBinding.collection() ||
                       collection == c::kinds::kClusterResourceBinding.collection();
  if (object && !binding && state_->told.insert(Key{collection, key}).second)
    state_->tell(collection, object);
  return object != nullptr;
}

Result<std::vector<Written>> Rehearsal::begin(SteadyTime deadline) {
  state_->informers.tell_synced();
  if (Status ran = run(deadline); !ran) return ran.error();
  std::vector<Written> settled = written();
  state_->written.clear();
  state_->remarks.clear();
  state_->remarked.clear();
  state_->obstacles.clear();
  return settled;
}

Status Rehearsal::put(const StoredKind& kind, Json object) {
  const Collection collection = kind.collection();
  const ObjectPtr there = look(collection, api::key_of(object));
  auto writing = there ? state_->store.update(collection, std::move(object), Revision(), Durability::Derived)
                       : state_->store.create(collection, std::move(object), Durability::Derived);
  const auto done = call_blocking(state_->strand, std::move(writing));
  if (!done) return internal("the rehearsal broke off; see the log");
  return done->ok() ? Status() : Status(done->error());
}

Status Rehearsal::remove(const StoredKind& kind, const ObjectKey& key) {
  store::DeleteOptions options;
  options.propagation = "Background";
  const auto done = call_blocking(state_->strand, state_->writer.remove(kind, key, std::move(options)));
  if (!done) return internal("the rehearsal broke off; see the log");
  return done->ok() ? Status() : Status(done->error());
}

Status Rehearsal::run(SteadyTime deadline) {
  const auto done = call_blocking(state_->strand, state_->run(deadline));
  return done ? *done : Status(internal("the rehearsal broke off; see the log"));
}

std::vector<Written> Rehearsal::written() const {
  std::vector<Written> all;
  for (const auto& [key, entry] : state_->written) {
    if (entry.before || entry.after) all.push_back(entry);
  }
  return all;
}

const std::vector<Remark>& Rehearsal::remarks() const {
  return state_->remarks;
}
const std::map<Key, Obstacle>& Rehearsal::obstacles() const {
  return state_->obstacles;
}
const std::map<Key, ObjectPtr>& Rehearsal::reads() const {
  return state_->reads;
}
std::size_t Rehearsal::steps() const {
  return state_->steps;
}

}  // namespace flotilla::planning
