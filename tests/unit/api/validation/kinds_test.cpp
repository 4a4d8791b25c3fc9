// SPDX-License-Identifier: Apache-2.0
// What Kubernetes refuses of the rarer kinds, in its words.
#include <gtest/gtest.h>

#include "core/api/defaulting/defaulting.hpp"
#include "core/api/validation/validation.hpp"

namespace flotilla::api {
namespace {

struct Refusal {
  std::string_view group, version, resource, object, errors;
};

std::string errors_of(const Refusal& one) {
  const ResourcePtr resource = Registry::builtin().find_resource(one.group, one.version, one.resource);
  auto object = Json::parse(one.object);
  EXPECT_TRUE(object.ok()) << one.object;
  object->make({"metadata"}).set("name", "a");
  if (resource->namespaced) (*object)["metadata"].set("namespace", "n");
  set_defaults(*resource, *object);
  const FieldErrors errors = validate(*resource, *object, Json(), "");
  std::string found;
  for (const Cause& cause : errors.causes())
    found += (found.empty() ? "" : " | ") + cause.field + ": " + cause.message;
  return found;
}

void expect_all(std::initializer_list<Refusal> refusals) {
  for (const Refusal& one : refusals) EXPECT_EQ(errors_of(one), one.errors) << one.object;
}

TEST(Api_KindValidation, looks_into_claims_and_volumes) {
  expect_all({
      {"", "v1", "persistentvolumeclaims", R"({"spec":{"resources":{"requests":{"storage":"1Gi"}}}})",
       "spec.accessModes: Required value: at least 1 access mode is required"},
      {"", "v1", "persistentvolumeclaims", R"({"spec":{"accessModes":["ReadWriteOnce"]}})",
       "spec.resources[storage]: Required value"},
      {"", "v1", "persistentvolumes",
       R"({"spec":{"accessModes":["ReadWriteOnce"],"hostPath":{"path":"/a"}}})",
       "spec.capacity: Required value | spec.capacity: Unsupported value: core.ResourceList(nil): supported "
       "values: \"storage\""},
      {"", "v1", "persistentvolumes",
       R"({"spec":{"accessModes":["ReadWriteOnce"],"capacity":{"storage":"1Gi"}}})",
       "spec: Required value: must specify a volume type"},
  });
}

TEST(Api_KindValidation, looks_into_storage) {
  expect_all({
      {"storage.k8s.io", "v1", "storageclasses", R"({})", "provisioner: Required value"},
      {"storage.k8s.io", "v1", "csidrivers", R"({"spec":{"volumeLifecycleModes":["Odd"]}})",
       "spec.volumeLifecycleModes: Unsupported value: \"Odd\": supported values: \"Persistent\", "
       "\"Ephemeral\""},
  });
}

TEST(Api_KindValidation, looks_into_schedules_and_scaling) {
  expect_all({
      {"batch", "v1", "cronjobs",
       R"({"spec":{"schedule":"@every x","jobTemplate":{"spec":{"template":{"spec":{"restartPolicy":"Never",
       "containers":[{"name":"c","image":"i"}]}}}}}})",
       "spec.schedule: Invalid value: \"@every x\": failed to parse duration @every x: time: invalid "
       "duration \"x\""},
      {"autoscaling", "v2", "horizontalpodautoscalers",
       R"({"spec":{"maxReplicas":0,"scaleTargetRef":{"kind":"Deployment","name":"d"}}})",
       "spec.maxReplicas: Invalid value: 0: must be greater than 0 | spec.maxReplicas: Invalid value: 0: "
       "must be greater than or equal to `minReplicas`"},
  });
}

TEST(Api_KindValidation, joins_complaints_about_a_definitions_names) {
  expect_all({
      {"apiextensions.k8s.io", "v1", "customresourcedefinitions",
       R"({"metadata":{},"spec":{"scope":"Namespaced","names":{"plural":"a","kind":"A"},"versions":[{"name":"v1",
       "storage":true,"schema":{"openAPIV3Schema":{"type":"object"}},"additionalPrinterColumns":[{"name":"x",
       "type":"y","jsonPath":"z"}]}]},"status":{"storedVersions":["v1"]}})",
       "metadata.name: Invalid value: \"a\": must be spec.names.plural+\".\"+spec.group | spec.group: "
       "Required "
       "value | spec.additionalPrinterColumns[0].type: Invalid value: \"y\": must be one of "
       "boolean,date,integer,number,string | spec.additionalPrinterColumns[0].JSONPath: Invalid value: "
       "\"z\": must be a simple json path starting with ."},
  });
}

}  // namespace
}  // namespace flotilla::api
