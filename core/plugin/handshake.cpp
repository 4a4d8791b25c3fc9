// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/handshake.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <utility>

#include "core/api/json.hpp"

namespace flotilla::plugin {
namespace {

constexpr std::uint64_t kMaxComponents = 256;
constexpr std::size_t kPluginSize = offsetof(flt_plugin_v1_t, n_components) + sizeof(std::uint64_t);
constexpr std::size_t kComponentSize = offsetof(flt_component_t, destroy) + sizeof(void*);
constexpr std::array<std::string_view, 5> kKinds{FLT_KIND_STORAGE, FLT_KIND_SCHEDULER, FLT_KIND_OVERRIDE,
                                                 FLT_KIND_DRIVER, FLT_KIND_ESTIMATOR};

Error refuse(std::string message) {
  return Error(Code::Invalid, std::move(message));
}

bool blank(const char* text) {
  return text == nullptr || *text == '\0';
}

bool is_reverse_dns(std::string_view id) {
  return id.find('.') != std::string_view::npos && !id.starts_with('.') && !id.ends_with('.') &&
         id.find("..") == std::string_view::npos && std::all_of(id.begin(), id.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
         });
}

bool is_component_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

std::string skew(std::uint32_t wanted) {
  return "needs ABI minor " + std::to_string(wanted) + ", this host speaks " + std::to_string(FLT_ABI_MINOR) +
         ": upgrade flotilla";
}

Status check_identity(const flt_plugin_v1_t& plugin) {
  const std::pair<const char*, const char*> texts[] = {
      {"id", plugin.id},         {"version", plugin.version}, {"name", plugin.name},
      {"vendor", plugin.vendor}, {"license", plugin.license}, {"url", plugin.url}};
  for (const auto& [member, text] : texts) {
    if (blank(text)) return refuse(std::string(member) + " is blank");
  }
  if (!is_reverse_dns(plugin.id)) {
    return refuse(std::string("id \"") + plugin.id + "\" is no reverse domain name like org.example.filter");
  }
  return {};
}

// Known, skipped with a notice, or an error.
Result<bool> is_known_kind(const char* kind, std::vector<std::string>& notices) {
  const std::string_view wanted(kind);
  if (std::find(kKinds.begin(), kKinds.end(), wanted) != kKinds.end()) return true;
  const std::string_view family = wanted.substr(0, wanted.rfind('/'));
  for (const std::string_view known : kKinds) {
    if (known.substr(0, known.rfind('/')) != family) continue;
    return refuse("needs " + std::string(wanted) + ", this host speaks " + std::string(known) +
                  ": upgrade flotilla");
  }
  notices.push_back("component of unknown kind " + std::string(wanted) + " is not used");
  return false;
}

Status check_ops(const flt_component_t& component, const std::string& where) {
  if (component.ops == nullptr) return refuse(where + ": ops is null");
  std::uint32_t size = 0;
  std::memcpy(&size, component.ops, sizeof size);
  const std::size_t least = std::max(minimum_ops_size(component.kind), sizeof size);
  if (size < least) {
    return refuse(where + ": ops.struct_size is " + std::to_string(size) + ", at least " +
                  std::to_string(least) + " is needed");
  }
  for (const RequiredOp& op : required_ops(component.kind)) {
    const void* function = nullptr;
    std::memcpy(&function, static_cast<const char*>(component.ops) + op.offset, sizeof function);
    if (function == nullptr) return refuse(where + ": operation " + std::string(op.name) + " is null");
  }
  return {};
}

Status check_schema_text(const flt_component_t& component, const std::string& where) {
  if (component.config_schema == nullptr) return {};
  const auto schema = api::Json::parse(component.config_schema);
  if (!schema) return refuse(where + ": config_schema is no JSON: " + schema.error().message());
  if (!schema->is_object()) return refuse(where + ": config_schema is no JSON object");
  return {};
}

Status check_component(const flt_component_t& component, const std::string& where) {
  if (component.struct_size < kComponentSize) {
    return refuse(where + ": struct_size is " + std::to_string(component.struct_size) + ", at least " +
                  std::to_string(kComponentSize) + " is needed");
  }
  const std::uint32_t mode = component.exec & (FLT_EXEC_ASYNC | FLT_EXEC_BLOCKING | FLT_EXEC_COMPUTE);
  if (mode == 0 || (mode & (mode - 1)) != 0) {
    return refuse(where + ": exec must be one of FLT_EXEC_ASYNC, FLT_EXEC_BLOCKING, FLT_EXEC_COMPUTE");
  }
  if (blank(component.name)) return refuse(where + ": name is blank");
  if (!is_component_name(component.name))
    return refuse(where + ": name has characters other than a-z 0-9 _ - .");
  if (component.summary == nullptr) return refuse(where + ": summary is null");
  if (component.create == nullptr) return refuse(where + ": create is null");
  if (component.destroy == nullptr) return refuse(where + ": destroy is null");
  if (Status status = check_schema_text(component, where); !status) return status;
  return check_ops(component, where);
}

}  // namespace

Result<CheckedPlugin> check_plugin(const flt_plugin_v1_t* plugin) {
  if (plugin == nullptr) return refuse("no plugin");
  if (plugin->magic != FLT_PLUGIN_MAGIC) return refuse("not a Flotilla plugin: wrong magic");
  if (plugin->required_minor > FLT_ABI_MINOR) return refuse(skew(plugin->required_minor));
  if (plugin->struct_size < kPluginSize) {
    return refuse("struct_size is " + std::to_string(plugin->struct_size) + ", at least " +
                  std::to_string(kPluginSize) + " is needed");
  }
  if (plugin->flags != 0) return refuse("uses flags that this host does not know: upgrade flotilla");
  if (Status status = check_identity(*plugin); !status) return status.error();
  if (plugin->components == nullptr) return refuse("components is null");
  if (plugin->n_components == 0 || plugin->n_components > kMaxComponents) {
    return refuse("n_components is " + std::to_string(plugin->n_components) + ", not 1 to " +
                  std::to_string(kMaxComponents));
  }
  CheckedPlugin checked;
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (std::uint64_t i = 0; i < plugin->n_components; ++i) {
    const std::string where = "component " + std::to_string(i);
    const flt_component_t* component = plugin->components[i];
    if (component == nullptr) return refuse(where + " is null");
    if (component->struct_size < kComponentSize) return check_component(*component, where).error();
    if (blank(component->kind)) return refuse(where + ": kind is blank");
    const Result<bool> known = is_known_kind(component->kind, checked.notices);
    if (!known) return known.error();
    if (!*known) continue;
    if (Status status = check_component(*component, where); !status) return status.error();
    if (!seen.emplace(component->kind, component->name).second) {
      return refuse(where + ": a second " + component->kind + " named " + component->name);
    }
    checked.components.push_back(component);
  }
  return checked;
}

}  // namespace flotilla::plugin
