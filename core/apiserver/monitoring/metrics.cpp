// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/apiserver/monitoring/monitoring.hpp"
#include "core/apiserver/response.hpp"

namespace flotilla::apiserver {
namespace {

// LIST, WATCH, APPLY and so on; lower-case verbs of requests in upper case but for those that differ.
std::string_view metric_verb(const Call& call) {
  const std::string& verb = call.info.verb;
  if (!call.info.is_resource) return call.request.method;
  if (is_long_running(call.info) && verb != "watch") return "CONNECT";
  static constexpr std::pair<std::string_view, std::string_view> kVerbs[] = {
      {"get", "GET"},    {"list", "LIST"},   {"watch", "WATCH"},   {"create", "POST"},
      {"update", "PUT"}, {"patch", "PATCH"}, {"delete", "DELETE"}, {"deletecollection", "DELETECOLLECTION"}};
  if (verb == "patch" && call.request.headers.get("Content-Type").starts_with("application/apply-patch"))
    return "APPLY";
  for (const auto& [from, to] : kVerbs) {
    if (verb == from) return to;
  }
  return "OTHER";
}

// Only what is served becomes a label: nobody may fill the table with inventions.
bool is_known(const Call& call) {
  return call.resource != nullptr;
}

void gauge(std::string& text, std::string_view name, std::string_view help, double value) {
  metric_head(text, name, "gauge", help);
  metric_line(text, name, "", value);
}

void append_process(std::string& text, const Server& server) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  metric_head(text, "process_cpu_seconds_total", "counter",
              "Total user and system CPU time spent in seconds.");
  metric_line(text, "process_cpu_seconds_total", "", seconds(usage.ru_utime) + seconds(usage.ru_stime));
  std::uint64_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  gauge(text, "process_virtual_memory_bytes", "Virtual memory size in bytes.",
        static_cast<double>(total) * page);
  gauge(text, "process_resident_memory_bytes", "Resident memory size in bytes.",
        static_cast<double>(resident) * page);
  std::error_code failed;
  const auto open = std::distance(std::filesystem::directory_iterator("/proc/self/fd", failed),
                                  std::filesystem::directory_iterator());
  gauge(text, "process_open_fds", "Number of open file descriptors.", static_cast<double>(open));
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  gauge(text, "process_max_fds", "Maximum number of open file descriptors.",
        static_cast<double>(limit.rlim_cur));
  const auto started = std::chrono::duration<double>(server.started.time_since_epoch()).count();
  gauge(text, "process_start_time_seconds", "Start time of the process since unix epoch in seconds.",
        started);
}

void append_in_flight(std::string& text, const Server& server) {
  metric_head(text, "apiserver_current_inflight_requests", "gauge",
              "Maximal number of currently used inflight request limit of this apiserver per request kind in "
              "last second.");
  metric_line(text, "apiserver_current_inflight_requests", "{request_kind=\"mutating\"}",
              static_cast<double>(server.overload.mutating()));
  metric_line(text, "apiserver_current_inflight_requests", "{request_kind=\"readOnly\"}",
              static_cast<double>(server.overload.reading()));
  metric_head(text, "apiserver_dropped_requests_total", "counter",
              "Number of requests dropped with 'Try again later' response");
  metric_line(text, "apiserver_dropped_requests_total", "{request_kind=\"mutating\"}",
              static_cast<double>(server.overload.refused_mutating()));
  metric_line(text, "apiserver_dropped_requests_total", "{request_kind=\"readOnly\"}",
              static_cast<double>(server.overload.refused_reading()));
  metric_head(text, "apiserver_longrunning_requests", "gauge", "Requests that last: watches, logs, proxies.");
  metric_line(text, "apiserver_longrunning_requests", "{verb=\"WATCH\"}",
              static_cast<double>(server.watches.load()));
}

// Of every webhook that is configured now: seconds as sum and count, and how often its failure was forgiven.
void append_webhooks(std::string& text, const Server& server) {
  const auto webhooks = server.webhooks.webhooks();
  if (!webhooks) return;
  std::string durations, opened;
  const auto add = [&](const Webhook& webhook) {
    const WebhookStats& stats = *webhook.stats;
    const std::string labels = "name=" + metric_label(webhook.name) + ",type=\"" +
                               (webhook.mutating ? "admit" : "validating") + "\"";
    const auto pair = [&](const char* rejected, const auto& count, const auto& nanoseconds) {
      const std::string all = "{" + labels + ",rejected=\"" + rejected + "\"}";
      metric_line(durations, "apiserver_admission_webhook_admission_duration_seconds_sum", all,
                  static_cast<double>(nanoseconds.load(std::memory_order_relaxed)) / 1e9);
      metric_line(durations, "apiserver_admission_webhook_admission_duration_seconds_count", all,
                  static_cast<double>(count.load(std::memory_order_relaxed)));
    };
    pair("false", stats.allowed, stats.allowed_nanoseconds);
    pair("true", stats.rejected, stats.rejected_nanoseconds);
    metric_line(opened, "apiserver_admission_webhook_fail_open_count", "{" + labels + "}",
                static_cast<double>(stats.failed_open.load(std::memory_order_relaxed)));
  };
  for (const WebhookPtr& webhook : webhooks->mutating) add(*webhook);
  for (const WebhookPtr& webhook : webhooks->validating) add(*webhook);
  metric_head(text, "apiserver_admission_webhook_admission_duration_seconds", "summary",
              "Admission webhook latency in seconds for each webhook and type.");
  text += durations;
  metric_head(text, "apiserver_admission_webhook_fail_open_count", "counter",
              "Calls that failed and were let through.");
  text += opened;
}

void append_audit(std::string& text, const Server& server) {
  metric_head(text, "apiserver_audit_event_total", "counter", "Audit events written to the log.");
  metric_line(text, "apiserver_audit_event_total", "",
              server.auditor ? static_cast<double>(server.auditor->log().written()) : 0);
  metric_head(text, "apiserver_audit_requests_rejected_total", "counter",
              "Audit events that nobody could write in time.");
  metric_line(text, "apiserver_audit_requests_rejected_total", "",
              server.auditor ? static_cast<double>(server.auditor->log().dropped()) : 0);
}

}  // namespace

