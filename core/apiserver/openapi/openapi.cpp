// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/openapi/openapi.hpp"

#include <openssl/evp.h>

#include <chrono>
#include <ctime>

#include "core/apiserver/aggregation/remote_openapi.hpp"
#include "core/apiserver/discovery.hpp"
#include "core/apiserver/openapi/document.hpp"
#include "core/apiserver/response.hpp"
#include "core/base/memory.hpp"

namespace flotilla::apiserver {
namespace {

using Text = std::shared_ptr<const std::string>;

constexpr std::string_view kProtobuf = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
constexpr auto kKept = std::chrono::seconds(20);

std::string hash_of(std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha512(), nullptr);
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (unsigned int i = 0; i < size; ++i) {
    out += kHex[digest[i] >> 4];
    out += kHex[digest[i] & 15];
  }
  return out;
}

// "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(WallTime at) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(at));
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  const std::size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text, size};
}

store::Collection definitions() {
  return store::collection_of("apiextensions.k8s.io", "customresourcedefinitions");
}

// What a document is made of: the program and the definitions of its group (of all groups, for version 2).
// The same in every daemon that serves the same store, and known without making the document.
std::string document_hash(const Server& server, std::string_view key, std::string_view group) {
  std::string made_of = std::string(key) + "@" + server.options.git_version;
  const std::string suffix = "." + std::string(group);
  for (const ObjectPtr& one : server.store.list(definitions()).objects) {
    if (!group.empty() && !one->name().ends_with(suffix)) continue;
    made_of += "@" + std::string(one->name()) + "@" + std::to_string(one->revision().get());
  }
  return hash_of(made_of);
}

Json custom_schema(const Server& server, const Resource& resource) {
  const ObjectPtr definition = server.store.get(definitions(), "", resource.group_resource());
  const auto& computed = server.options.computed.schema;
  if (!definition) return computed ? computed(resource) : Json();
  const auto content = definition->content();
  for (const Json& version : (*content)["spec"]["versions"].elements()) {
    if (version["name"].as_string() == resource.version) return version["schema"]["openAPIV3Schema"];
  }
  return Json();
}

DocumentSource source_of(const Server& server, const Call& call) {
  return {call.served->registry,
          server.options.git_version,
          [&server](const Resource& resource) { return custom_schema(server, resource); },
          {}};
}

// What extension API servers add to version 2. Empty where there are none.
std::string foreign_hash(const Server& server) {
  std::string made_of;
  const auto remotes = server.aggregator.remotes();
  for (std::size_t i = 0; remotes && i < remotes->versions.size(); ++i) {
    const RemoteVersion& remote = *remotes->versions[i];
    if (remote.available) made_of += "@" + remote.name + "@" + remote.openapi + remote.resources.dump();
  }
  return made_of.empty() ? made_of : hash_of(made_of);
}

// Forgets documents that nobody has asked for lately; ends when there are none.
Task<void> forget_documents(ServerPtr server) {
  for (;;) {
    auto sleeping = sleep_for(kKept);
    const bool slept = co_await std::move(sleeping);
    if (!slept) co_return;
    if (!server->documents.forget_unused()) {
      // Making documents left holes all over the heap.
      give_back_memory();
      co_return;
    }
  }
}

template <typename Make>
Text document(const ServerPtr& server, const std::string& key, const std::string& hash, const Make& make) {
  if (Text known = server->documents.find(key, hash)) return known;
  auto made = std::make_shared<const std::string>(make());
  if (server->documents.keep(key, hash, made)) server->fibers.spawn(forget_documents(server));
  return made;
}

// Headers of a document; true when the client has it already.
bool is_known(const Call& call, const std::string& hash, http::Response& response) {
  response.headers.set("Etag", "\"" + hash + "\"");
  response.headers.set("Vary", "Accept");
  if (call.request.headers.get("If-None-Match") != "\"" + hash + "\"") return false;
  response.status = 304;
  return true;
}

void set_body(http::Response& response, const Text& text, std::string_view type) {
  response.headers.set("Content-Type", std::string(type));
  response.body.push_back(http::Chunk{text, *text});
}

bool accepts_json(const Call& call) {
  const std::string_view accept = call.request.headers.get("Accept");
  if (accept.empty()) return true;
  for (const MediaClause& clause : parse_accept(accept)) {
    if (clause.type == "*/*" || clause.type == "application/*" || clause.type == "application/json")
      return true;
  }
  return false;
}

http::Response not_acceptable() {
  http::Response response;
  response.status = 406;
  return response;
}

