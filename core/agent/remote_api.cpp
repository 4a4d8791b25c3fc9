// SPDX-License-Identifier: Apache-2.0
#include "core/agent/remote_api.hpp"

#include "core/api/object.hpp"
#include "core/http/url.hpp"

namespace flotilla::agent {
namespace {

constexpr Duration kPatience = std::chrono::seconds(15);
constexpr Duration kListPatience = std::chrono::seconds(60);
// Longer than a watch may last; that the network is dead is noticed below HTTP.
constexpr Duration kWatchSilence = std::chrono::seconds(330);
constexpr const char* kWatchSeconds = "300";
constexpr const char* kPage = "500";
constexpr std::size_t kMostBytes = 256u << 20;

Code code_of(int status, std::string_view reason) {
  switch (status) {
    case 400:
      return Code::BadRequest;
    case 401:
      return Code::Unauthorized;
    case 403:
      return Code::Forbidden;
    case 404:
      return Code::NotFound;
    case 409:
      return reason == "AlreadyExists" ? Code::AlreadyExists : Code::Conflict;
    case 410:
      return Code::Gone;
    case 413:
      return Code::TooLarge;
    case 422:
      return Code::Invalid;
    case 429:
      return Code::ResourceExhausted;
    case 500:
      return Code::Internal;
    default:
      return Code::Unavailable;
  }
}

http::ClientRequest request_of(std::string method, std::string target, const Json& body) {
  http::ClientRequest request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.timeout = kPatience;
  request.headers.set("Accept", "application/json");
  request.headers.set("User-Agent", "flotilla-agent");
  if (!body.is_null()) {
    request.headers.set("Content-Type", "application/json");
    request.body = body.dump();
  }
  return request;
}

}  // namespace

std::string path_of(const StoredKind& kind, std::string_view ns, std::string_view name,
                    std::string_view subresource) {
  std::string path = kind.gvk.group.empty() ? "/api/" : "/apis/" + kind.gvk.group + "/";
  path += kind.gvk.version;
  if (!ns.empty()) path += "/namespaces/" + http::percent_encode(ns);
  path += "/" + kind.resource;
  if (!name.empty()) path += "/" + http::percent_encode(name);
  if (!subresource.empty()) path.append("/").append(subresource);
  return path;
}

Error error_of(int http_status, std::string_view body) {
  const auto parsed = Json::parse(body, {.max_bytes = kMostBytes});
  if (parsed && (*parsed)["kind"].as_string() == "Status") {
    ErrorDetails details;
    details.retry_after_seconds = static_cast<int>((*parsed)["details"]["retryAfterSeconds"].as_int());
    return Error(code_of(http_status, (*parsed)["reason"].as_string()),
                 std::string((*parsed)["message"].as_string()), std::move(details));
  }
  return Error(code_of(http_status, {}), "the control plane answered " + std::to_string(http_status) +
                                             (body.empty() ? "" : ": " + std::string(body.substr(0, 300))));
}

Task<Result<std::vector<RemoteEvent>>> RemoteWatch::next() {
  std::vector<RemoteEvent> events;
  while (events.empty()) {
    auto reading = stream_->read(kWatchSilence);
    auto piece = co_await std::move(reading);
    if (!piece) {
      // Silence for so long is an end like any other.
      if (piece.error().is(Code::Timeout)) co_return events;
      co_return std::move(piece).error();
    }
    if (piece->empty()) co_return events;
    rest_.append(*piece);
    std::size_t from = 0;
    for (std::size_t end; (end = rest_.find('\n', from)) != std::string::npos; from = end + 1) {
      const std::string_view line = std::string_view(rest_).substr(from, end - from);
      if (line.find_first_not_of(" \r\t") == std::string_view::npos) continue;
      auto event = Json::parse(line, {.max_bytes = kMostBytes});
      if (!event) co_return std::move(event).context("event of a watch");
      const std::string_view type = (*event)["type"].as_string();
      const Json& object = std::as_const(*event)["object"];
      if (type == "ERROR") co_return error_of(static_cast<int>(object["code"].as_int()), object.dump());
      RemoteEvent out;
      if (type == "DELETED") out.type = RemoteEvent::Type::Deleted;
      if (type == "BOOKMARK") out.type = RemoteEvent::Type::Bookmark;
      out.object = object;
      events.push_back(std::move(out));
    }
    rest_.erase(0, from);
  }
  co_return events;
}

RemoteApi::RemoteApi(const Executor& executor, http::ClientOptions options) : executor_(executor) {
  use(std::move(options));
}

void RemoteApi::use(http::ClientOptions options) {
  std::string url = options.base_url;
  auto made = std::make_shared<http::Client>(executor_, std::move(options));
  std::lock_guard lock(mutex_);
  url_ = std::move(url);
  client_.swap(made);
}

std::string RemoteApi::url() const {
  std::lock_guard lock(mutex_);
  return url_;
}

std::shared_ptr<http::Client> RemoteApi::client() const {
  std::lock_guard lock(mutex_);
  return client_;
}

void RemoteApi::close() {
  client()->close();
}

Task<Result<Json>> RemoteApi::send(std::string method, std::string target, Json body) {
  const std::shared_ptr<http::Client> used = client();
  auto sending = used->send(request_of(std::move(method), std::move(target), body));
  auto answer = co_await std::move(sending);
  if (!answer) co_return std::move(answer).error();
  if (answer->status < 200 || answer->status >= 300) co_return error_of(answer->status, answer->body);
  co_return Json::parse(answer->body, {.max_bytes = kMostBytes});
}

Task<Result<RemoteList>> RemoteApi::list(std::string target, std::string field_selector) {
  RemoteList all;
  std::string token;
  for (;;) {
    http::Query query;
    query.add("limit", kPage);
    if (!field_selector.empty()) query.add("fieldSelector", field_selector);
    if (!token.empty()) query.add("continue", token);
    const std::shared_ptr<http::Client> used = client();
    http::ClientRequest request = request_of("GET", target + "?" + query.text(), nullptr);
    request.timeout = kListPatience;
    auto sending = used->send(std::move(request));
    auto answer = co_await std::move(sending);
    if (!answer) co_return std::move(answer).error();
    if (answer->status != 200) co_return error_of(answer->status, answer->body);
    auto page = Json::parse(answer->body, {.max_bytes = kMostBytes});
    if (!page) co_return std::move(page).context("list " + target);
    const Json& listed = std::as_const(*page);
    std::string kind(listed["kind"].as_string());
    if (kind.ends_with("List")) kind.resize(kind.size() - 4);
    for (Json object : listed["items"].elements()) {
      if (object["kind"].as_string().empty()) {
        object.set("apiVersion", listed["apiVersion"]);
        object.set("kind", kind);
      }
      all.objects.push_back(std::move(object));
    }
    all.version = listed["metadata"]["resourceVersion"].as_string();
    token = listed["metadata"]["continue"].as_string();
    if (token.empty()) co_return all;
  }
}

Task<Result<std::unique_ptr<RemoteWatch>>> RemoteApi::watch(std::string target, std::string field_selector,
                                                            std::string version) {
  http::Query query;
  query.add("watch", "1");
  query.add("allowWatchBookmarks", "true");
  query.add("timeoutSeconds", kWatchSeconds);
  query.add("resourceVersion", std::move(version));
  if (!field_selector.empty()) query.add("fieldSelector", std::move(field_selector));
  const std::shared_ptr<http::Client> used = client();
  auto opening = used->open(request_of("GET", target + "?" + query.text(), nullptr));
  auto stream = co_await std::move(opening);
  if (!stream) co_return std::move(stream).error();
  if ((*stream)->status() != 200) {
    auto reading = (*stream)->read(kPatience);
    const auto body = co_await std::move(reading);
    co_return error_of((*stream)->status(), body ? *body : std::string());
  }
  co_return std::make_unique<RemoteWatch>(*std::move(stream));
}

}  // namespace flotilla::agent
