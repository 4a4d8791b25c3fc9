// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/plugins/cluster/fake_api_server.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include "core/base/assert.hpp"

namespace flotilla::cluster::test {

namespace {

constexpr std::string_view kCollection = "/api/v1/namespaces/default/configmaps";

http::Response reply(int status, const std::string& body) {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.body.push_back(http::Chunk::of(body));
  return response;
}

http::Response status_reply(int code, const std::string& reason, const std::string& message) {
  return reply(code, R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":")" +
                         message + R"(","reason":")" + reason +
                         R"(","details":{"retryAfterSeconds":3},"code":)" + std::to_string(code) + "}\n");
}

}  // namespace

class FakeApiServer::WatchBody final : public http::BodyStream {
 public:
  explicit WatchBody(std::shared_ptr<Feed> feed) : feed_(std::move(feed)) {}

  Task<std::vector<http::Chunk>> next() override {
    std::vector<http::Chunk> out;
    for (;;) {
      const std::uint64_t seen = feed_->changed.version();
      {
        std::lock_guard lock(feed_->mutex);
        for (; sent_ < feed_->lines.size(); ++sent_)
          out.push_back(http::Chunk::of(feed_->lines[sent_] + "\n"));
        if (!out.empty() || feed_->ended) co_return out;
      }
      auto waiting = feed_->changed.wait_past(seen);
      co_await std::move(waiting);
    }
  }

 private:
  std::shared_ptr<Feed> feed_;
  std::size_t sent_ = 0;
};

FakeApiServer::FakeApiServer(const Executor& executor, const Clock& clock)
    : authority_(*http::make_authority("fake-ca", {clock.now()})) {
  const auto identity = http::sign_server(authority_, "fake", {"127.0.0.1"}, {clock.now()});
  ASSERT(identity.ok());
  http::ServerOptions options;
  options.identity = {identity->certificate_pem, identity->key_pem};
  options.client_ca_pem = authority_.certificate_pem;
  server_ = std::make_unique<http::Server>(
      executor, options, [this](http::Request request) { return handle(this, std::move(request)); });
  ASSERT(server_->start().ok());
}

Task<http::Response> FakeApiServer::handle(FakeApiServer* self, http::Request request) {
  co_return self->answer(request);
}

void FakeApiServer::send_event(const std::string& line) {
  {
    std::lock_guard lock(feed_->mutex);
    feed_->lines.push_back(line);
  }
  feed_->changed.notify();
}

void FakeApiServer::end_watches() {
  {
    std::lock_guard lock(feed_->mutex);
    feed_->ended = true;
  }
  feed_->changed.notify();
}

void FakeApiServer::cut_connections() {
  for (int socket = 0; socket < 1024; ++socket) {
    sockaddr_in own{};
    sockaddr_in peer{};
    socklen_t own_size = sizeof own;
    socklen_t peer_size = sizeof peer;
    if (getsockname(socket, reinterpret_cast<sockaddr*>(&own), &own_size) == 0 && own.sin_family == AF_INET &&
        ntohs(own.sin_port) == server_->port() &&
        getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &peer_size) == 0)
      shutdown(socket, SHUT_RDWR);
  }
}

std::vector<std::string> FakeApiServer::requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}

http::Headers FakeApiServer::last_headers() const {
  std::lock_guard lock(mutex_);
  return last_headers_;
}

void FakeApiServer::put(const std::string& name) {
  std::lock_guard lock(mutex_);
  Json object = Json::object({{"data", Json::object({{"k", "v \"quoted\" {[,]}"}})}});
  Json& metadata = object.make({"metadata"});
  metadata.set("name", name);
  metadata.set("namespace", "default");
  metadata.set("uid", "uid-" + name);
  metadata.set("resourceVersion", std::to_string(++revision_));
  objects_[name] = std::move(object);
}

http::Response FakeApiServer::answer(const http::Request& request) {
  std::lock_guard lock(mutex_);
  requests_.push_back(request.method + " " + request.path +
                      (request.query.empty() ? "" : "?" + request.query));
  last_headers_ = request.headers;
  if (request.path == "/readyz") {
    if (!behaviour.has_readyz) return status_reply(404, "NotFound", "no such path");
    return behaviour.ready ? reply(200, "ok") : reply(500, "[-]etcd failed");
  }
  if (request.path == "/healthz") return reply(200, "ok");
  if (request.path == "/version")
    return reply(200, R"({"major":"1","minor":"32","gitVersion":"v1.32.9+fake"})");
  if (request.path.starts_with(kCollection)) return objects(request);
  return discovery(request);
}

