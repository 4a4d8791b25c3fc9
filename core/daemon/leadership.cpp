// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/leadership.hpp"

#include <algorithm>
#include <atomic>

#include "core/async/fiber_scope.hpp"
#include "core/base/log.hpp"
#include "core/daemon/wait.hpp"
#include "core/store/metadata_rules.hpp"

namespace flotilla::daemon {
namespace {

using api::Json;
using api::ObjectPtr;

const Logger kLog("leadership");
// Beside the commit that takes the Lease; never written otherwise.
constexpr const char* kFence = "fence/flotilla";

std::string holder_of(const Json& lease) {
  return std::string(lease["spec"]["holderIdentity"].as_string());
}

}  // namespace

struct Leadership::State : std::enable_shared_from_this<Leadership::State> {
  State(const Executor& used, store::Store& the_store, LeadershipOptions chosen)
      : executor(used), store(the_store), options(std::move(chosen)), scope(used.strand(), "leadership") {}

  SteadyTime now() const { return executor.clock().steady_now(); }
  bool holds() const { return now().time_since_epoch().count() < valid_until.load(); }

  Json lease_of(const ObjectPtr& current) const;
  Task<bool> campaign();
  Task<bool> take(ObjectPtr current);
  Task<void> renew();
  Task<void> expire();
  Task<void> run();
  Task<void> give_back();
  void end();

