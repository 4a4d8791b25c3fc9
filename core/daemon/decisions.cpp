// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/decisions.hpp"

#include "core/planning/decisions.hpp"

namespace flotilla::daemon {
namespace {

using api::Json;

constexpr const char* kGroup = "flotilla.io";
constexpr const char* kRole = "flotilla:view-decisions";

Task<Result<Json>> answer(store::Store* store, apiserver::ComputedRead read) {
  constexpr std::string_view kOf = "flotilla.io/binding=";
  planning::DecisionQuery query;
  query.resource = read.path.at(0);
  const bool namespaced = query.resource == "placementdecisions";
  const bool known = namespaced || (query.resource == "clusterplacementdecisions" && read.ns.empty());
  const bool of_one = read.label_selector.starts_with(kOf);
  if (!known || read.path.size() > 2 || (read.path.size() > 1 && namespaced == read.ns.empty()))
    co_return not_found("the server could not find the requested resource");
  if (!read.label_selector.empty() && !of_one)
    co_return Error(Code::BadRequest, "decisions are selected by " + std::string(kOf) + "NAME alone");
  query.ns = std::move(read.ns);
  if (read.path.size() > 1) query.name = read.path[1];
  if (of_one) query.binding = read.label_selector.substr(kOf.size());
  query.limit = read.limit;
  query.from = std::move(read.continue_token);
  auto answering = planning::answer_decisions(store, std::move(query));
  co_return co_await std::move(answering);
}

}  // namespace

void serve_decisions(store::Store& store, api::Registry& registry, apiserver::ApiServerOptions& options) {
  if (options.registry != &registry) registry = *options.registry;
  for (api::ResourcePtr& resource : planning::decision_resources()) registry.add(std::move(resource));
  options.registry = &registry;
  options.computed.groups.emplace_back(kGroup);
  options.computed.read = [&store, others = options.computed.read](apiserver::ComputedRead read) {
    return read.group == kGroup ? answer(&store, std::move(read)) : others(std::move(read));
  };
  options.computed.schema = [](const api::Resource& resource) {
    return resource.group == kGroup ? planning::decision_schema() : Json();
  };
}

Task<Status> grant_decisions(store::Store& store, store::Writer& writer) {
  const store::StoredKind kind{{"rbac.authorization.k8s.io", "v1", "ClusterRole"}, "clusterroles", false};
  if (store.get(kind.collection(), "", kRole)) co_return Status();
  const Json labels = Json::object({{"rbac.authorization.k8s.io/aggregate-to-view", "true"}});
  const Json rule =
      Json::object({{"apiGroups", Json::array({kGroup})},
                    {"resources", Json::array({"placementdecisions", "clusterplacementdecisions"})},
                    {"verbs", Json::array({"get", "list"})}});
  Json role = Json::object({{"apiVersion", "rbac.authorization.k8s.io/v1"},
                            {"kind", "ClusterRole"},
                            {"metadata", Json::object({{"name", kRole}, {"labels", labels}})},
                            {"rules", Json::array({rule})}});
  auto creating = writer.create(kind, std::move(role));
  const auto created = co_await std::move(creating);
  if (!created && !created.error().is(Code::AlreadyExists)) co_return created.error();
  co_return Status();
}

}  // namespace flotilla::daemon
