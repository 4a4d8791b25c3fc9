// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/custom/crds.hpp"

#include <algorithm>
#include <set>

#include "core/apiserver/custom/conversion.hpp"
#include "core/apiserver/custom/custom_rules.hpp"
#include "core/base/log.hpp"

namespace flotilla::apiserver {
namespace {

const Logger kLog("definitions");
constexpr std::string_view kCleanup = "customresourcecleanup.apiextensions.k8s.io";
constexpr auto kRetry = std::chrono::milliseconds(200);

store::Collection definitions() {
  return store::collection_of("apiextensions.k8s.io", "customresourcedefinitions");
}

store::Collection objects_of(const Json& crd) {
  return store::collection_of(crd["spec"]["group"].as_string(), crd["spec"]["names"]["plural"].as_string());
}

std::string_view condition_of(const Json& crd, std::string_view type) {
  for (const Json& condition : crd["status"]["conditions"].elements()) {
    if (condition["type"].as_string() == type) return condition["status"].as_string();
  }
  return {};
}

// True if it changed anything.
bool set_condition(Json& crd, std::string_view type, std::string_view status, std::string_view reason,
                   std::string_view message, WallTime now) {
  Json& conditions = crd.make({"status", "conditions"});
  Json fresh = Json::object({{"type", type},
                             {"status", status},
                             {"reason", reason},
                             {"message", message},
                             {"lastTransitionTime", format_time(now)}});
  for (Json& condition : conditions.elements()) {
    if (condition["type"].as_string() != type) continue;
    const bool same_status = condition["status"].as_string() == status;
    if (same_status && condition["reason"].as_string() == reason &&
        condition["message"].as_string() == message)
      return false;
    if (same_status) fresh.set("lastTransitionTime", Json(std::as_const(condition)["lastTransitionTime"]));
    condition = std::move(fresh);
    return true;
  }
  conditions.push_back(std::move(fresh));
  return true;
}

// What the other definitions of the group are called.
struct TakenNames {
  std::set<std::string, std::less<>> resources, kinds;
};

TakenNames taken_names(const Server& server, const Json& crd) {
  TakenNames taken;
  for (const auto& [name, other] : server.catalog.served()->definitions) {
    if (name == api::name_of(crd) || other.group != crd["spec"]["group"].as_string()) continue;
    const Json& names = other.accepted_names;
    for (const std::string_view key : {"plural", "singular"}) taken.resources.emplace(names[key].as_string());
    for (const Json& one : names["shortNames"].elements()) taken.resources.emplace(one.as_string());
    for (const std::string_view key : {"kind", "listKind"}) taken.kinds.emplace(names[key].as_string());
  }
  taken.resources.erase("");
  taken.kinds.erase("");
  return taken;
}

struct NameVerdict {
  Json accepted;
  std::string reason, message;  // of the last conflict; empty when there is none
};

// Takes what is free; what is not stays as it was accepted before.
NameVerdict judge_names(const Server& server, const Json& crd) {
  const Json& wanted = crd["spec"]["names"];
  const Json& before = crd["status"]["acceptedNames"];
  const TakenNames taken = taken_names(server, crd);
  NameVerdict verdict{wanted, "", ""};
  const auto judge = [&](std::string_view key, const std::set<std::string, std::less<>>& others,
                         const char* reason) {
    const std::string_view name = wanted[key].as_string();
    if (name.empty() || before[key].as_string() == name || !others.contains(name)) return;
    verdict.reason = reason;
    verdict.message = quoted(name) + " is already in use";
    verdict.accepted.set(key, before[key].as_string());
  };
  judge("plural", taken.resources, "PluralConflict");
  judge("singular", taken.resources, "SingularConflict");
  std::string short_conflicts;
  const auto had = before["shortNames"].elements();
  for (const Json& name : wanted["shortNames"].elements()) {
    if (!taken.resources.contains(name.as_string()) || std::find(had.begin(), had.end(), name) != had.end())
      continue;
    short_conflicts +=
        (short_conflicts.empty() ? "" : ", ") + quoted(name.as_string()) + " is already in use";
  }
  if (!short_conflicts.empty()) {
    const bool several = short_conflicts.find(", ") != short_conflicts.npos;
    verdict.reason = "ShortNamesConflict";
    verdict.message = several ? "[" + short_conflicts + "]" : short_conflicts;
    verdict.accepted.set("shortNames", before["shortNames"]);
  }
  judge("kind", taken.kinds, "KindConflict");
  judge("listKind", taken.kinds, "ListKindConflict");
  return verdict;
}

// Groups of Kubernetes itself need a word of approval. True if that is news.
bool judge_approval(Json& crd, WallTime now) {
  constexpr std::string_view kType = "KubernetesAPIApprovalPolicyConformant";
  const std::string_view group = std::as_const(crd)["spec"]["group"].as_string();
  if (!group.ends_with(".k8s.io") && !group.ends_with(".kubernetes.io")) return false;
  const std::string approval(api::annotation_of(crd, "api-approved.kubernetes.io"));
  if (approval.starts_with("unapproved")) {
    return set_condition(crd, kType, "False", "UnapprovedAnnotation", "not approved: " + quoted(approval),
                         now);
  }
  if (approval.starts_with("http")) {
    return set_condition(crd, kType, "True", "ApprovedAnnotation", "approved in " + approval, now);
  }
  return set_condition(crd, kType, "False", "MissingAnnotation",
                       "protected groups must have approval annotation \"api-approved.kubernetes.io\", see "
                       "https://github.com/kubernetes/enhancements/pull/1111",
                       now);
}

// The definition as its conditions should say. True if that is news.
bool accept_names(const Server& server, Json& crd) {
  const WallTime now = server.now();
  bool changed = false;
  NameVerdict verdict = judge_names(server, crd);
  if (!(std::as_const(crd)["status"]["acceptedNames"] == verdict.accepted)) {
    crd.make({"status", "acceptedNames"}) = std::move(verdict.accepted);
    changed = true;
  }
  if (verdict.reason.empty()) {
    changed |= set_condition(crd, "NamesAccepted", "True", "NoConflicts", "no conflicts found", now);
    changed |= set_condition(crd, "Established", "True", "InitialNamesAccepted",
                             "the initial names have been accepted", now);
  } else {
    changed |= set_condition(crd, "NamesAccepted", "False", verdict.reason, verdict.message, now);
    if (condition_of(crd, "Established") != "True") {
      changed |= set_condition(crd, "Established", "False", "NotAccepted", "not all names are accepted", now);
    }
  }
  changed |= judge_approval(crd, now);
  Json& stored = crd.make({"status", "storedVersions"});
  for (const Json& version : std::as_const(crd)["spec"]["versions"].elements()) {
    if (!version["storage"].as_bool()) continue;
    const auto have = std::as_const(stored).elements();
    if (std::none_of(have.begin(), have.end(), [&](const Json& one) { return one == version["name"]; })) {
      stored.push_back(version["name"]);
      changed = true;
    }
  }
  return changed;
}

// Says of two definitions whether the same resources come of them.
std::string fingerprint(const Json& crd) {
  return std::string(api::uid_of(crd)) + "/" + std::to_string(crd["metadata"]["generation"].as_int()) + "/" +
         crd["status"]["acceptedNames"].dump();
}

// `known` is what came of an earlier form, null where there was none.
Definition read_definition(const Json& crd, const Definition* known) {
  Definition made;
  made.fingerprint = fingerprint(crd);
  made.group = crd["spec"]["group"].as_string();
  made.group_resource = std::string(crd["spec"]["names"]["plural"].as_string()) + "." + made.group;
  made.accepted_names = crd["status"]["acceptedNames"];
  made.established = condition_of(crd, "Established") == "True";
  made.reshaped = crd["metadata"]["generation"].as_int() > 1;
  made.terminating = crd["metadata"]["deletionTimestamp"].is_string();
  if (!made.established) return made;
  if (known && known->established && known->fingerprint == made.fingerprint) {
    made.resources = known->resources;
    made.conversion = known->conversion;
    return made;
  }
  auto resources = api::resources_of_crd(crd, &custom_rules());
  if (resources) {
    made.resources = *std::move(resources);
    made.conversion = read_conversion(crd);
  } else {
    kLog.warn("custom resource is not served",
              {{"definition", api::name_of(crd)}, {"error", resources.error().message()}});
  }
  return made;
}

void add_definition(const std::string& name, Definition definition, Served& served) {
  for (const ResourcePtr& resource : definition.resources) served.registry.add(resource);
  if (definition.established && definition.reshaped) served.reshaped.insert(definition.group_resource);
  if (definition.established && definition.terminating) served.terminating.insert(definition.group_resource);
  served.definitions.emplace(name, std::move(definition));
}

// `fresh` stands in for the stored definition of the same name.
void publish_with(Server& server, const Json* fresh) {
  const std::shared_ptr<const Served> before = server.catalog.served();
  auto served = std::make_shared<Served>();
  served->registry = server.catalog.builtin();
  for (const ObjectPtr& object : server.store.list(definitions()).objects) {
    const std::string name(object->name());
    const auto at = before->definitions.find(name);
    const Definition* known = at == before->definitions.end() ? nullptr : &at->second;
    if (fresh != nullptr && api::name_of(*fresh) == name) {
      add_definition(name, read_definition(*fresh, known), *served);
    } else if (known && known->revision == object->revision().get()) {
      add_definition(name, *known, *served);
    } else {
      Definition made = read_definition(*object->content(), known);
      made.revision = object->revision().get();
      add_definition(name, std::move(made), *served);
      object->release_content();
    }
  }
  server.catalog.publish(std::move(served));
  server.aggregator.wake();
}

Task<void> delete_one(ServerPtr server, store::Collection collection, ObjectPtr object) {
  if (object->deleting()) co_return;
  Json content = *object->content();
  if (content["metadata"]["finalizers"].empty()) {
    auto removing =
        server->store.remove(collection, object->key(), object->revision(), store::Durability::Derived);
    (void)co_await std::move(removing);
    co_return;
  }
  Json& metadata = content["metadata"];
  metadata.set("deletionTimestamp", format_time(server->now()));
  metadata.set("deletionGracePeriodSeconds", 0);
  auto updating =
      server->store.update(collection, std::move(content), object->revision(), store::Durability::Derived);
  (void)co_await std::move(updating);
}

// True when the definition needs another look later.
Task<bool> finish_deletion(ServerPtr server, ObjectPtr definition) {
  Json crd = *definition->content();
  if (!api::has_finalizer(crd, kCleanup)) co_return false;
  const store::Collection collection = objects_of(crd);
  for (const ObjectPtr& object : server->store.list(collection).objects) {
    auto deleting = delete_one(server, collection, object);
    co_await std::move(deleting);
  }
  if (server->store.count(collection) > 0) co_return true;
  api::remove_finalizer(crd, kCleanup);
  if (std::as_const(crd)["metadata"]["finalizers"].empty()) {
    auto removing = server->store.remove(definitions(), definition->key(), definition->revision(),
                                         store::Durability::Derived);
    const auto removed = co_await std::move(removing);
    co_return !removed.ok();
  }
  auto updating =
      server->store.update(definitions(), std::move(crd), definition->revision(), store::Durability::Derived);
  const auto updated = co_await std::move(updating);
  co_return !updated.ok();
}

Task<bool> reconcile(ServerPtr server, std::string name) {
  const ObjectPtr definition = server->store.get(definitions(), "", name);
  if (!definition) {
    publish_with(*server, nullptr);
    co_return false;
  }
  if (definition->deleting()) {
    publish_with(*server, nullptr);
    auto finishing = finish_deletion(server, definition);
    co_return co_await std::move(finishing);
  }
  Json crd = *definition->content();
  definition->release_content();
  if (!accept_names(*server, crd)) {
    publish_with(*server, nullptr);
    co_return false;
  }
  publish_with(*server, &crd);
  auto updating =
      server->store.update(definitions(), std::move(crd), definition->revision(), store::Durability::Derived);
  const auto updated = co_await std::move(updating);
  co_return !updated.ok();
}

}  // namespace

void publish_definitions(Server& server) {
  publish_with(server, nullptr);
}

Task<void> run_definitions(ServerPtr server) {
  for (;;) {
    store::Snapshot snapshot = server->store.list(definitions());
    store::WatchRequest request;
    request.collection = definitions();
    request.after = snapshot.revision;
    auto subscription = server->store.watch(request);
    if (!subscription) co_return;
    std::set<std::string> due;
    for (const ObjectPtr& object : snapshot.objects) due.insert(object->name());
    snapshot.objects.clear();
    for (;;) {
      std::set<std::string> later;
      for (const std::string& name : due) {
        auto working = reconcile(server, name);
        if (co_await std::move(working)) later.insert(name);
      }
      due = std::move(later);
      const Duration patience = due.empty() ? Duration(std::chrono::hours(1)) : Duration(kRetry);
      auto waiting = (*subscription)->next_for(patience);
      auto events = co_await std::move(waiting);
      if (!events && events.error().is(Code::Cancelled)) co_return;
      if (!events) break;
      bool reset = false;
      for (const store::Event& event : *events) {
        if (!event.object) {
          reset = true;
        } else {
          due.insert(event.object->name());
        }
      }
      if (reset) break;
    }
  }
}

}  // namespace flotilla::apiserver
