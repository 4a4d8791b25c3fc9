// SPDX-License-Identifier: Apache-2.0
#include "core/api/resource_list.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace flotilla::api {

namespace {

Result<ResourceList> container_requests(const Json& container, Limits use) {
  const Json& resources = container["resources"];
  Result<ResourceList> requests = ResourceList::from_json(resources["requests"]);
  if (!requests || use == Limits::Ignored) return requests;
  Result<ResourceList> limits = ResourceList::from_json(resources["limits"]);
  if (!limits) return limits;
  requests->fill_in(*limits);
  return requests;
}

bool is_in_kubernetes_domain(std::string_view name) {
  return name.find("kubernetes.io/") != std::string_view::npos;
}

constexpr std::string_view kStandard[] = {"cpu",
                                          "memory",
                                          "ephemeral-storage",
                                          "storage",
                                          "pods",
                                          "services",
                                          "secrets",
                                          "configmaps",
                                          "replicationcontrollers",
                                          "resourcequotas",
                                          "requests.cpu",
                                          "requests.memory",
                                          "requests.storage",
                                          "requests.ephemeral-storage",
                                          "persistentvolumeclaims",
                                          "limits.cpu",
                                          "limits.memory",
                                          "services.nodeports",
                                          "services.loadbalancers",
                                          "limits.ephemeral-storage"};

}  // namespace

bool is_standard_resource(std::string_view name) {
  return name.starts_with("hugepages-") || name.starts_with("requests.hugepages-") ||
         std::find(std::begin(kStandard), std::end(kStandard), name) != std::end(kStandard);
}

Result<ResourceList> ResourceList::from_json(const Json& list) {
  ResourceList result;
  for (auto [name, value] : list.members()) {
    Result<Quantity> amount = Quantity::from_json(value);
    if (!amount) return std::move(amount).context(name);
    result.amounts_.emplace(name, *amount);
  }
  return result;
}

Json ResourceList::to_json() const {
  Json list = Json::object();
  for (const auto& [name, amount] : amounts_) list.set(name, amount.to_string());
  return list;
}

void ResourceList::add(const ResourceList& other) {
  for (const auto& [name, amount] : other.amounts_) amounts_[name] += amount;
}

void ResourceList::subtract(const ResourceList& other) {
  for (const auto& [name, amount] : other.amounts_) amounts_[name] -= amount;
}

void ResourceList::multiply(std::int64_t factor) {
  for (auto& [name, amount] : amounts_) amount *= factor;
}

void ResourceList::raise_to(const ResourceList& other) {
  for (const auto& [name, amount] : other.amounts_) {
    auto [entry, is_new] = amounts_.emplace(name, amount);
    if (!is_new && entry->second < amount) entry->second = amount;
  }
}

void ResourceList::fill_in(const ResourceList& other) {
  amounts_.insert(other.amounts_.begin(), other.amounts_.end());
}

void ResourceList::set(std::string_view name, const Quantity& amount) {
  amounts_.insert_or_assign(std::string(name), amount);
}

Quantity ResourceList::amount(std::string_view name) const {
  auto found = amounts_.find(name);
  return found == amounts_.end() ? Quantity() : found->second;
}

bool is_schedulable_resource(std::string_view name) {
  for (std::string_view known : {"cpu", "memory", "ephemeral-storage", "pods"}) {
    if (name == known) return true;
  }
  if (name.starts_with("hugepages-") || name.starts_with("attachable-volumes-")) return true;
  if (name.find('/') == std::string_view::npos) return false;
  return is_in_kubernetes_domain(name) || !name.starts_with("requests.");
}

ResourceList schedulable_amounts(const ResourceList& list) {
  ResourceList result;
  for (const auto& [name, amount] : list.amounts()) {
    if (amount.sign() <= 0 || !is_schedulable_resource(name)) continue;
    bool is_bytes = name == "memory" || name == "ephemeral-storage" || name.starts_with("hugepages-");
    if (name == "cpu") {
      result.set(name, Quantity::from_milli(amount.milli_value()));
    } else {
      result.set(name, Quantity(amount.value(),
                                is_bytes ? Quantity::Format::BinarySI : Quantity::Format::DecimalSI));
    }
  }
  return result;
}

Status add_pod_requests(ResourceList& total, const Json& pod_spec, Limits limits) {
  for (const Json& container : pod_spec["containers"].elements()) {
    Result<ResourceList> requests = container_requests(container, limits);
    if (!requests) return std::move(requests).error();
    total.add(*requests);
  }
  for (const Json& container : pod_spec["initContainers"].elements()) {
    Result<ResourceList> requests = container_requests(container, limits);
    if (!requests) return std::move(requests).error();
    total.raise_to(*requests);
  }
  Result<ResourceList> overhead = ResourceList::from_json(pod_spec["overhead"]);
  if (!overhead) return std::move(overhead).error();
  total.add(*overhead);
  return {};
}

Result<ResourceList> pod_requests(const Json& pod_spec, Limits limits) {
  ResourceList total;
  Status added = add_pod_requests(total, pod_spec, limits);
  if (!added) return std::move(added).error();
  return total;
}

}  // namespace flotilla::api