http::Response serve_index(const Server& server, const Call& call) {
  Json paths = Json::object();
  const auto add = [&](const std::string& key, std::string_view group) {
    const std::string hash = document_hash(server, key, group.empty() ? "core" : group);
    paths.set(key, Json::object({{"serverRelativeURL", "/openapi/v3/" + key + "?hash=" + hash}}));
  };
  add("api/v1", "");
  for (const std::string& group : group_order(*call.served)) {
    for (const std::string& version : version_order(*call.served, group))
      add("apis/" + group + "/" + version, group);
  }
  const auto remotes = server.aggregator.remotes();
  for (std::size_t i = 0; remotes && i < remotes->versions.size(); ++i) {
    const RemoteVersion& remote = *remotes->versions[i];
    const std::string key = "apis/" + remote.group + "/" + remote.version;
    paths.erase(key);
    if (remote.available && !remote.openapi.empty())
      paths.set(key, Json::object({{"serverRelativeURL", remote.openapi}}));
  }
  const std::string text = Json::object({{"paths", std::move(paths)}}).dump();
  http::Response response;
  if (is_known(call, hash_of(text), response)) return response;
  response.headers.set("Content-Type", "application/json");
  response.body.push_back(http::Chunk::of(text));
  return response;
}

http::Response serve_version_3(const ServerPtr& server, const Call& call) {
  const auto& parts = call.info.parts;
  const bool core = parts[2] == "api";
  if (parts.size() != (core ? 4u : 5u)) return page_not_found();
  const std::string group = core ? "" : parts[3];
  const std::string& version = parts.back();
  if (!serves_group_version(*call.served, group, version)) return page_not_found();
  if (!accepts_json(call)) return not_acceptable();
  const std::string key = core ? "api/" + version : "apis/" + group + "/" + version;
  const std::string hash = document_hash(*server, key, core ? "core" : group);
  const std::string_view asked = call.query.get("hash");
  if (!asked.empty() && asked != hash) {
    http::Response moved = text_response(301, "");
    moved.headers.set("Location", "/openapi/v3/" + key + "?hash=" + hash);
    return moved;
  }
  http::Response response;
  if (!asked.empty()) {
    constexpr auto kYear = std::chrono::hours(365 * 24);
    response.headers.set("Cache-Control", "public, immutable");
    response.headers.set("Expires", http_date(server->now() + kYear));
  }
  if (is_known(call, hash, response)) return response;
  const DocumentSource source = source_of(*server, call);
  const Text text = document(server, key, hash, [&] { return openapi_v3_document(source, group, version); });
  set_body(response, text, "application/json");
  return response;
}

}  // namespace

std::optional<http::Response> serve_openapi(const ServerPtr& server, Call& call) {
  const auto& parts = call.info.parts;
  if (parts.empty() || parts[0] != "openapi") return std::nullopt;
  if (call.request.method != "GET") return error_response(call, method_not_allowed());
  if (parts.size() == 2 && parts[1] == "v3") return serve_index(*server, call);
  if (parts.size() >= 4 && parts[1] == "v3" && (parts[2] == "api" || parts[2] == "apis"))
    return serve_version_3(server, call);
  return std::nullopt;
}

bool wants_openapi_v2(const Call& call) {
  const auto& parts = call.info.parts;
  return call.request.method == "GET" && parts.size() == 2 && parts[0] == "openapi" && parts[1] == "v2";
}

Task<http::Response> serve_openapi_v2(ServerPtr server, CallPtr call) {
  const bool protobuf =
      call->request.headers.get("Accept").find("proto-openapi.spec.v2") != std::string_view::npos;
  if (!protobuf && !accepts_json(*call)) co_return not_acceptable();
  const std::string_view type = protobuf ? kProtobuf : "application/json";
  const std::string key = protobuf ? "v2.pb" : "v2", theirs = foreign_hash(*server);
  const std::string hash = document_hash(*server, key + theirs, "");
  http::Response response;
  if (is_known(*call, hash, response)) co_return response;
  if (Text known = server->documents.find(key, hash)) {
    set_body(response, known, type);
    co_return response;
  }
  DocumentSource source = source_of(*server, *call);
  bool complete = true;
  if (!theirs.empty()) {
    auto fetching = fetch_foreign_documents(server);
    ForeignDocuments fetched = co_await std::move(fetching);
    source.foreign = std::move(fetched.documents);
    complete = fetched.complete;
  }
  const auto make = [&] { return protobuf ? openapi_v2_protobuf(source) : openapi_v2_document(source); };
  if (complete) {
    set_body(response, document(server, key, hash, make), type);
    co_return response;
  }
  // Without what a backend would have said: nobody is to keep it.
  http::Response partial;
  set_body(partial, std::make_shared<const std::string>(make()), type);
  co_return partial;
}

}  // namespace flotilla::apiserver
