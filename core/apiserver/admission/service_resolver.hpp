// SPDX-License-Identifier: Apache-2.0
// Where a Service of our own store can be reached by this process, which has no cluster DNS: an ExternalName
// service by its name, any other by one of its ready endpoints, else by its cluster address.
#pragma once

#include <optional>
#include <string>

#include "core/store/store.hpp"

namespace flotilla::apiserver {

struct ServiceAddress {
  std::string host;
  std::int64_t port = 0;
  std::string authority() const;
};

// Errors: NotFound `service "s" not found`, Unavailable `no endpoints available for service "s"`, Invalid
// (the service has no such port).
Result<ServiceAddress> resolve_service(const store::Store& store, std::string_view ns, std::string_view name,
                                       std::int64_t port);

// The cluster address of a Service that has one. Nullopt: headless, or no such service.
std::optional<ServiceAddress> cluster_address(const store::Store& store, std::string_view ns,
                                              std::string_view name, std::int64_t port);

}  // namespace flotilla::apiserver
