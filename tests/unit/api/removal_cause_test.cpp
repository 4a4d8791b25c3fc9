// SPDX-License-Identifier: Apache-2.0
#include "core/api/removal_cause.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

RemovalCause cause(RemovalReason reason, std::string since = "2026-05-01T12:00:00Z") {
  return {reason, "scheduler", "because", std::move(since), {}};
}

TEST(Api_RemovalCause, is_read_as_it_was_written) {
  Json binding = Json::object();
  note_removal(binding, "m1", cause(RemovalReason::Evicted));
  const auto read = removal_cause_of_binding(binding, "m1");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->text(), "Evicted by scheduler: because");
  EXPECT_EQ(read->since, "2026-05-01T12:00:00Z");
  EXPECT_FALSE(removal_cause_of_binding(binding, "m2").has_value());
}

TEST(Api_RemovalCause, every_reason_has_a_name_of_its_own) {
  for (int i = 0; i < kRemovalReasons; ++i) {
    const auto reason = static_cast<RemovalReason>(i);
    EXPECT_EQ(parse_removal_reason(to_string(reason)), reason);
  }
  EXPECT_TRUE(is_asked_for(RemovalReason::NotRequired));
  EXPECT_FALSE(is_asked_for(RemovalReason::PurgedDirectly));
}

TEST(Api_RemovalCause, remembers_the_newest) {
  Json binding = Json::object();
  for (int i = 0; i < 20; ++i) {
    const std::string minute = (i < 10 ? "0" : "") + std::to_string(i);
    note_removal(binding, "m" + std::to_string(i),
                 cause(RemovalReason::Evicted, "2026-05-01T12:" + minute + ":00Z"));
  }
  EXPECT_FALSE(removal_cause_of_binding(binding, "m3").has_value());
  EXPECT_TRUE(removal_cause_of_binding(binding, "m4").has_value());
  EXPECT_TRUE(removal_cause_of_binding(binding, "m19").has_value());
}

TEST(Api_RemovalCause, is_forgotten_without_a_trace) {
  Json binding = Json::object();
  EXPECT_FALSE(forget_removal(binding, "m1"));
  note_removal(binding, "m1", cause(RemovalReason::Evicted));
  EXPECT_TRUE(forget_removal(binding, "m1"));
  EXPECT_FALSE(binding["metadata"]["annotations"].contains(annotations::kRemovalCause));
}

TEST(Api_RemovalCause, approval_names_clusters_or_all) {
  Json binding = Json::object();
  binding.make({"metadata", "annotations", annotations::kApproveRemoval}) = "m1,m3";
  EXPECT_TRUE(is_removal_approved(binding, "m3"));
  EXPECT_FALSE(is_removal_approved(binding, "m2"));
  binding.make({"metadata", "annotations", annotations::kApproveRemoval}) = "*";
  EXPECT_TRUE(is_removal_approved(binding, "m2"));
}

TEST(Api_RemovalCause, garbage_is_no_cause) {
  Json binding = Json::object();
  binding.make({"metadata", "annotations", annotations::kRemovalCause}) = "[1]";
  EXPECT_FALSE(removal_cause_of_binding(binding, "m1").has_value());
  EXPECT_FALSE(removal_cause_of_work(binding).has_value());
}

}  // namespace
}  // namespace flotilla::api
