// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/registry.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/log.hpp"
#include "core/plugin/config_schema.hpp"
#include "core/plugin/elf_check.hpp"
#include "core/plugin/file_check.hpp"
#include "core/plugin/handshake.hpp"
#include "core/plugin/library.hpp"

namespace flotilla::plugin {
namespace {

namespace fs = std::filesystem;
const Logger kLog("plugin");

std::string triplet_directory() {
#if defined(__x86_64__)
  return "x86_64-linux-gnu";
#else
  return "aarch64-linux-gnu";
#endif
}

std::vector<fs::path> libraries_in(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, failed)) {
    if (entry.path().extension() == ".so") files.push_back(entry.path());
  }
  if (failed)
    kLog.warn("plugin directory cannot be read",
              {{"directory", directory.string()}, {"error", failed.message()}});
  std::sort(files.begin(), files.end());
  return files;
}

const PluginRecord* find_id(const std::vector<PluginRecord>& records, std::string_view id) {
  const auto it = std::find_if(records.begin(), records.end(), [&](const PluginRecord& record) {
    return record.id == id && record.state == PluginState::Available;
  });
  return it == records.end() ? nullptr : &*it;
}

void describe(const flt_plugin_v1_t& plugin, const CheckedPlugin& checked, PluginRecord& record) {
  record.id = plugin.id;
  record.version = plugin.version;
  record.name = plugin.name;
  record.vendor = plugin.vendor;
  record.license = plugin.license;
  record.url = plugin.url;
  record.notices.insert(record.notices.end(), checked.notices.begin(), checked.notices.end());
  for (const flt_component_t* component : checked.components) {
    record.components.push_back({component->kind, component->name, component->summary});
  }
}

}  // namespace

std::string_view to_string(PluginState state) {
  switch (state) {
    case PluginState::Available:
      return "Available";
    case PluginState::Shadowed:
      return "Shadowed";
    case PluginState::Quarantined:
      break;
  }
  return "Quarantined";
}

std::vector<fs::path> plugin_directories(const std::vector<std::string>& configured) {
  const std::string leaf = "flotilla/plugins/1";
  std::vector<fs::path> wanted;
  std::error_code failed;
  const fs::path executable = fs::read_symlink("/proc/self/exe", failed);
  if (!failed) wanted.push_back(executable.parent_path().parent_path() / "lib" / leaf);
  wanted.push_back(fs::path("/usr/lib") / triplet_directory() / leaf);
  wanted.push_back(fs::path("/usr/lib64") / leaf);
  wanted.push_back(fs::path("/usr/local/lib") / leaf);
  wanted.insert(wanted.end(), configured.begin(), configured.end());
  std::vector<fs::path> found;
  for (const fs::path& directory : wanted) {
    const fs::path real = fs::canonical(directory, failed);
    if (!failed && fs::is_directory(real, failed) &&
        std::find(found.begin(), found.end(), real) == found.end()) {
      found.push_back(real);
    }
  }
  return found;
}

Registry::Registry(HostEnvironment& environment) : environment_(environment) {}

Registry::~Registry() {
  for (const auto& [plugin, services] : plugins_) {
    if (FLT_HAS(plugin, fini)) plugin->fini();
  }
}

void Registry::discover(const std::vector<fs::path>& directories) {
  for (const fs::path& directory : directories) {
    for (const fs::path& file : libraries_in(directory)) {
      const Status status = load(file);
      const PluginRecord& record = records_.back();
      if (record.state == PluginState::Quarantined) {
        kLog.warn("plugin put aside", {{"file", file.string()}, {"reason", record.reason}});
      } else {
        kLog.debug("plugin found",
                   {{"id", record.id}, {"file", file.string()}, {"state", to_string(record.state)}});
      }
      static_cast<void>(status);
    }
  }
}

Status Registry::load(const fs::path& absolute_path) {
  PluginRecord record;
  record.origin = absolute_path.string();
  Status status = load_file(absolute_path, record);
  if (!status) record.reason = status.error().message();
  records_.push_back(std::move(record));
  return status;
}

