// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/agent.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "core/agent/mirror.hpp"
#include "core/agent/remote_writer.hpp"
#include "core/api/names.hpp"
#include "core/base/log.hpp"
#include "core/base/version.hpp"
#include "core/cluster/registry.hpp"
#include "core/controllers/agency.hpp"
#include "core/controllers/all.hpp"
#include "core/ctl/register.hpp"
#include "core/daemon/accesses.hpp"
#include "core/daemon/agent_certificate.hpp"
#include "core/daemon/components.hpp"
#include "core/daemon/interpreters.hpp"
#include "core/daemon/wait.hpp"
#include "core/planning/fork_backend.hpp"
#include "core/plugin/http_service.hpp"

namespace flotilla::daemon {
namespace {

const Logger kLog("agent");
constexpr Duration kFirstRetry = std::chrono::seconds(1);
constexpr Duration kLastRetry = std::chrono::seconds(30);
constexpr Duration kLookAgain = std::chrono::seconds(5);  // at the files with credentials
constexpr Duration kRequest = std::chrono::seconds(10);

store::StoredKind services() {
  return {{"", "v1", "Service"}, "services", true, true, false};
}

store::StoredKind interpreters_kind(const char* kind, const char* resource) {
  return {{"config.karmada.io", "v1alpha1", kind}, resource, false, false, true};
}

ctl::AgentOptions options_of(const config::AgentSettings& settings) {
  ctl::AgentOptions options;
  options.cluster = settings.cluster_name;
  options.cluster_ns = settings.cluster_namespace;
  options.api_endpoint = settings.cluster_api_endpoint;
  options.proxy_server_address = settings.proxy_server_address;
  options.provider = settings.cluster_provider;
  options.region = settings.cluster_region;
  options.zones = settings.cluster_zones;
  options.report_secrets = settings.report_secrets;
  if (options.report_secrets.empty()) options.report_secrets = {"None"};
  return options;
}

Status check(const config::AgentSettings& settings) {
  if (settings.cluster_name.empty())
    return Error(Code::Invalid, "an agent serves one cluster: --cluster-name says which");
  if (settings.karmada_kubeconfig.empty())
    return Error(Code::Invalid, "the agent does not know its control plane: --karmada-kubeconfig FILE");
  for (const std::string& one : settings.report_secrets) {
    if (one != "KubeCredentials" && one != "KubeImpersonator" && one != "None")
      return Error(Code::Invalid,
                   "agent.report_secrets: " + one + " is none of KubeCredentials, KubeImpersonator, None");
  }
  return {};
}

http::Response text_answer(int status, std::string text) {
  http::Response response;
  response.status = status;
  response.headers.set("Content-Type", "text/plain; charset=utf-8");
  response.body.push_back(http::Chunk::of(std::move(text)));
  return response;
}

}  // namespace

// Members in the order of construction; each stands on those above it.
struct Agent::State {
  State(config::Settings the_settings, const Clock& the_clock)
      : settings(std::move(the_settings)),
        clock(the_clock),
        control_plane(read_control_plane(settings.agent)),
        member(read_member(settings.agent)) {}

  // What needs an executor, together.
  struct Parts {
    Parts(State& state, const Executor& executor);
    controllers::Context context(State& state);

    agent::RemoteApi remote;
    store::Store store;
    agent::Mirror mirror;
    agent::RemoteWriter writer;
    informer::Informers informers;
    cluster::ClusterRegistry clusters;
    reconcile::EventRecorder events;
    InterpreterChains interpreters;
    scheduler::Policies policies;
    std::unique_ptr<controllers::ControllerSet> controllers;
    FiberScope scope;
  };

  Status compose();
  Status serve_health();
  void follow();
  Task<void> run();
  Task<bool> register_here();
  Task<bool> begin();
  Result<bool> renew();
  void use_control_plane();
  Task<http::Response> answer(http::Request request);

