// SPDX-License-Identifier: Apache-2.0
// What all handlers share. Only core/apiserver includes this.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "core/apiserver/admission/webhook_registry.hpp"
#include "core/apiserver/api_server.hpp"
#include "core/apiserver/audit/auditor.hpp"
#include "core/apiserver/call.hpp"
#include "core/apiserver/catalog.hpp"
#include "core/apiserver/cluster_proxy/member_access.hpp"
#include "core/apiserver/monitoring/overload.hpp"
#include "core/apiserver/monitoring/request_metrics.hpp"
#include "core/apiserver/openapi/document_cache.hpp"
#include "core/apiserver/policy/policy_registry.hpp"
#include "core/apiserver/read/event_frames.hpp"
#include "core/apiserver/security/authenticator.hpp"
#include "core/apiserver/security/authorizer.hpp"
#include "core/async/fiber_scope.hpp"
#include "core/async/metrics.hpp"

namespace flotilla::apiserver {

struct Server {
  Server(const Executor& executor, store::Store& store, ApiServerOptions options);

  const Executor& executor;
  store::Store& store;
  ApiServerOptions options;
  Extension extension;  // empty: nobody answers /flotilla/v1/...
  FleetAccess fleet;
  store::Writer writer;
  Catalog catalog;
  DocumentCache documents;
  Authorizer authorizer;
  WebhookRegistry webhooks;
  Aggregator aggregator;
  PolicyRegistry policies;
  std::unique_ptr<Authenticator> authenticator;
  EventFrames frames;
  FiberScope fibers;
  std::atomic<bool> ready{false};
  RequestMetrics metrics;
  Metrics series;  // what is counted more rarely
  Overload overload;
  MemberClients members;
  std::unique_ptr<Auditor> auditor;  // null: nothing is written down
  WallTime started;
  std::atomic<std::uint64_t> watches{0};
  std::atomic<std::uint64_t> next_address{10};  // where the search for a free one begins
  std::atomic<std::uint64_t> next_port{0};

  WallTime now() const { return executor.clock().now(); }
};
using ServerPtr = std::shared_ptr<Server>;

}  // namespace flotilla::apiserver
