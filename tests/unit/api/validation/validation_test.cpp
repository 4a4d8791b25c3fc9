// SPDX-License-Identifier: Apache-2.0
#include "core/api/validation/validation.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

Json parse(std::string_view text) {
  return *Json::parse(text);
}

std::string first_error(std::string_view group, std::string_view version, std::string_view resource,
                        std::string_view object) {
  const ResourcePtr found = Registry::builtin().find_resource(group, version, resource);
  const FieldErrors errors = validate(*found, parse(object), Json(), "");
  if (errors.empty()) return "";
  return errors.causes().front().field + ": " + errors.causes().front().message;
}

TEST(Api_Validation, words_errors_as_kubernetes_does) {
  FieldErrors errors;
  errors.required("spec.a");
  errors.invalid("spec.b", "x", "is odd");
  errors.not_supported("spec.c", "z", {"x", "y"});
  EXPECT_EQ(
      errors.to_error("apps", "Deployment", "a").message(),
      "Deployment.apps \"a\" is invalid: [spec.a: Required value, spec.b: Invalid value: \"x\": is odd, "
      "spec.c: Unsupported value: \"z\": supported values: \"x\", \"y\"]");
}

TEST(Api_Validation, checks_names) {
  EXPECT_TRUE(first_error("", "v1", "configmaps", R"({"metadata":{"name":"Foo","namespace":"n"}})")
                  .starts_with("metadata.name: Invalid value: \"Foo\": a lowercase RFC 1123 subdomain"));
  EXPECT_EQ(first_error("rbac.authorization.k8s.io", "v1", "roles",
                        R"({"metadata":{"name":"system:x","namespace":"n"}})"),
            "");
}

TEST(Api_Validation, checks_containers) {
  EXPECT_EQ(first_error("", "v1", "pods",
                        R"({"metadata":{"name":"a","namespace":"n"},"spec":{"restartPolicy":"Always",
      "dnsPolicy":"Default","containers":[{"name":"c"}]}})"),
            "spec.containers[0].image: Required value");
}

TEST(Api_Validation, checks_karmadas_kinds_by_schema) {
  EXPECT_EQ(first_error("policy.karmada.io", "v1alpha1", "propagationpolicies",
                        R"({"apiVersion":"policy.karmada.io/v1alpha1",
      "kind":"PropagationPolicy","metadata":{"name":"a","namespace":"n"},"spec":{"resourceSelectors":[{"kind":"Deployment"}]}})"),
            "spec.resourceSelectors[0].apiVersion: Required value");
}

TEST(Api_Validation, checks_custom_values) {
  auto schema =
      read_custom_schema(parse(R"({"type":"object","properties":{"spec":{"type":"object","properties":{
      "i":{"type":"integer","minimum":1},"s":{"type":"string","pattern":"^a"}},"oneOf":[{"required":["i"]},{"required":["s"]}]}}})"));
  ASSERT_TRUE(schema);
  const auto errors_of = [&](std::string_view text) {
    FieldErrors errors;
    validate_custom(*schema->root, parse(text), nullptr, "", errors);
    return errors.empty() ? std::string() : errors.causes().front().message;
  };
  EXPECT_EQ(errors_of(R"({"spec":{"i":1}})"), "");
  EXPECT_EQ(errors_of(R"({"spec":{"i":"x"}})"),
            "Invalid value: \"string\": spec.i in body must be of type integer: \"string\"");
  EXPECT_EQ(errors_of(R"({"spec":{"s":"b"}})"), "Invalid value: \"b\": spec.s in body should match '^a'");
  EXPECT_EQ(errors_of(R"({"spec":{"i":1,"s":"a"}})"),
            "Invalid value: \"\": \"spec\" must validate one and only one schema (oneOf). Found 2 valid "
            "alternatives");
}

}  // namespace
}  // namespace flotilla::api
