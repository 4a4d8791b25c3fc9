// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/discovery.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "core/apiserver/aggregation/aggregator.hpp"
#include "core/apiserver/aggregation/priorities.hpp"
#include "core/apiserver/response.hpp"

namespace flotilla::apiserver {
namespace {

int rank_of(std::string_view group) {
  return priority_of(group, "").group;
}

// v2 > v1 > v2beta1 > v1alpha1 > anything else.
struct KubeVersion {
  int kind = 0;  // 3 GA, 2 beta, 1 alpha
  int major = 0;
  int minor = 0;
};

KubeVersion read_kube_version(std::string_view text) {
  KubeVersion version;
  if (!text.starts_with('v')) return version;
  const char* end = text.data() + text.size();
  auto read = std::from_chars(text.data() + 1, end, version.major);
  if (read.ec != std::errc()) return version;
  if (read.ptr == end) {
    version.kind = 3;
    return version;
  }
  const std::string_view rest(read.ptr, static_cast<std::size_t>(end - read.ptr));
  const bool alpha = rest.starts_with("alpha");
  if (!alpha && !rest.starts_with("beta")) return version;
  const std::string_view number = rest.substr(alpha ? 5 : 4);
  read = std::from_chars(number.data(), end, version.minor);
  if (read.ec == std::errc() && read.ptr == end) version.kind = alpha ? 1 : 2;
  return version;
}

bool preferred(const std::string& a, const std::string& b) {
  const KubeVersion left = read_kube_version(a);
  const KubeVersion right = read_kube_version(b);
  if (left.kind != right.kind) return left.kind > right.kind;
  if (left.kind == 0) return a < b;
  if (left.major != right.major) return left.major > right.major;
  return left.minor > right.minor;
}

Json verbs_json(const std::vector<std::string>& verbs) {
  return Json::strings(verbs);
}

bool is_custom(const Resource& resource) {
  return resource.origin == api::Origin::Custom;
}

std::vector<std::string> verbs_of(const Served& served, const Resource& resource) {
  if (!is_custom(resource)) return resource.verbs;
  if (served.terminating.contains(resource.group_resource()))
    return {"delete", "deletecollection", "get", "list", "watch"};
  return {"delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"};
}

std::vector<ResourcePtr> resources_of(const Served& served, std::string_view group,
                                      std::string_view version) {
  std::vector<ResourcePtr> found;
  for (const ResourcePtr& resource : served.registry.resources()) {
    const bool named = !resource->resource.empty();
    if (named && resource->group == group && resource->version == version) found.push_back(resource);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const ResourcePtr& a, const ResourcePtr& b) { return a->resource < b->resource; });
  return found;
}

Json plain_resource(const Served& served, const Resource& resource) {
  Json entry = Json::object(
      {{"name", resource.resource},
       {"singularName", resource.origin == api::Origin::Kubernetes ? std::string() : resource.singular},
       {"namespaced", resource.namespaced},
       {"kind", resource.kind},
       {"verbs", verbs_json(verbs_of(served, resource))}});
  if (!resource.short_names.empty()) entry.set("shortNames", Json::strings(resource.short_names));
  if (!resource.categories.empty()) entry.set("categories", Json::strings(resource.categories));
  return entry;
}

Json plain_subresource(const Resource& resource, const api::Subresource& sub) {
  Json entry = Json::object({{"name", resource.resource + "/" + sub.name},
                             {"singularName", ""},
                             {"namespaced", resource.namespaced},
                             {"kind", sub.gvk.kind},
                             {"verbs", verbs_json(sub.verbs)}});
  if (sub.gvk.group != resource.group || sub.gvk.version != resource.version) {
    if (!sub.gvk.group.empty()) entry.set("group", sub.gvk.group);
    entry.set("version", sub.gvk.version);
  }
  return entry;
}

// Of custom resources status stands before scale.
bool later_name_first(const api::Subresource& a, const api::Subresource& b) {
  return a.name > b.name;
}

Json resource_list(const Served& served, std::string_view group, std::string_view version) {
  Json resources = Json::array();
  for (const ResourcePtr& resource : resources_of(served, group, version)) {
    resources.push_back(plain_resource(served, *resource));
    std::vector<api::Subresource> subresources = resource->subresources;
    if (is_custom(*resource)) std::sort(subresources.begin(), subresources.end(), later_name_first);
    for (const api::Subresource& sub : subresources) resources.push_back(plain_subresource(*resource, sub));
  }
  const std::string gv =
      group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
  Json list =
      Json::object({{"kind", "APIResourceList"}, {"groupVersion", gv}, {"resources", std::move(resources)}});
  if (!group.empty()) list.set("apiVersion", "v1");
  return list;
}

Json group_json(const Served& served, const std::string& group) {
  Json versions = Json::array();
  for (const std::string& version : version_order(served, group)) {
    versions.push_back(Json::object({{"groupVersion", group + "/" + version}, {"version", version}}));
  }
  Json preferred_version = versions.element(0);
  return Json::object({{"name", group},
                       {"versions", std::move(versions)},
                       {"preferredVersion", std::move(preferred_version)}});
}

Json kind_json(const api::GroupVersionKind& gvk) {
  return Json::object({{"group", gvk.group}, {"version", gvk.version}, {"kind", gvk.kind}});
}

Json aggregated_resource(const Served& served, const Resource& resource) {
  Json entry = Json::object({{"resource", resource.resource},
                             {"responseKind", kind_json(resource.gvk())},
                             {"scope", resource.namespaced ? "Namespaced" : "Cluster"},
                             {"singularResource", resource.singular},
                             {"verbs", verbs_json(verbs_of(served, resource))}});
  if (!resource.short_names.empty()) entry.set("shortNames", Json::strings(resource.short_names));
  if (!resource.categories.empty()) entry.set("categories", Json::strings(resource.categories));
  Json subresources = Json::array();
  for (const api::Subresource& sub : resource.subresources) {
    subresources.push_back(Json::object(
        {{"subresource", sub.name}, {"responseKind", kind_json(sub.gvk)}, {"verbs", verbs_json(sub.verbs)}}));
  }
  if (!subresources.empty()) entry.set("subresources", std::move(subresources));
  return entry;
}

Json aggregated_group(const Served& served, const std::string& group) {
  Json versions = Json::array();
  for (const std::string& version : version_order(served, group)) {
    Json resources = Json::array();
    for (const ResourcePtr& resource : resources_of(served, group, version)) {
      resources.push_back(aggregated_resource(served, *resource));
    }
    versions.push_back(
        Json::object({{"version", version}, {"resources", std::move(resources)}, {"freshness", "Current"}}));
  }
  Json metadata = Json::object({{"creationTimestamp", nullptr}});
  if (!group.empty()) metadata.set("name", group);
  return Json::object({{"metadata", std::move(metadata)}, {"versions", std::move(versions)}});
}

// "v2" or "v2beta1" when the client would rather have the aggregated form.
std::string aggregated_version(const Call& call) {
  for (const MediaClause& clause : parse_accept(call.request.headers.get("Accept"))) {
    if (clause.type != "application/json") continue;
    if (clause.parameter("g") != "apidiscovery.k8s.io") return "";
    const std::string_view version = clause.parameter("v");
    if (clause.parameter("as") == "APIGroupDiscoveryList" && clause.parameter("profile").empty() &&
        (version == "v2" || version == "v2beta1")) {
      return std::string(version);
    }
  }
  return "";
}

std::string etag_of(std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha512(), nullptr);
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out = "\"";
  for (unsigned int i = 0; i < size; ++i) {
    out += kHex[digest[i] >> 4];
    out += kHex[digest[i] & 15];
  }
  return out + '"';
}

