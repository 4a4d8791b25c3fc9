// SPDX-License-Identifier: Apache-2.0
// All plugins of one daemon: found, checked, loaded, or put aside with a reason. A broken plugin never stops
// the daemon; a component it should have offered is then unknown, and whoever needs it says so.
//
//   Registry registry(environment);
//   registry.discover(plugin_directories());
//   auto storage = registry.instantiate(FLT_KIND_STORAGE, "sqlite", {.config = config});
//
// Two doors: load(path) for files, adopt(plugin) for tests and static builds; both check the same.
// Thread: discover, load and adopt before anything else uses the registry; the rest from any thread.
#pragma once

#include <flotilla/abi/entry.h>

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/plugin/instance.hpp"

namespace flotilla::plugin {

enum class PluginState {
  Available,    // loaded; its components can be used
  Shadowed,     // another file with the same id was found in an earlier directory
  Quarantined,  // put aside; `reason` says why
};
std::string_view to_string(PluginState state);

struct ComponentRecord {
  std::string kind, name, summary;
  bool operator==(const ComponentRecord&) const = default;
};

struct PluginRecord {
  std::string origin;  // its file, or "built in"
  std::string id, version, name, vendor, license, url;
  PluginState state = PluginState::Quarantined;
  std::string reason;
  std::vector<std::string> notices;
  std::vector<ComponentRecord> components;
};

// Where plugins are looked for, in this order: beside the running executable (../lib/flotilla/plugins/1), the
// system's directories, then `configured`. Only those that exist; never the working directory or the
// environment. Estimators lie in a folder of that name below each: who asks estimators discovers it too.
std::vector<std::filesystem::path> plugin_directories(const std::vector<std::string>& configured = {});

class Registry {
 public:
  explicit Registry(HostEnvironment& environment);
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // Plugins with these components are put aside: they crashed the daemon too often (crash_note.hpp). Before
  // the first is loaded.
  void distrust(std::set<std::string> components) { distrusted_ = std::move(components); }
  // Loads every *.so of the directories in the order of their names. What fails is in records().
  void discover(const std::vector<std::filesystem::path>& directories);
  // Errors: Invalid: what records() says too.
  Status load(const std::filesystem::path& absolute_path);
  Status adopt(const flt_plugin_v1_t* plugin, std::string origin = "built in");

  // Null: no such component.
  const flt_component_t* find(std::string_view kind, std::string_view name) const;
  // Names of the components of a kind, ascending.
  std::vector<std::string> names(std::string_view kind) const;
  // Validates the configuration and creates an instance. Errors: NotFound naming the components there are and
  // why a plugin that might have had it was put aside; Invalid from the configuration.
  Result<std::shared_ptr<Instance>> instantiate(std::string_view kind, std::string_view name,
                                                InstanceOptions options = {}) const;
  const std::vector<PluginRecord>& records() const { return records_; }
  HostEnvironment& environment() const { return environment_; }

 private:
  struct Owner;
  Status load_file(const std::filesystem::path& path, PluginRecord& record);
  Status take(const flt_plugin_v1_t* plugin, PluginRecord& record);
  Status start_plugin(const flt_plugin_v1_t& plugin);

  HostEnvironment& environment_;
  std::vector<PluginRecord> records_;
  std::set<std::string> distrusted_;
  std::map<std::pair<std::string, std::string>, const flt_component_t*, std::less<>> components_;
  std::vector<std::pair<const flt_plugin_v1_t*, std::shared_ptr<HostServices>>> plugins_;
};

}  // namespace flotilla::plugin
