// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/apiserver/aggregation/remote_openapi.hpp"
#include "core/apiserver/openapi/document.hpp"
#include "core/apiserver/openapi/document_cache.hpp"
#include "core/apiserver/openapi/protobuf.hpp"

namespace flotilla::apiserver {
namespace {

using api::Json;

const DocumentSource kBuiltin{api::Registry::builtin(), "v1.32.0", {}, {}};

TEST(Apiserver_OpenApi, describes_a_group_version) {
  const auto document = Json::parse(openapi_v3_document(kBuiltin, "apps", "v1"));
  ASSERT_TRUE(document.ok());
  const Json& patch =
      document->at({"paths", "/apis/apps/v1/namespaces/{namespace}/deployments/{name}", "patch"});
  EXPECT_EQ(patch.at({"x-kubernetes-group-version-kind", "kind"}).as_string(), "Deployment");
  EXPECT_TRUE(patch.at({"requestBody", "content"}).contains("application/strategic-merge-patch+json"));
  bool validation = false;
  for (const Json& one : patch["parameters"].elements())
    validation = validation || one["name"].as_string() == "fieldValidation";
  EXPECT_TRUE(validation);
}

TEST(Apiserver_OpenApi, resolves_every_reference) {
  for (const auto& [group, version] :
       {std::pair("", "v1"), std::pair("apps", "v1"), std::pair("policy.karmada.io", "v1alpha1")}) {
    const std::string text = openapi_v3_document(kBuiltin, group, version);
    const auto document = Json::parse(text);
    ASSERT_TRUE(document.ok());
    const Json& types = document->at({"components", "schemas"});
    constexpr std::string_view kMark = "#/components/schemas/";
    for (std::size_t at = text.find(kMark); at != text.npos; at = text.find(kMark, at + 1)) {
      const std::size_t start = at + kMark.size();
      const std::string name = text.substr(start, text.find('"', start) - start);
      EXPECT_TRUE(types.contains(name)) << name;
    }
  }
}

TEST(Apiserver_OpenApi, writes_version_2_with_merge_keys) {
  const auto document = Json::parse(openapi_v2_document(kBuiltin));
  ASSERT_TRUE(document.ok());
  EXPECT_EQ((*document)["swagger"].as_string(), "2.0");
  const Json& containers =
      document->at({"definitions", "io.k8s.api.core.v1.PodSpec", "properties", "containers"});
  EXPECT_EQ(containers["x-kubernetes-patch-merge-key"].as_string(), "name");
  EXPECT_FALSE(document->at({"definitions", "io.karmada.policy.v1alpha1.PropagationPolicy"}).is_null() &&
               openapi_v2_document(kBuiltin).find("PropagationPolicy") == std::string::npos);
}

TEST(Apiserver_OpenApi, encodes_protobuf) {
  ProtobufDocument document("v1");
  document.definition("a", *Json::parse(R"({"type":"string"})"));
  // swagger, info {title, version}, paths, definitions { a { type [string] } }
  EXPECT_EQ(document.take(), std::string("\x0a\x03"
                                         "2.0"
                                         "\x12\x10\x0a\x0a"
                                         "Kubernetes"
                                         "\x12\x02"
                                         "v1"
                                         "\x42\x00"
                                         "\x4a\x12\x0a\x10\x0a\x01"
                                         "a"
                                         "\x12\x0b\xb2\x01\x08\x0a\x06"
                                         "string",
                                         45));
}

TEST(Apiserver_DocumentCache, forgets_what_nobody_asks_for) {
  DocumentCache cache;
  const auto text = std::make_shared<const std::string>("x");
  EXPECT_TRUE(cache.keep("a", "1", text));
  EXPECT_FALSE(cache.keep("b", "1", text));
  EXPECT_EQ(cache.find("a", "2"), nullptr);
  EXPECT_TRUE(cache.forget_unused());
  EXPECT_NE(cache.find("a", "1"), nullptr);
  EXPECT_TRUE(cache.forget_unused());
  EXPECT_EQ(cache.find("b", "1"), nullptr);
  EXPECT_FALSE(cache.forget_unused());
}

}  // namespace
}  // namespace flotilla::apiserver
