// SPDX-License-Identifier: Apache-2.0
// A small API server of one kind, ConfigMap, over real HTTPS: enough to hold a driver to its word. What it
// does not serve it answers with a Status as kube-apiserver does.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/api/json.hpp"
#include "core/async/event.hpp"
#include "core/http/http.hpp"
#include "core/http/url.hpp"
#include "core/http/x509.hpp"

namespace flotilla::cluster::test {

using api::Json;

class FakeApiServer {
 public:
  struct Behaviour {
    bool aggregated_discovery = true;
    bool broken_group = false;  // a group of an aggregated API server that is down
    bool ready = true;
    bool has_readyz = true;
    int fail_with = 0;     // every object request
    std::size_t page = 2;  // list: members per page
    bool watch_is_expired = false;
  };

  FakeApiServer(const Executor& executor, const Clock& clock);
  ~FakeApiServer() { server_->stop(Duration::zero()); }

  const http::KeyPair& authority() const { return authority_; }
  std::string url() const { return "https://127.0.0.1:" + std::to_string(server_->port()); }
  void stop() { server_->stop(Duration::zero()); }
  std::size_t connections() const { return server_->connections(); }

  // One line for every open watch, now and to come.
  void send_event(const std::string& line);
  void end_watches();
  // The network fails: every open connection is torn down without a word of TLS or HTTP.
  void cut_connections();
  std::vector<std::string> requests() const;  // "GET /path?query", in order
  http::Headers last_headers() const;
  void put(const std::string& name);

  Behaviour behaviour;

 private:
  struct Feed {
    std::mutex mutex;
    std::vector<std::string> lines;
    bool ended = false;
    Event changed;
  };
  class WatchBody;

  static Task<http::Response> handle(FakeApiServer* self, http::Request request);
  http::Response answer(const http::Request& request);
  http::Response discovery(const http::Request& request);
  http::Response objects(const http::Request& request);
  http::Response list(const http::Query& query);
  http::Response write(const http::Request& request, const std::string& name);

  http::KeyPair authority_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  http::Headers last_headers_;
  std::map<std::string, Json> objects_;
  int revision_ = 10;
  std::shared_ptr<Feed> feed_ = std::make_shared<Feed>();
  std::unique_ptr<http::Server> server_;
};

}  // namespace flotilla::cluster::test
