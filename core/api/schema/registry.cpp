// SPDX-License-Identifier: Apache-2.0
#include "core/api/schema/registry.hpp"

#include <algorithm>
#include <charconv>

#include "core/api/schema/embedded.hpp"
#include "core/base/assert.hpp"

namespace flotilla::api {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

std::string_view word(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view found = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return found;
}

std::string_view line_of(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string group_word(std::string_view text) {
  return text == "-" ? std::string() : std::string(text);
}

std::string json_string(std::string_view text) {
  auto parsed = Json::parse(text);
  ASSERT(parsed.ok());
  return std::string(parsed->as_string());
}

std::string kind_key(std::string_view group, std::string_view version, std::string_view kind) {
  std::string key;
  key.reserve(group.size() + version.size() + kind.size() + 2);
  key.append(group).append("/").append(version).append("/").append(kind);
  return key;
}

// gvk=GROUP/VERSION/KIND of config/schema/types.txt.
const std::unordered_map<std::string, const Schema*>& schemas_by_kind() {
  static const auto& map = *[] {
    auto* found = new std::unordered_map<std::string, const Schema*>;
    std::string_view text = embedded::types();
    while (!text.empty()) {
      std::string_view line = line_of(text);
      if (!line.starts_with("type ")) continue;
      line.remove_prefix(5);
      const Schema* schema = TypeSet::builtin().find(word(line));
      while (!line.empty()) {
        const std::string_view part = word(line);
        if (part.starts_with("gvk=")) found->emplace(part.substr(4), schema);
      }
    }
    return found;
  }();
  return map;
}

const Schema* builtin_type(const GroupVersionKind& gvk) {
  const auto& map = schemas_by_kind();
  const auto at = map.find(kind_key(gvk.group, gvk.version, gvk.kind));
  return at == map.end() ? nullptr : at->second;
}

Resource read_resource(std::string_view rest) {
  Resource made;
  made.group = group_word(word(rest));
  made.version = word(rest);
  made.resource = word(rest);
  made.kind = word(rest);
  made.list_kind = made.kind + "List";
  made.singular = lower(made.kind);
  made.namespaced = word(rest) == "ns";
  const std::string_view origin = word(rest);
  made.origin = origin == "karmada"      ? Origin::Karmada
                : origin == "aggregated" ? Origin::KarmadaAggregated
                                         : Origin::Kubernetes;
  made.storage_version = made.version;
  while (!rest.empty()) {
    const std::string_view part = word(rest);
    const std::string_view value = part.substr(part.find('=') + 1);
    if (part.starts_with("verbs=")) made.verbs = split(value);
    if (part.starts_with("short=")) made.short_names = split(value);
    if (part.starts_with("cat=")) made.categories = split(value);
    if (part.starts_with("stored=")) made.storage_version = value;
    if (part.starts_with("singular=")) made.singular = value;
  }
  made.storage = made.storage_version == made.version;
  made.traits.typed = made.origin == Origin::Kubernetes;
  if (const Schema* schema = builtin_type(made.gvk())) made.schema = schema;
  return made;
}

Subresource read_subresource(std::string_view rest) {
  Subresource made;
  made.name = word(rest);
  made.gvk.group = group_word(word(rest));
  made.gvk.version = word(rest);
  made.gvk.kind = word(rest);
  made.verbs = split(word(rest));
  return made;
}

PrinterColumn read_column(std::string_view rest) {
  PrinterColumn made;
  made.name = json_string(word(rest));
  made.type = word(rest);
  made.format = group_word(word(rest));
  const std::string_view priority = word(rest);
  std::from_chars(priority.data(), priority.data() + priority.size(), made.priority);
  made.cell = json_string(rest);
  return made;
}

void read_traits(std::string_view rest, Traits& traits) {
  while (!rest.empty()) {
    const std::string_view part = word(rest);
    const std::string_view value = part.substr(part.find('=') + 1);
    if (part.starts_with("generation=")) {
      traits.generation = value == "spec"       ? GenerationRule::OnSpec
                          : value == "content"  ? GenerationRule::OnContent
                          : value == "constant" ? GenerationRule::Constant
                                                : GenerationRule::None;
    } else if (part.starts_with("name=")) {
      traits.name_rule = value == "label"     ? NameRule::Label
                         : value == "dns1035" ? NameRule::Dns1035Label
                         : value == "free"    ? NameRule::Free
                                              : NameRule::PathSegment;
    } else if (part.starts_with("error-group=")) {
      traits.error_group = value;
    } else if (part.starts_with("max=")) {
      std::from_chars(value.data(), value.data() + value.size(), traits.max_name);
    } else if (part == "labels") {
      traits.generation_labels = true;
    } else if (part == "late") {
      traits.generation_late = true;
    } else if (part == "annotations") {
      traits.generation_annotations = true;
    } else if (part == "versioned") {
      traits.unconditional_update = false;
    } else if (part == "create-on-update") {
      traits.create_on_update = true;
    } else if (part == "returns-deleted") {
      traits.returns_deleted = true;
    } else if (part == "graceful") {
      traits.graceful_delete = true;
    }
  }
}

// deprecated GROUP VERSION KIND since [until [replacement]]
void read_deprecation(std::string_view rest, std::vector<Resource>& resources) {
  const std::string group = group_word(word(rest));
  const std::string_view version = word(rest);
  const std::string_view kind = word(rest);
  const std::string_view since = word(rest), until = word(rest), instead = word(rest);
  for (Resource& one : resources) {
    if (one.group != group || one.version != version || (kind != "*" && one.kind != kind)) continue;
    one.deprecation_warning =
        one.group_version() + " " + one.kind + " is deprecated in " + std::string(since) + "+";
    if (!until.empty()) one.deprecation_warning += ", unavailable in " + std::string(until) + "+";
    if (!instead.empty()) one.deprecation_warning += "; use " + std::string(instead) + " " + one.kind;
  }
}

void add_builtin_traits(std::vector<Resource>& resources) {
  for (Resource& resource : resources) {
    resource.traits.status = resource.subresource("status") != nullptr;
    if (resource.origin == Origin::Kubernetes) continue;
    resource.traits.unconditional_update = false;
    resource.traits.generation =
        resource.traits.status ? GenerationRule::OnContent : GenerationRule::OnAllContent;
  }
  std::string_view text = embedded::kinds();
  while (!text.empty()) {
    std::string_view line = line_of(text);
    if (line.starts_with("deprecated ")) read_deprecation(line.substr(11), resources);
    if (!line.starts_with("kind ")) continue;
    line.remove_prefix(5);
    const std::string group = group_word(word(line));
    const std::string_view kind = word(line);
    for (Resource& resource : resources) {
      if (resource.group == group && resource.kind == kind) read_traits(line, resource.traits);
    }
  }
}

Registry make_builtin(bool karmada) {
  std::vector<Resource> resources;
  std::string_view text = embedded::resources();
  while (!text.empty()) {
    std::string_view line = line_of(text);
    if (line.starts_with("resource ")) resources.push_back(read_resource(line.substr(9)));
    if (line.starts_with(" sub ")) resources.back().subresources.push_back(read_subresource(line.substr(5)));
    if (line.starts_with(" column ")) resources.back().columns.push_back(read_column(line.substr(8)));
  }
  add_builtin_traits(resources);
  Registry registry;
  for (Resource& resource : resources) {
    if (!karmada && resource.origin != Origin::Kubernetes) continue;
    registry.add(std::make_shared<const Resource>(std::move(resource)));
  }
  return registry;
}

// "v1" before "v2beta1" before "v1alpha1"; the later of equal stability first.
std::tuple<int, int, int> version_rank(std::string_view version) {
  int major = 0, minor = 0;
  if (!version.starts_with('v')) return {-1, 0, 0};
  const char* end = version.data() + version.size();
  auto parsed = std::from_chars(version.data() + 1, end, major);
  const std::string_view rest(parsed.ptr, static_cast<std::size_t>(end - parsed.ptr));
  if (rest.empty()) return {2, major, 0};
  const bool beta = rest.starts_with("beta");
  if (!beta && !rest.starts_with("alpha")) return {-1, 0, 0};
  std::from_chars(rest.data() + (beta ? 4 : 5), end, minor);
  return {beta ? 1 : 0, major, minor};
}

}  // namespace

const Subresource* Resource::subresource(std::string_view name) const {
  for (const Subresource& one : subresources) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

bool Resource::has_verb(std::string_view verb) const {
  return std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
}

const Registry& Registry::builtin() {
  static const Registry registry = make_builtin(true);
  return registry;
}

const Registry& Registry::kubernetes() {
  static const Registry registry = make_builtin(false);
  return registry;
}

void Registry::add(ResourcePtr resource) {
  const auto same = [&](const ResourcePtr& r) {
    return r->group == resource->group && r->version == resource->version &&
           r->resource == resource->resource;
  };
  const auto at = std::find_if(resources_.begin(), resources_.end(), same);
  const std::string by_resource = kind_key(resource->group, resource->version, resource->resource);
  if (at != resources_.end()) {
    by_kind_.erase(kind_key(resource->group, resource->version, (*at)->kind));
    *at = resource;
  } else {
    resources_.push_back(resource);
  }
  by_resource_[by_resource] = resource;
  by_kind_[kind_key(resource->group, resource->version, resource->kind)] = std::move(resource);
}

bool Registry::remove(std::string_view group, std::string_view resource) {
  const auto gone = [&](const ResourcePtr& r) { return r->group == group && r->resource == resource; };
  for (const ResourcePtr& one : resources_) {
    if (!gone(one)) continue;
    by_resource_.erase(kind_key(one->group, one->version, one->resource));
    by_kind_.erase(kind_key(one->group, one->version, one->kind));
  }
  return std::erase_if(resources_, gone) > 0;
}

ResourcePtr Registry::find_resource(std::string_view group, std::string_view version,
                                    std::string_view resource) const {
  const auto at = by_resource_.find(kind_key(group, version, resource));
  return at == by_resource_.end() ? nullptr : at->second;
}

ResourcePtr Registry::find_kind(const GroupVersionKind& gvk) const {
  const auto at = by_kind_.find(kind_key(gvk.group, gvk.version, gvk.kind));
  return at == by_kind_.end() ? nullptr : at->second;
}

const Schema* Registry::type_of(const GroupVersionKind& gvk) const {
  if (const ResourcePtr resource = find_kind(gvk)) return resource->schema;
  return builtin_type(gvk);
}

std::vector<std::string> Registry::groups() const {
  std::vector<std::string> found;
  for (const ResourcePtr& one : resources_) {
    if (std::find(found.begin(), found.end(), one->group) == found.end()) found.push_back(one->group);
  }
  return found;
}

std::vector<std::string> Registry::versions(std::string_view group) const {
  std::vector<std::string> found;
  for (const ResourcePtr& one : resources_) {
    if (one->group != group) continue;
    if (std::find(found.begin(), found.end(), one->version) == found.end()) found.push_back(one->version);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return version_rank(a) > version_rank(b); });
  return found;
}

}  // namespace flotilla::api
