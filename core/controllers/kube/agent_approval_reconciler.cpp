// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/kube/agent_approval_reconciler.hpp"

#include <algorithm>
#include <set>

#include "core/api/agent_rights.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;
using reconcile::Key;
using reconcile::Outcome;
using store::Event;
using store::Part;

constexpr std::string_view kGroup = "certificates.k8s.io";
constexpr std::string_view kRbac = "rbac.authorization.k8s.io";
constexpr Duration kLookAgain = std::chrono::seconds(10);  // rights may be given later

store::Collection requests() {
  return store::collection_of(kGroup, "certificatesigningrequests");
}

bool is_decided(const Json& request) {
  if (!request["status"]["certificate"].as_string().empty()) return true;
  const auto conditions = request["status"]["conditions"].elements();
  return std::ranges::any_of(conditions, [](const Json& condition) {
    const std::string_view type = condition["type"].as_string();
    return type == "Approved" || type == "Denied";
  });
}

bool is_for_a_client(const Json& usages) {
  std::set<std::string_view> named;
  for (const Json& usage : usages.elements()) named.insert(usage.as_string());
  named.erase("key encipherment");
  return named == std::set<std::string_view>{"client auth", "digital signature"};
}

bool is_an_agents(const KubeContext::Requested& requested) {
  return requested.organizations == std::vector<std::string>{std::string(api::kAgentGroup)} &&
         requested.common_name.starts_with(api::kAgentUserPrefix) && requested.names.empty();
}

}  // namespace

AgentApprovalReconciler::AgentApprovalReconciler(KubeContext& context)
    : context_(context),
      loop_(context.executor, "agentcsrapproving", *this,
            {.max_delay = std::chrono::seconds(30), .metrics = context.metrics}) {
  if (!context.read_request) return;
  loop_.enqueue({store::collection_of(kRbac, "clusterroles"), {}});
  context.informers.on(requests(), [this](const Event& event) {
    if (event.type != Event::Type::Deleted) loop_.enqueue({event.collection, event.object->key()});
  });
}

Task<Outcome> AgentApprovalReconciler::reconcile(Key key) {
  if (key.collection != requests()) {
    auto letting = let_agents_in();
    co_return co_await std::move(letting);
  }
  const api::ObjectPtr request = context_.store.get(requests(), "", key.object.name);
  if (!request || request->deleting()) co_return Outcome::done();
  auto looking = look_at(request);
  co_return co_await std::move(looking);
}

// What is there is left as it is: an operator may have changed it.
Task<Outcome> AgentApprovalReconciler::let_agents_in() {
  std::vector<Json> rights = api::agent_admission_rights();
  for (Json& object : rights) {
    const bool is_role = std::as_const(object)["kind"].as_string() == "ClusterRole";
    const auto resource =
        context_.resources()->find_resource(kRbac, "v1", is_role ? "clusterroles" : "clusterrolebindings");
    if (!resource) co_return Outcome::done();
    const store::StoredKind kind = store::StoredKind::of(*resource);
    if (context_.store.get(kind.collection(), "", std::string(api::name_of(object)))) continue;
    auto creating = context_.writer.create(kind, std::move(object));
    const auto created = co_await std::move(creating);
    if (!created && !created.error().is(Code::AlreadyExists)) co_return Outcome::retry(created.error());
  }
  co_return Outcome::done();
}

// 1. Is it an agent's? 2. May who asks have it: its own again, or any agent's. 3. Approve.
Task<Outcome> AgentApprovalReconciler::look_at(api::ObjectPtr request) {
  const auto content = request->content();
  const Json& spec = (*content)["spec"];
  if (is_decided(*content) || spec["signerName"].as_string() != api::kAgentSigner ||
      !is_for_a_client(spec["usages"]))
    co_return Outcome::done();
  const auto requested = context_.read_request(std::string(spec["request"].as_string()));
  if (!requested || !is_an_agents(*requested)) co_return Outcome::done();
  std::string message;
  if (spec["username"].as_string() == requested->common_name &&
      context_.may_create_request(spec, "selfclusteragent")) {
    message = "Auto approving self karmada agent certificate after SubjectAccessReview.";
  } else if (context_.may_create_request(spec, "clusteragent")) {
    message = "Auto approving karmada agent certificate after SubjectAccessReview.";
  } else {
    co_return Outcome::again_in(kLookAgain);
  }
  const auto resource = context_.resources()->find_resource(kGroup, "v1", "certificatesigningrequests");
  if (!resource) co_return Outcome::done();
  const std::string now = format_time(context_.executor.clock().now());
  store::Writer::Change change = [message, now](Json& object) -> Result<bool> {
    if (is_decided(object)) return false;
    object.make({"status", "conditions"})
        .push_back(Json::object({{"type", "Approved"},
                                 {"status", "True"},
                                 {"reason", "AutoApproved"},
                                 {"message", message},
                                 {"lastUpdateTime", now},
                                 {"lastTransitionTime", now}}));
    return true;
  };
  auto writing = context_.writer.modify(store::StoredKind::of(*resource), Part::Status, request->key(),
                                        std::move(change));
  const auto written = co_await std::move(writing);
  if (!written && !written.error().is(Code::NotFound)) co_return Outcome::retry(written.error());
  co_return Outcome::done();
}

}  // namespace flotilla::controllers
