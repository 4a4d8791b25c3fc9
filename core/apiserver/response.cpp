// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/response.hpp"

#include <algorithm>
#include <random>

#include "core/apiserver/yaml_text.hpp"
#include "core/http/gzip.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::size_t kCompressedFrom = 128u << 10;
constexpr std::size_t kMaxWarnings = 4096;

bool wants_pretty(const Call& call) {
  if (call.media.pretty || call.query.flag("pretty")) return true;
  if (call.query.has("pretty")) return false;
  const std::string_view agent = call.request.headers.get("User-Agent");
  return agent.starts_with("curl") || agent.starts_with("Wget") || agent.starts_with("Mozilla");
}

bool printable(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

void Call::warn(std::string text) {
  if (std::find(warnings.begin(), warnings.end(), text) == warnings.end())
    warnings.push_back(std::move(text));
}

http::Response text_response(int status, std::string body, std::string_view content_type) {
  http::Response response;
  response.status = status;
  if (!content_type.empty()) response.headers.set("Content-Type", std::string(content_type));
  response.headers.set("X-Content-Type-Options", "nosniff");
  if (!body.empty()) response.body.push_back(http::Chunk::of(std::move(body)));
  return response;
}

http::Response refuse_unread(int status, std::string_view message) {
  if (status != 413 && status != 429)
    return text_response(status, std::to_string(status) + " " + std::string(message));
  std::string text(message);
  if (status == 413) text.replace(0, 1, "R");  // "Request entity too large: limit is 3145728"
  const Error error(status == 413 ? Code::TooLarge : Code::ResourceExhausted, std::move(text));
  http::Response response;
  response.status = status;
  response.headers.set("Content-Type", "application/json");
  response.body.push_back(http::Chunk::of(status_object(error).dump() + "\n"));
  return response;
}

http::Response page_not_found() {
  return text_response(404, "404 page not found\n");
}

http::Response json_response(const Call& call, int status, const Json& body) {
  http::Response response;
  response.status = status;
  response.headers.set("Content-Type", std::string(call.media.content_type()));
  if (call.media.encoding == Encoding::Yaml) {
    response.body.push_back(http::Chunk::of(yaml_text(body)));
    return response;
  }
  std::string text = wants_pretty(call) ? body.dump_pretty() : body.dump();
  if (!wants_pretty(call)) text += '\n';
  response.body.push_back(http::Chunk::of(std::move(text)));
  return response;
}

http::Response error_response(const Call& call, const Error& error, std::string_view continue_token) {
  http::Response response = json_response(call, http_code(error), status_object(error, continue_token));
  if (error.details() != nullptr && error.details()->retry_after_seconds > 0) {
    response.headers.set("Retry-After", std::to_string(error.details()->retry_after_seconds));
  }
  return response;
}

Json success_status(const Call& call, std::string_view name, std::string_view uid) {
  Json details = Json::object({{"name", name}, {"kind", call.resource->resource}, {"uid", uid}});
  if (!call.resource->group.empty()) details.set("group", call.resource->group);
  return Json::object({{"kind", "Status"},
                       {"apiVersion", "v1"},
                       {"metadata", Json::object()},
                       {"status", "Success"},
                       {"details", std::move(details)}});
}

http::Response bytes_response(const Call& call, int status, const ObjectPtr& object) {
  if (call.media.encoding == Encoding::Yaml || wants_pretty(call)) {
    return json_response(call, status, *object->content());
  }
  http::Response response;
  response.status = status;
  response.headers.set("Content-Type", "application/json");
  response.body.reserve(2);
  response.body.push_back({object, object->bytes()});
  response.body.push_back(http::Chunk::of_static("\n"));
  return response;
}

namespace {

// A UUID that need not be secret: every answer has one.
std::string request_id() {
  static thread_local std::mt19937_64 random{std::random_device{}()};
  std::uint64_t high = (random() & ~0xf000ull) | 0x4000ull, low = (random() >> 2) | (1ull << 63);
  std::string out(36, '-');
  static constexpr char kHex[] = "0123456789abcdef";
  for (std::size_t i = out.size(); i-- > 0;) {
    if (i == 8 || i == 13 || i == 18 || i == 23) continue;
    std::uint64_t& half = i > 18 ? low : high;
    out[i] = kHex[half & 15];
    half >>= 4;
  }
  return out;
}

// As kube-apiserver: large answers to GET and LIST, where the client can read them.
void compress_large(const Call& call, http::Response& response) {
  const bool reads = call.info.verb == "get" || call.info.verb == "list";
  if (!call.info.is_resource || !reads || response.status != 200) return;
  if (!call.info.subresource.empty() || response.headers.has("Content-Encoding")) return;
  if (!http::accepts_gzip(call.request.headers.get("Accept-Encoding"))) return;
  std::size_t size = 0;
  for (const http::Chunk& chunk : response.body) size += chunk.bytes.size();
  if (response.stream || size > kCompressedFrom) http::compress(response);
}

}  // namespace

void finish_headers(const Call& call, http::Response& response) {
  compress_large(call, response);
  if (!response.headers.has("Cache-Control")) response.headers.set("Cache-Control", "no-cache, private");
  const std::string_view audit = call.request.headers.get("Audit-Id");
  if (!audit.empty()) {
    response.headers.set("Audit-Id", std::string(audit));
  } else if (!response.headers.has("Audit-Id")) {
    response.headers.add("Audit-Id", request_id());
  }
  std::size_t total = 0;
  for (const std::string& warning : call.warnings) {
    if (!printable(warning) || total + warning.size() > kMaxWarnings) continue;
    total += warning.size();
    response.headers.add("Warning", "299 - " + quoted(warning));
  }
}

}  // namespace flotilla::apiserver