  config::Settings settings;
  const Clock& clock;
  KeptAccess control_plane, member;
  Metrics metrics;
  std::unique_ptr<Executor> executor;
  std::unique_ptr<plugin::HostEnvironment> environment;
  std::unique_ptr<plugin::HttpService> https;
  std::unique_ptr<plugin::Registry> plugins;
  FleetComponents fleet;
  std::shared_ptr<controllers::Agency> agency;
  std::unique_ptr<Parts> parts;
  std::unique_ptr<http::Server> server;
  std::string health_url;
  std::atomic<bool> working = false;  // controllers run
  mutable std::mutex mutex;
  std::optional<Error> failure;
};

Agent::State::Parts::Parts(State& state, const Executor& executor)
    : remote(executor, client_options(*state.control_plane.get())),
      store(executor, std::make_unique<planning::ForkBackend>(Revision())),
      mirror(executor, remote, store),
      writer(store, executor.clock(), remote, mirror),
      informers(executor, store),
      clusters(executor),
      events(executor, writer, "flotilla-agent"),
      interpreters(executor, store, informers,
                   {state.settings.controllers.feature_gates.resource_quota_estimate}),
      scope(executor.strand(), "agent") {}

controllers::Context Agent::State::Parts::context(State& state) {
  const auto resources = [] {
    return std::shared_ptr<const api::Registry>(&api::Registry::builtin(), [](const api::Registry*) {});
  };
  controllers::Context made{*state.executor,
                            store,
                            writer,
                            informers,
                            events,
                            interpreters.live(),
                            clusters,
                            policies,
                            state.fleet.rules,
                            resources,
                            state.settings.controllers,
                            &state.metrics,
                            &interpreters};
  made.agency = state.agency;
  return made;
}

Agent::Agent(config::Settings settings, const Clock& clock)
    : state_(std::make_unique<State>(std::move(settings), clock)) {}

Agent::~Agent() {
  stop();
}

Status Agent::start() {
  State& own = *state_;
  apply_log_settings(own.settings.log);
  if (Status sane = check(own.settings.agent); !sane) return sane;
  own.control_plane.refresh();
  own.member.refresh();
  for (const KeptAccess* access : {&own.control_plane, &own.member}) {
    if (const auto read = access->get(); !read) return read.error();
  }
  if (Status composed = own.compose(); !composed) return composed;
  if (Status served = own.serve_health(); !served) return served;
  own.parts->scope.spawn(own.run());
  return {};
}

Status Agent::State::compose() {
  ExecutorOptions threads;
  threads.io_threads = static_cast<int>(settings.threads.io);
  threads.blocking_threads = static_cast<int>(settings.threads.blocking);
  executor = std::make_unique<Executor>(clock, threads);
  environment = std::make_unique<plugin::HostEnvironment>(*executor, std::string("flotilla ") + kVersion);
  https = std::make_unique<plugin::HttpService>(*environment);
  plugins = std::make_unique<plugin::Registry>(*environment);
  plugins->discover(plugin::plugin_directories(settings.plugins.directories));
  fleet = make_drivers(*plugins);
  agency = std::make_shared<controllers::Agency>();
  agency->cluster = settings.agent.cluster_name;
  agency->endpoint = [this]() -> Result<cluster::ClusterEndpoint> {
    const auto access = member.get();
    if (!access) return access.error();
    return endpoint_of(settings.agent.cluster_name, *access);
  };
  agency->renew_certificate = [this] { return renew(); };
  parts = std::make_unique<Parts>(*this, *executor);
  auto opening = parts->store.open();
  if (Status opened = wait_for(*executor, std::move(opening)); !opened) return opened;
  for (const auto& driver : fleet.drivers) parts->clusters.add_driver(driver);
  follow();
  parts->controllers = std::make_unique<controllers::ControllerSet>(parts->context(*this));
  return {};
}

// What the roles of agents let it read, and its controllers look at.
void Agent::State::follow() {
  using namespace controllers;
  const std::string& name = settings.agent.cluster_name;
  parts->mirror.follow({kinds::kCluster, {}, "metadata.name=" + name});
  parts->mirror.follow({kinds::kWork, api::execution_namespace(name), {}});
  parts->mirror.follow(
      {interpreters_kind("ResourceInterpreterCustomization", "resourceinterpretercustomizations"), {}, {}});
  parts->mirror.follow({interpreters_kind("ResourceInterpreterWebhookConfiguration",
                                          "resourceinterpreterwebhookconfigurations"),
                        {},
                        {}});
  parts->mirror.follow({services(), {}, {}, true});
}

Task<void> Agent::State::run() {
  auto registering = register_here();
  if (!co_await std::move(registering)) co_return;
  auto beginning = begin();
  if (!co_await std::move(beginning)) co_return;
  for (;;) {
    auto sleeping = sleep_for(kLookAgain);
    if (!co_await std::move(sleeping)) co_return;
    auto changed = std::make_shared<bool>(false);
    auto looking = run_blocking(*executor, [this, changed] {
      *changed = control_plane.refresh();
      member.refresh();  // the next look at the member's health takes it up
    });
    co_await std::move(looking);
    if (*changed) use_control_plane();
  }
}

void Agent::State::use_control_plane() {
  if (const auto access = control_plane.get()) parts->remote.use(client_options(*access));
  kLog.info("credentials of the control plane read again", {{"server", parts->remote.url()}});
}

// Until it is registered, or never will be.
Task<bool> Agent::State::register_here() {
  Duration delay = kFirstRetry;
  for (;;) {
    auto announced = std::make_shared<Status>();
    auto announcing = run_blocking(*executor, [this, announced] {
      if (control_plane.refresh()) use_control_plane();
      member.refresh();
      const auto above = control_plane.get(), below = member.get();
      ctl::Session to_control_plane(*above, kRequest), to_member(*below, kRequest);
      *announced = ctl::announce(to_control_plane, to_member, options_of(settings.agent));
    });
    co_await std::move(announcing);
    if (*announced) break;
    const Error& error = announced->error();
    if (error.details() != nullptr && error.details()->reason == ctl::kClash) {
      std::lock_guard lock(mutex);
      failure = error;
      co_return false;
    }
    kLog.warn("not registered yet", {{"cluster", settings.agent.cluster_name},
                                     {"error", error.message()},
                                     {"in", format_duration(delay)}});
    auto sleeping = sleep_for(delay);
    if (!co_await std::move(sleeping)) co_return false;
    delay = std::min(delay * 2, kLastRetry);
  }
  kLog.info("registered", {{"cluster", settings.agent.cluster_name}, {"control_plane", parts->remote.url()}});
  co_return true;
}

// No controller runs before everything was listed: what a Work means follows from customizations too.
Task<bool> Agent::State::begin() {
  parts->mirror.start();
  while (!parts->mirror.synced()) {
    auto waiting = parts->mirror.wait_synced(kLookAgain);
    co_await std::move(waiting);
    if (parts->scope.cancelled()) co_return false;
  }
  parts->events.start();
  parts->informers.start();
  while (!parts->informers.synced()) {
    auto sleeping = sleep_for(std::chrono::milliseconds(1));
    if (!co_await std::move(sleeping)) co_return false;
  }
  parts->controllers->start();
  working = true;
  kLog.info("working", {{"cluster", settings.agent.cluster_name}});
  co_return true;
}

Result<bool> Agent::State::renew() {
  const auto above = control_plane.get(), below = member.get();
  if (!above) return above.error();
  if (!below) return below.error();
  auto renewed = renew_agent_certificate(settings, *above, *below, clock.now());
  if (!renewed) return std::move(renewed).error();
  if (!*renewed) return false;
  parts->remote.use(client_options(**renewed));
  kLog.info("certificate renewed", {{"cluster", settings.agent.cluster_name}});
  return true;
}

Task<http::Response> Agent::State::answer(http::Request request) {
  if (request.path == "/metrics") co_return text_answer(200, metrics.text());
  if (request.path == "/healthz" || request.path == "/livez") co_return text_answer(200, "ok");
  if (request.path == "/readyz")
    co_return working ? text_answer(200, "ok") : text_answer(503, "not yet registered and listed");
  co_return text_answer(404, "there are /healthz, /readyz and /metrics");
}

Status Agent::State::serve_health() {
  if (settings.agent.listen.empty()) return {};
  const Result<config::ListenAddress> listen = config::parse_listen(settings.agent.listen);
  if (!listen) return Error(listen.error()).context("agent.listen");
  http::ServerOptions options;
  options.address = listen->host;
  options.port = listen->port;
  server = std::make_unique<http::Server>(
      *executor, std::move(options), [this](http::Request request) { return answer(std::move(request)); });
  if (Status started = server->start(); !started) {
    server.reset();
    return started;
  }
  health_url = fmt::format("http://{}:{}", listen->host, server->port());
  return {};
}

void Agent::stop() {
  State& own = *state_;
  if (!own.executor) return;
  if (own.server) own.server->stop(std::chrono::seconds(1));
  if (own.parts) {
    State::Parts& parts = *own.parts;
    parts.scope.cancel();
    parts.scope.join_blocking();
    if (parts.controllers) parts.controllers->stop();
    parts.interpreters.stop();
    parts.informers.stop();
    parts.clusters.stop();
    parts.events.stop();
    parts.mirror.stop();
    parts.remote.close();
    auto closing = parts.store.close();
    wait_for(*own.executor, std::move(closing));
  }
  for (const auto& instance : own.fleet.instances) {
    auto stopping = instance->stop(std::chrono::seconds(1));
    static_cast<void>(wait_for(*own.executor, std::move(stopping)));
  }
  if (own.https) own.https->stop();
  own.executor->stop();
  own.server.reset();
  own.parts.reset();
  own.fleet = {};
  own.plugins.reset();
  own.https.reset();
  own.environment.reset();
  own.executor.reset();
}

std::optional<Error> Agent::failure() const {
  std::lock_guard lock(state_->mutex);
  return state_->failure;
}
std::string Agent::control_plane() const {
  return state_->parts ? state_->parts->remote.url() : std::string();
}
std::string Agent::health_url() const {
  return state_->health_url;
}

}  // namespace flotilla::daemon
