// SPDX-License-Identifier: Apache-2.0
// Built-in admission that looks at pods and what makes them: LimitRanger, PodSecurity, ServiceAccount,
// Priority, RuntimeClass, DefaultTolerationSeconds, and the defaulting of claims and ingresses.
#pragma once

#include "core/apiserver/admission/attributes.hpp"
#include "core/store/writer.hpp"

namespace flotilla::apiserver {

// Which of the plugins that can be chosen are on.
struct PluginChoice {
  bool service_account = false;
};

// Who asks and for what, as far as these plugins care. `name` is what errors call the object.
struct PluginRequest {
  const store::Store& store;
  std::string_view group, resource, ns;
  bool creates = true;
  PluginChoice choice;
  std::vector<std::string>* warnings = nullptr;
  std::map<std::string, std::string>* annotations = nullptr;
};

// The mutating phase. Errors: Forbidden.
Status shape_object(const PluginRequest& request, Json& object);
// The validating phase, after the schema. `live` is null on create. Errors: Forbidden, Invalid.
Status review_object(const PluginRequest& request, const Json& live, const Json& object);

// Both for those who write past the HTTP interface: controllers and simulators.
store::Admission with_builtin_admission(const store::Store& store, PluginChoice choice,
                                        store::Admission otherwise);

// DefaultTolerationSeconds: a pod stays five minutes on a node that is not ready or not reachable.
void tolerate_short_outages(Json& pod_spec);
// What errors call an object: its name, or the beginning of one that is to be generated.
std::string shown_name(const Json& object);
Error plugin_forbids(const PluginRequest& request, const Json& object, const std::string& why);

// PodSecurity alone.
Status review_pod_security(const PluginRequest& request, const Json& live, const Json& object);
// Also warns of pods that a new, stricter level would not let in again.
Status review_namespace_labels(const PluginRequest& request, const Json& live, const Json& object);

}  // namespace flotilla::apiserver
