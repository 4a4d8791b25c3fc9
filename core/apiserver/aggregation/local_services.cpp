// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/aggregation/local_services.hpp"

#include "core/apiserver/aggregation/priorities.hpp"
#include "core/apiserver/write/write_options.hpp"
#include "core/base/log.hpp"

namespace flotilla::apiserver {
namespace {

const Logger kLog("aggregation");
constexpr std::string_view kManaged = "kube-aggregator.kubernetes.io/automanaged";
constexpr std::string_view kRegistration = "apiregistration.k8s.io";

const store::Collection& services() {
  static const store::Collection kCollection = store::collection_of(kRegistration, "apiservices");
  return kCollection;
}

Json spec_of(const LocalService& wanted) {
  const Priority priority = priority_of(wanted.group, wanted.version);
  Json spec = Json::object({{"version", wanted.version},
                            {"groupPriorityMinimum", priority.group},
                            {"versionPriority", priority.version}});
  if (!wanted.group.empty()) spec.set("group", wanted.group);
  return spec;
}

const char* label_of(const LocalService& wanted) {
  return wanted.always ? "true" : "onstart";
}

// Its bytes say so: documents are stored compact, their members in order.
bool stands_as_wanted(const api::Object& object, const LocalService& wanted) {
  return *object.labels().find(kManaged) == label_of(wanted) &&
         object.bytes().find("\"spec\":" + spec_of(wanted).dump()) != std::string_view::npos;
}

Task<void> take_step(ServerPtr server, std::string name, LocalService wanted, ObjectPtr current,
                     ServiceStep step) {
  Task<Result<ObjectPtr>> writing;
  if (step == ServiceStep::Delete) {
    writing =
        server->store.remove(services(), current->key(), current->revision(), store::Durability::Derived);
  } else {
    const auto content = current ? current->content() : nullptr;
    Json object = service_object(name, wanted, content.get(), server->now());
    writing = current ? server->store.update(services(), std::move(object), current->revision(),
                                             store::Durability::Derived)
                      : server->store.create(services(), std::move(object), store::Durability::Derived);
  }
  const auto written = co_await std::move(writing);
  // Whoever was faster wakes this again.
  if (!written && !written.error().is(Code::Conflict) && !written.error().is(Code::AlreadyExists) &&
      !written.error().is(Code::NotFound))
    kLog.warn("APIService is not written", {{"name", name}, {"error", written.error().message()}});
}

}  // namespace

LocalServices local_services(const Served& served) {
  LocalServices out;
  for (const ResourcePtr& resource : served.registry.resources()) {
    if (resource->group == kRegistration) continue;
    LocalService& one = out[resource->version + "." + resource->group];
    one.group = resource->group;
    one.version = resource->version;
    one.always = resource->origin != api::Origin::Kubernetes;
  }
  return out;
}

ServiceStep plan_service(const LocalService* wanted, const api::Object* current, bool starting) {
  if (current == nullptr) {
    const bool missing = wanted != nullptr && (wanted->always || starting);
    return missing ? ServiceStep::Create : ServiceStep::Leave;
  }
  const std::string* label = current->labels().find(kManaged);
  const bool ours = label != nullptr && (*label == "true" || (*label == "onstart" && starting));
  if (!ours) return ServiceStep::Leave;
  if (wanted == nullptr) return ServiceStep::Delete;
  return stands_as_wanted(*current, *wanted) ? ServiceStep::Leave : ServiceStep::Update;
}

Json service_object(const std::string& name, const LocalService& wanted, const Json* current, WallTime now) {
  const char* label = label_of(wanted);
  if (current != nullptr) {
    Json object = *current;
    object.make({"metadata", "labels"}).set(kManaged, label);
    object.set("spec", spec_of(wanted));
    return object;
  }
  Json metadata = Json::object({{"name", name},
                                {"uid", new_uid()},
                                {"creationTimestamp", format_time(now)},
                                {"labels", Json::object({{kManaged, label}})}});
  Json condition = Json::object({{"type", "Available"},
                                 {"status", "True"},
                                 {"lastTransitionTime", format_time(now)},
                                 {"reason", "Local"},
                                 {"message", "Local APIServices are always available"}});
  return Json::object({{"apiVersion", "apiregistration.k8s.io/v1"},
                       {"kind", "APIService"},
                       {"metadata", std::move(metadata)},
                       {"spec", spec_of(wanted)},
                       {"status", Json::object({{"conditions", Json::array({std::move(condition)})}})}});
}

Task<void> settle_local_services(ServerPtr server, bool starting) {
  const LocalServices wanted = local_services(*server->catalog.served());
  std::map<std::string, ObjectPtr> current;
  for (const ObjectPtr& object : server->store.list(services()).objects)
    current.emplace(object->name(), object);
  for (const auto& [name, service] : wanted) current.try_emplace(name);
  for (const auto& [name, object] : current) {
    const auto at = wanted.find(name);
    const LocalService* service = at == wanted.end() ? nullptr : &at->second;
    const ServiceStep step = plan_service(service, object.get(), starting);
    if (step == ServiceStep::Leave) continue;
    auto stepping = take_step(server, name, service ? *service : LocalService(), object, step);
    co_await std::move(stepping);
  }
}

}  // namespace flotilla::apiserver
