// SPDX-License-Identifier: Apache-2.0
#include "core/api/validation/warnings.hpp"

#include <algorithm>
#include <set>

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

void pod_warnings(const FieldView& metadata, const FieldView& spec, Warnings& out) {
  for (const Replacement& one : kNodeLabels) {
    if (!spec["nodeSelector"].value().contains(one.old)) continue;
    out.push_back(at_key(spec["nodeSelector"].path(), one.old) + ": deprecated since " +
                  std::string(one.since) + "; use " + go_quote(one.instead) + " instead");
  }
  constexpr std::string_view kCritical = "scheduler.alpha.kubernetes.io/critical-pod";
  if (metadata["annotations"].value().contains(kCritical)) {
    out.push_back(at_key(metadata["annotations"].path(), kCritical) +
                  ": non-functional in v1.16+; use the \"priorityClassName\" field instead");
  }
  for (const FieldView& volume : spec["volumes"].each()) {
    for (const OldVolume& old : kVolumes) {
      if (volume[old.name].value().is_object())
        out.push_back(volume[old.name].path() + ": " + std::string(old.text));
    }
  }
  for (const std::string_view list : {"containers", "initContainers"}) {
    for (const FieldView& container : spec[list].each()) {
      std::set<std::string_view> names;
      for (const FieldView& env : container["env"].each()) {
        const FieldView name = env["name"];
        if (!names.insert(name.text()).second)
          out.push_back(name.path() + ": duplicate name " + go_quote(name.text()));
      }
    }
  }
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
