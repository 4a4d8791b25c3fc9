// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/resources.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/api/object.hpp"
#include "core/http/url.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

void add_group_version(const Json& list, std::string_view group, std::string_view version,
                       std::vector<Resource>& all) {
  for (const Json& entry : list["resources"].elements()) {
    const std::string name(entry["name"].as_string());
    if (name.find('/') != std::string::npos) continue;
    Resource resource;
    resource.group = group;
    resource.version = version;
    resource.resource = name;
    resource.kind = entry["kind"].as_string();
    resource.singular = entry["singularName"].as_string();
    if (resource.singular.empty()) resource.singular = lower(resource.kind);
    resource.namespaced = entry["namespaced"].as_bool();
    for (const Json& word : entry["shortNames"].elements())
      resource.short_names.emplace_back(word.as_string());
    all.push_back(std::move(resource));
  }
}

bool is_called(const Resource& resource, std::string_view name) {
  return name == resource.resource || name == resource.singular || name == lower(resource.kind) ||
         std::find(resource.short_names.begin(), resource.short_names.end(), name) !=
             resource.short_names.end();
}

}  // namespace

std::string Resource::path(std::string_view ns, std::string_view name) const {
  std::string out = group.empty() ? "/api/" + version : "/apis/" + group + "/" + version;
  if (namespaced && !ns.empty()) out += "/namespaces/" + http::percent_encode(ns);
  out += "/" + resource;
  if (!name.empty()) out += "/" + http::percent_encode(name);
  return out;
}

Result<Resources> Resources::discover(Session& session) {
  Resources found;
  const Result<Json> core = session.get("/api/v1");
  if (!core) return core.error();
  add_group_version(*core, "", "v1", found.all_);
  const Result<Json> groups = session.get("/apis");
  if (!groups) return groups.error();
  for (const Json& group : (*groups)["groups"].elements()) {
    const std::string_view name = group["name"].as_string();
    // The preferred version first, the others for what it does not have.
    std::vector<std::string> versions{std::string(group["preferredVersion"]["version"].as_string())};
    for (const Json& version : group["versions"].elements()) {
      const std::string text(version["version"].as_string());
      if (std::find(versions.begin(), versions.end(), text) == versions.end()) versions.push_back(text);
    }
    for (const std::string& version : versions) {
      const Result<Json> list = session.get(fmt::format("/apis/{}/{}", name, version));
      if (list) add_group_version(*list, name, version, found.all_);
    }
  }
  return found;
}

Result<Resource> Resources::find(std::string_view typed) const {
  const std::string name = lower(typed);
  for (const Resource& resource : all_) {
    if (is_called(resource, name)) return resource;
  }
  // resource.group or resource.version.group
  if (const std::size_t dot = name.find('.'); dot != std::string::npos) {
    const std::string_view word = std::string_view(name).substr(0, dot);
    const std::string_view rest = std::string_view(name).substr(dot + 1);
    for (const Resource& resource : all_) {
      if (is_called(resource, word) &&
          (rest == resource.group || rest == resource.version + "." + resource.group)) {
        return resource;
      }
    }
  }
  return Error(Code::NotFound, fmt::format("the server doesn't have a resource type \"{}\"", typed));
}

Result<Resource> Resources::find_kind(std::string_view api_version, std::string_view kind) const {
  const api::Gvk wanted = api::Gvk::from(api_version, kind);
  for (const Resource& resource : all_) {
    if (resource.group == wanted.group && resource.version == wanted.version &&
        resource.kind == wanted.kind) {
      return resource;
    }
  }
  return Error(Code::NotFound,
               fmt::format("no matches for kind \"{}\" in version \"{}\"", kind, api_version));
}

}  // namespace flotilla::ctl
