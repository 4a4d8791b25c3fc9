// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/monitoring/monitoring.hpp"
#include "core/apiserver/response.hpp"

namespace flotilla::apiserver {
namespace {

void row(std::string& text, std::string_view name, const std::string& value) {
  std::string padded(name);
  padded.resize(std::max<std::size_t>(padded.size() + 1, 32), ' ');
  text += padded + value + "\n";
}

}  // namespace

http::Response serve_debug(const Server& server, const Call& call) {
  std::string text = "flotillad\n\n";
  const auto up = std::chrono::duration_cast<std::chrono::seconds>(server.now() - server.started);
  row(text, "kubernetes version", server.options.git_version);
  row(text, "up for", format_duration(up));
  row(text, "ready", server.ready.load() ? "yes" : "no");
  const store::StoreStats stats = server.store.stats();
  text += "\nrequests\n";
  row(text, "answered", std::to_string(server.metrics.total()));
  row(text, "reading now", std::to_string(server.overload.reading()));
  row(text, "mutating now", std::to_string(server.overload.mutating()));
  row(text, "refused (429)",
      std::to_string(server.overload.refused_reading() + server.overload.refused_mutating()));
  row(text, "watches", std::to_string(server.watches.load()));
  text += "\nstore\n";
  row(text, "objects", std::to_string(stats.objects));
  row(text, "bytes", std::to_string(stats.bytes));
  row(text, "revision", std::to_string(server.store.revision().get()));
  row(text, "durable revision", std::to_string(server.store.durable_revision().get()));
  row(text, "pending commits", std::to_string(stats.pending_commits));
  row(text, "watchers", std::to_string(stats.watchers));
  row(text, "read-only", stats.read_only ? stats.read_only_reason : "no");
  text += "\nadmission\n";
  const auto webhooks = server.webhooks.webhooks();
  row(text, "mutating webhooks", std::to_string(webhooks ? webhooks->mutating.size() : 0));
  row(text, "validating webhooks", std::to_string(webhooks ? webhooks->validating.size() : 0));
  text += "\nobjects by resource\n";
  for (const store::Collection& collection : server.store.collections())
    row(text, collection.get(), std::to_string(server.store.count(collection)));
  text += "\nsee also /metrics /healthz?verbose /livez?verbose /readyz?verbose /version\n";
  (void)call;
  return text_response(200, std::move(text));
}

}  // namespace flotilla::apiserver
