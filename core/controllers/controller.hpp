// SPDX-License-Identifier: Apache-2.0
// What controllers are given, and what they are to the daemon.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/api/schema/registry.hpp"
#include "core/async/metrics.hpp"
#include "core/controllers/kinds.hpp"
#include "core/controllers/options.hpp"
#include "core/informer/informers.hpp"
#include "core/interpreter/interpreter.hpp"
#include "core/reconcile/event_recorder.hpp"
#include "core/reconcile/loop.hpp"

namespace flotilla::cluster {
class ClusterRegistry;
}
namespace flotilla::overrides {
class RuleRegistry;
}
namespace flotilla::scheduler {
class Policies;
}

namespace flotilla::controllers {

class Estimators;
class Interpreters;
struct Agency;

using reconcile::Key;
using reconcile::Loop;
using reconcile::Outcome;

// The policies of one scheduler, by the name that bindings give in spec.schedulerName.
struct NamedPolicies {
  std::string name;
  scheduler::Policies* policies = nullptr;
};

// Everything outlives the controllers.
struct Context {
  const Executor& executor;
  store::Store& store;
  store::Writer& writer;
  informer::Informers& informers;
  reconcile::EventRecorder& events;
  const interpreter::Interpreter& interpreter;
  cluster::ClusterRegistry& clusters;
  scheduler::Policies& policies;
  const overrides::RuleRegistry& rules;
  std::function<std::shared_ptr<const api::Registry>()> resources;  // those served now, CRDs included
  Options options;
  Metrics* metrics = nullptr;  // null: nobody counts
  // Where interpreters that may block are asked, through decide(). Null: `interpreter` never blocks.
  Interpreters* interpreters = nullptr;
  std::shared_ptr<Congestion> congestion = std::make_shared<Congestion>();
  // Schedulers beside options.scheduler_name, which has `policies`.
  std::vector<NamedPolicies> further_schedulers = {};
  // Estimators that have to be asked; policies of every scheduler stand for them. Null: nobody is asked.
  Estimators* estimators = nullptr;
  // The one cluster that this process speaks for (agency.hpp); null: this is the control plane.
  std::shared_ptr<Agency> agency = nullptr;

  WallTime now() const { return writer.clock().now(); }
  ObjectPtr get(const StoredKind& kind, const ObjectKey& key) const {
    return store.get(kind.collection(), key.ns, key.name);
  }
};

// Thread: made before the informers start; start() after; stop() not from an I/O thread.
class Controller {
 public:
  virtual ~Controller() = default;
  virtual std::string name() const = 0;
  virtual void start() = 0;
  virtual void stop() = 0;
  // Nothing is due right now.
  virtual bool idle() const = 0;
  // Loop::step() of a controller of one loop.
  virtual Task<std::optional<Loop::Step>> step(bool later);
};

inline Task<std::optional<Loop::Step>> Controller::step(bool) {
  co_return std::nullopt;
}

// A controller of one loop, which most are.
class LoopController : public Controller, public reconcile::Reconciler {
 public:
  LoopController(Context& context, std::string name, reconcile::LoopOptions options = {})
      : context_(context), loop_(context.executor, std::move(name), *this, counted(options, context)) {}
  std::string name() const override { return loop_.name(); }
  void start() override { loop_.start(); }
  void stop() override { loop_.stop(); }
  bool idle() const override { return loop_.idle(); }
  Task<std::optional<Loop::Step>> step(bool later) override { return loop_.step(later); }

 protected:
  // Every change of `kind` makes its object due.
  void wake_on(const StoredKind& kind) {
    context_.informers.on(kind.collection(), [this](const Event& event) { enqueue(event); });
  }
  // What exists at the start yields to what happens now.
  void enqueue(const Event& event) {
    loop_.enqueue({event.collection, event.object->key()},
                  context_.informers.synced() ? reconcile::kNow : reconcile::kBackground);
  }

  Context& context_;
  Loop loop_;

 private:
  static reconcile::LoopOptions counted(reconcile::LoopOptions options, const Context& context) {
    options.metrics = context.metrics;
    options.congestion = context.congestion;
    return options;
  }
};

}  // namespace flotilla::controllers
