// SPDX-License-Identifier: Apache-2.0
// The rules that admission.cpp's table names, one pair of files per subject. Internal to this folder.
#pragma once

#include <string>
#include <vector>

#include "core/api/admission/admission.hpp"
#include "core/api/validation/field_view.hpp"

namespace flotilla::api {

// One admission in progress.
struct Admission {
  const AdmissionRequest& request;
  AdmissionWorld& world;
  const AdmissionOptions& options;

  bool is_create() const { return request.verb == AdmissionVerb::Create; }
  bool is_update() const { return request.verb == AdmissionVerb::Update; }
};

// Completes `object`, a copy of the request's.
using Completion = Status (*)(Json& object, const Admission& admission);
// Judges the request's object.
using Review = Status (*)(const Admission& admission);

// complete_policies.cpp
Status complete_propagation_policy(Json& object, const Admission& admission);
Status complete_cluster_propagation_policy(Json& object, const Admission& admission);
Status complete_override_policy(Json& object, const Admission& admission);
// complete_works.cpp
Status complete_resource_binding(Json& object, const Admission& admission);
Status complete_cluster_resource_binding(Json& object, const Admission& admission);
Status complete_work(Json& object, const Admission& admission);
Status complete_multi_cluster_service(Json& object, const Admission& admission);
// complete_autoscaler.cpp
Status complete_autoscaler(Json& object, const Admission& admission);
// cluster.cpp
Status complete_cluster(Json& object, const Admission& admission);
Status review_cluster(const Admission& admission);

// review_propagation.cpp
Status review_propagation_policy(const Admission& admission);
Status review_cluster_propagation_policy(const Admission& admission);
// review_overrides.cpp
Status review_override_policy(const Admission& admission);
Status review_cluster_override_policy(const Admission& admission);
// review_bindings.cpp
Status review_resource_binding(const Admission& admission);
Status review_resource_quota(const Admission& admission);
Status review_taint_policy(const Admission& admission);
// review_interpreters.cpp
Status review_interpreter_customization(const Admission& admission);
Status review_interpreter_webhooks(const Admission& admission);
// review_autoscalers.cpp
Status review_autoscaler(const Admission& admission);
Status review_cron_autoscaler(const Admission& admission);
// review_services.cpp
Status review_multi_cluster_service(const Admission& admission);
Status review_multi_cluster_ingress(const Admission& admission);

// What a webhook answers: Forbidden with the text of all errors, which are among its details; nothing for
// none.
Status denial(const FieldErrors& errors);
void invalid_each(FieldErrors& errors, const std::string& field, const Json& value,
                  const std::vector<std::string>& details);
std::vector<std::string> check_cluster_name(std::string_view name);

// A ClusterAffinity's fieldSelector knows provider, region and zone, In and NotIn.
void review_cluster_affinity(const Json& affinity, const std::string& path, FieldErrors& errors);
// Policies of a namespace speak of objects in it alone.
void review_selector_namespaces(const Json& policy, FieldErrors& errors);
// The path of an http(s) URL without user, query or fragment, as clients are told it.
void review_url(const std::string& field, std::string_view url, FieldErrors& errors);

}  // namespace flotilla::api
