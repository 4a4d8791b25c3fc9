// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/roles.hpp"

#include <algorithm>
#include <mutex>
#include <thread>

#include "core/apiserver/security/authorizer.hpp"
#include "core/base/base64.hpp"
#include "core/base/log.hpp"
#include "core/cluster/endpoint.hpp"
#include "core/cluster/registry.hpp"
#include "core/controllers/all.hpp"
#include "core/controllers/estimators.hpp"
#include "core/controllers/fleet_metrics.hpp"
#include "core/controllers/kube/kube_controllers.hpp"
#include "core/daemon/admission.hpp"
#include "core/daemon/components.hpp"
#include "core/daemon/fleet_search.hpp"
#include "core/daemon/interpreters.hpp"
#include "core/daemon/node_rooms.hpp"
#include "core/daemon/plugin_report.hpp"
#include "core/daemon/wait.hpp"
#include "core/informer/informers.hpp"
#include "core/planning/service.hpp"
#include "core/plugin/crash_note.hpp"
#include "core/reconcile/event_recorder.hpp"
#include "core/simulation/simulation.hpp"

namespace flotilla::daemon {
namespace {
const Logger kLog("daemon");
}

// Members in the order of construction; each stands on those above it.
struct Roles::State {
  using Schedulers = std::vector<std::unique_ptr<NamedPolicySet>>;
  explicit State(RoleContext the_context)
      : context(the_context),
        informers(context.executor, context.store),
        clusters(context.executor),
        events(context.executor, context.api.writer(), "flotilla"),
        reports(context.executor.strand(), "reports of plugins"),
        interpreters(context.executor, context.store, informers,
                     {context.settings.controllers.feature_gates.resource_quota_estimate}, &context.metrics) {
  }

  controllers::Context controller_context() {
    const auto resources = [&api = context.api] { return api.resources(); };
    return {context.executor,
            context.store,
            context.api.writer(),
            informers,
            events,
            interpreters.live(),
            clusters,
            fleet.schedulers.front()->policies,
            fleet.rules,
            resources,
            context.settings.controllers,
            &context.metrics,
            &interpreters,
            std::make_shared<Congestion>(),
            further(fleet.schedulers),
            estimators.get()};
  }

  static std::vector<controllers::NamedPolicies> further(const Schedulers& schedulers) {
    std::vector<controllers::NamedPolicies> named;
    for (std::size_t i = 1; i < schedulers.size(); ++i) {
      named.push_back({schedulers[i]->name, &schedulers[i]->policies});
    }
    return named;
  }

  // What Kubernetes' API relies on in every profile; accounts with tokens where
  // workloads are simulated.
  controllers::KubeContext kube_context() {
    apiserver::ApiServer& api = context.api;
    controllers::KubeContext kube{context.executor,
                                  context.store,
                                  api.writer(),
                                  informers,
                                  [&api] { return api.resources(); },
                                  false,
                                  {},
                                  {}};
    kube.metrics = &context.metrics;
    kube.service_accounts = context.settings.is_member() && context.settings.simulation.enabled;
    kube.root_ca_pem = context.authority.certificate_pem;
    kube.mint_token = [&api](const std::string& ns, const std::string& account, const std::string& uid,
                             const std::string& secret, const std::string& secret_uid) {
      constexpr std::int64_t kTenYears = 10LL * 365 * 24 * 3600;
      return api.sign_token(ns, account, uid, kTenYears, {secret, secret_uid});
    };
    kube.sign_certificate = [&clock = context.executor.clock(), authority = context.authority](
                                const std::string& request, std::int64_t seconds) {
      return http::sign_request(authority, request, {clock.now(), std::chrono::seconds(seconds)});
    };
    if (!context.settings.is_member() &&
        controllers::is_enabled(context.settings.controllers, "agentcsrapproving"))
      approve_agents(kube);
    return kube;
  }

  void approve_agents(controllers::KubeContext& kube) {
    kube.read_request = [](const std::string& encoded) -> Result<controllers::KubeContext::Requested> {
      const auto pem = base64_decode(encoded);
      if (!pem) return Error(Code::Invalid, "the request is not base64");
      auto request = http::parse_signing_request(*pem);
      if (!request) return std::move(request).error();
      return controllers::KubeContext::Requested{request->subject.common_name, request->subject.organizations,
                                                 request->names};
    };
    kube.may_create_request = [&store = context.store](const api::Json& spec,
                                                       const std::string& subresource) {
      apiserver::UserInfo user;
      user.name = spec["username"].as_string();
      user.uid = spec["uid"].as_string();
      for (const api::Json& group : spec["groups"].elements()) user.groups.emplace_back(group.as_string());
      // Rules are read anew: certificates are asked for rarely.
      const apiserver::Authorizer authorizer(store);
      return authorizer
          .authorize(user, {.verb = "create",
                            .group = "certificates.k8s.io",
                            .resource = "certificatesigningrequests",
                            .subresource = subresource})
          .allowed;
    };
  }

