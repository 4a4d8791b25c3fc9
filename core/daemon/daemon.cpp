// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/daemon.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "core/apiserver/api_server.hpp"
#include "core/base/log.hpp"
#include "core/base/version.hpp"
#include "core/config/yaml.hpp"
#include "core/controllers/decision_keys.hpp"
#include "core/ctl/kubeconfig.hpp"
#include "core/daemon/admission.hpp"
#include "core/daemon/authorities.hpp"
#include "core/daemon/compaction.hpp"
#include "core/daemon/components.hpp"
#include "core/daemon/data_dir.hpp"
#include "core/daemon/decisions.hpp"
#include "core/daemon/fleet_search.hpp"
#include "core/daemon/leadership.hpp"
#include "core/daemon/pki.hpp"
#include "core/daemon/plugin_report.hpp"
#include "core/daemon/restored.hpp"
#include "core/daemon/roles.hpp"
#include "core/daemon/security.hpp"
#include "core/daemon/storage_service.hpp"
#include "core/daemon/wait.hpp"
#include "core/http/http.hpp"
#include "core/plugin/crash_note.hpp"
#include "core/plugin/http_service.hpp"
#include "core/plugin/registry.hpp"
#include "core/simulation/metrics.hpp"
#include "core/store/encryption/encrypted_backend.hpp"
#include "core/store/measured_backend.hpp"
#include "core/store/metadata_rules.hpp"
#include "core/store/store.hpp"

namespace flotilla::daemon {
namespace {

const Logger kLog("daemon");

// An address that a client on this machine can use.
std::string client_host(const std::string& listen_host) {
  if (listen_host == "0.0.0.0") return "127.0.0.1";
  if (listen_host == "::") return "[::1]";
  return listen_host.find(':') == std::string::npos ? listen_host : "[" + listen_host + "]";
}

// Who this daemon is to the others of its storage: unlike any other, also after a start anew.
std::string own_identity() {
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  return std::string(host.data()) + "_" + store::new_uid();
}

Task<Result<api::Json>> answer_simulated(const store::Store& store, const Clock& clock,
                                         apiserver::ComputedRead read) {
  const simulation::MetricsQuery query{std::move(read.group), std::move(read.version), std::move(read.ns),
                                       std::move(read.path), std::move(read.label_selector)};
  co_return simulation::answer_metrics(store, query, clock.now());
}

}  // namespace

// Members in the order of composition: each stands on those above it, and goes before them.
struct Daemon::State {
  State(config::Settings the_settings, const Clock& the_clock)
      : settings(std::move(the_settings)), clock(the_clock) {}

  Status open_storage();
  Status hide_values(std::unique_ptr<store::StorageBackend>& backend);
  void rewrite_stale_values();
  Status start_api();
  Status start_roles();
  void serve_operators();
  Status serve();
  void seek_leadership();
  void note_leading(bool leads);
  std::string socket_path() const;
  void describe_program(bool is_member);
  void serve_metrics(apiserver::ApiServerOptions& options);