void count_request(Server& server, const Call& call, const http::Response& response, Duration took) {
  RequestLabels labels;
  labels.verb = metric_verb(call);
  if (is_known(call)) {
    labels.group = call.resource->group;
    labels.version = call.resource->version;
    labels.resource = call.resource->resource;
    if (call.resource->subresource(call.info.subresource) != nullptr)
      labels.subresource = call.info.subresource;
    labels.scope = !call.info.name.empty() ? "resource" : call.info.ns.empty() ? "cluster" : "namespace";
    labels.dry_run = call.query.get("dryRun") == "All";
  }
  std::optional<std::size_t> size;
  if (!response.stream) {
    size = 0;
    for (const http::Chunk& chunk : response.body) *size += chunk.bytes.size();
  }
  server.metrics.count(labels, response.status, took, size);
}

namespace {

std::string all_metrics(const Server& server) {
  std::string text;
  server.metrics.append_to(text);
  append_in_flight(text, server);
  append_webhooks(text, server);
  append_audit(text, server);
  const store::StoreStats stats = server.store.stats();
  gauge(text, "flotilla_store_objects", "Objects in the store.", static_cast<double>(stats.objects));
  gauge(text, "flotilla_store_bytes", "Bytes of encoded objects in the store.",
        static_cast<double>(stats.bytes));
  gauge(text, "flotilla_store_pending_commits", "Commits that are not durable yet.",
        static_cast<double>(stats.pending_commits));
  gauge(text, "flotilla_store_watchers", "Watches of the store, controllers included.",
        static_cast<double>(stats.watchers));
  metric_head(text, "apiserver_storage_objects", "gauge",
              "Number of stored objects at the time of last check.");
  for (const store::Collection& collection : server.store.collections()) {
    const std::string& name = collection.get();
    const auto slash = name.rfind('/');
    const std::string resource =
        slash == std::string::npos ? name : name.substr(slash + 1) + "." + name.substr(0, slash);
    metric_line(text, "apiserver_storage_objects", "{resource=" + metric_label(resource) + "}",
                static_cast<double>(server.store.count(collection)));
  }
  append_process(text, server);
  metric_head(text, "kubernetes_build_info", "gauge", "Version of the API that is served.");
  metric_line(text, "kubernetes_build_info", "{git_version=" + metric_label(server.options.git_version) + "}",
              1);
  text += server.series.text();
  if (server.options.metrics) text += server.options.metrics();
  return text;
}

bool starts_with_any(std::string_view name, std::initializer_list<std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

bool belongs_to(std::string_view component, std::string_view name) {
  if (starts_with_any(name, {"process_", "kubernetes_build_info", "karmada_build_info", "leader_election_"}))
    return true;
  const bool api = starts_with_any(name, {"apiserver_", "etcd_", "flotilla_"});
  const bool scheduler = starts_with_any(name, {"karmada_scheduler_", "scheduler_"});
  const bool queues = starts_with_any(name, {"workqueue_", "controller_runtime_"});
  if (component == "karmada-apiserver") return api;
  if (component == "karmada-scheduler") return scheduler || queues;
  return !api && !scheduler;
}

// Families begin with their line of help.
std::string only_of(std::string_view component, std::string_view text) {
  constexpr std::string_view kHead = "# HELP ";
  std::string out;
  bool wanted = false;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n') + 1);
    text.remove_prefix(line.size());
    if (line.starts_with(kHead)) wanted = belongs_to(component, line.substr(kHead.size()));
    if (wanted) out.append(line);
  }
  return out;
}

}  // namespace

std::optional<http::Response> serve_metrics(const Server& server, std::string_view component) {
  constexpr std::string_view kComponents[] = {"", "karmada-apiserver", "karmada-scheduler",
                                              "karmada-controller-manager"};
  if (std::find(std::begin(kComponents), std::end(kComponents), component) == std::end(kComponents))
    return std::nullopt;
  std::string text = all_metrics(server);
  if (!component.empty()) text = only_of(component, text);
  return text_response(200, std::move(text), "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace flotilla::apiserver
