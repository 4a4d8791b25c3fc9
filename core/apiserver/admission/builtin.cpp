// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/admission/builtin.hpp"

#include "core/api/limits/limit_range.hpp"
#include "core/api/quantity.hpp"
#include "core/apiserver/admission/service_account.hpp"
#include "core/apiserver/errors.hpp"

namespace flotilla::apiserver {
namespace {

const store::Collection kLimitRanges = store::collection_of("", "limitranges");
const store::Collection kClasses = store::collection_of("scheduling.k8s.io", "priorityclasses");

bool is_pod(const PluginRequest& request) {
  return request.group.empty() && request.resource == "pods";
}
bool is_claim(const PluginRequest& request) {
  return request.group.empty() && request.resource == "persistentvolumeclaims";
}

void add_toleration(Json& spec, std::string_view key) {
  for (const Json& toleration : std::as_const(spec)["tolerations"].elements()) {
    const std::string_view own = toleration["key"].as_string();
    const std::string_view effect = toleration["effect"].as_string();
    if ((own.empty() || own == key) && (effect.empty() || effect == "NoExecute")) return;
  }
  spec["tolerations"].push_back(Json::object(
      {{"effect", "NoExecute"}, {"key", key}, {"operator", "Exists"}, {"tolerationSeconds", 300}}));
}

Status set_pod_priority(const PluginRequest& request, Json& pod) {
  Json& spec = pod["spec"];
  const std::string name(std::as_const(spec)["priorityClassName"].as_string());
  std::int64_t value = 0;
  std::string policy = "PreemptLowerPriority";
  if (name == "system-cluster-critical") {
    value = 2000000000;
  } else if (name == "system-node-critical") {
    value = 2000001000;
  } else {
    api::ObjectPtr chosen;
    if (!name.empty()) {
      chosen = request.store.get(kClasses, "", name);
      if (!chosen) return plugin_forbids(request, pod, "no PriorityClass with name " + name + " was found");
    } else if (request.store.count(kClasses) > 0) {
      for (const api::ObjectPtr& object : request.store.list(kClasses).objects) {
        if ((*object->content())["globalDefault"].as_bool()) chosen = object;
      }
    }
    if (chosen) {
      value = (*chosen->content())["value"].as_int();
      policy = (*chosen->content())["preemptionPolicy"].as_string("PreemptLowerPriority");
      if (name.empty()) spec.set("priorityClassName", chosen->name());
    }
  }
  // Given numbers may only repeat what the class says.
  constexpr std::string_view kComputed =
      " must not be provided in pod spec; priority admission controller computed ";
  constexpr std::string_view kFrom = " from the given PriorityClass name";
  const Json& given = std::as_const(spec)["priority"];
  if (given.is_int() && given.as_int() != value) {
    return plugin_forbids(request, pod,
                          "the integer value of priority (" + given.dump() + ")" + std::string(kComputed) +
                              std::to_string(value) + std::string(kFrom));
  }
  const Json& preempts = std::as_const(spec)["preemptionPolicy"];
  if (preempts.is_string() && preempts.as_string() != policy) {
    return plugin_forbids(request, pod,
                          "the string value of PreemptionPolicy (" + std::string(preempts.as_string()) + ")" +
                              std::string(kComputed) + policy + std::string(kFrom));
  }
  spec.set("priority", value);
  spec.set("preemptionPolicy", policy);
  return {};
}

Status without_overhead(const PluginRequest& request, const Json& pod) {
  if (pod["spec"]["overhead"].empty()) return {};
  return plugin_forbids(request, pod,
                        "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
}

// What the runtime itself needs, and where it runs.
Status set_runtime(const PluginRequest& request, Json& pod) {
  const std::string runtime(std::as_const(pod)["spec"]["runtimeClassName"].as_string());
  if (runtime.empty()) return without_overhead(request, pod);
  const auto found = request.store.get(store::collection_of("node.k8s.io", "runtimeclasses"), "", runtime);
  if (!found)
    return plugin_forbids(request, pod, "pod rejected: RuntimeClass " + quoted(runtime) + " not found");
  const auto content = found->content();
  Json& spec = pod["spec"];
  const Json& overhead = (*content)["overhead"]["podFixed"];
  if (overhead.size() > 0) {
    const Json& own = std::as_const(spec)["overhead"];
    if (own.size() > 0 && !(own == overhead)) {
      return plugin_forbids(request, pod,
                            "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
    }
    spec.set("overhead", overhead);
  } else if (auto none = without_overhead(request, pod); !none) {
    return none;
  }
  for (const auto& [key, value] : (*content)["scheduling"]["nodeSelector"].members()) {
    const Json& own = std::as_const(spec)["nodeSelector"][key];
    if (own.is_string() && !(own == value)) {
      return plugin_forbids(request, pod,
                            "conflict: runtimeClass.scheduling.nodeSelector[" + std::string(key) +
                                "] = " + std::string(value.as_string()) + "; pod.spec.nodeSelector[" +
                                std::string(key) + "] = " + std::string(own.as_string()));
    }
    spec["nodeSelector"].set(key, value);
  }
  for (const Json& toleration : (*content)["scheduling"]["tolerations"].elements())
    spec["tolerations"].push_back(toleration);
  return {};
}

Status shape_pod(const PluginRequest& request, Json& pod) {
  if (request.store.count(kLimitRanges) > 0) {
    for (const auto& range : request.store.list(kLimitRanges, request.ns).objects)
      api::apply_limit_defaults(*range->content(), pod);
  }
  if (request.choice.service_account) {
    if (auto done = give_service_account(request, pod); !done) return done;
  }
  if (auto done = set_pod_priority(request, pod); !done) return done;
  if (auto done = set_runtime(request, pod); !done) return done;
  tolerate_short_outages(pod["spec"]);
  return {};
}

// The newest of the classes that are marked as the default.
std::string default_class(const store::Store& store, std::string_view group, std::string_view resource,
                          std::string_view annotation) {
  std::string name, made;
  for (const api::ObjectPtr& object : store.list(store::collection_of(group, resource)).objects) {
    const auto content = object->content();
    if (api::annotation_of(*content, annotation) != "true") continue;
    const std::string_view at = (*content)["metadata"]["creationTimestamp"].as_string();
    if (!name.empty() && at <= made) continue;
    name = object->name();
    made = at;
  }
  return name;
}

void shape_claim(const PluginRequest& request, Json& claim) {
  Json& spec = claim["spec"];
  if (!std::as_const(spec).contains("storageClassName") &&
      api::annotation_of(claim, "volume.beta.kubernetes.io/storage-class").empty()) {
    std::string name = default_class(request.store, "storage.k8s.io", "storageclasses",
                                     "storageclass.kubernetes.io/is-default-class");
    if (!name.empty()) spec.set("storageClassName", std::move(name));
  }
  api::add_finalizer(claim, "kubernetes.io/pvc-protection");
}

void shape_ingress(const PluginRequest& request, Json& ingress) {
  if (std::as_const(ingress)["spec"].contains("ingressClassName") ||
      !api::annotation_of(ingress, "kubernetes.io/ingress.class").empty()) {
    return;
  }
  std::string name = default_class(request.store, "networking.k8s.io", "ingressclasses",
                                   "ingressclass.kubernetes.io/is-default-class");
  if (!name.empty()) ingress["spec"].set("ingressClassName", std::move(name));
}

Status review_limits(const PluginRequest& request, const Json& object) {
  const bool pod = is_pod(request) && request.creates;
  if ((!pod && !is_claim(request)) || request.store.count(kLimitRanges) == 0) return {};
  for (const auto& range : request.store.list(kLimitRanges, request.ns).objects) {
    const auto content = range->content();
    const std::string wrong =
        pod ? api::check_pod_limits(*content, object) : api::check_claim_limits(*content, object);
    if (!wrong.empty()) return plugin_forbids(request, object, wrong);
  }
  return {};
}

// A claim grows only where its class allows it.
Status review_resize(const PluginRequest& request, const Json& live, const Json& claim) {
  const auto before = api::Quantity::from_json(live["spec"]["resources"]["requests"]["storage"]);
  const auto after = api::Quantity::from_json(claim["spec"]["resources"]["requests"]["storage"]);
  if (!before || !after || *after <= *before) return {};
  if (live["status"]["phase"].as_string() != "Bound") {
    return plugin_forbids(request, claim, "Only bound persistent volume claims can be expanded");
  }
  const auto storage_class = request.store.get(store::collection_of("storage.k8s.io", "storageclasses"), "",
                                               claim["spec"]["storageClassName"].as_string());
  if (storage_class && (*storage_class->content())["allowVolumeExpansion"].as_bool()) return {};
  return plugin_forbids(request, claim,
                        "only dynamically provisioned pvc can be resized and the storageclass that "
                        "provisions the pvc must support resize");
}

Status review_priority_class(const PluginRequest& request, const Json& object) {
  if (!object["globalDefault"].as_bool()) return {};
  for (const api::ObjectPtr& other : request.store.list(kClasses).objects) {
    if (other->name() == api::name_of(object) || !(*other->content())["globalDefault"].as_bool()) continue;
    return plugin_forbids(
        request, object,
        "PriorityClass " + other->name() + " is already marked as default. Only one default can exist");
  }
  return {};
}

}  // namespace

void tolerate_short_outages(Json& spec) {
  add_toleration(spec, "node.kubernetes.io/not-ready");
  add_toleration(spec, "node.kubernetes.io/unreachable");
}

std::string shown_name(const Json& object) {
  const std::string_view name = api::name_of(object);
  return std::string(name.empty() ? object["metadata"]["generateName"].as_string() : name);
}

Error plugin_forbids(const PluginRequest& request, const Json& object, const std::string& why) {
  return object_forbidden({std::string(request.group), std::string(request.resource)}, shown_name(object),
                          why);
}

Status shape_object(const PluginRequest& request, Json& object) {
  if (is_pod(request)) return shape_pod(request, object);
  if (is_claim(request)) shape_claim(request, object);
  if (request.group == "networking.k8s.io" && request.resource == "ingresses") shape_ingress(request, object);
  return {};
}

Status review_object(const PluginRequest& request, const Json& live, const Json& object) {
  if (auto done = review_limits(request, object); !done) return done;
  if (is_claim(request) && !live.is_null()) {
    if (auto done = review_resize(request, live, object); !done) return done;
  }
  if (request.group == "scheduling.k8s.io" && request.resource == "priorityclasses")
    return review_priority_class(request, object);
  if (request.group.empty() && request.resource == "namespaces")
    return review_namespace_labels(request, live, object);
  return review_pod_security(request, live, object);
}

store::Admission with_builtin_admission(const store::Store& store, PluginChoice choice,
                                        store::Admission otherwise) {
  return [&store, choice, otherwise = std::move(otherwise)](const store::AdmissionRequest& asked,
                                                            Json& object) -> Status {
    const bool deletes = asked.operation == store::AdmissionRequest::Operation::Delete;
    if (!deletes && asked.subresource.empty() && asked.kind != nullptr) {
      const bool creates = asked.operation == store::AdmissionRequest::Operation::Create;
      const std::string ns(api::namespace_of(object));
      const PluginRequest request{store, asked.kind->gvk.group, asked.kind->resource, ns, creates, choice};
      static const Json kNone;
      if (creates) {
        if (auto done = shape_object(request, object); !done) return done;
      }
      const Json& live = asked.old_object == nullptr ? kNone : *asked.old_object;
      if (auto done = review_object(request, live, object); !done) return done;
    }
    return otherwise ? otherwise(asked, object) : Status();
  };
}

}  // namespace flotilla::apiserver
