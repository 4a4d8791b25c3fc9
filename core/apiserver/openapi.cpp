// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/openapi.hpp"

#include <openssl/evp.h>

#include "core/apiserver/discovery.hpp"
#include "core/apiserver/openapi_document.hpp"
#include "core/apiserver/response.hpp"

namespace flotilla::apiserver {
namespace {

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

// A document's hash need only change when the document does: the group version and what is served now.
std::string version_hash(const Server& server, std::string_view key) {
  return hash_of(std::string(key) + "@" + server.options.git_version + "@" +
                 std::to_string(server.catalog.version()));
}

http::Response serve_index(const Server& server, const Call& call) {
  Json paths = Json::object();
  const auto add = [&](const std::string& key) {
    paths.set(key, Json::object(
                       {{"serverRelativeURL", "/openapi/v3/" + key + "?hash=" + version_hash(server, key)}}));
  };
  add("api/v1");
  for (const std::string& group : group_order(*call.served)) {
    for (const std::string& version : version_order(*call.served, group))
      add("apis/" + group + "/" + version);
  }
  return text_response(200, Json::object({{"paths", std::move(paths)}}).dump(), "application/json");
}

http::Response serve_document(Server& server, const Call& call) {
  const auto& parts = call.info.parts;
  const bool core = parts[2] == "api";
  if (parts.size() != (core ? 4u : 5u)) return page_not_found();
  const std::string group = core ? "" : parts[3];
  const std::string& version = parts.back();
  if (!serves_group_version(*call.served, group, version)) return page_not_found();
  const std::string key = core ? "api/" + version : "apis/" + group + "/" + version;
  const std::string hash = version_hash(server, key);
  const std::string_view asked = call.query.get("hash");
  if (!asked.empty() && asked != hash) {
    http::Response moved = text_response(301, "");
    moved.headers.set("Location", "/openapi/v3/" + key + "?hash=" + hash);
    return moved;
  }
  http::Response response;
  response.headers.set("Etag", "\"" + hash + "\"");
  response.headers.set("Vary", "Accept");
  if (!asked.empty()) response.headers.set("Cache-Control", "public, immutable");
  if (call.request.headers.get("If-None-Match") == "\"" + hash + "\"") {
    response.status = 304;
    return response;
  }
  response.headers.set("Content-Type", "application/json");
  response.body.push_back(http::Chunk::of(
      openapi_document(call.served->registry, group, version, server.options.git_version).dump()));
  return response;
}

// One length-delimited field of a protobuf message; lengths here are below 128.
std::string proto_field(int number, std::string_view bytes) {
  std::string field;
  field += static_cast<char>(number << 3 | 2);
  field += static_cast<char>(bytes.size());
  return field.append(bytes);
}

// Version 2 has its head and no definitions: clients of today read version 3 and ask here only for kinds that
// they did not find there, which version 2 would not know either. kubectl insists on protobuf
// (openapi.v2.Document: swagger = 1, info = 2 {title = 1, version = 2}, paths = 8, definitions = 9).
http::Response serve_version_2(const Server& server, const Call& call) {
  constexpr std::string_view kProto = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
  const std::string& version = server.options.git_version;
  if (call.request.headers.get("Accept").find("proto-openapi.spec.v2") != std::string_view::npos) {
    const std::string info = proto_field(1, "Kubernetes") + proto_field(2, version);
    const std::string document =
        proto_field(1, "2.0") + proto_field(2, info) + proto_field(8, "") + proto_field(9, "");
    return text_response(200, document, std::string(kProto));
  }
  const Json document = Json::object({{"swagger", "2.0"},
                                      {"info", Json::object({{"title", "Kubernetes"}, {"version", version}})},
                                      {"paths", Json::object()},
                                      {"definitions", Json::object()}});
  return text_response(200, document.dump(), "application/json");
}

}  // namespace

std::optional<http::Response> serve_openapi(Server& server, Call& call) {
  const auto& parts = call.info.parts;
  if (parts.empty() || parts[0] != "openapi") return std::nullopt;
  if (call.request.method != "GET") return error_response(call, method_not_allowed());
  if (parts.size() == 2 && parts[1] == "v2") return serve_version_2(server, call);
  if (parts.size() == 2 && parts[1] == "v3") return serve_index(server, call);
  if (parts.size() >= 4 && parts[1] == "v3" && (parts[2] == "api" || parts[2] == "apis"))
    return serve_document(server, call);
  return std::nullopt;
}

}  // namespace flotilla::apiserver
