// SPDX-License-Identifier: Apache-2.0
// The host's side of "flotilla.host.http/1" (sdk/include/flotilla/abi/ext/http.h) over http::Client.
#pragma once

#include <memory>

#include "core/plugin/host_services.hpp"

namespace flotilla::plugin {

class HttpService {
 public:
  // Offers the service to all plugins of the environment; before the first plugin is loaded.
  explicit HttpService(HostEnvironment& environment);
  ~HttpService();  // stop()
  HttpService(const HttpService&) = delete;
  HttpService& operator=(const HttpService&) = delete;

  // Requests under way end CANCELLED, new ones do too. Idempotent, not from an I/O thread.
  void stop();
  std::size_t running() const;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace flotilla::plugin
