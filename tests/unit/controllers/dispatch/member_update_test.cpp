// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/dispatch/member_update.hpp"

#include <gtest/gtest.h>

namespace flotilla::controllers {
namespace {

using api::Json;

Json desired() {
  return *Json::parse(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","namespace":"default",
    "labels":{"karmada.io/managed":"true","app":"x"},
    "annotations":{"resourcetemplate.karmada.io/managed-labels":"app,karmada.io/managed",
                   "resourcetemplate.karmada.io/managed-annotations":"note"}},"data":{"k":"v"}})");
}

Json observed() {
  Json object = desired();
  object.make({"metadata", "resourceVersion"}) = "41";
  object.make({"metadata", "uid"}) = "u";
  object.make({"metadata", "finalizers"}) = Json::array({"member/f"});
  return object;
}

Result<std::optional<Json>> plan(const Json& from, const Json& to) {
  return plan_member_update("member1", from, to, interpreter::NativeInterpreter());
}

TEST(Controllers_MemberUpdate, nothing_is_sent_where_nothing_differs) {
  EXPECT_FALSE(*plan(desired(), observed()));
}

TEST(Controllers_MemberUpdate, an_update_keeps_what_is_the_members_own) {
  Json present = observed();
  present.make({"data", "k"}) = "changed";
  present.make({"metadata", "labels", "mine"}) = "1";
  const auto update = *plan(desired(), present);
  ASSERT_TRUE(update);
  EXPECT_EQ(update->at({"data", "k"}).as_string(), "v");
  EXPECT_EQ(update->at({"metadata", "labels", "mine"}).as_string(), "1");
  EXPECT_EQ(update->at({"metadata", "resourceVersion"}).as_string(), "41");
  EXPECT_EQ(update->at({"metadata", "finalizers"}).size(), 1u);
}

TEST(Controllers_MemberUpdate, what_was_propagated_once_and_is_gone_goes) {
  Json present = observed();
  present.make({"metadata", "labels", "old"}) = "1";
  present.make({"metadata", "annotations", "resourcetemplate.karmada.io/managed-labels"}) =
      "app,karmada.io/managed,old";
  const auto update = *plan(desired(), present);
  ASSERT_TRUE(update);
  EXPECT_FALSE(update->at({"metadata", "labels"}).contains("old"));
}

TEST(Controllers_MemberUpdate, an_object_of_somebody_else_is_left_alone_unless_told_otherwise) {
  Json present = observed();
  present.make({"metadata", "labels"}).erase("karmada.io/managed");
  EXPECT_EQ(
      plan(desired(), present).error().message(),
      "resource(kind=ConfigMap, default/x) already exists in the cluster member1 and the "
      "work.karmada.io/conflict-resolution strategy value is empty, Karmada will not manage this resource");
  Json overwriting = desired();
  overwriting.make({"metadata", "annotations", "work.karmada.io/conflict-resolution"}) = "overwrite";
  EXPECT_TRUE(*plan(overwriting, present));
}

TEST(Controllers_MemberUpdate, marks_come_off_what_is_left_behind) {
  const Json bare = without_marks(desired());
  EXPECT_EQ(bare.at({"metadata", "labels"}).dump(), R"({"app":"x"})");
  EXPECT_EQ(bare.at({"metadata", "annotations"}).size(), 0u);
}

}  // namespace
}  // namespace flotilla::controllers
