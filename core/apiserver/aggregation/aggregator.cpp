// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/aggregation/aggregator.hpp"

#include "core/base/base64.hpp"

namespace flotilla::apiserver {
namespace {

const store::Collection& services() {
  static const store::Collection kCollection = store::collection_of("apiregistration.k8s.io", "apiservices");
  return kCollection;
}

const Json* available_of(const Json& status) {
  for (const Json& condition : status["conditions"].elements()) {
    if (condition["type"].as_string() == "Available") return &condition;
  }
  return nullptr;
}

bool is_available(const Json& status) {
  const Json* condition = available_of(status);
  return condition != nullptr && (*condition)["status"].as_string() == "True";
}

bool says_local(const Json& status) {
  const Json* condition = available_of(status);
  return condition != nullptr && (*condition)["reason"].as_string() == "Local" && is_available(status);
}

}  // namespace

std::shared_ptr<RemoteVersion> RemoteVersion::read(const Json& api_service) {
  const Json& spec = api_service["spec"];
  auto out = std::make_shared<RemoteVersion>();
  out->name = api::name_of(api_service);
  out->group = spec["group"].as_string();
  out->version = spec["version"].as_string();
  out->service_ns = spec["service"]["namespace"].as_string();
  out->service_name = spec["service"]["name"].as_string();
  out->port = spec["service"]["port"].as_int(443);
  out->ca_pem = base64_decode(spec["caBundle"].as_string()).value_or("");
  out->insecure = spec["insecureSkipTLSVerify"].as_bool();
  out->group_priority = spec["groupPriorityMinimum"].as_int();
  out->version_priority = spec["versionPriority"].as_int();
  out->available = is_available(api_service["status"]);
  return out;
}

RemotePtr Remotes::answering(const RequestInfo& info) const {
  std::string_view group = info.group, version = info.version;
  if (!info.is_resource) {
    // /apis/GROUP/VERSION and /openapi/v3/apis/GROUP/VERSION.
    const auto& parts = info.parts;
    const std::size_t at = parts.size() >= 2 && parts[0] == "openapi" && parts[1] == "v3" ? 2 : 0;
    if (parts.size() < at + 3 || parts[at] != "apis") return nullptr;
    group = parts[at + 1];
    version = parts[at + 2];
  }
  for (const RemotePtr& remote : versions) {
    if (remote->group == group && remote->version == version) return remote;
  }
  return nullptr;
}

Aggregator::Aggregator(const store::Store& store, const api::Registry& builtin) : store_(store) {
  for (const api::ResourcePtr& resource : builtin.resources()) {
    if (resource->origin == api::Origin::KarmadaAggregated)
      own_.insert(resource->version + "." + resource->group);
  }
}

std::shared_ptr<const Remotes> Aggregator::remotes() const {
  if (empty_at_.load(std::memory_order_acquire) == wanted_.load(std::memory_order_acquire)) return nullptr;
  const auto current = built();
  if (current->remotes.versions.empty()) return nullptr;
  return {current, &current->remotes};
}

std::vector<std::string> Aggregator::unsettled() const {
  std::vector<std::string> out;
  for (const auto& [name, one] : built()->known) {
    if (!one.remote && !one.settled) out.push_back(name);
  }
  return out;
}

// Only what has changed is parsed again; a backend keeps its connections.
Aggregator::Known Aggregator::read(const api::ObjectPtr& object, const Learned& learned,
                                   const Built* before) const {
  if (before != nullptr) {
    const auto at = before->known.find(object->name());
    if (at != before->known.end() && at->second.revision == object->revision()) {
      const RemotePtr& remote = at->second.remote;
      if (!remote || (remote->resources == learned.resources && remote->openapi == learned.openapi))
        return at->second;
    }
  }
  Known out{object->revision(), nullptr, false};
  // Most are as this server made them, which their bytes tell.
  const std::string_view bytes = object->bytes();
  if (bytes.find("\"service\":") == bytes.npos && bytes.find("\"reason\":\"Local\"") != bytes.npos &&
      bytes.find("\"status\":\"True\"") != bytes.npos) {
    out.settled = true;
    return out;
  }
  const auto content = object->content();
  if ((*content)["spec"]["service"].is_object() && !own_.contains(object->name())) {
    auto remote = RemoteVersion::read(*content);
    remote->resources = learned.resources;
    remote->openapi = learned.openapi;
    out.remote = std::move(remote);
  }
  out.settled = says_local((*content)["status"]);
  object->release_content();
  return out;
}

std::shared_ptr<const Aggregator::Built> Aggregator::built() const {
  const std::uint64_t wanted = wanted_.load(std::memory_order_acquire);
  const auto current = built_.load(std::memory_order_acquire);
  if (current && current->generation == wanted) return current;
  auto fresh = std::make_shared<Built>();
  fresh->generation = wanted;
  const auto discovered = discovered_.load(std::memory_order_acquire);
  for (const api::ObjectPtr& object : store_.list(services()).objects) {
    Learned learned;
    if (discovered) {
      const auto at = discovered->find(object->name());
      if (at != discovered->end()) learned = at->second;
    }
    Known known = read(object, learned, current.get());
    if (known.remote) fresh->remotes.versions.push_back(known.remote);
    fresh->known.emplace(object->name(), std::move(known));
  }
  built_.store(fresh, std::memory_order_release);
  if (fresh->remotes.versions.empty()) empty_at_.store(wanted, std::memory_order_release);
  return fresh;
}

void Aggregator::touch() {
  wanted_.fetch_add(1, std::memory_order_acq_rel);
  changes_.notify();
}

void Aggregator::learn(const std::string& name, Learned learned) {
  const auto before = discovered_.load(std::memory_order_acquire);
  auto next = before ? std::make_shared<Discovered>(*before) : std::make_shared<Discovered>();
  if ((*next)[name] == learned) return;
  (*next)[name] = std::move(learned);
  discovered_.store(std::move(next), std::memory_order_release);
  wanted_.fetch_add(1, std::memory_order_acq_rel);
}

}  // namespace flotilla::apiserver
