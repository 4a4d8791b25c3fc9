// SPDX-License-Identifier: Apache-2.0
// An agent's side of a control plane that is served over HTTP in the same process.
#pragma once

#include <gtest/gtest.h>

#include <thread>

#include "core/agent/mirror.hpp"
#include "core/agent/remote_writer.hpp"
#include "core/apiserver/api_server.hpp"
#include "core/http/http.hpp"
#include "tests/fakes/fibers.hpp"
#include "tests/fakes/memory_backend.hpp"

namespace flotilla::agent {

inline const StoredKind kWork{{"work.karmada.io", "v1alpha1", "Work"}, "works", true, true, true};
inline const StoredKind kNamespace{{"", "v1", "Namespace"}, "namespaces", false, true};
inline const StoredKind kEvent{{"", "v1", "Event"}, "events", true};
inline const std::string kSpace = "karmada-es-m1";

class RemoteWorld : public ::testing::Test {
 protected:
  RemoteWorld() {
    EXPECT_TRUE(fakes::run_on(executor, there.open()).ok());
    EXPECT_TRUE(fakes::run_on(executor, here.open()).ok());
    apiserver::ApiServerOptions options;
    options.static_tokens["secret"] = {"admin", "", {"system:masters"}, {}};
    api = std::make_unique<apiserver::ApiServer>(executor, there, std::move(options));
    EXPECT_TRUE(fakes::run_on(executor, api->start()).ok());
    serve();
    http::ClientOptions client;
    client.base_url = "http://127.0.0.1:" + std::to_string(port);
    client.bearer_token = "secret";
    client.connect_timeout = std::chrono::seconds(2);
    remote = std::make_unique<RemoteApi>(executor, client);
    mirror = std::make_unique<Mirror>(executor, *remote, here);
    mirror->follow({kWork, kSpace, {}});
    writer = std::make_unique<RemoteWriter>(here, clock, *remote, *mirror);
    make(kNamespace, R"({"metadata": {"name": "karmada-es-m1"}})");
  }
  ~RemoteWorld() override {
    mirror->stop();
    remote->close();
    away();
    fakes::run_on(executor, ended(api->stop()));
    fakes::run_on(executor, ended(there.close()));
    fakes::run_on(executor, ended(here.close()));
  }
  static Task<bool> ended(Task<void> task) {
    co_await std::move(task);
    co_return true;
  }

  // The control plane can be reached, or not.
  void serve() {
    http::ServerOptions options;
    options.port = port;
    server = std::make_unique<http::Server>(executor, std::move(options), api->handler());
    ASSERT_TRUE(server->start().ok());
    port = server->port();
  }
  void away() {
    if (server) server->stop(std::chrono::milliseconds(1));
    server.reset();
  }

  // Written by somebody over there.
  Json make(const StoredKind& kind, std::string_view text) {
    store::WriteOptions options;
    options.with_status = true;
    auto made = fakes::run_on(executor, api->writer().create(kind, *Json::parse(text), options));
    EXPECT_TRUE(made.ok()) << made.error().message();
    return *(*made)->content();
  }
  Json make_work(const std::string& name) {
    return make(
        kWork, R"({"apiVersion": "work.karmada.io/v1alpha1", "kind": "Work", "metadata": {"name": ")" + name +
                   R"(", "namespace": "karmada-es-m1", "finalizers": ["karmada.io/execution-controller"]},
                          "spec": {"workload": {"manifests": []}}})");
  }
  void label_work(const std::string& name, const std::string& value) {
    store::Writer::Change change = [value](Json& object) -> Result<bool> {
      object.make({"metadata", "labels", "seen"}) = value;
      return true;
    };
    const auto done =
        fakes::run_on(executor, api->writer().modify(kWork, store::Part::Main, {kSpace, name}, change));
    EXPECT_TRUE(done.ok()) << done.error().message();
  }
  void remove_work(const std::string& name) {
    store::Writer::Change change = [](Json& object) -> Result<bool> {
      object["metadata"].erase("finalizers");
      return true;
    };
    (void)fakes::run_on(executor, api->writer().modify(kWork, store::Part::Main, {kSpace, name}, change));
    (void)fakes::run_on(executor, api->writer().remove(kWork, {kSpace, name}));
  }

  api::ObjectPtr known(const std::string& name) const { return here.get(kWork.collection(), kSpace, name); }
  api::ObjectPtr over_there(const std::string& name) const {
    return there.get(kWork.collection(), kSpace, name);
  }
  template <typename Condition>
  ::testing::AssertionResult eventually(Condition condition) {
    for (int i = 0; i < 2000; ++i) {
      if (condition()) return ::testing::AssertionSuccess();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return ::testing::AssertionFailure() << "not within 10 s";
  }
  void begin() {
    mirror->start();
    ASSERT_TRUE(eventually([&] { return mirror->synced(); }));
  }

  SystemClock clock;
  Executor executor{clock};
  store::Store there{executor, std::make_unique<store::MemoryBackend>(), few()};
  store::Store here{executor, std::make_unique<store::MemoryBackend>()};
  std::unique_ptr<apiserver::ApiServer> api;
  std::unique_ptr<http::Server> server;
  std::uint16_t port = 0;
  std::unique_ptr<RemoteApi> remote;
  std::unique_ptr<Mirror> mirror;
  std::unique_ptr<RemoteWriter> writer;

 private:
  // Watches that were away for long cannot go on.
  static store::StoreOptions few() {
    store::StoreOptions options;
    options.history = 4;
    return options;
  }
};

}  // namespace flotilla::agent
