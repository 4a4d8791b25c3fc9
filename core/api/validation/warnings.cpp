// SPDX-License-Identifier: Apache-2.0
#include "core/api/validation/warnings.hpp"

#include <algorithm>
#include <set>

#include "core/api/quantity.hpp"
#include "core/api/validation/field_view.hpp"
#include "core/api/validation/formats.hpp"

namespace flotilla::api {
namespace {

struct Replacement {
  std::string_view old, since, instead;
};
constexpr Replacement kNodeLabels[] = {
    {"beta.kubernetes.io/arch", "v1.14", "kubernetes.io/arch"},
    {"beta.kubernetes.io/os", "v1.14", "kubernetes.io/os"},
    {"failure-domain.beta.kubernetes.io/region", "v1.17", "topology.kubernetes.io/region"},
    {"failure-domain.beta.kubernetes.io/zone", "v1.17", "topology.kubernetes.io/zone"},
    {"beta.kubernetes.io/instance-type", "v1.17", "node.kubernetes.io/instance-type"},
};

struct OldVolume {
  std::string_view name, text;
};
constexpr OldVolume kVolumes[] = {
    {"photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"},
    {"gitRepo", "deprecated in v1.11"},
    {"scaleIO", "deprecated in v1.16, non-functional in v1.22+"},
    {"flocker", "deprecated in v1.22, non-functional in v1.25+"},
    {"storageos", "deprecated in v1.22, non-functional in v1.25+"},
    {"quobyte", "deprecated in v1.22, non-functional in v1.25+"},
    {"glusterfs", "deprecated in v1.25, this feature will be removed soon after in a subsequent release"},
};

using Warnings = std::vector<std::string>;

// "deprecated since v1.14; use "kubernetes.io/os" instead"; empty for labels in good standing.
std::string deprecation_of(std::string_view label) {
  for (const Replacement& one : kNodeLabels) {
    if (one.old == label)
      return "deprecated since " + std::string(one.since) + "; use " + go_quote(one.instead) + " instead";
  }
  return {};
}

void label_warning(const FieldView& key, Warnings& out) {
  const std::string text = deprecation_of(key.text());
  if (!text.empty()) out.push_back(key.path() + ": " + std::string(key.text()) + " is " + text);
}

void node_term_warnings(const FieldView& term, Warnings& out) {
  for (const FieldView& one : term["matchExpressions"].each()) label_warning(one["key"], out);
}

void selector_warnings(const FieldView& selector, Warnings& out) {
  for (const auto& [key, value] : selector.value().members()) {
    const std::string text = deprecation_of(key);
    if (!text.empty()) out.push_back(at_key(selector.path(), key) + ": " + text);
  }
}

void scheduling_warnings(const FieldView& spec, Warnings& out) {
  selector_warnings(spec["nodeSelector"], out);
  const FieldView node = spec["affinity"]["nodeAffinity"];
  for (const FieldView& term :
       node["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"].each()) {
    node_term_warnings(term, out);
  }
  for (const FieldView& one : node["preferredDuringSchedulingIgnoredDuringExecution"].each())
    node_term_warnings(one["preference"], out);
  for (const FieldView& one : spec["topologySpreadConstraints"].each())
    label_warning(one["topologyKey"], out);
}

void annotation_warnings(const FieldView& annotations, Warnings& out) {
  static constexpr std::pair<std::string_view, std::string_view> kOld[] = {
      {"scheduler.alpha.kubernetes.io/critical-pod",
       "non-functional in v1.16+; use the \"priorityClassName\" field instead"},
      {"security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"},
      {"security.alpha.kubernetes.io/unsafe-sysctls",
       "non-functional in v1.11+; use the \"sysctls\" field instead"},
  };
  for (const auto& [key, text] : kOld) {
    if (annotations.value().contains(key))
      out.push_back(at_key(annotations.path(), key) + ": " + std::string(text));
  }
}

void fraction_warning(const FieldView& list, std::string_view name, Warnings& out) {
  const Json* value = list.value().find(name);
  auto quantity = value ? Quantity::from_json(*value) : Quantity::from_json(Json(0));
  if (value && quantity.ok() && quantity->milli_value() % 1000 != 0) {
    out.push_back(at_key(list.path(), name) + ": fractional byte value " + go_quote(value->as_string()) +
                  " is invalid, must be an integer");
  }
}

// A name that comes again and does not refer to its earlier value.
void env_warnings(const FieldView& env, Warnings& out) {
  std::set<std::string_view> names;
  for (const FieldView& one : env.each()) {
    const FieldView name = one["name"];
    const std::string reference = "$(" + std::string(name.text()) + ")";
    const bool refers = one["value"].text().find(reference) != std::string_view::npos;
    if (!names.insert(name.text()).second && !refers)
      out.push_back(name.path() + ": duplicate name " + go_quote(name.text()));
  }
}

void twice_warnings(const FieldView& list, std::string_view field, std::string_view what, Warnings& out) {
  std::set<std::string_view> seen;
  for (const FieldView& one : list.each()) {
    const FieldView value = one[field];
    if (value.text().empty() && field == "name") {
      out.push_back(value.path() + ": invalid empty name \"\"");
    } else if (!seen.insert(value.text()).second) {
      out.push_back(value.path() + ": duplicate " + std::string(what) + " " + go_quote(value.text()));
    }
  }
}

void pod_warnings(const FieldView& metadata, const FieldView& spec, Warnings& out) {
  scheduling_warnings(spec, out);
  annotation_warnings(metadata["annotations"], out);
  for (const FieldView& volume : spec["volumes"].each()) {
    for (const OldVolume& old : kVolumes) {
      if (volume[old.name].value().is_object())
        out.push_back(volume[old.name].path() + ": " + std::string(old.text));
    }
  }
  twice_warnings(spec["hostAliases"], "ip", "ip", out);
  twice_warnings(spec["imagePullSecrets"], "name", "name", out);
  for (const std::string_view name : {"memory", "ephemeral-storage"})
    fraction_warning(spec["overhead"], name, out);
  for (const std::string_view list : {"initContainers", "containers", "ephemeralContainers"}) {
    for (const FieldView& container : spec[list].each()) {
      for (const std::string_view name : {"memory", "ephemeral-storage"}) {
        fraction_warning(container["resources"]["limits"], name, out);
        fraction_warning(container["resources"]["requests"], name, out);
      }
      env_warnings(container["env"], out);
    }
  }
}

void volume_warnings(const Resource& resource, const FieldView& root, Warnings& out) {
  constexpr std::string_view kClass = "volume.beta.kubernetes.io/storage-class";
  const FieldView annotations = root["metadata"]["annotations"], spec = root["spec"];
  if (annotations.value().contains(kClass)) {
    out.push_back(at_key(annotations.path(), kClass) +
                  ": deprecated since v1.8; use \"storageClassName\" attribute instead");
  }
  if (resource.kind == "PersistentVolumeClaim") {
    fraction_warning(spec["resources"]["requests"], "storage", out);
    fraction_warning(spec["resources"]["limits"], "storage", out);
    return;
  }
  for (const FieldView& term : spec["nodeAffinity"]["required"]["nodeSelectorTerms"].each())
    node_term_warnings(term, out);
  fraction_warning(spec["capacity"], "storage", out);
}

void node_warnings(const FieldView& spec, Warnings& out) {
  if (!spec["configSource"].value().is_null())
    out.push_back(spec["configSource"].path() + ": the feature is no longer supported");
  if (spec["externalID"].given())
    out.push_back(spec["externalID"].path() + ": this field is deprecated, and is unused by Kubernetes");
}

void finalizer_warnings(const FieldView& finalizers, const Json& live, Warnings& out) {
  const auto before = live.at({"metadata", "finalizers"}).elements();
  for (const FieldView& one : finalizers.each()) {
    const std::string_view name = one.text();
    if (name.find('/') != name.npos || name == "orphan" || name == "foregroundDeletion") continue;
    if (std::find(before.begin(), before.end(), one.value()) != before.end()) continue;
    const std::string_view path = name.find('.') != name.npos ? "including a path (/) " : "";
    out.push_back("metadata.finalizers: " + go_quote(name) + ": prefer a domain-qualified finalizer name " +
                  std::string(path) + "to avoid accidental conflicts with other finalizer writers");
  }
}

// Formats that no validation will ever look at.
void format_warnings(const Json& schema, std::set<std::string>& out) {
  const std::string_view format = schema["format"].as_string();
  const bool int_or_string = format == "int-or-string" || format == "quantity";
  if (!format.empty() && !int_or_string && !is_known_format(format)) out.insert(std::string(format));
  for (const auto& [name, property] : schema["properties"].members()) format_warnings(property, out);
  for (const std::string_view inner : {"items", "additionalProperties"}) {
    if (schema[inner].is_object()) format_warnings(schema[inner], out);
  }
}

void definition_warnings(const FieldView& spec, Warnings& out) {
  std::set<std::string> formats;
  for (const FieldView& version : spec["versions"].each())
    format_warnings(version["schema"]["openAPIV3Schema"].value(), formats);
  for (const std::string& one : formats) out.push_back("unrecognized format " + go_quote(one));
}

}  // namespace

Warnings object_warnings(const Resource& resource, const Json& object, const Json& live,
                         std::string_view subresource) {
  Warnings out;
  if (!subresource.empty()) return out;
  FieldErrors unused;
  const FieldView root(object, "", unused);
  if (!resource.traits.typed) finalizer_warnings(root["metadata"]["finalizers"], live, out);
  if (resource.origin != Origin::Kubernetes) return out;
  const FieldView spec = root["spec"];
  if (resource.kind == "CustomResourceDefinition") definition_warnings(spec, out);
  if (resource.group.empty() && resource.kind.starts_with("PersistentVolume"))
    volume_warnings(resource, root, out);
  if (resource.group.empty() && resource.kind == "Node") node_warnings(spec, out);
  if (resource.kind == "RuntimeClass") selector_warnings(root["scheduling"]["nodeSelector"], out);
  if (resource.group.empty() && resource.kind == "Pod") pod_warnings(root["metadata"], spec, out);
  const FieldView pod_template = resource.kind == "CronJob"       ? spec["jobTemplate"]["spec"]["template"]
                                 : resource.kind == "PodTemplate" ? root["template"]
                                                                  : spec["template"];
  if (pod_template.value()["spec"].is_object())
    pod_warnings(pod_template["metadata"], pod_template["spec"], out);
  if (resource.kind == "CronJob" && spec["schedule"].text().find("TZ") != std::string_view::npos) {
    out.emplace_back(
        "CRON_TZ or TZ used in spec.spec.schedule is not officially supported, see "
        "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details");
  }
  return out;
}

}  // namespace flotilla::api
