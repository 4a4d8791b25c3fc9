// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/aggregation/remote_openapi.hpp"

#include <gtest/gtest.h>

#include "core/apiserver/openapi/document.hpp"

namespace flotilla::apiserver {
namespace {

const char* const kDocument = R"({
  "paths": {
    "/apis/ext.io/v1/things": {"get": {"responses": {"200": {"schema": {"$ref": "#/definitions/io.ext.v1.ThingList"}}}}},
    "/apis/ext.io/v1beta1/things": {"get": {"responses": {"200": {"schema": {"$ref": "#/definitions/io.ext.v1beta1.Thing"}}}}},
    "/version/": {"get": {}}},
  "definitions": {
    "io.ext.v1.ThingList": {"properties": {"items": {"items": {"$ref": "#/definitions/io.ext.v1.Thing"}}}},
    "io.ext.v1.Thing": {"properties": {
        "metadata": {"$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"},
        "self": {"$ref": "#/definitions/io.ext.v1.Thing"}}},
    "io.ext.v1beta1.Thing": {"type": "object"},
    "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta": {"description": "theirs"}}})";

ForeignDocument pruned() {
  return prune_document(*Json::parse(kDocument), {"/apis/ext.io/v1"});
}

std::string names(const ForeignDocument& document) {
  std::string out;
  for (const auto& [name, schema] : document.definitions) out += name + " ";
  return out;
}

TEST(ApiServer_RemoteOpenApi, takes_what_belongs_to_its_group_version) {
  const ForeignDocument document = pruned();
  ASSERT_EQ(document.paths.size(), 1u);
  EXPECT_EQ(document.paths[0].first, "/apis/ext.io/v1/things");
  EXPECT_EQ(names(document),
            "io.ext.v1.ThingList io.ext.v1.Thing io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta ");
}

TEST(ApiServer_RemoteOpenApi, keeps_names_apart) {
  std::vector<ForeignDocument> documents{pruned(), pruned()};
  documents[1].definitions[1].second.set("description", "another");
  settle_names(documents, {"io.ext.v1.ThingList"});
  EXPECT_EQ(names(documents[0]), "io.ext.v1.ThingList_v2 io.ext.v1.Thing ");
  EXPECT_EQ(documents[0].paths[0].second.at({"get", "responses", "200", "schema", "$ref"}).as_string(),
            "#/definitions/io.ext.v1.ThingList_v2");
  EXPECT_EQ(names(documents[1]), "io.ext.v1.ThingList_v3 io.ext.v1.Thing_v2 ");
  EXPECT_EQ(documents[1].definitions[1].second.at({"properties", "self", "$ref"}).as_string(),
            "#/definitions/io.ext.v1.Thing_v2");
}

TEST(ApiServer_RemoteOpenApi, becomes_part_of_one_document) {
  const DocumentSource source{api::Registry::builtin(), "v1.32.0", {}, {pruned()}};
  const auto document = Json::parse(openapi_v2_document(source), {.max_bytes = 64u << 20});
  ASSERT_TRUE(document.ok());
  EXPECT_TRUE((*document)["paths"].contains("/apis/ext.io/v1/things"));
  EXPECT_TRUE((*document)["paths"].contains("/apis/apps/v1/namespaces/{namespace}/deployments"));
  EXPECT_TRUE((*document)["definitions"].contains("io.ext.v1.Thing"));
  EXPECT_NE((*document)["definitions"]["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"]["description"]
                .as_string(),
            "theirs");
  EXPECT_GT(openapi_v2_protobuf(source).size(), 100'000u);
}

}  // namespace
}  // namespace flotilla::apiserver
