// SPDX-License-Identifier: Apache-2.0
// Everything an operator can set, with its default. config/flotilla.yaml documents each key; a test holds
// file and code together. Keys come from the file first, then from --set; what is unknown or out of range is
// an error that names file and line, and the key that was perhaps meant.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "core/controllers/options.hpp"
#include "core/search/options.hpp"
#include "core/simulation/settings.hpp"

namespace flotilla::config {

struct LogSettings {
  std::string level = "info";   // debug, info, warn, error, off
  std::string format = "text";  // text, json
};

struct ThreadSettings {
  std::int64_t io = 2;
  std::int64_t blocking = 4;
};

struct StorageSettings {
  std::string name;  // empty: sqlite, or memory for the member profile
  api::Json config;  // handed to the plugin, checked against its schema
  std::int64_t history = 10'000;
  Duration compaction_interval = std::chrono::minutes(5);  // of storage that daemons share; 0: never
};

struct ApiSettings {
  std::vector<std::string> names;  // further names and addresses in the serving certificate
  std::string public_url;          // what cluster-info tells clients; empty: the URL of this daemon
  std::string socket;              // empty: admin.sock in data_dir; "off": none
  std::int64_t max_body_bytes = 3 << 20;
  std::int64_t max_connections = 20'000;
  std::int64_t max_requests_inflight = 400;
  std::int64_t max_mutating_requests_inflight = 200;
};

struct SecuritySettings {
  std::string anonymous = "everywhere";  // everywhere, health, nowhere
  std::string token_file;                // token,user,uid,"group1,group2"
  std::string encryption_config;         // EncryptionConfiguration
  std::vector<std::string> admission;    // plugins that are off by default
};

struct AuditSettings {
  std::string policy_file;  // empty: no audit log
  std::string log_path;     // empty: audit.log in the data directory
  std::int64_t max_size_mb = 100;
  std::int64_t max_backups = 10;
  std::int64_t max_age_days = 30;
};

struct PluginSettings {
  std::vector<std::string> directories;  // searched after the built-in ones
};

struct SimulationSettings : simulation::Settings {
  bool enabled = true;
};

// Profile agent: beside a cluster in pull mode. Karmada's flags of the same names.
struct AgentSettings {
  std::string cluster_name;
  std::string cluster_namespace = "karmada-cluster";
  std::string karmada_kubeconfig, karmada_context;  // the control plane
  std::string kubeconfig, context;                  // the member; empty: the cluster that it runs in
  std::string cluster_api_endpoint, proxy_server_address, cluster_provider, cluster_region;
  std::vector<std::string> cluster_zones;
  std::vector<std::string> report_secrets = {"KubeCredentials", "KubeImpersonator"};
  std::string karmada_kubeconfig_namespace = "karmada-system";  // of the Secret that holds it, in the member
  std::string listen;                                           // health and metrics; empty: not served
};

struct ControllerSettings : controllers::Options {
  bool enabled = true;  // false: an API server and nothing else
};

// Of daemons that share a storage.
struct LeadershipSettings {
  Duration lease_duration = std::chrono::seconds(10);
  Duration renew_deadline = std::chrono::seconds(7);
  Duration retry_period = std::chrono::seconds(1);
};

struct Settings {
  std::string data_dir;
  std::string listen = "127.0.0.1:6443";
  std::string profile = "control-plane";  // member, agent
  LogSettings log;
  ThreadSettings threads;
  StorageSettings storage;
  LeadershipSettings leadership;
  ApiSettings api;
  SecuritySettings security;
  AuditSettings audit;
  PluginSettings plugins;
  ControllerSettings controllers;
  search::Options search;
  SimulationSettings simulation;
  AgentSettings agent;

  bool is_member() const { return profile == "member"; }
  bool is_agent() const { return profile == "agent"; }
  std::string storage_name() const;
};

// Reads a file over the defaults. Errors: Invalid, "flotilla.yaml:12: unknown key ...", one line per fault.
Status read_settings(const std::string& path, Settings& settings);
// The same of a text; `origin` stands for the file in messages.
Status read_settings_text(std::string_view text, std::string_view origin, Settings& settings);
// "simulation.nodes=3". Errors: Invalid.
Status set_setting(std::string_view assignment, Settings& settings);

// Every key in the order of the documentation.
std::vector<std::string> setting_keys();
// What the key holds, as the file would say it.
api::Json setting_value(std::string_view key, const Settings& settings);

// "127.0.0.1:6443", "[::1]:0", ":6443". Errors: Invalid.
struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;
};
Result<ListenAddress> parse_listen(std::string_view text);

}  // namespace flotilla::config
