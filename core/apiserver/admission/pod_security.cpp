// SPDX-License-Identifier: Apache-2.0
// PodSecurity: the labels pod-security.kubernetes.io/* of a namespace.
#include "core/api/limits/pod_security.hpp"

#include <map>
#include <optional>

#include "core/apiserver/admission/builtin.hpp"
#include "core/apiserver/errors.hpp"

namespace flotilla::apiserver {
namespace {

constexpr const char* kEnforce = "pod-security.kubernetes.io/enforce";
constexpr const char* kWarn = "pod-security.kubernetes.io/warn";
constexpr const char* kAudit = "pod-security.kubernetes.io/audit";

struct Standard {
  api::PodSecurityLevel level = api::PodSecurityLevel::Privileged;
  int version = api::kNewestPodSecurity;
  std::string text;  // "restricted:latest"
};

// `version` null: the newest.
Standard make_standard(std::string_view word, const std::string* version) {
  Standard out;
  out.level = api::pod_security_level(word);
  if (version != nullptr) out.version = api::pod_security_version(*version).value_or(out.version);
  out.text = std::string(word) + ":" + (version == nullptr ? "latest" : *version);
  return out;
}

Standard standard_of(const api::Labels& labels, const std::string& key) {
  const std::string* word = labels.find(key);
  return word == nullptr ? Standard() : make_standard(*word, labels.find(key + "-version"));
}

Standard enforced(const Json& space) {
  const std::string_view word = api::label_of(space, kEnforce);
  const std::string version(api::label_of(space, std::string(kEnforce) + "-version"));
  return word.empty() ? Standard() : make_standard(word, version.empty() ? nullptr : &version);
}

// "allowPrivilegeEscalation != false, runAsNonRoot != true": what is wrong, without whose fault it is.
std::string reasons_of(const std::vector<std::string>& faults) {
  std::string text;
  for (const std::string& fault : faults)
    text += (text.empty() ? "" : ", ") + fault.substr(0, fault.find(" ("));
  return text;
}

// Pods that are there and would not be let in any more, those with the same faults in one line.
void warn_of_pods(const PluginRequest& request, const std::string& ns, const Standard& standard) {
  constexpr std::size_t kMost = 3000;
  std::map<std::string, std::pair<std::string, std::size_t>> found;  // reasons: the first pod, how many
  std::size_t looked = 0;
  for (const auto& pod : request.store.list(store::collection_of("", "pods"), ns).objects) {
    if (++looked > kMost) break;
    const auto content = pod->content();
    const auto faults = api::pod_security_faults(standard.level, standard.version, (*content)["metadata"],
                                                 (*content)["spec"]);
    if (faults.empty()) continue;
    auto& [first, count] = found[reasons_of(faults)];
    if (count++ == 0) first = pod->name();
  }
  if (found.empty()) return;
  request.warnings->push_back("existing pods in namespace " + quoted(ns) +
                              " violate the new PodSecurity enforce level " + quoted(standard.text));
  for (const auto& [reasons, pods] : found) {
    const auto& [first, count] = pods;
    const std::string others = count == 1   ? ""
                               : count == 2 ? " (and 1 other pod)"
                                            : " (and " + std::to_string(count - 1) + " other pods)";
    request.warnings->push_back(first + others + ": " + reasons);
  }
}

std::string joined(const std::vector<std::string>& faults) {
  std::string text;
  for (const std::string& fault : faults) text += (text.empty() ? "" : ", ") + fault;
  return text;
}

// What the standard has against the pod; nothing when it allows it.
std::optional<std::string> violation(const Standard& standard, const api::PodTemplate& pod) {
  if (standard.level == api::PodSecurityLevel::Privileged) return std::nullopt;
  const auto faults = api::pod_security_faults(standard.level, standard.version, *pod.metadata, *pod.spec);
  if (faults.empty()) return std::nullopt;
  return "violate PodSecurity " + quoted(standard.text) + ": " + joined(faults);
}

// Only a change of what runs is judged again.
bool is_significant(const Json& live, const Json& object) {
  for (const char* list : {"containers", "initContainers", "ephemeralContainers"}) {
    const auto before = live["spec"][list].elements();
    const auto after = object["spec"][list].elements();
    if (before.size() != after.size()) return true;
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (!(before[i]["image"] == after[i]["image"])) return true;
    }
  }
  return false;
}

}  // namespace

Status review_pod_security(const PluginRequest& request, const Json& live, const Json& object) {
  const api::PodTemplate pod = api::pod_template_of(request.group, request.resource, object);
  if (pod.spec == nullptr || request.ns.empty()) return {};
  static const store::Collection kNamespaces = store::collection_of("", "namespaces");
  const auto space = request.store.get(kNamespaces, "", request.ns);
  if (!space) return {};
  const api::Labels& labels = space->labels();
  const Standard enforce = standard_of(labels, kEnforce);
  const Standard warn = standard_of(labels, kWarn);
  const Standard audit = standard_of(labels, kAudit);
  const bool is_pod = request.group.empty() && request.resource == "pods";
  if (enforce.text.empty() && warn.text.empty() && audit.text.empty()) return {};
  if (is_pod && !live.is_null() && !is_significant(live, object)) return {};
  if (is_pod) {
    if (const auto fault = violation(enforce, pod)) {
      // "violates", where warnings say "would violate".
      return plugin_forbids(request, object, "violates" + fault->substr(7));
    }
  }
  if (request.annotations != nullptr) {
    if (const auto fault = violation(audit, pod)) {
      (*request.annotations)["pod-security.kubernetes.io/audit-violations"] = "would " + *fault;
    }
  }
  if (request.warnings != nullptr) {
    if (const auto fault = violation(warn, pod)) request.warnings->push_back("would " + *fault);
  }
  return {};
}

Status review_namespace_labels(const PluginRequest& request, const Json& live, const Json& object) {
  std::vector<Cause> causes;
  for (const char* key : {kAudit, kEnforce, kWarn}) {
    const Json& value = object["metadata"]["labels"][key];
    const std::string version_key = std::string(key) + "-version";
    const Json& version = object["metadata"]["labels"][version_key];
    if (version.is_string() && !api::pod_security_version(version.as_string())) {
      causes.push_back({"FieldValueInvalid",
                        "Invalid value: " + quoted(version.as_string()) + ": must be \"latest\" or \"v1.x\"",
                        "metadata.labels[" + version_key + "]"});
    }
    bool known = true;
    if (value.is_string()) api::pod_security_level(value.as_string(), &known);
    if (known) continue;
    causes.push_back(
        {"FieldValueInvalid",
         "Invalid value: " + quoted(value.as_string()) + ": must be one of privileged, baseline, restricted",
         "metadata.labels[" + std::string(key) + "]"});
  }
  if (causes.empty()) {
    const Standard before = enforced(live), after = enforced(object);
    const bool stricter =
        after.level > before.level || (after.level == before.level && after.text != before.text);
    if (!live.is_null() && request.warnings != nullptr && stricter &&
        after.level != api::PodSecurityLevel::Privileged) {
      warn_of_pods(request, std::string(api::name_of(object)), after);
    }
    return {};
  }
  return object_invalid("", "Namespace", api::name_of(object), std::move(causes));
}

}  // namespace flotilla::apiserver
