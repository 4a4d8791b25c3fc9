// SPDX-License-Identifier: Apache-2.0
// An API server over a store in memory, on a free port of the loopback interface:
//
//   api_harness DIR [--controllers]
//
// writes DIR/kubeconfig, prints "ready https://...", serves until stdin ends. With controllers it collects
// garbage and empties namespaces, fills service accounts and aggregates roles.
#include <fstream>
#include <future>
#include <iostream>

#include "core/apiserver/api_server.hpp"
#include "core/async/fiber_scope.hpp"
#include "core/config/yaml.hpp"
#include "core/controllers/kube/kube_controllers.hpp"
#include "core/http/http.hpp"
#include "core/http/x509.hpp"
#include "tests/fakes/memory_backend.hpp"

namespace flotilla {
namespace {

Task<void> deliver(Task<Status> task, std::promise<Status>& into) {
  into.set_value(co_await std::move(task));
}

Task<void> deliver_end(Task<void> task, std::promise<void>& into) {
  co_await std::move(task);
  into.set_value();
}

Status run(FiberScope& scope, Task<Status> task) {
  std::promise<Status> done;
  auto future = done.get_future();
  scope.spawn(deliver(std::move(task), done));
  return future.get();
}

void run(FiberScope& scope, Task<void> task) {
  std::promise<void> done;
  auto future = done.get_future();
  scope.spawn(deliver_end(std::move(task), done));
  future.get();
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

int serve(const std::string& directory, bool with_controllers) {
  SystemClock clock;
  Executor executor(clock);
  FiberScope scope(executor.strand(), "harness");
  store::Store store(executor, std::make_unique<store::MemoryBackend>());
  if (auto opened = run(scope, store.open()); !opened) {
    std::cerr << opened.error().message() << "\n";
    return 1;
  }
  apiserver::ApiServerOptions options;
  options.parse_yaml = [](std::string_view text) { return config::parse_yaml(text); };
  apiserver::ApiServer api(executor, store, std::move(options));
  if (auto started = run(scope, api.start()); !started) {
    std::cerr << started.error().message() << "\n";
    return 1;
  }
  const http::Validity validity{clock.now()};
  const auto authority = http::make_authority("flotilla-test", validity);
  const auto server_pair = http::sign_server(*authority, "flotilla", {"127.0.0.1", "localhost"}, validity);
  const auto admin = http::sign_client(*authority, {"admin", {"system:masters"}}, validity);
  http::ServerOptions server_options;
  server_options.identity = {server_pair->certificate_pem, server_pair->key_pem};
  server_options.client_ca_pem = authority->certificate_pem;
  server_options.error_response = apiserver::refuse_unread;
  http::Server server(executor, server_options, api.handler());
  if (auto listening = server.start(); !listening) {
    std::cerr << listening.error().message() << "\n";
    return 1;
  }
  informer::Informers informers(executor, store);
  std::unique_ptr<controllers::KubeControllers> controllers;
  if (with_controllers) {
    controllers::KubeContext context{.executor = executor,
                                     .store = store,
                                     .writer = api.writer(),
                                     .informers = informers,
                                     .resources = [&api] { return api.resources(); },
                                     .root_ca_pem = authority->certificate_pem,
                                     .mint_token = {}};
    context.sign_certificate = [&clock, pair = *authority](const std::string& request, std::int64_t seconds) {
      return http::sign_request(pair, request, {clock.now(), std::chrono::seconds(seconds)});
    };
    context.service_accounts = true;
    context.mint_token = [&api](const std::string& ns, const std::string& account, const std::string& uid,
                                const std::string& secret, const std::string& secret_uid) {
      return api.sign_token(ns, account, uid, std::int64_t{10} * 365 * 24 * 3600, {secret, secret_uid});
    };
    controllers = std::make_unique<controllers::KubeControllers>(std::move(context));
    informers.start();
    controllers->start();
  }
  const std::string url = "https://127.0.0.1:" + std::to_string(server.port());
  write_file(directory + "/ca.pem", authority->certificate_pem);
  write_file(directory + "/admin.pem", admin->certificate_pem);
  write_file(directory + "/admin.key", admin->key_pem);
  write_file(
      directory + "/kubeconfig",
      "apiVersion: v1\nkind: Config\ncurrent-context: flotilla\nclusters:\n- name: flotilla\n  cluster:\n    "
      "server: " +
          url + "\n    certificate-authority: " + directory +
          "/ca.pem\nusers:\n- name: admin\n  user:\n    client-certificate: " + directory +
          "/admin.pem\n    client-key: " + directory +
          "/admin.key\ncontexts:\n- name: flotilla\n  context:\n    cluster: flotilla\n    user: admin\n");
  std::cout << "ready " << url << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
  }
  server.stop(std::chrono::seconds(2));
  if (controllers) {
    controllers->stop();
    informers.stop();
  }
  run(scope, api.stop());
  run(scope, store.close());
  scope.cancel();
  scope.join_blocking();
  return 0;
}

}  // namespace
}  // namespace flotilla

int main(int argc, char** argv) {
  if (argc != 2 && !(argc == 3 && std::string(argv[2]) == "--controllers")) {
    std::cerr << "usage: api_harness DIRECTORY [--controllers]\n";
    return 2;
  }
  return flotilla::serve(argv[1], argc == 3);
}