  // Storage that other daemons write to as well: while one of them leads, members are attached here when
  // somebody asks for one.
  void serve_beside_others() {
    clusters.gate().guard(context.may_write);
    clusters.attach_when_asked([this](const std::string& name) -> std::shared_ptr<cluster::Member> {
      const auto object = context.store.get(controllers::kinds::kCluster.collection(), "", name);
      if (!object) return nullptr;
      const auto cluster = object->content();
      const api::Json& spec = (*cluster)["spec"];
      if (spec["syncMode"].as_string() == "Pull") return nullptr;
      const api::Json& reference = spec["secretRef"];
      const auto secret =
          context.store.get(controllers::kinds::kSecret.collection(), reference["namespace"].as_string(),
                            reference["name"].as_string());
      const auto content = secret ? secret->content() : nullptr;
      auto endpoint = cluster::endpoint_of(*cluster, content.get());
      if (!endpoint) return nullptr;
      auto member = clusters.attach(cluster::driver_of(*cluster), *std::move(endpoint));
      return member ? *std::move(member) : nullptr;
    });
  }

  static Task<void> tell_left_out(State& own, std::string component, std::string what) {
    auto reporting = report_left_out(own.context.store, own.context.api.writer(), component, what);
    const Status reported = co_await std::move(reporting);
    if (!reported) kLog.warn("plugins are not reported", {{"error", reported.error().message()}});
  }

  // What a policy may get wrong. Of those in service, people are told.
  plugin::SchedulerPolicyLimits policy_limits(bool in_service) {
    plugin::SchedulerPolicyLimits limits;
    limits.longest_call = context.settings.controllers.scheduler_policy_deadline;
    if (!in_service) return limits;
    limits.on_hang = [this](const std::string& component, const std::string& what, bool left_out) {
      plugin::note_hang(component, left_out ? 2 : 1);
      if (left_out) reports.spawn(tell_left_out(*this, component, what));
    };
    return limits;
  }

  // Every scheduler counts the nodes of members and hears the estimators that are asked, where that is
  // wanted.
  void add_estimators(Schedulers& schedulers) const {
    if (!context.settings.controllers.enable_scheduler_estimator) return;
    for (const auto& each : schedulers) {
      for (auto& built_in : make_built_in_estimators(
               clusters, context.executor.clock(),
               context.settings.controllers.feature_gates.resource_quota_estimate, &context.metrics))
        each->policies.add(std::move(built_in));
      for (std::size_t i = 0; i < fleet.estimators.size(); ++i)
        each->policies.add(std::make_unique<scheduler::AskedEstimator>(
            fleet.estimators[i]->name(), i,
            [asked = estimators.get(), i](const std::string& demand, std::string_view cluster) {
              return asked->remembered(i, demand, cluster);
            }));
    }
  }

  void make_estimators() {
    if (fleet.estimators.empty()) return;
    const controllers::Options& options = context.settings.controllers;
    controllers::EstimatorRules rules;
    rules.timeout = options.scheduler_estimator_timeout;
    rules.keep = options.scheduler_estimator_keep;
    rules.first_rest = options.scheduler_estimator_rest;
    rules.longest_rest = options.scheduler_estimator_max_rest;
    estimators = std::make_unique<controllers::Estimators>(context.executor, fleet.estimators, rules,
                                                           &context.metrics);
  }

  // Plans and their like, from what the controllers have.
  Status answer_questions() {
    auto profiles = controllers::scheduler_profiles(context.settings.controllers);
    if (!profiles) return profiles.error();
    auto schedulers = make_schedulers(context.plugins, *profiles, policy_limits(false), fleet.instances);
    if (!schedulers) return schedulers.error();
    rehearsed = *std::move(schedulers);
    add_estimators(rehearsed);
    const auto resources = [&api = context.api] { return api.resources(); };
    const auto admission = [options = context.settings.controllers](const store::Store& store,
                                                                    const Clock& clock) {
      return make_admission(store, clock, options);
    };
    planning::Sources sources{context.executor,
                              context.store,
                              interpreters.live(),
                              clusters,
                              rehearsed.front()->policies,
                              fleet.rules,
                              resources,
                              context.settings.controllers,
                              *controllers,
                              admission};
    sources.interpreters = &interpreters;
    sources.further_schedulers = further(rehearsed);
    planning = std::make_unique<planning::Service>(std::move(sources));
    context.api.extend([service = planning.get()](apiserver::ExtensionCallPtr call) {
      return service->answer(std::move(call));
    });
    return {};
  }

  // What ResourceRegistries name, for searches and the proxy over all members.
  void cache_members() {
    const auto resources = [&api = context.api] { return api.resources(); };
    const search::Options& options = context.settings.search;
    fleet_keeper =
        make_fleet_keeper({context.executor, context.store, informers, clusters, resources}, options);
    if (fleet_keeper) context.api.serve_fleet(fleet_access(*fleet_keeper, options));
  }