Status Registry::adopt(const flt_plugin_v1_t* plugin, std::string origin) {
  PluginRecord record;
  record.origin = std::move(origin);
  Status status = take(plugin, record);
  if (!status) record.reason = status.error().message();
  records_.push_back(std::move(record));
  return status;
}

Status Registry::load_file(const fs::path& path, PluginRecord& record) {
  if (Status status = check_file(path, trusted_owners()); !status) return status;
  Result<ElfFacts> elf = check_elf_file(path);
  if (!elf) return elf.error();
  record.notices = std::move(elf->notices);
  const Result<const flt_plugin_v1_t*> plugin = load_library(path);
  if (!plugin) return plugin.error();
  return take(*plugin, record);
}

// Nothing of the plugin runs before every check has passed; nothing of it is offered before its init said OK.
Status Registry::take(const flt_plugin_v1_t* plugin, PluginRecord& record) {
  const Result<CheckedPlugin> checked = check_plugin(plugin);
  if (!checked) return checked.error();
  describe(*plugin, *checked, record);
  if (const PluginRecord* other = find_id(records_, record.id); other != nullptr) {
    record.reason = "id " + record.id + " is already loaded from " + other->origin;
    if (fs::path(record.origin).parent_path() == fs::path(other->origin).parent_path()) {
      return Error(Code::Invalid, record.reason);
    }
    record.state = PluginState::Shadowed;
    return {};
  }
  for (const ComponentRecord& component : record.components) {
    if (distrusted_.contains(component.name)) {
      return Error(
          Code::Invalid,
          component.name +
              " crashed the daemon or hung twice within ten minutes; a start after that tries again");
    }
    if (find(component.kind, component.name) != nullptr) {
      return Error(Code::Invalid,
                   component.kind + " " + component.name + " is already offered by another plugin");
    }
  }
  if (Status status = start_plugin(*plugin); !status) return status;
  for (const flt_component_t* component : checked->components) {
    components_.emplace(std::pair<std::string, std::string>(component->kind, component->name), component);
  }
  record.state = PluginState::Available;
  return {};
}

Status Registry::start_plugin(const flt_plugin_v1_t& plugin) {
  auto services = HostServices::make(environment_, plugin.id, FLT_EXEC_ASYNC);
  if (FLT_HAS(&plugin, init)) {
    ErrorSlot error;
    const flt_status_t status = plugin.init(services->table(), error.get());
    if (status != FLT_OK) return error.take(status).context("init");
  }
  plugins_.emplace_back(&plugin, std::move(services));
  return {};
}

const flt_component_t* Registry::find(std::string_view kind, std::string_view name) const {
  const auto it = components_.find(std::pair<std::string, std::string>(kind, name));
  return it == components_.end() ? nullptr : it->second;
}

std::vector<std::string> Registry::names(std::string_view kind) const {
  std::vector<std::string> found;
  for (const auto& [key, component] : components_) {
    if (key.first == kind) found.push_back(key.second);
  }
  return found;
}

Result<std::shared_ptr<Instance>> Registry::instantiate(std::string_view kind, std::string_view name,
                                                        InstanceOptions options) const {
  const flt_component_t* component = find(kind, name);
  if (component == nullptr) {
    std::string message =
        fmt::format("no {} named {}; there are: {}", kind, name, fmt::join(names(kind), ", "));
    for (const PluginRecord& record : records_) {
      if (record.state == PluginState::Quarantined) {
        message += fmt::format("; {} was put aside: {}", record.origin, record.reason);
      }
    }
    return Error(Code::NotFound, std::move(message));
  }
  const std::string where(name);
  if (component->config_schema != nullptr) {
    const auto schema = api::Json::parse(component->config_schema);
    if (!schema) return schema.error();
    auto config = validate_config(*schema, std::move(options.config), where);
    if (!config) return config.error();
    options.config = std::move(*config);
  } else if (!options.config.empty()) {
    return Error(Code::Invalid, where + " takes no configuration");
  }
  return Instance::create(environment_, *component, std::move(options));
}

}  // namespace flotilla::plugin
