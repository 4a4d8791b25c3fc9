// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "core/apiserver/monitoring/monitoring.hpp"
#include "core/apiserver/response.hpp"
#include "core/search/fleet_cache.hpp"

namespace flotilla::apiserver {
namespace {

struct Check {
  std::string_view name;
  bool (*good)(const Server& server);
  bool alive = true;  // asked by livez too
};

bool always(const Server&) {
  return true;
}
bool is_ready(const Server& server) {
  return server.ready.load();
}
bool has_storage(const Server& server) {
  const store::StoreStats stats = server.store.stats();
  return !stats.read_only && stats.heard;
}
bool serves_definitions(const Server& server) {
  return server.ready.load() && server.catalog.served() != nullptr;
}

bool has_member_caches(const Server& server) {
  return !server.fleet.cache || server.fleet.cache->ready();
}

constexpr Check kChecks[] = {
    {"ping", always},
    {"log", always},
    {"storage", has_storage},
    {"etcd", has_storage},
    {"informer-sync", is_ready, false},
    {"poststarthook/start-apiextensions-controllers", serves_definitions},
    {"poststarthook/rbac/bootstrap-roles", is_ready},
    {"poststarthook/bootstrap-controller", is_ready},
    {"poststarthook/search-storage-ready", has_member_caches, false},
    {"shutdown", is_ready, false},
};

std::string quoted_names(const std::vector<std::string_view>& names) {
  std::string text;
  for (const std::string_view name : names) text += (text.empty() ? "" : ",") + quoted(name);
  return text;
}

}  // namespace

http::Response serve_health(const Server& server, const Call& call, std::string_view which) {
  const bool only_alive = which == "livez";
  // The rest of the path is the name of one check: poststarthook/rbac/bootstrap-roles.
  std::string one;
  for (std::size_t i = 1; i < call.info.parts.size(); ++i) one += (i == 1 ? "" : "/") + call.info.parts[i];
  std::vector<std::string_view> excluded = call.query.all("exclude");
  std::string text;
  bool good = true, found = one.empty();
  for (const Check& check : kChecks) {
    if (only_alive && !check.alive) continue;
    if (!one.empty() && check.name != one) continue;
    found = true;
    if (const auto it = std::find(excluded.begin(), excluded.end(), check.name); it != excluded.end()) {
      text += "[+]" + std::string(check.name) + " excluded: ok\n";
      excluded.erase(it);
      continue;
    }
    const bool passed = check.good(server);
    good = good && passed;
    text += (passed ? "[+]" : "[-]") + std::string(check.name) +
            (passed ? " ok\n" : " failed: reason withheld\n");
  }
  if (!found) return page_not_found();
  if (!one.empty())
    return good ? text_response(200, "ok") : text_response(500, "internal server error: reason withheld\n");
  if (!excluded.empty()) {
    text += "warn: some health checks cannot be excluded: no matches for " + quoted_names(excluded) + "\n";
  }
  if (!good) return text_response(500, text + std::string(which) + " check failed\n");
  if (!call.query.has("verbose")) return text_response(200, "ok");
  return text_response(200, text + std::string(which) + " check passed\n");
}

}  // namespace flotilla::apiserver
