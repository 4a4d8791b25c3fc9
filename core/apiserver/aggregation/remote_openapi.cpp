// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/aggregation/remote_openapi.hpp"

#include <algorithm>
#include <deque>
#include <map>

#include "core/api/schema/registry.hpp"
#include "core/apiserver/aggregation/aggregation.hpp"

namespace flotilla::apiserver {
namespace {

constexpr Duration kPatience = std::chrono::seconds(5);
constexpr std::size_t kLargest = 32u << 20;
constexpr std::string_view kReference = "#/definitions/";

bool lies_below(std::string_view path, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& prefix) {
    return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
  });
}

template <typename Found>
void each_reference(const Json& value, const Found& found) {
  if (value.is_array()) {
    for (const Json& element : value.elements()) each_reference(element, found);
    return;
  }
  for (const auto& [key, member] : value.members()) {
    const std::string_view text = member.as_string();
    if (key == "$ref" && text.starts_with(kReference)) found(text.substr(kReference.size()));
    each_reference(member, found);
  }
}

using Renames = std::map<std::string, std::string, std::less<>>;

Json renamed(const Json& value, const Renames& renames) {
  if (value.is_array()) {
    Json out = Json::array();
    for (const Json& element : value.elements()) out.push_back(renamed(element, renames));
    return out;
  }
  if (!value.is_object()) return value;
  Json out = Json::object();
  for (const auto& [key, member] : value.members()) {
    const std::string_view text = member.as_string();
    const bool refers = key == "$ref" && text.starts_with(kReference);
    const auto at = refers ? renames.find(text.substr(kReference.size())) : renames.end();
    if (at != renames.end()) {
      out.set(key, std::string(kReference) + at->second);
    } else {
      out.set(key, renamed(member, renames));
    }
  }
  return out;
}

// Kubernetes' own types are the same everywhere, and ours are written anyway.
bool is_ours(std::string_view name) {
  return api::TypeSet::builtin().find(name) != nullptr;
}

void rename_in(ForeignDocument& document, const Renames& renames) {
  for (auto& [path, item] : document.paths) item = renamed(item, renames);
  for (auto& [name, schema] : document.definitions) {
    schema = renamed(schema, renames);
    if (const auto at = renames.find(name); at != renames.end()) name = at->second;
  }
}

Task<bool> fetch_one(ServerPtr server, RemotePtr remote, std::vector<std::string> prefixes,
                     std::vector<ForeignDocument>& into) {
  const auto client = client_of_remote(*server, *remote);
  if (!client) co_return false;
  auto asking = (*client)->send(aggregator_request("/openapi/v2", kPatience));
  const auto answer = co_await std::move(asking);
  if (!answer) co_return false;
  if (answer->status == 404) co_return true;  // it has none
  if (answer->status != 200 || answer->body.size() > kLargest) co_return false;
  const auto document = Json::parse(answer->body, {.max_bytes = kLargest});
  if (!document) co_return false;
  into.push_back(prune_document(*document, prefixes));
  co_return true;
}

}  // namespace

ForeignDocument prune_document(const Json& document, const std::vector<std::string>& prefixes) {
  ForeignDocument out;
  std::deque<std::string> due;
  const auto need = [&](std::string_view name) { due.emplace_back(name); };
  for (const auto& [path, item] : document["paths"].members()) {
    if (!lies_below(path, prefixes)) continue;
    out.paths.emplace_back(path, item);
    each_reference(item, need);
  }
  std::set<std::string> seen;
  for (; !due.empty(); due.pop_front()) {
    if (!seen.insert(due.front()).second) continue;
    const Json& schema = document["definitions"][due.front()];
    if (!schema.is_object()) continue;
    out.definitions.emplace_back(due.front(), schema);
    each_reference(schema, need);
  }
  return out;
}

void settle_names(std::vector<ForeignDocument>& documents, std::set<std::string, std::less<>> taken) {
  std::map<std::string, Json> written;
  for (ForeignDocument& document : documents) {
    std::erase_if(document.definitions, [&](const auto& definition) {
      const auto at = written.find(definition.first);
      return is_ours(definition.first) || (at != written.end() && at->second == definition.second);
    });
    Renames renames;
    for (const auto& [name, schema] : document.definitions) {
      std::string free = name;
      for (int number = 2; taken.contains(free); ++number) free = name + "_v" + std::to_string(number);
      if (free != name) renames.emplace(name, free);
      taken.insert(free);
      written.emplace(free, schema);
    }
    if (!renames.empty()) rename_in(document, renames);
  }
}

Task<ForeignDocuments> fetch_foreign_documents(ServerPtr server) {
  ForeignDocuments out;
  const auto remotes = server->aggregator.remotes();
  if (!remotes) co_return out;
  // One request for each backend, whatever it answers for.
  std::map<std::string, std::pair<RemotePtr, std::vector<std::string>>> backends;
  for (const RemotePtr& remote : remotes->versions) {
    if (!remote->available) continue;
    auto& [first, prefixes] =
        backends[remote->service_ns + "/" + remote->service_name + ":" + std::to_string(remote->port)];
    if (!first) first = remote;
    prefixes.push_back("/apis/" + remote->group + "/" + remote->version);
  }
  for (auto& [key, backend] : backends) {
    auto fetching = fetch_one(server, backend.first, backend.second, out.documents);
    if (!co_await std::move(fetching)) out.complete = false;
  }
  co_return out;
}

}  // namespace flotilla::apiserver
