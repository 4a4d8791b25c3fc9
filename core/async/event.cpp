// SPDX-License-Identifier: Apache-2.0
#include "core/async/event.hpp"

#include <algorithm>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <mutex>
#include <utility>

namespace flotilla {

namespace asio = boost::asio;
using Timer = asio::steady_timer;

namespace {

// What an alarm may ring later than was asked for, so that one that is set serves the next wait as well.
constexpr Duration kSlack = std::chrono::milliseconds(1);

SteadyTime after(Duration timeout) {
  const SystemClock clock;
  const SteadyTime now = clock.steady_now();
  if (timeout >= SteadyTime::max() - now) return SteadyTime::max();
  return now + std::chrono::duration_cast<SteadyTime::duration>(timeout);
}

// A fiber that waits: whoever takes it out of the list resumes it, once, by a single hop to its executor.
class Waiter {
 public:
  explicit Waiter(SteadyTime until) : until_(until) {}
  virtual ~Waiter() = default;
  virtual void resume(bool arrived) = 0;
  SteadyTime until() const { return until_; }

  std::shared_ptr<Waiter> next;

 private:
  const SteadyTime until_;
};
using WaiterPtr = std::shared_ptr<Waiter>;

template <typename Handler>
class HandlerWaiter final : public Waiter {
 public:
  HandlerWaiter(SteadyTime until, Handler handler) : Waiter(until), handler_(std::move(handler)) {}

  void resume(bool arrived) override {
    const auto executor = asio::get_associated_executor(handler_);
    asio::post(executor, [handler = std::move(handler_), arrived]() mutable { std::move(handler)(arrived); });
  }

 private:
  Handler handler_;
};

void resume_all(WaiterPtr chain, bool arrived) {
  while (chain) {
    const WaiterPtr waiter = std::exchange(chain, std::move(chain->next));
    waiter->resume(arrived);
  }
}

}  // namespace

struct Event::State : std::enable_shared_from_this<Event::State> {
  ~State() {
    if (const auto timer = alarm.lock()) timer->cancel();
  }

  // False: the version has passed already.
  bool add(const WaiterPtr& waiter, std::uint64_t seen, const AnyExecutor& executor) {
    std::lock_guard lock(mutex);
    if (version > seen) return false;
    *end = waiter;
    end = &waiter->next;
    if (waiter->until() != SteadyTime::max()) set_alarm(waiter->until(), executor);
    return true;
  }

  void cancel(const WaiterPtr& waiter) {
    WaiterPtr found;
    {
      std::lock_guard lock(mutex);
      found = take_if([&waiter](const Waiter& one) { return &one == waiter.get(); });
    }
    resume_all(std::move(found), false);
  }

  // Under the lock. One alarm for all; it stays set when its waiter was woken, for the next one.
  void set_alarm(SteadyTime until, const AnyExecutor& executor) {
    const auto current = alarm.lock();
    if (current && rings_at <= until + kSlack) return;
    if (current) current->cancel();
    const auto timer = std::make_shared<Timer>(executor, until);
    alarm = timer;
    rings_at = until;
    timer->async_wait([weak = weak_from_this(), timer](const boost::system::error_code& error) {
      const auto state = weak.lock();
      if (state && !error) state->ring(timer);
    });
  }

  void ring(const std::shared_ptr<Timer>& timer) {
    WaiterPtr late;
    {
      std::lock_guard lock(mutex);
      if (alarm.lock() != timer) return;
      alarm.reset();
      late = take_if([this](const Waiter& one) { return one.until() <= rings_at; });
      SteadyTime soonest = SteadyTime::max();
      for (const Waiter* one = waiters.get(); one; one = one->next.get())
        soonest = std::min(soonest, one->until());
      if (soonest != SteadyTime::max()) set_alarm(soonest, timer->get_executor());
    }
    resume_all(std::move(late), false);
  }

  template <typename Wanted>
  WaiterPtr take_if(const Wanted& wanted) {
    WaiterPtr taken;
    WaiterPtr* taken_end = &taken;
    end = &waiters;
    while (*end) {
      if (!wanted(**end)) {
        end = &(*end)->next;
        continue;
      }
      *taken_end = std::exchange(*end, (*end)->next);
      (*taken_end)->next = nullptr;
      taken_end = &(*taken_end)->next;
    }
    return taken;
  }
  WaiterPtr take_all() {
    end = &waiters;
    return std::move(waiters);
  }

  std::mutex mutex;
  std::uint64_t version = 1;
  WaiterPtr waiters;           // in the order they came
  WaiterPtr* end = &waiters;   // the empty link behind the last
  std::weak_ptr<Timer> alarm;  // its handler owns it
  SteadyTime rings_at{};
};

namespace {

template <typename State>
struct BeginWait {
  template <typename Handler>
  void operator()(Handler handler, const std::shared_ptr<State>& state, std::uint64_t seen,
                  SteadyTime until) const {
    const AnyExecutor executor = asio::get_associated_executor(handler);
    auto slot = asio::get_associated_cancellation_slot(handler);
    const auto waiter = std::make_shared<HandlerWaiter<Handler>>(until, std::move(handler));
    // Before it can be resumed: afterwards the slot may be another operation's.
    if (slot.is_connected()) {
      slot.assign([event = std::weak_ptr<State>(state),
                   own = std::weak_ptr<Waiter>(waiter)](asio::cancellation_type) {
        const auto alive = event.lock();
        if (const auto waiting = own.lock(); alive && waiting) alive->cancel(waiting);
      });
    }
    if (!state->add(waiter, seen, executor)) waiter->resume(true);
  }
};

}  // namespace

Event::Event() : state_(std::make_shared<State>()) {}

Event::~Event() {
  notify();
}

std::uint64_t Event::version() const {
  std::lock_guard lock(state_->mutex);
  return state_->version;
}

void Event::notify() {
  WaiterPtr woken;
  {
    std::lock_guard lock(state_->mutex);
    ++state_->version;
    woken = state_->take_all();
  }
  resume_all(std::move(woken), true);
}

Task<bool> Event::wait_past(std::uint64_t seen) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void(bool)>(
      BeginWait<State>(), asio::use_awaitable, state_, seen, SteadyTime::max());
}

Task<bool> Event::wait_past_for(std::uint64_t seen, Duration timeout) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void(bool)>(
      BeginWait<State>(), asio::use_awaitable, state_, seen, after(timeout));
}

}  // namespace flotilla