// What an APIResourceList says, as aggregated discovery says it.
Json aggregated_remote(const RemoteVersion& remote) {
  Json resources = Json::array();
  const auto kind_of = [&](const Json& entry) {
    return Json::object({{"group", entry["group"].as_string(remote.group)},
                         {"version", entry["version"].as_string(remote.version)},
                         {"kind", entry["kind"]}});
  };
  for (const Json& entry : remote.resources.elements()) {
    const std::string_view name = entry["name"].as_string();
    if (name.find('/') != std::string_view::npos) continue;
    Json resource = Json::object({{"resource", name},
                                  {"responseKind", kind_of(entry)},
                                  {"scope", entry["namespaced"].as_bool() ? "Namespaced" : "Cluster"},
                                  {"singularResource", entry["singularName"].as_string()},
                                  {"verbs", entry["verbs"]}});
    for (const char* key : {"shortNames", "categories"}) {
      if (entry[key].size() > 0) resource.set(key, entry[key]);
    }
    const std::string prefix = std::string(name) + "/";
    for (const Json& sub : remote.resources.elements()) {
      const std::string_view sub_name = sub["name"].as_string();
      if (!sub_name.starts_with(prefix)) continue;
      resource["subresources"].push_back(Json::object({{"subresource", sub_name.substr(prefix.size())},
                                                       {"responseKind", kind_of(sub)},
                                                       {"verbs", sub["verbs"]}}));
    }
    resources.push_back(std::move(resource));
  }
  return Json::object({{"version", remote.version},
                       {"resources", std::move(resources)},
                       {"freshness", remote.available ? "Current" : "Stale"}});
}

