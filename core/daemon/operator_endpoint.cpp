// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/operator_endpoint.hpp"

#include <utility>

namespace flotilla::daemon {
namespace {

using api::Json;

constexpr std::string_view kPrefix = "/flotilla/v1/";
constexpr const char* kGroup = "flotilla.io";

std::map<std::string, std::string> read_query(std::string_view text) {
  std::map<std::string, std::string> query;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    const auto equals = std::min(pair.find('='), pair.size());
    query.emplace(pair.substr(0, equals),
                  equals < pair.size() ? pair.substr(equals + 1) : std::string_view());
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return query;
}

std::string body_of(const http::Response& response) {
  std::string text;
  for (const http::Chunk& chunk : response.body) text += chunk.bytes;
  return text;
}

// The same caller's question to the API server.
http::Request review(const http::Request& of, std::string path, const Json& body) {
  http::Request request;
  request.method = "POST";
  request.path = std::move(path);
  for (const auto& [name, value] : of.headers.fields()) request.headers.add(name, value);
  request.headers.set("Content-Type", "application/json");
  request.headers.set("Accept", "application/json");
  request.headers.set("Accept-Encoding", "identity");
  request.body = body.dump();
  request.peer = of.peer;
  return request;
}

http::Response json_response(const Json& body) {
  http::Response response;
  response.headers.set("Content-Type", "application/json");
  response.body.push_back(http::Chunk::of(body.dump()));
  return response;
}

http::Response error_response(const Error& error) {
  switch (error.code()) {
    case Code::BadRequest:
      return status_response(400, "BadRequest", error.message());
    case Code::Conflict:
      return status_response(409, "Conflict", error.message());
    case Code::Unsupported:
      return status_response(405, "MethodNotAllowed", error.message());
    case Code::Unavailable:
      return status_response(503, "ServiceUnavailable", error.message());
    default:
      return status_response(500, "InternalError", error.message());
  }
}

Task<http::Response> serve(http::Handler api, const OperatorWord* word, http::Request request) {
  const auto verb = word->verbs.find(request.method);
  if (verb == word->verbs.end()) co_return status_response(405, "MethodNotAllowed", "no such question");
  const Json wanted = Json::object({{"group", kGroup}, {"resource", word->resource}, {"verb", verb->second}});
  const Json access = Json::object({{"apiVersion", "authorization.k8s.io/v1"},
                                    {"kind", "SelfSubjectAccessReview"},
                                    {"spec", Json::object({{"resourceAttributes", wanted}})}});
  auto reviewing = api(review(request, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", access));
  http::Response reviewed = co_await std::move(reviewing);
  if (reviewed.status >= 300) co_return reviewed;
  const auto verdict = Json::parse(body_of(reviewed));
  if (!verdict || !(*verdict)["status"]["allowed"].as_bool()) {
    co_return status_response(403, "Forbidden",
                              word->resource + "." + kGroup + " is forbidden: you cannot " + verb->second +
                                  " it; ask for a role that may");
  }
  const Json self = Json::object({{"apiVersion", "authentication.k8s.io/v1"}, {"kind", "SelfSubjectReview"}});
  auto asking = api(review(request, "/apis/authentication.k8s.io/v1/selfsubjectreviews", self));
  const http::Response who = co_await std::move(asking);
  const auto user = Json::parse(body_of(who));
  auto call = std::make_shared<OperatorCall>();
  call->method = request.method;
  call->query = read_query(request.query);
  call->user = user ? std::string((*user)["status"]["userInfo"]["username"].as_string()) : std::string();
  if (!request.body.empty()) {
    auto body = Json::parse(request.body);
    if (!body) co_return error_response(Error(Code::BadRequest, "the body is no JSON"));
    call->body = *std::move(body);
  }
  auto answering = word->answer(call);
  auto answer = co_await std::move(answering);
  if (!answer) co_return error_response(answer.error());
  if (!call->stream) co_return json_response(*answer);
  http::Response response;
  response.headers.set("Content-Type", "application/octet-stream");
  response.stream = std::move(call->stream);
  co_return response;
}

}  // namespace

http::Response status_response(int code, const std::string& reason, const std::string& message) {
  http::Response response = json_response(Json::object({{"kind", "Status"},
                                                        {"apiVersion", "v1"},
                                                        {"metadata", Json::object()},
                                                        {"status", "Failure"},
                                                        {"message", message},
                                                        {"reason", reason},
                                                        {"code", code}}));
  response.status = code;
  return response;
}

http::Handler OperatorEndpoint::before(http::Handler api) const {
  return [this, api = std::move(api)](http::Request request) {
    if (request.path.starts_with(kPrefix)) {
      const auto found = words_.find(request.path.substr(kPrefix.size()));
      if (found != words_.end()) return serve(api, &found->second, std::move(request));
    }
    return api(std::move(request));
  };
}

}  // namespace flotilla::daemon