http::Response FakeApiServer::discovery(const http::Request& request) {
  const bool aggregated = behaviour.aggregated_discovery &&
                          request.headers.get("accept").find("APIGroupDiscoveryList") != std::string::npos;
  const std::string& path = request.path;
  if (aggregated && path == "/api") {
    return reply(200, R"({"kind":"APIGroupDiscoveryList","items":[{"metadata":{},"versions":[{"version":"v1",
      "resources":[{"resource":"configmaps","responseKind":{"group":"","version":"v1","kind":"ConfigMap"},
      "scope":"Namespaced","verbs":["get","list","watch"],"subresources":[{"subresource":"x"}]}],
      "freshness":"Current"}]}]})");
  }
  if (aggregated && path == "/apis") {
    return reply(
        200, std::string(R"({"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"apps"},"versions":[
      {"version":"v1","resources":[{"resource":"deployments","responseKind":{"kind":"Deployment"},
      "scope":"Namespaced","verbs":["get","patch"]}],"freshness":")") +
                 (behaviour.broken_group ? "Stale" : "Current") + R"("}]}]})");
  }
  if (path == "/api") return reply(200, R"({"kind":"APIVersions","versions":["v1"]})");
  if (path == "/apis") {
    return reply(200, R"({"kind":"APIGroupList","groups":[
      {"name":"apps","versions":[{"groupVersion":"apps/v1","version":"v1"}]},
      {"name":"metrics.k8s.io","versions":[{"groupVersion":"metrics.k8s.io/v1beta1","version":"v1beta1"}]}]})");
  }
  if (path == "/api/v1") {
    return reply(200, R"({"kind":"APIResourceList","groupVersion":"v1","resources":[
      {"name":"configmaps","namespaced":true,"kind":"ConfigMap","verbs":["get"]},
      {"name":"namespaces/status","namespaced":false,"kind":"Namespace","verbs":["get"]}]})");
  }
  if (path == "/apis/apps/v1") {
    return reply(200, R"({"kind":"APIResourceList","groupVersion":"apps/v1","resources":[
      {"name":"deployments","namespaced":true,"kind":"Deployment","verbs":["get"]}]})");
  }
  if (path == "/apis/metrics.k8s.io/v1beta1" && !behaviour.broken_group) {
    return reply(200, R"({"kind":"APIResourceList","groupVersion":"metrics.k8s.io/v1beta1","resources":[]})");
  }
  return status_reply(503, "ServiceUnavailable", "the server is currently unable to handle the request");
}

http::Response FakeApiServer::objects(const http::Request& request) {
  if (behaviour.fail_with != 0) return status_reply(behaviour.fail_with, "TooManyRequests", "slow down");
  const http::Query query = http::Query::parse(request.query);
  std::string name = request.path.substr(kCollection.size());
  if (!name.empty()) name.erase(0, 1);
  if (name.empty() && request.method == "GET" && query.flag("watch")) {
    if (behaviour.watch_is_expired) return status_reply(410, "Expired", "too old resource version");
    http::Response response;
    response.headers.add("Content-Type", "application/json");
    response.stream = std::make_unique<WatchBody>(feed_);
    return response;
  }
  if (name.empty() && request.method == "GET") return list(query);
  if (request.method != "GET") return write(request, name);
  const auto found = objects_.find(name);
  if (found == objects_.end())
    return status_reply(404, "NotFound", "configmaps \\\"" + name + "\\\" not found");
  Json object = found->second;
  object.set("apiVersion", "v1");
  object.set("kind", "ConfigMap");
  return reply(200, object.dump());
}

http::Response FakeApiServer::list(const http::Query& query) {
  Json items = Json::array();
  std::string next;
  for (auto it = objects_.upper_bound(std::string(query.get("continue"))); it != objects_.end(); ++it) {
    if (items.size() == behaviour.page) {
      next = std::prev(it)->first;
      break;
    }
    items.push_back(it->second);
  }
  Json list = Json::object({{"kind", "ConfigMapList"}, {"apiVersion", "v1"}});
  list.set("metadata", Json::object({{"resourceVersion", std::to_string(revision_)}, {"continue", next}}));
  list.set("items", std::move(items));
  return reply(200, list.dump_pretty());
}

http::Response FakeApiServer::write(const http::Request& request, const std::string& name) {
  if (request.method == "DELETE") {
    if (objects_.erase(name) == 0) return status_reply(404, "NotFound", "not found");
    return reply(200, R"({"kind":"Status","status":"Success","body":)" + request.body + "}");
  }
  auto object = Json::parse(request.body);
  if (!object) return status_reply(400, "BadRequest", "not JSON");
  const std::string key((*object)["metadata"]["name"].as_string());
  const bool exists = objects_.contains(key);
  if (request.method == "POST" && exists) return status_reply(409, "AlreadyExists", "it already exists");
  if (request.method == "PUT" && !exists) return status_reply(404, "NotFound", "not found");
  object->make({"metadata"}).set("uid", "uid-" + key);
  object->make({"metadata"}).set("resourceVersion", std::to_string(++revision_));
  objects_[key] = *object;
  return reply(request.method == "POST" ? 201 : 200, object->dump());
}

}  // namespace flotilla::cluster::test