// Versions of a group that others answer for, the most important first.
std::vector<RemotePtr> remotes_of(const Server& server, std::string_view group) {
  std::vector<RemotePtr> found;
  if (const auto remotes = server.aggregator.remotes()) {
    for (const RemotePtr& remote : remotes->versions) {
      if (remote->group == group) found.push_back(remote);
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const RemotePtr& a, const RemotePtr& b) {
    return a->version_priority != b->version_priority ? a->version_priority > b->version_priority
                                                      : preferred(a->version, b->version);
  });
  return found;
}

// The group with the versions of others in front of its own: an APIService with a service wins.
Json group_with_remotes(const Server& server, const Served& served, const std::string& group) {
  Json own = group_json(served, group);
  const auto remotes = remotes_of(server, group);
  if (remotes.empty()) return own;
  Json versions = Json::array();
  for (const RemotePtr& remote : remotes) {
    versions.push_back(
        Json::object({{"groupVersion", group + "/" + remote->version}, {"version", remote->version}}));
  }
  for (const Json& version : std::as_const(own)["versions"].elements()) {
    const auto same = [&](const RemotePtr& remote) {
      return remote->version == version["version"].as_string();
    };
    if (std::none_of(remotes.begin(), remotes.end(), same)) versions.push_back(version);
  }
  own.set("preferredVersion", versions.element(0));
  own.set("versions", std::move(versions));
  return own;
}

Json aggregated_with_remotes(const Server& server, const Served& served, const std::string& group) {
  Json own = aggregated_group(served, group);
  const auto remotes = remotes_of(server, group);
  if (remotes.empty()) return own;
  Json versions = Json::array();
  for (const RemotePtr& remote : remotes) versions.push_back(aggregated_remote(*remote));
  for (const Json& version : std::as_const(own)["versions"].elements()) {
    const auto same = [&](const RemotePtr& remote) {
      return remote->version == version["version"].as_string();
    };
    if (std::none_of(remotes.begin(), remotes.end(), same)) versions.push_back(version);
  }
  own.set("versions", std::move(versions));
  return own;
}

// group_order() with the groups of others where their priority puts them.
std::vector<std::string> all_groups(const Server& server, const Served& served) {
  std::vector<std::string> groups = group_order(served);
  const auto remotes = server.aggregator.remotes();
  if (!remotes) return groups;
  std::map<std::string, std::int64_t> ranks;
  for (const RemotePtr& remote : remotes->versions)
    ranks[remote->group] = std::max(ranks[remote->group], remote->group_priority);
  for (const auto& [group, rank] : ranks) {
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
  }
  const auto rank = [&](const std::string& group) {
    const auto known = ranks.find(group);
    return known == ranks.end() ? static_cast<std::int64_t>(rank_of(group)) : known->second;
  };
  std::stable_sort(groups.begin(), groups.end(), [&](const std::string& a, const std::string& b) {
    return rank(a) != rank(b) ? rank(a) > rank(b) : a < b;
  });
  return groups;
}

