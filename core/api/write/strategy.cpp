// SPDX-License-Identifier: Apache-2.0
#include "core/api/write/strategy.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/api/defaulting/defaulting.hpp"
#include "core/api/object.hpp"
#include "core/api/quantity.hpp"
#include "core/api/schema/decode.hpp"
#include "core/api/write/services.hpp"
#include "core/base/base64.hpp"

namespace flotilla::api {
namespace {

const Json& read(const Json& object) {
  return object;
}

void copy_member(Json& into, const Json& from, std::string_view name) {
  if (const Json* value = from.find(name)) {
    into.set(name, *value);
  } else {
    into.erase(name);
  }
}

// --- create, per kind

Json requests_and_limits(const Json& container, std::string_view which) {
  return container["resources"][which];
}

// Guaranteed: every container limits cpu and memory and requests just that. BestEffort: nothing is asked for.
std::string_view quality_of_service(const Json& spec) {
  bool any = false, guaranteed = true;
  for (const char* list : {"containers", "initContainers"}) {
    for (const Json& container : spec[list].elements()) {
      const Json limits = requests_and_limits(container, "limits");
      const Json requests = requests_and_limits(container, "requests");
      for (const std::string_view name : {"cpu", "memory"}) {
        auto limit = Quantity::from_json(limits[name]);
        auto request = Quantity::from_json(requests[name]);
        const bool limited = limit.ok() && !limit->is_zero();
        const bool requested = request.ok() && !request->is_zero();
        any = any || limited || requested;
        guaranteed = guaranteed && limited && (!requested || *limit == *request);
      }
    }
  }
  return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
}

void create_pod(Json& object, const WriteOptions&) {
  object.set("status",
             Json::object({{"phase", "Pending"}, {"qosClass", quality_of_service(read(object)["spec"])}}));
}

void create_namespace(Json& object, const WriteOptions&) {
  Json& finalizers = object.make({"spec", "finalizers"});
  const auto kept = std::as_const(finalizers).elements();
  const bool has =
      std::any_of(kept.begin(), kept.end(), [](const Json& f) { return f.as_string() == "kubernetes"; });
  if (!has) finalizers.push_back("kubernetes");
  object.make({"metadata", "labels"}).set("kubernetes.io/metadata.name", name_of(object));
}

// A data source may be given by its old or its new name.
void create_claim(Json& object, const WriteOptions&) {
  Json& spec = object["spec"];
  const bool old_name = !read(spec)["dataSource"].is_null(),
             new_name = !read(spec)["dataSourceRef"].is_null();
  if (old_name && !new_name) spec.set("dataSourceRef", Json(read(spec)["dataSource"]));
  if (new_name && !old_name && read(spec).at({"dataSourceRef", "namespace"}).is_null()) {
    spec.set("dataSource", Json(read(spec)["dataSourceRef"]));
  }
}

// Who asks is who the server says, whatever the body says.
void create_signing_request(Json& object, const WriteOptions& options) {
  Json& spec = object["spec"];
  for (const char* name : {"username", "uid", "groups", "extra"}) {
    spec.erase(name);
    if (const Json& value = options.requester[name]; !value.empty() || !value.as_string().empty())
      spec.set(name, value);
  }
  object["metadata"].erase("managedFields");
}

// A job selects its pods by its own uid.
void create_job(Json& object, const WriteOptions& options) {
  if (object["spec"].is_null()) return;
  Json& spec = object["spec"];
  object.make({"metadata", "annotations"}).set("batch.kubernetes.io/job-tracking", "");
  if (read(spec)["manualSelector"].as_bool()) return;
  Json labels = read(spec).at({"template", "metadata", "labels"});
  if (labels.is_null()) labels = Json::object();
  labels.set("controller-uid", options.uid);
  labels.set("job-name", name_of(object));
  const bool shared =
      read(object).at({"metadata", "labels"}) == read(spec).at({"template", "metadata", "labels"});
  spec.make({"template", "metadata"}).set("labels", labels);
  // Labels that were taken from the template are the template's.
  if (shared && !read(object).at({"metadata", "labels"}).is_null()) object["metadata"].set("labels", labels);
  if (!spec["selector"].is_object()) spec.set("selector", Json::object());
  spec.make({"selector", "matchLabels"}).set("controller-uid", options.uid);
}

void create_daemon_set(Json& object, const WriteOptions&) {
  object.make({"metadata", "annotations"}).set("deprecated.daemonset.template.generation", "1");
}

void create_secret(Json& object, const WriteOptions&) {
  // stringData has been merged by then; nothing else is to do.
  object.erase("stringData");
}

void create_crd(Json& object, const WriteOptions&) {
  const Json names = read(object).at({"spec", "names"});
  Json stored = Json::array();
  for (const Json& version : read(object).at({"spec", "versions"}).elements()) {
    if (version["storage"].as_bool() && stored.empty()) stored.push_back(version["name"]);
  }
  object.set("status", Json::object({{"acceptedNames", Json::object({{"kind", ""}, {"plural", ""}})},
                                     {"conditions", nullptr},
                                     {"storedVersions", std::move(stored)}}));
}

struct CreateRule {
  std::string_view group, kind;
  void (*run)(Json&, const WriteOptions&);
};
constexpr CreateRule kCreateRules[] = {
    {"", "Pod", create_pod},
    {"", "Namespace", create_namespace},
    {"", "Secret", create_secret},
    {"", "Service", prepare_service_for_create},
    {"", "PersistentVolumeClaim", create_claim},
    {"certificates.k8s.io", "CertificateSigningRequest", create_signing_request},
    {"batch", "Job", create_job},
    {"apps", "DaemonSet", create_daemon_set},
    {"apiextensions.k8s.io", "CustomResourceDefinition", create_crd},
};

// Kinds whose clients may set the status when they make the object.
bool keeps_status_on_create(const Resource& resource) {
  return resource.group.empty() && (resource.kind == "Node" || resource.kind == "ResourceQuota");
}

void reset_status(const Resource& resource, Json& object) {
  if (!resource.traits.status || keeps_status_on_create(resource)) return;
  object.erase("status");
  const Field* status = resource.schema->field("status");
  if (!resource.traits.typed || !status || !status->always_present()) return;
  Json fresh = Json::object();
  normalise(*status->schema, fresh);
  set_defaults(*status->schema, fresh);
  object.set("status", std::move(fresh));
}

// --- update, per kind

bool differs_outside(const Json& live, const Json& object, bool status) {
  const auto relevant = [&](std::string_view key) {
    return key != "apiVersion" && key != "kind" && key != "metadata" && (status || key != "status");
  };
  for (const auto& [key, value] : object.members()) {
    if (relevant(key) && !(live[key] == value)) return true;
  }
  for (const auto& [key, value] : live.members()) {
    if (relevant(key) && !object.contains(key)) return true;
  }
  return false;
}

bool moves_generation(const Resource& resource, const Json& live, const Json& object) {
  const Traits& traits = resource.traits;
  switch (traits.generation) {
    case GenerationRule::None:
    case GenerationRule::Constant:
      return false;
    case GenerationRule::OnSpec:
      if (!(live["spec"] == object["spec"])) return true;
      break;
    case GenerationRule::OnContent:
      if (differs_outside(live, object, false)) return true;
      break;
    case GenerationRule::OnAllContent:
      if (differs_outside(live, object, true)) return true;
      break;
  }
  const auto differs = [&](std::string_view name) {
    return !(live["metadata"][name] == object["metadata"][name]);
  };
  return (traits.generation_annotations && differs("annotations")) ||
         (traits.generation_labels && differs("labels"));
}

// Deployment keeps its labels, a pod its owners.
void restore_metadata_for_status(const Resource& resource, const Json& live, Json& object) {
  if (resource.origin == Origin::Custom || resource.origin == Origin::Karmada) {
    Json metadata = live["metadata"];
    copy_member(metadata, read(object)["metadata"], "managedFields");
    object.set("metadata", std::move(metadata));
    return;
  }
  Json& metadata = object["metadata"];
  if (resource.group == "apps" && resource.kind == "Deployment")
    copy_member(metadata, live["metadata"], "labels");
  if (resource.group.empty() && resource.kind == "Pod")
    copy_member(metadata, live["metadata"], "ownerReferences");
}

void prepare_status_update(const Resource& resource, const Json& live, Json& object) {
  for (const std::string& key : object.keys()) {
    if (key != "apiVersion" && key != "kind" && key != "metadata" && key != "status" && !live.contains(key))
      object.erase(key);
  }
  for (const auto& [key, value] : live.members()) {
    if (key != "metadata" && key != "status") object.set(key, value);
  }
  restore_metadata_for_status(resource, live, object);
}

void prepare_daemon_set_update(const Json& live, Json& object) {
  constexpr std::string_view kKey = "deprecated.daemonset.template.generation";
  std::int64_t generation = 0;
  for (const char c : annotation_of(live, kKey))
    generation = c >= '0' && c <= '9' ? generation * 10 + (c - '0') : generation;
  if (!(live.at({"spec", "template"}) == read(object).at({"spec", "template"}))) ++generation;
  object.make({"metadata", "annotations"}).set(kKey, std::to_string(generation));
}

// Fields of a pod's containers that other subresources write, and what the scheduler has set.
void prepare_main_update(const Resource& resource, const Json& live, Json& object) {
  if (resource.traits.status) copy_member(object, live, "status");
  if (resource.group.empty() && resource.kind == "Service") prepare_service_for_update(live, object);
  if (resource.group.empty() && resource.kind == "Namespace") {
    object["spec"].set("finalizers", live.at({"spec", "finalizers"}));
  }
  if (resource.group.empty() && resource.kind == "Secret") object.erase("stringData");
  if (resource.group == "apps" && resource.kind == "DaemonSet") prepare_daemon_set_update(live, object);
  if (resource.group == "batch" && resource.kind == "Job") {
    constexpr std::string_view kTracking = "batch.kubernetes.io/job-tracking";
    const Json* mine = live.at({"metadata", "annotations"}).find(kTracking);
    const Json* sent = read(object).at({"metadata", "annotations"}).find(kTracking);
    if (mine && sent) object.make({"metadata", "annotations"}).set(kTracking, *mine);
  }
}

void restore_system_metadata(const Json& live, Json& object) {
  Json& metadata = object["metadata"];
  for (const char* name : {"creationTimestamp", "generation", "selfLink", "namespace"}) {
    copy_member(metadata, live["metadata"], name);
  }
  // What is sent and differs is for validation to refuse.
  for (const char* name : {"uid", "deletionTimestamp", "deletionGracePeriodSeconds"}) {
    if (read(metadata)[name].is_null() || read(metadata)[name].as_string("-").empty())
      copy_member(metadata, live["metadata"], name);
  }
}

}  // namespace

FieldSet ignored_fields(const Resource& resource, std::string_view subresource) {
  if (!resource.traits.status) return {};
  if (subresource.empty()) {
    if (keeps_status_on_create(resource)) return FieldSet::of({{"status"}});
    return FieldSet::of({{"status"}});
  }
  if (subresource != "status" && subresource != "approval") return {};
  if (resource.group == "apps" && resource.kind == "Deployment")
    return FieldSet::of({{"spec"}, {"metadata", "labels"}});
  if (resource.group.empty() && resource.kind == "Pod") {
    return FieldSet::of({{"spec"}, {"metadata", "deletionTimestamp"}, {"metadata", "ownerReferences"}});
  }
  return FieldSet::of({{"spec"}});
}

void prepare_for_create(const Resource& resource, Json& object, const WriteOptions& options) {
  Json& metadata = object["metadata"];
  for (const char* name :
       {"selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "resourceVersion"}) {
    metadata.erase(name);
  }
  // Kinds without a generation of their own keep what they are given.
  if (resource.traits.generation != GenerationRule::None) metadata.erase("generation");
  metadata.set("uid", options.uid);
  metadata.set("creationTimestamp", format_time(options.now));
  const bool counted = resource.traits.generation != GenerationRule::None && !resource.traits.generation_late;
  if (counted) metadata.set("generation", 1);
  reset_status(resource, object);
  for (const CreateRule& rule : kCreateRules) {
    if (rule.group == resource.group && rule.kind == resource.kind) rule.run(object, options);
  }
}

void prepare_for_update(const Resource& resource, const Json& live, Json& object,
                        const WriteOptions& options) {
  restore_system_metadata(live, object);
  if (options.subresource.empty()) {
    prepare_main_update(resource, live, object);
  } else if (options.subresource == "status") {
    prepare_status_update(resource, live, object);
  } else if (options.subresource == "approval") {
    Json conditions = read(object).at({"status", "conditions"});
    prepare_status_update(resource, live, object);
    object.set("status", live["status"]);
    if (!conditions.is_null()) object["status"].set("conditions", std::move(conditions));
  } else if (options.subresource == "finalize") {
    Json finalizers = read(object).at({"spec", "finalizers"});
    object.set("status", live["status"]);
    if (finalizers.is_null()) {
      object["spec"].erase("finalizers");
    } else {
      object["spec"].set("finalizers", std::move(finalizers));
    }
  } else if (options.subresource == "ephemeralcontainers") {
    Json ephemeral = read(object).at({"spec", "ephemeralContainers"});
    object = live;
    if (!ephemeral.is_null()) object["spec"].set("ephemeralContainers", std::move(ephemeral));
  }
  if (options.subresource != "" && options.subresource != "scale") return;
  if (moves_generation(resource, live, object)) {
    object["metadata"].set("generation", live.at({"metadata", "generation"}).as_int() + 1);
  }
}

}  // namespace flotilla::api