  RoleContext context;
  informer::Informers informers;
  FleetComponents fleet;
  cluster::ClusterRegistry clusters;
  reconcile::EventRecorder events;
  FiberScope reports;
  InterpreterChains interpreters;
  std::unique_ptr<controllers::KubeControllers> kube;
  std::unique_ptr<controllers::Estimators> estimators;
  std::unique_ptr<controllers::ControllerSet> controllers;
  Schedulers rehearsed;
  std::unique_ptr<planning::Service> planning;
  std::unique_ptr<search::FleetKeeper> fleet_keeper;
  std::unique_ptr<simulation::Simulation> simulation;
  bool running = false;
  std::mutex leading_mutex;
  bool leading = false, resigned = false;
};

Roles::Roles(RoleContext context) : state_(std::make_unique<State>(context)) {
  if (context.observes) state_->clusters.gate().close();
}

cluster::ClusterRegistry& Roles::clusters() {
  return state_->clusters;
}

Roles::~Roles() {
  stop();
}

Status Roles::start() {
  State& own = *state_;
  const config::Settings& settings = own.context.settings;
  if (!settings.controllers.enabled) return {};
  if (const Status sane = controllers::check(settings.controllers); !sane) return sane;
  own.kube = std::make_unique<controllers::KubeControllers>(own.kube_context());
  if (settings.is_member()) {
    if (settings.simulation.enabled) {
      own.simulation = std::make_unique<simulation::Simulation>(
          own.context.executor, own.context.api.writer(), own.informers, settings.simulation);
    }
  } else {
    Result<FleetComponents> fleet =
        make_fleet_components(own.context.plugins, settings.controllers, own.policy_limits(true));
    if (!fleet) return fleet.error();
    own.fleet = std::move(*fleet);
    own.make_estimators();
    own.add_estimators(own.fleet.schedulers);
    for (const auto& driver : own.fleet.drivers) own.clusters.add_driver(driver);
    if (own.context.may_write) own.serve_beside_others();
    own.controllers = std::make_unique<controllers::ControllerSet>(own.controller_context());
    if (const Status ready = own.answer_questions(); !ready) return ready;
    own.cache_members();
  }
  own.running = true;
  own.informers.start();
  while (!own.informers.synced()) std::this_thread::sleep_for(std::chrono::microseconds(200));
  if (own.fleet_keeper) own.fleet_keeper->start();
  return {};
}

Status Roles::lead() {
  State& own = *state_;
  std::lock_guard lock(own.leading_mutex);
  if (!own.running || own.leading || own.resigned) return {};
  own.leading = true;
  own.events.start();
  if (own.simulation) {
    auto preparing = own.simulation->prepare();
    const Status prepared = wait_for(own.context.executor, std::move(preparing));
    if (!prepared) return prepared;
    own.simulation->start();
  }
  own.kube->start();
  if (own.controllers) own.controllers->start();
  if (own.fleet_keeper) own.fleet_keeper->begin_to_index();
  return {};
}

void Roles::resign() {
  State& own = *state_;
  std::lock_guard lock(own.leading_mutex);
  own.resigned = true;
  if (!std::exchange(own.leading, false)) return;
  if (own.controllers) own.controllers->stop();
  if (own.estimators) own.estimators->stop();
  own.kube->stop();
  if (own.simulation) own.simulation->stop();
  own.events.stop();
}

void Roles::stop() {
  State& own = *state_;
  {
    std::lock_guard lock(own.leading_mutex);
    if (!std::exchange(own.running, false)) return;
  }
  if (own.planning) own.planning->stop();
  if (own.fleet_keeper) own.fleet_keeper->stop();
  resign();
  own.interpreters.stop();
  own.informers.stop();
  own.clusters.stop();
  own.reports.cancel();
  own.reports.join_blocking();
  leave_stuck(own.fleet.schedulers);
  leave_stuck(own.rehearsed);
  for (const auto& instance : own.fleet.instances) {
    auto stopping = instance->stop(std::chrono::seconds(1));
    const Status stopped = wait_for(own.context.executor, std::move(stopping));
    if (!stopped) kLog.warn("plugin did not stop in order", {{"error", stopped.error().message()}});
  }
}

Task<Result<api::Json>> Roles::read_metrics(apiserver::ComputedRead read) {
  controllers::MetricsRead wanted{
      std::move(read.group), std::move(read.version),        std::move(read.ns),
      std::move(read.path),  std::move(read.label_selector), std::move(read.metric_selector)};
  return controllers::read_fleet_metrics(&state_->context.store, &state_->clusters, std::move(wanted));
}

Task<Result<api::Json>> Roles::list_custom_metrics(std::string version) {
  return controllers::list_custom_metrics(&state_->context.store, &state_->clusters, std::move(version));
}

bool Roles::idle() const {
  return (!state_->kube || state_->kube->idle()) && (!state_->controllers || state_->controllers->idle()) &&
         (!state_->simulation || state_->simulation->idle());
}

}  // namespace flotilla::daemon