http::Response aggregated_response(const Server& server, const Call& call, const std::string& version,
                                   const std::vector<std::string>& groups) {
  Json items = Json::array();
  for (const std::string& group : groups)
    items.push_back(aggregated_with_remotes(server, *call.served, group));
  const Json list = Json::object({{"kind", "APIGroupDiscoveryList"},
                                  {"apiVersion", "apidiscovery.k8s.io/" + version},
                                  {"metadata", Json::object()},
                                  {"items", std::move(items)}});
  std::string text = list.dump() + "\n";
  http::Response response;
  const std::string etag = etag_of(text);
  response.headers.set("ETag", etag);
  response.headers.set("Vary", "Accept");
  response.headers.set("Cache-Control", "public");
  if (call.request.headers.get("If-None-Match") == etag) {
    response.status = 304;
    return response;
  }
  response.headers.set("Content-Type",
                       "application/json;g=apidiscovery.k8s.io;v=" + version + ";as=APIGroupDiscoveryList");
  response.body.push_back(http::Chunk::of(std::move(text)));
  return response;
}

http::Response serve_roots(const Server& server, const Call& call, bool core) {
  const auto groups = core ? std::vector<std::string>{""} : all_groups(server, *call.served);
  if (const std::string version = aggregated_version(call); !version.empty()) {
    return aggregated_response(server, call, version, groups);
  }
  if (core) {
    return json_response(
        call, 200,
        Json::object({{"kind", "APIVersions"},
                      {"versions", Json::array({"v1"})},
                      {"serverAddressByClientCIDRs",
                       Json::array({Json::object({{"clientCIDR", "0.0.0.0/0"},
                                                  {"serverAddress", server.options.server_address}})})}}));
  }
  Json list = Json::array();
  for (const std::string& group : groups) list.push_back(group_with_remotes(server, *call.served, group));
  return json_response(
      call, 200, Json::object({{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(list)}}));
}

}  // namespace

std::vector<std::string> group_order(const Served& served) {
  std::vector<std::string> groups;
  for (const std::string& group : served.registry.groups()) {
    if (!group.empty()) groups.push_back(group);
  }
  std::stable_sort(groups.begin(), groups.end(), [](const std::string& a, const std::string& b) {
    const int left = rank_of(a);
    const int right = rank_of(b);
    return left != right ? left > right : a < b;
  });
  return groups;
}

std::vector<std::string> version_order(const Served& served, std::string_view group) {
  std::vector<std::string> versions = served.registry.versions(group);
  std::stable_sort(versions.begin(), versions.end(), preferred);
  return versions;
}

bool serves_group_version(const Served& served, std::string_view group, std::string_view version) {
  const auto resources = served.registry.resources();
  return std::any_of(resources.begin(), resources.end(), [&](const ResourcePtr& resource) {
    return resource->group == group && resource->version == version;
  });
}

std::optional<http::Response> serve_discovery(const Server& server, Call& call) {
  const auto& parts = call.info.parts;
  if (parts.empty() || (parts[0] != "api" && parts[0] != "apis")) return std::nullopt;
  const bool core = parts[0] == "api";
  const std::size_t depth = core ? parts.size() : parts.size() - 1;
  if (depth > 2) return std::nullopt;
  if (call.request.method != "GET" && call.request.method != "HEAD")
    return error_response(call, method_not_allowed());
  if (parts.size() == 1) return serve_roots(server, call, core);
  const std::string group = core ? "" : parts[1];
  if (!core && parts.size() == 2) {
    const auto groups = call.served->registry.groups();
    const bool known = std::find(groups.begin(), groups.end(), group) != groups.end();
    if (!known && remotes_of(server, group).empty()) return page_not_found();
    Json answer = group_with_remotes(server, *call.served, group);
    answer.set("kind", "APIGroup");
    answer.set("apiVersion", "v1");
    return json_response(call, 200, answer);
  }
  const std::string& version = parts.back();
  if (serves_group_version(*call.served, group, version)) {
    return json_response(call, 200, resource_list(*call.served, group, version));
  }
  const auto builtin = server.catalog.builtin().groups();
  const bool known = core || std::find(builtin.begin(), builtin.end(), group) != builtin.end();
  return known ? error_response(call, path_not_found()) : page_not_found();
}

}  // namespace flotilla::apiserver
