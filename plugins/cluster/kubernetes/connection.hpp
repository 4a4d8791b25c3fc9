// SPDX-License-Identifier: Apache-2.0
// One API server. Thread: any; requests run on the host's client, answers arrive on its threads.
#pragma once

#include <flotilla/sdk/driver.hpp>
#include <flotilla/sdk/http.hpp>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "objects.hpp"

namespace flotilla::kubernetes {

class Connection final : public sdk::DriverConnection, public std::enable_shared_from_this<Connection> {
 public:
  // Throws sdk::Failure.
  Connection(const flt_host_t* host, const flt_cluster_ref_t& ref);

  void probe(sdk::Call& call) override;
  void discover(sdk::Call& call) override;
  void get(const flt_get_request_t& request, sdk::Call& call) override;
  void list(const flt_list_request_t& request, sdk::Call& call) override;
  void apply(const flt_apply_request_t& request, sdk::Call& call) override;
  void remove(const flt_remove_request_t& request, sdk::Call& call) override;
  void watch(const flt_list_request_t& request, sdk::EventStream& stream, sdk::Call& call) override;
  void close() override;

  using Done = std::function<void(sdk::HttpResponse)>;
  // `done` exactly once.
  void send(sdk::HttpRequest request, Done done);
  const flt_host_t* host() const { return host_; }

 private:
  class Watch;
  class WatchReader;

  sdk::HttpRequest make(std::string_view method, std::string target, std::string_view body = {}) const;
  // The answer's object completes the call.
  void send_for_object(sdk::HttpRequest request, sdk::Call call);
  std::uint64_t begin();
  void attach(std::uint64_t id, sdk::HttpExchange exchange);
  void finish(std::uint64_t id);

  const flt_host_t* host_;
  std::string impersonate_;
  sdk::HttpClient client_;

  std::mutex mutex_;  // all below
  std::map<std::uint64_t, sdk::HttpExchange> running_;
  std::vector<std::weak_ptr<Watch>> watches_;
  std::uint64_t last_id_ = 0;
  bool closed_ = false;
};

// Reads what the server serves: aggregated discovery where it is spoken, the plain documents elsewhere.
void start_discovery(std::shared_ptr<Connection> connection, sdk::Call call);

}  // namespace flotilla::kubernetes
