// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/claimed_templates.hpp"

#include <gtest/gtest.h>

namespace flotilla::controllers {
namespace {

ObjectPtr claimed(std::string_view id, std::int64_t revision) {
  Json object = *Json::parse(R"({"metadata":{"namespace":"ns","name":"t"}})");
  if (!id.empty()) object.make({"metadata", "labels", api::labels::kPropagationPolicyId}) = id;
  return api::Object::make(object, Revision(revision));
}

TEST(Controllers_ClaimedTemplates, follow_claims_from_one_policy_to_the_next) {
  const Collection collection = store::collection_of("", "configmaps");
  ClaimedTemplates templates;
  templates.follow({Event::Type::Added, collection, Revision(1), claimed("a", 1), nullptr});
  ASSERT_EQ(templates.of("a").size(), 1u);
  EXPECT_EQ(templates.of("a")[0].object, (ObjectKey{"ns", "t"}));
  templates.follow({Event::Type::Modified, collection, Revision(2), claimed("b", 2), claimed("a", 1)});
  EXPECT_TRUE(templates.of("a").empty());
  EXPECT_EQ(templates.of("b").size(), 1u);
  templates.follow({Event::Type::Deleted, collection, Revision(3), claimed("b", 3), nullptr});
  EXPECT_TRUE(templates.of("b").empty());
}

}  // namespace
}  // namespace flotilla::controllers
