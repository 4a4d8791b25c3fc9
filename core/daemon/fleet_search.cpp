// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/fleet_search.hpp"

#include "core/api/karmada.hpp"

namespace flotilla::daemon {
namespace {

api::ResourcePtr connected(const char* name, const char* kind, std::vector<std::string> verbs) {
  auto resource = std::make_shared<api::Resource>();
  resource->group = api::groups::kSearch;
  resource->version = "v1alpha1";
  resource->resource = name;
  resource->kind = kind;
  resource->list_kind = std::string(kind) + "List";
  resource->origin = api::Origin::KarmadaAggregated;
  resource->verbs = std::move(verbs);
  return resource;
}

}  // namespace

void add_search_resources(const search::Options& options, api::Registry& registry) {
  if (!options.disable_search) registry.add(connected("search", "Search", {"get"}));
  if (!options.disable_proxy) {
    registry.add(connected("proxying", "Proxying", {"create", "delete", "get", "patch", "update"}));
  }
}

std::unique_ptr<search::FleetKeeper> make_fleet_keeper(search::KeeperContext context,
                                                       const search::Options& options) {
  if (options.disable_search && options.disable_proxy) return nullptr;
  search::KeeperOptions wanted;
  wanted.only_shown_namespaces = options.disable_search;
  wanted.initialization_timeout = options.storage_initialization_timeout;
  return std::make_unique<search::FleetKeeper>(std::move(context), std::move(wanted));
}

apiserver::FleetAccess fleet_access(const search::FleetKeeper& keeper, const search::Options& options) {
  apiserver::FleetAccess access;
  access.cache = keeper.fleet();
  access.search = !options.disable_search;
  access.proxy = !options.disable_proxy;
  access.proxy_as_user = options.proxy_as_user;
  return access;
}

}  // namespace flotilla::daemon
