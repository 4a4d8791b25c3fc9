// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/aggregation/aggregator.hpp"

#include "core/api/base64.hpp"

namespace flotilla::apiserver {
namespace {

const store::Collection& services() {
  static const store::Collection kCollection = store::collection_of("apiregistration.k8s.io", "apiservices");
  return kCollection;
}

bool is_available(const Json& status) {
  for (const Json& condition : status["conditions"].elements()) {
    if (condition["type"].as_string() == "Available") return condition["status"].as_string() == "True";
  }
  return false;
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
  out->ca_pem = api::base64_decode(spec["caBundle"].as_string()).value_or("");
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

std::shared_ptr<const Remotes> Aggregator::remotes() const {
  const std::uint64_t wanted = wanted_.load(std::memory_order_acquire);
  if (empty_at_.load(std::memory_order_acquire) == wanted) return nullptr;
  auto current = built_.load(std::memory_order_acquire);
  if (!current || current->generation != wanted) {
    auto fresh = std::make_shared<Built>();
    fresh->generation = wanted;
    const auto discovered = discovered_.load(std::memory_order_acquire);
    for (const auto& object : store_.list(services()).objects) {
      const auto content = object->content();
      if (!(*content)["spec"]["service"].is_object()) continue;
      auto remote = RemoteVersion::read(*content);
      if (discovered) {
        const auto known = discovered->find(remote->name);
        if (known != discovered->end()) remote->resources = known->second;
      }
      fresh->remotes.versions.push_back(std::move(remote));
    }
    built_.store(fresh, std::memory_order_release);
    current = fresh;
    if (fresh->remotes.versions.empty()) {
      empty_at_.store(wanted, std::memory_order_release);
      return nullptr;
    }
  }
  return {current, &current->remotes};
}

void Aggregator::touch() {
  wanted_.fetch_add(1, std::memory_order_acq_rel);
  changes_.notify();
}

void Aggregator::learn(const std::string& name, Json resources) {
  const auto before = discovered_.load(std::memory_order_acquire);
  auto next = before ? std::make_shared<Discovered>(*before) : std::make_shared<Discovered>();
  if ((*next)[name] == resources) return;
  (*next)[name] = std::move(resources);
  discovered_.store(std::move(next), std::memory_order_release);
  wanted_.fetch_add(1, std::memory_order_acq_rel);
}

}  // namespace flotilla::apiserver
