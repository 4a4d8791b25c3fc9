// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/plugin_report.hpp"

#include <algorithm>
#include <filesystem>

namespace flotilla::daemon {
namespace {

using api::Json;

constexpr const char* kNamespace = "flotilla-system";
constexpr const char* kName = "plugins";

store::StoredKind namespace_kind() {
  return {{"", "v1", "Namespace"}, "namespaces", false, true, false};
}
store::StoredKind config_map_kind() {
  return {{"", "v1", "ConfigMap"}, "configmaps", true, false, false};
}

Json describe(const plugin::PluginRecord& record) {
  Json components = Json::array();
  for (const plugin::ComponentRecord& component : record.components) {
    const std::string kind = component.kind.substr(component.kind.find('.') + 1);
    components.push_back(Json::object({{"kind", kind.substr(0, kind.find('/'))},
                                       {"name", component.name},
                                       {"summary", component.summary}}));
  }
  Json plugin = Json::object({{"id", record.id},
                              {"version", record.version},
                              {"state", to_string(record.state)},
                              {"origin", record.origin},
                              {"components", std::move(components)}});
  if (!record.reason.empty()) plugin.set("reason", record.reason);
  if (!record.notices.empty()) plugin.set("notices", Json::strings(record.notices));
  return plugin;
}

bool offers(const Json& plugin, std::string_view policy) {
  const auto components = plugin["components"].elements();
  return std::any_of(components.begin(), components.end(), [&](const Json& component) {
    return component["kind"].as_string() == "scheduler" && component["name"].as_string() == policy;
  });
}

// A key of a ConfigMap: the id, or the file's name where there is no id.
std::string key_of(const plugin::PluginRecord& record) {
  std::string key = record.id;
  if (key.empty() || record.state != plugin::PluginState::Available) {
    key = std::filesystem::path(record.origin).lexically_normal().string();
  }
  std::replace_if(
      key.begin(), key.end(),
      [](unsigned char c) { return !std::isalnum(c) && c != '-' && c != '_' && c != '.'; }, '_');
  return key.substr(key.size() > 200 ? key.size() - 200 : 0);
}

}  // namespace

Task<Status> report_plugins(store::Store& store, store::Writer& writer,
                            std::vector<plugin::PluginRecord> records) {
  Json data = Json::object();
  for (const plugin::PluginRecord& record : records) data.set(key_of(record), describe(record).dump());
  const store::StoredKind ns_kind = namespace_kind();
  if (!store.get(ns_kind.collection(), "", kNamespace)) {
    // Members have one of their own.
    const Json labels = Json::object({{"namespace.karmada.io/skip-auto-propagation", "true"}});
    Json ns = Json::object({{"apiVersion", "v1"},
                            {"kind", "Namespace"},
                            {"metadata", Json::object({{"name", kNamespace}, {"labels", labels}})}});
    auto creating = writer.create(ns_kind, std::move(ns));
    const auto created = co_await std::move(creating);
    if (!created && !created.error().is(Code::AlreadyExists)) co_return created.error();
  }
  const store::StoredKind kind = config_map_kind();
  Json map = Json::object({{"apiVersion", "v1"},
                           {"kind", "ConfigMap"},
                           {"metadata", Json::object({{"name", kName}, {"namespace", kNamespace}})},
                           {"data", std::move(data)}});
  if (store.get(kind.collection(), kNamespace, kName)) {
    auto updating = writer.update(kind, store::Part::Main, std::move(map));
    const auto updated = co_await std::move(updating);
    if (!updated) co_return updated.error();
    co_return Status();
  }
  auto creating = writer.create(kind, std::move(map));
  const auto created = co_await std::move(creating);
  if (!created) co_return created.error();
  co_return Status();
}

Task<Status> report_left_out(store::Store& store, store::Writer& writer, std::string component,
                             std::string reason) {
  const store::StoredKind kind = config_map_kind();
  auto writing = writer.modify(kind, store::Part::Main, {kNamespace, kName},
                               [component, reason](Json& map) -> Result<bool> {
                                 bool changed = false;
                                 const Json before = std::as_const(map)["data"];
                                 for (const auto& [key, text] : before.members()) {
                                   Result<Json> plugin = Json::parse(text.as_string());
                                   if (!plugin || !offers(*plugin, component)) continue;
                                   plugin->set("state", to_string(plugin::PluginState::Quarantined));
                                   plugin->set("reason", reason);
                                   map["data"].set(key, plugin->dump());
                                   changed = true;
                                 }
                                 return changed;
                               });
  const auto written = co_await std::move(writing);
  if (!written) co_return written.error();
  co_return Status();
}

}  // namespace flotilla::daemon