  const Executor& executor;
  store::Store& store;
  const LeadershipOptions options;
  FiberScope scope;
  std::function<void()> led, lost;
  std::atomic<SteadyTime::rep> valid_until{0};
  std::atomic<bool> leads{false}, ended{false};
};

// `current` (null: none) with us as its holder from now on.
Json Leadership::State::lease_of(const ObjectPtr& current) const {
  const std::string stamp = format_micro_time(executor.clock().now());
  Json lease =
      current ? *current->content()
              : Json::object({{"apiVersion", "coordination.k8s.io/v1"},
                              {"kind", "Lease"},
                              {"metadata",
                               Json::object({{"name", key().name},
                                             {"namespace", key().ns},
                                             {"uid", store::new_uid()},
                                             {"creationTimestamp", format_time(executor.clock().now())}})}});
  const Json before = std::as_const(lease)["spec"];
  Json spec = before.is_object() ? before : Json::object();
  const bool ours = holder_of(lease) == options.identity;
  if (!ours) {
    spec.set("acquireTime", stamp);
    spec.set("leaseTransitions", before["leaseTransitions"].as_int() + (current ? 1 : 0));
  }
  spec.set("holderIdentity", options.identity);
  spec.set("leaseDurationSeconds",
           std::max<std::int64_t>(
               1, std::chrono::duration_cast<std::chrono::seconds>(options.lease_duration).count()));
  spec.set("renewTime", stamp);
  lease.set("spec", std::move(spec));
  return lease;
}

Task<bool> Leadership::State::take(ObjectPtr current) {
  const SteadyTime asked = now();
  Json lease = lease_of(current);
  store::SideValues fence;
  fence.push_back({kFence, options.identity, false, {}});
  Task<Result<ObjectPtr>> writing =
      current ? store.update(collection(), std::move(lease), current->revision(), store::Durability::Wait,
                             std::move(fence))
              : store.create(collection(), std::move(lease), store::Durability::Wait, std::move(fence));
  const Result<ObjectPtr> taken = co_await std::move(writing);
  if (!taken) {
    if (!taken.error().is(Code::Conflict) && !taken.error().is(Code::AlreadyExists))
      kLog.warn("the Lease cannot be taken", {{"error", taken.error().message()}});
    co_return false;
  }
  store.fence(kFence, (*taken)->revision(), [state = weak_from_this()] {
    if (const auto self = state.lock()) self->end();
  });
  valid_until.store((asked + options.renew_deadline).time_since_epoch().count());
  co_return true;
}

// Waits for its turn. False: cancelled.
Task<bool> Leadership::State::campaign() {
  Revision seen;
  SteadyTime seen_at = now();
  for (;;) {
    store::WatchRequest request{collection(), key().ns, store.revision(), store::Visibility::Newest, 1'000};
    auto watching = store.watch(request);
    if (!watching) co_return false;
    const ObjectPtr current = store.get(collection(), key().ns, key().name);
    const Revision at = current ? current->revision() : Revision();
    if (at != seen) {
      seen = at;
      seen_at = now();
    }
    Duration left{0};
    if (current) {
      const auto lease = current->content();
      const std::string holder = holder_of(*lease);
      const std::chrono::seconds lasts((*lease)["spec"]["leaseDurationSeconds"].as_int());
      if (!holder.empty() && holder != options.identity)
        left = std::chrono::duration_cast<Duration>(seen_at + lasts - now());
    }
    if (left <= Duration::zero()) {
      auto taking = take(current);
      if (co_await std::move(taking)) co_return true;
      left = options.retry_period;
    }
    // Until it is due, or somebody changes the Lease.
    auto waiting = (*watching)->next_for(left);
    const auto events = co_await std::move(waiting);
    if (!events && events.error().is(Code::Cancelled)) co_return false;
    if (scope.cancelled()) co_return false;
  }
}

Task<void> Leadership::State::renew() {
  for (;;) {
    auto sleeping = sleep_for(options.retry_period);
    if (!co_await std::move(sleeping)) co_return;
    const SteadyTime asked = now();
    const ObjectPtr current = store.get(collection(), key().ns, key().name);
    if (current && holder_of(*current->content()) != options.identity) {
      end();
      co_return;
    }
    // Derived: it is fenced as everything that the holder writes.
    Task<Result<ObjectPtr>> writing =
        current
            ? store.update(collection(), lease_of(current), current->revision(), store::Durability::Derived)
            : store.create(collection(), lease_of(nullptr), store::Durability::Derived);
    const Result<ObjectPtr> renewed = co_await std::move(writing);
    if (ended) co_return;
    if (renewed) {
      valid_until.store((asked + options.renew_deadline).time_since_epoch().count());
    } else {
      kLog.warn("the Lease cannot be renewed", {{"error", renewed.error().message()}});
    }
  }
}

// A renewal that hangs must not hold up the end.
Task<void> Leadership::State::expire() {
  while (holds()) {
    const SteadyTime::duration left(valid_until.load() - now().time_since_epoch().count());
    auto sleeping = sleep_for(
        std::max<Duration>(std::chrono::duration_cast<Duration>(left), std::chrono::milliseconds(1)));
    if (!co_await std::move(sleeping)) co_return;
  }
  end();
}

Task<void> Leadership::State::run() {
  auto campaigning = campaign();
  if (!co_await std::move(campaigning)) co_return;
  leads = true;
  kLog.info("leading", {{"identity", options.identity}});
  led();
  scope.spawn(expire());
  auto renewing = renew();
  co_await std::move(renewing);
}

void Leadership::State::end() {
  if (!leads || ended.exchange(true)) return;
  valid_until.store(0);
  kLog.error("the Lease is lost; starting anew", {{"identity", options.identity}});
  lost();
}

Task<void> Leadership::State::give_back() {
  const ObjectPtr current = store.get(collection(), key().ns, key().name);
  if (!current || holder_of(*current->content()) != options.identity) co_return;
  Json lease = *current->content();
  Json spec = std::as_const(lease)["spec"];
  spec.set("holderIdentity", "");
  spec.set("leaseDurationSeconds", 1);
  lease.set("spec", std::move(spec));
  auto writing =
      store.update(collection(), std::move(lease), current->revision(), store::Durability::Derived);
  const auto written = co_await std::move(writing);
  if (!written) kLog.warn("the Lease is not given back", {{"error", written.error().message()}});
}

Leadership::Leadership(const Executor& executor, store::Store& store, LeadershipOptions options)
    : state_(std::make_shared<State>(executor, store, std::move(options))) {}

Leadership::~Leadership() {
  stop();
}

void Leadership::start(std::function<void()> led, std::function<void()> lost) {
  state_->led = std::move(led);
  state_->lost = std::move(lost);
  state_->scope.spawn(state_->run());
}

void Leadership::stop() {
  state_->scope.cancel();
  state_->scope.join_blocking();
  if (!state_->leads || state_->ended.exchange(true)) return;
  state_->valid_until.store(0);
  auto giving = state_->give_back();
  wait_for(state_->executor, std::move(giving));
}

bool Leadership::holds() const {
  return state_->holds();
}

store::Collection Leadership::collection() {
  return store::collection_of("coordination.k8s.io", "leases");
}

const api::ObjectKey& Leadership::key() {
  static const api::ObjectKey key{"kube-system", "flotilla"};
  return key;
}

}  // namespace flotilla::daemon
