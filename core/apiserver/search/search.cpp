// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/search/search.hpp"

#include "core/api/karmada.hpp"
#include "core/apiserver/read/reads.hpp"
#include "core/apiserver/response.hpp"
#include "core/apiserver/search/fleet.hpp"
#include "core/apiserver/shape.hpp"

namespace flotilla::apiserver {
namespace {

// /apis/GROUP/VERSION/search/CATEGORY are five segments.
constexpr std::size_t kBefore = 5;

std::string joined(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty()) out += separator;
    out += part;
  }
  return out;
}

std::vector<std::string> parts_from(const RequestInfo& info, std::size_t from) {
  if (info.parts.size() <= from) return {};
  return {info.parts.begin() + static_cast<std::ptrdiff_t>(from), info.parts.end()};
}

// How the search tells what is wrong with a question: not as a Status.
http::Response plain_error(int status, std::string_view message) {
  http::Response response;
  response.status = status;
  response.headers.set("Content-Type", "application/json");
  response.body.push_back(http::Chunk::of(Json::object({{"error", message}}).dump() + "\n"));
  return response;
}

Result<api::LabelSelector> labels_asked_for(const Call& call) {
  if (auto numbers = check_list_numbers(call.query); !numbers) return std::move(numbers).error();
  auto labels = api::LabelSelector::parse(call.query.get("labelSelector"));
  if (!labels) return labels;
  if (auto fields = api::FieldSelector::parse(call.query.get("fieldSelector")); !fields)
    return std::move(fields).error();
  if (auto valid = check_list_options(call.query, false); !valid) return std::move(valid).error();
  return labels;
}

bool matches(const api::LabelSelector& labels, const api::Object& object) {
  return labels.matches([&object](std::string_view key) -> std::optional<std::string_view> {
    const std::string* value = object.labels().find(key);
    if (value == nullptr) return std::nullopt;
    return *value;
  });
}

// A name is looked up whatever its labels.
std::vector<ObjectPtr> find_objects(const search::Topic& topic, const NativeResource& native,
                                    const api::LabelSelector& labels) {
  std::vector<ObjectPtr> found;
  const std::string ns = topic.resource->namespaced ? native.ns : std::string();
  for (const auto& [cluster, source] : topic.sources) {
    if (!native.name.empty()) {
      if (ObjectPtr object = source.cache->get({ns, native.name})) found.push_back(std::move(object));
      continue;
    }
    for (ObjectPtr& object : source.cache->list(ns).objects) {
      if (labels.selects_everything() || matches(labels, *object)) found.push_back(std::move(object));
    }
  }
  return found;
}

Task<http::Response> serve_cached(ServerPtr server, CallPtr call, NativeResource native) {
  const auto labels = labels_asked_for(*call);
  if (!labels) co_return plain_error(400, labels.error().message());
  ResourcePtr resource = call->served->registry.find_resource(native.group, native.version, native.resource);
  if (!resource) {
    co_return plain_error(
        500, "no matches for " + native.group + "/" + native.version + ", Resource=" + native.resource);
  }
  std::vector<ObjectPtr> objects;
  if (const auto topic = server->fleet.cache->topic({native.group, native.version, native.resource})) {
    auto waiting = wait_for_caches(server, topic);
    co_await std::move(waiting);
    objects = find_objects(*topic, native, *labels);
  }
  call->media = Media{};
  call->resource = as_shown(*resource, Shape::Object);
  ListMeta meta;
  meta.version = "";
  co_return list_response(server, call, std::move(objects), meta);
}

}  // namespace

bool is_search(const Server& server, const Call& call) {
  const RequestInfo& info = call.info;
  return server.fleet.cache && server.fleet.search && info.is_resource &&
         info.group == api::groups::kSearch && info.version == "v1alpha1" && info.resource == "search" &&
         info.ns.empty() && !info.name.empty() && !info.legacy_watch;
}

Result<NativeResource> read_native_path(const std::vector<std::string>& parts) {
  const bool core = !parts.empty() && parts[0] == "api";
  const bool named = !parts.empty() && parts[0] == "apis";
  const std::size_t prefix = core ? 2 : 3;
  if ((!core && !named) || parts.size() <= prefix)
    return unexpected("k8s native Request URL(" + joined(parts, "/") + ") is not a resource request");
  NativeResource native;
  if (named) native.group = parts[1];
  native.version = parts[prefix - 1];
  std::size_t at = prefix;
  if (parts[at] == "namespaces" && parts.size() > at + 1) {
    native.ns = parts[at + 1];
    if (parts.size() > at + 2) at += 2;
  }
  const std::vector<std::string> rest(parts.begin() + static_cast<std::ptrdiff_t>(at), parts.end());
  if (rest.size() > 2)
    return unexpected("invalid request parts([" + joined(rest, " ") + "]) for k8s native request URL");
  native.resource = rest[0];
  if (rest.size() == 2) native.name = rest[1];
  return native;
}

Task<http::Response> serve_search(ServerPtr server, CallPtr call) {
  if (call->request.method != "GET") co_return error_response(*call, method_not_allowed());
  const std::vector<std::string> parts = parts_from(call->info, kBefore);
  if (parts.empty()) {
    co_return error_response(
        *call, unexpected("invalid requestInfo parts: [" + joined(parts_from(call->info, 3), " ") + "]"));
  }
  auto native = read_native_path(parts);
  if (!native) co_return error_response(*call, native.error());
  if (call->info.name == "opensearch") co_return http::Response();
  if (call->info.name != "cache") {
    co_return error_response(*call,
                             unexpected("connect with unrecognized search category " + call->info.name));
  }
  auto serving = serve_cached(server, call, *std::move(native));
  co_return co_await std::move(serving);
}

}  // namespace flotilla::apiserver
