// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/endpoints.hpp"

#include <algorithm>

#include "core/apiserver/discovery.hpp"
#include "core/apiserver/monitoring/monitoring.hpp"
#include "core/apiserver/response.hpp"

namespace flotilla::apiserver {
namespace {

http::Response serve_version(const Server& server) {
  const std::string& version = server.options.git_version;
  std::string minor = version.substr(version.find('.') + 1);
  minor = minor.substr(0, minor.find('.'));
  http::Response response = text_response(200,
                                          Json::object({{"major", "1"},
                                                        {"minor", minor},
                                                        {"gitVersion", version},
                                                        {"gitCommit", "flotilla"},
                                                        {"gitTreeState", "clean"},
                                                        {"buildDate", "2024-12-11T17:59:15Z"},
                                                        {"goVersion", "go1.23.3"},
                                                        {"compiler", "gc"},
                                                        {"platform", "linux/amd64"}})
                                              .dump_pretty(),
                                          "application/json");
  return response;
}

http::Response serve_issuer(const Server& server) {
  const std::string& issuer = server.options.issuer;
  return text_response(
      200,
      Json::object({{"issuer", issuer},
                    {"jwks_uri", "https://" + server.options.server_address + "/openid/v1/jwks"},
                    {"response_types_supported", Json::array({"id_token"})},
                    {"subject_types_supported", Json::array({"public"})},
                    {"id_token_signing_alg_values_supported",
                     Json::array({server.authenticator->signer().algorithm()})}})
          .dump(),
      "application/json");
}

http::Response serve_keys(const Server& server, const Call& call) {
  constexpr std::string_view kType = "application/jwk-set+json";
  const std::string_view accept = call.request.headers.get("Accept");
  const auto clauses = parse_accept(accept);
  const bool wanted =
      clauses.empty() || std::any_of(clauses.begin(), clauses.end(), [&](const MediaClause& clause) {
        return clause.type == kType || clause.type == "*/*" || clause.type == "application/*";
      });
  if (!wanted) {
    return error_response(
        call,
        Error(Code::NotAcceptable, "406: Not Acceptable\n\nAvailable representations: " + std::string(kType),
              ErrorDetails{}));
  }
  return text_response(200, server.authenticator->signer().key_set().dump(), kType);
}

http::Response serve_paths(const Call& call) {
  std::vector<std::string> paths = {"/.well-known/openid-configuration",
                                    "/api",
                                    "/api/v1",
                                    "/apis",
                                    "/apis/",
                                    "/debug",
                                    "/healthz",
                                    "/livez",
                                    "/metrics",
                                    "/openapi/v2",
                                    "/openapi/v3",
                                    "/openid/v1/jwks",
                                    "/readyz",
                                    "/version"};
  for (const std::string& group : group_order(*call.served)) {
    paths.push_back("/apis/" + group);
    for (const std::string& version : version_order(*call.served, group))
      paths.push_back("/apis/" + group + "/" + version);
  }
  std::sort(paths.begin(), paths.end());
  return json_response(call, 200, Json::object({{"paths", Json::strings(paths)}}));
}

}  // namespace

std::optional<http::Response> serve_endpoint(Server& server, Call& call) {
  const auto& parts = call.info.parts;
  const bool reads = call.request.method == "GET" || call.request.method == "HEAD";
  if (parts.empty()) return serve_paths(call);
  const std::string& first = parts[0];
  if (first == "healthz" || first == "livez" || first == "readyz") return serve_health(server, call, first);
  if (first == "debug" && parts.size() == 1) return serve_debug(server, call);
  const bool version = first == "version" && parts.size() == 1;
  const bool metrics = first == "metrics" && parts.size() <= 2;
  const bool issuer = call.info.path == "/.well-known/openid-configuration";
  const bool keys = call.info.path == "/openid/v1/jwks";
  if (!version && !metrics && !issuer && !keys) return std::nullopt;
  if (!reads) return error_response(call, method_not_allowed());
  if (metrics) return serve_metrics(server, parts.size() == 2 ? parts[1] : "");
  if (keys) return serve_keys(server, call);
  if (auto media = negotiate(call.request.headers.get("Accept"),
                             {.yaml = false, .protobuf = false, .transforms = false});
      !media) {
    return error_response(call, media.error());
  }
  return version ? serve_version(server) : serve_issuer(server);
}

}  // namespace flotilla::apiserver