  config::Settings settings;
  const Clock& clock;
  Metrics metrics;
  std::optional<DataDir> directory;
  config::ListenAddress listen;
  std::unique_ptr<Executor> executor;
  std::unique_ptr<plugin::HostEnvironment> environment;
  std::unique_ptr<plugin::HttpService> https;
  std::unique_ptr<plugin::Registry> plugins;
  std::unique_ptr<store::Store> store;
  store::EncryptedBackend* encryption = nullptr;  // within the store
  store::StorageBackend* storage = nullptr;       // below it
  std::optional<api::Json> restored;
  OperatorEndpoint operators;
  Pki pki;
  api::Registry registry;  // where it is not one of those that are built in
  std::unique_ptr<apiserver::ApiServer> api;
  std::unique_ptr<Leadership> leadership;  // of storage that others write to
  std::unique_ptr<Compaction> compaction;
  std::function<void()> lost;
  std::unique_ptr<StorageFigures> figures;
  std::unique_ptr<Roles> roles;
  std::unique_ptr<RestoreService> restore;
  std::unique_ptr<http::Server> server;
  std::string url;
  bool store_open = false;
  bool api_started = false;
};

Daemon::Daemon(config::Settings settings, const Clock& clock)
    : state_(std::make_unique<State>(std::move(settings), clock)) {}

Daemon::~Daemon() {
  stop();
}

Status Daemon::start() {
  State& own = *state_;
  const SteadyTime began = own.clock.steady_now();
  apply_log_settings(own.settings.log);
  Result<config::ListenAddress> listen = config::parse_listen(own.settings.listen);
  if (!listen) return listen.error();
  own.listen = std::move(*listen);
  Result<DataDir> directory = DataDir::open(own.settings.data_dir);
  if (!directory) return directory.error();
  own.directory = std::move(*directory);
  if (Status status = own.open_storage(); !status) return status;
  if (Status status = own.start_api(); !status) return status;
  if (Status status = own.start_roles(); !status) return status;
  own.serve_operators();
  if (Status status = own.serve(); !status) return status;
  own.seek_leadership();
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(own.clock.steady_now() - began);
  kLog.info("serving", {{"version", kVersion},
                        {"url", own.url},
                        {"profile", own.settings.profile},
                        {"storage", own.settings.storage_name()},
                        {"took", format_duration(took)}});
  return {};
}

Status Daemon::State::start_roles() {
  RoleContext context{settings, *executor, *store, *api, *plugins, metrics, pki.authority};
  context.observes = restored.has_value();
  if (store->shared()) {
    LeadershipOptions options;
    options.identity = own_identity();
    options.lease_duration = settings.leadership.lease_duration;
    options.renew_deadline = settings.leadership.renew_deadline;
    options.retry_period = settings.leadership.retry_period;
    leadership = std::make_unique<Leadership>(*executor, *store, std::move(options));
    compaction = std::make_unique<Compaction>(*executor, *store, settings.storage.compaction_interval);
    context.may_write = [who = leadership.get()] {
      return who->holds() ? Status() : Error(Code::Unavailable, "another daemon may lead now");
    };
  }
  roles = std::make_unique<Roles>(std::move(context));
  if (Status status = roles->start(); !status) return status;
  if (leadership) return {};
  note_leading(true);
  return roles->lead();
}

// Last: who leads serves.
void Daemon::State::seek_leadership() {
  if (!leadership) return;
  const auto led = [this] {
    executor->post_blocking([this] {
      const Status begun = roles->lead();
      if (!begun) kLog.error("controllers do not start", {{"error", begun.error().message()}});
      compaction->start();
      note_leading(true);
    });
  };
  leadership->start(led, [this] {
    note_leading(false);
    if (lost) lost();
  });
}

void Daemon::State::note_leading(bool leads) {
  if (settings.is_member()) return;
  for (const char* name : {"karmada-scheduler", "karmada-controller-manager"}) {
    metrics.gauge("leader_election_master_status", "1: this process does that work.", {{"name", name}})
        ->set(leads && settings.controllers.enabled ? 1 : 0);
  }
}

Status Daemon::State::open_storage() {
  ExecutorOptions threads;
  threads.io_threads = static_cast<int>(settings.threads.io);
  threads.blocking_threads = static_cast<int>(settings.threads.blocking);
  executor = std::make_unique<Executor>(clock, threads);
  environment = std::make_unique<plugin::HostEnvironment>(*executor, std::string("flotilla ") + kVersion);
  https = std::make_unique<plugin::HttpService>(*environment);
  plugins = std::make_unique<plugin::Registry>(*environment);
  const std::filesystem::path crashes = std::filesystem::path(directory->path()) / "plugin-crashes";
  plugins->distrust(plugin::crashed_too_often(crashes, clock.now()));
  plugin::note_crashes_in(crashes);
  std::vector<std::filesystem::path> directories = plugin::plugin_directories(settings.plugins.directories);
  plugins->discover(directories);
  if (settings.controllers.enable_scheduler_estimator) {
    for (std::filesystem::path& directory : directories) directory /= "estimators";
    std::erase_if(directories, [](const auto& path) { return !std::filesystem::is_directory(path); });
    plugins->discover(directories);
  }
  Result<std::unique_ptr<store::StorageBackend>> backend =
      make_storage(*plugins, settings, directory->path());
  if (!backend) return backend.error();
  storage = backend->get();
  *backend = std::make_unique<store::MeasuredBackend>(*std::move(backend), clock, metrics);
  if (Status hidden = hide_values(*backend); !hidden) return hidden;
  store::StoreOptions options;
  options.history = static_cast<std::size_t>(settings.storage.history);
  options.belonging = controllers::records_of;
  store = std::make_unique<store::Store>(*executor, std::move(*backend), options);
  auto opening = store->open();
  Status opened = wait_for(*executor, std::move(opening));
  store_open = opened.ok();
  if (!opened) return opened;
  auto reading = read_restored(storage);
  Result<std::optional<api::Json>> found = wait_for(*executor, std::move(reading));
  if (!found) return std::move(found).error();
  restored = *std::move(found);
  return {};
}

Status Daemon::State::hide_values(std::unique_ptr<store::StorageBackend>& backend) {
  const std::string& path = settings.security.encryption_config;
  std::optional<store::EncryptionRules> rules;
  if (!path.empty()) {
    const Result<api::Json> document = read_document(path);
    if (!document) return document.error();
    Result<store::EncryptionRules> read = store::EncryptionRules::read(*document);
    if (!read) return std::move(read).context(path);
    rules = std::move(*read);
  }
  auto hiding = std::make_unique<store::EncryptedBackend>(std::move(backend), std::move(rules), path);
  encryption = hiding.get();
  backend = std::move(hiding);
  return {};
}

// What an older key wrote, or none, is written by the one that writes now.
void Daemon::State::rewrite_stale_values() {
  const std::vector<std::string> stale = encryption->take_stale();
  if (stale.empty()) return;
  auto rewriting = rewrite_values(*store, stale);
  const Result<std::size_t> count = wait_for(*executor, std::move(rewriting));
  if (count) {
    kLog.info("values rewritten with the current key", {{"count", *count}});
  } else {
    kLog.warn("values keep an older key", {{"error", count.error().message()}});
  }
}

Status Daemon::State::start_api() {
  if (store->shared()) {
    if (Status shared = share_authorities(*executor, *store, *directory); !shared) return shared;
  }
  Result<Pki> loaded = Pki::load_or_make(*directory, server_names(listen.host, settings.api.names), clock);
  if (!loaded) return loaded.error();
  pki = std::move(*loaded);
  apiserver::ApiServerOptions options;
  options.registry = settings.is_member() ? &api::Registry::kubernetes() : &api::Registry::builtin();
  if (settings.is_member() ? settings.simulation.enabled : settings.controllers.enabled)
    serve_metrics(options);
  options.service_account_key_pem = pki.service_account_key_pem;
  options.server_address = fmt::format("{}:{}", client_host(listen.host), listen.port);
  if (!settings.is_member()) {
    options.admission = make_admission(*store, clock, settings.controllers);
    serve_decisions(*store, registry, options);
    if (settings.controllers.enabled) add_search_resources(settings.search, registry);
    options.enforce_federated_quotas = settings.controllers.feature_gates.federated_quota_enforcement;
  }
  options.proxy_identity = {pki.proxy.certificate_pem, pki.proxy.key_pem};
  options.proxy_authority_pem = pki.proxy_authority.certificate_pem;
  options.client_authority_pem = pki.authority.certificate_pem;
  if (Status status = apply_security(settings, directory->path(), options); !status) return status;
  options.parse_yaml = [](std::string_view text) { return config::parse_yaml(text); };
  options.metrics = [this] { return metrics.text(); };
  describe_program(settings.is_member());
  api = std::make_unique<apiserver::ApiServer>(*executor, *store, std::move(options));
  auto starting = api->start();
  if (Status status = wait_for(*executor, std::move(starting)); !status) return status;
  api_started = true;
  rewrite_stale_values();
  if (pki.service_account_key_pem.empty()) {
    if (Status status = Pki::keep_service_account_key(*directory, api->service_account_key_pem()); !status)
      return status;
  }
  auto reporting = report_plugins(*store, api->writer(), plugins->records());
  if (Status status = wait_for(*executor, std::move(reporting)); !status) {
    kLog.warn("plugins are not reported", {{"error", status.error().message()}});
  }
  if (settings.is_member()) return {};
  auto granting = grant_decisions(*store, api->writer());
  if (Status status = wait_for(*executor, std::move(granting)); !status)
    kLog.warn("the role view does not read decisions", {{"error", status.error().message()}});
  return {};
}

void Daemon::State::serve_operators() {
  serve_storage(operators, *storage, clock);
  figures = std::make_unique<StorageFigures>(*executor, *storage, metrics);
  restore = std::make_unique<RestoreService>(
      RestoreContext{*executor, *store, *storage, api->writer(), roles->clusters(), restored}, operators);
}

// What metrics APIs have in discovery. Which metrics there are is for those who ask.
void Daemon::State::serve_metrics(apiserver::ApiServerOptions& options) {
  registry = *options.registry;
  for (const auto& [resource, kind] : {std::pair{"pods", "PodMetrics"}, std::pair{"nodes", "NodeMetrics"}}) {
    auto measured = std::make_shared<api::Resource>();
    measured->group = "metrics.k8s.io";
    measured->version = "v1beta1";
    measured->resource = resource;
    measured->kind = kind;
    measured->list_kind = std::string(kind) + "List";
    measured->verbs = {"get", "list"};
    measured->namespaced = measured->resource == "pods";
    registry.add(std::move(measured));
  }
  options.registry = &registry;
  options.computed.groups = {"metrics.k8s.io", "custom.metrics.k8s.io"};
  options.computed.read = [this](apiserver::ComputedRead read) {
    return answer_simulated(*store, clock, std::move(read));
  };
  if (settings.is_member()) return;
  for (const auto& [group, version] :
       {std::pair{"custom.metrics.k8s.io", "v1beta1"}, std::pair{"custom.metrics.k8s.io", "v1beta2"},
        std::pair{"external.metrics.k8s.io", "v1beta1"}}) {
    auto served = std::make_shared<api::Resource>();
    served->group = group;
    served->version = version;
    registry.add(std::move(served));
  }
  options.computed.groups.emplace_back("external.metrics.k8s.io");
  options.computed.read = [this](apiserver::ComputedRead read) {
    return roles->read_metrics(std::move(read));
  };
  options.computed.custom_metrics = [this](std::string version) {
    return roles->list_custom_metrics(std::move(version));
  };
}

// What does not change while it runs.
void Daemon::State::describe_program(bool is_member) {
  const MetricLabels version = {{"git_version", "v" + std::string(kVersion)},
                                {"git_commit", ""},
                                {"git_short_commit", ""},
                                {"git_tree_state", ""},
                                {"build_date", ""},
                                {"go_version", ""},
                                {"compiler", "clang"},
                                {"platform", "linux"}};
  if (is_member) return;
  metrics.gauge("karmada_build_info", "Version of the program.", version)->set(1);
  note_leading(false);
}

// A data directory too deep for a Unix socket goes without, unless one was asked for.
std::string Daemon::State::socket_path() const {
  constexpr std::size_t kLongest = 107;
  const std::string& wanted = settings.api.socket;
  if (wanted == "off") return {};
  if (!wanted.empty()) return wanted;
  std::string path = directory->file("admin.sock");
  return path.size() <= kLongest ? path : std::string();
}

// Last: nobody is let in before everything stands.
Status Daemon::State::serve() {
  http::ServerOptions options;
  options.address = listen.host;
  options.port = listen.port;
  options.identity = pki.server;
  options.client_ca_pem = pki.authority.certificate_pem;
  options.max_body_bytes = static_cast<std::size_t>(settings.api.max_body_bytes);
  options.socket_path = socket_path();
  options.error_response = apiserver::refuse_unread;
  options.max_connections = static_cast<std::size_t>(settings.api.max_connections);
  server = std::make_unique<http::Server>(
      *executor, std::move(options),
      without_works_for_agents(operators.before(api->handler()), roles->clusters().gate()));
  if (Status status = server->start(); !status) {
    server.reset();
    return status;
  }
  url = fmt::format("https://{}:{}", client_host(listen.host), server->port());
  const std::string& known_as = settings.api.public_url;
  api->announce(known_as.empty() ? url : known_as, known_as.empty() && store->shared());
  ctl::Access access;
  access.server = url;
  access.ca_pem = pki.authority.certificate_pem;
  access.client_certificate_pem = pki.administrator.certificate_pem;
  access.client_key_pem = pki.administrator.key_pem;
  ctl::Kubeconfig kubeconfig;
  kubeconfig.put("flotilla", access);
  return kubeconfig.write(directory->file("admin.kubeconfig"));
}

void Daemon::stop(Duration deadline) {
  State& own = *state_;
  if (!own.executor) return;
  if (own.leadership) {
    // First: another one takes over while the requests here come to their end.
    if (own.roles) own.roles->resign();
    own.compaction->stop();
    own.leadership->stop();
  }
  if (own.server) own.server->stop(deadline);
  if (own.restore) own.restore->stop();
  if (own.figures) own.figures->stop();
  if (own.roles) own.roles->stop();
  if (std::exchange(own.api_started, false)) {
    auto stopping = own.api->stop();
    wait_for(*own.executor, std::move(stopping));
  }
  if (std::exchange(own.store_open, false)) {
    auto closing = own.store->close();
    wait_for(*own.executor, std::move(closing));
  }
  if (own.https) own.https->stop();
  own.executor->stop();
  own.server.reset();
  own.restore.reset();
  own.figures.reset();
  own.roles.reset();
  own.compaction.reset();
  own.leadership.reset();
  own.api.reset();
  own.store.reset();
  own.plugins.reset();
  own.https.reset();
  own.environment.reset();
  own.executor.reset();
  own.directory.reset();
}

void Daemon::on_lost(std::function<void()> tell) {
  state_->lost = std::move(tell);
}

std::string Daemon::url() const {
  return state_->url;
}
std::string Daemon::listens_at() const {
  const std::string& host = state_->listen.host;
  const bool bare = host.find(':') == std::string::npos;
  return fmt::format("{}:{}", bare ? host : "[" + host + "]", state_->server->port());
}
std::string Daemon::kubeconfig_path() const {
  return state_->directory ? state_->directory->file("admin.kubeconfig") : std::string();
}
const Executor& Daemon::executor() const {
  return *state_->executor;
}
store::Store& Daemon::store() {
  return *state_->store;
}
store::Writer& Daemon::writer() {
  return state_->api->writer();
}
bool Daemon::idle() const {
  return !state_->roles || state_->roles->idle();
}

}  // namespace flotilla::daemon
