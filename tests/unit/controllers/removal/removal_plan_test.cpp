// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/removal/removal_plan.hpp"

#include <gtest/gtest.h>

namespace flotilla::controllers {
namespace {

using api::RemovalCause;
using api::RemovalReason;
using std::chrono::seconds;

api::Json json(std::string_view text) {
  return *api::Json::parse(text);
}

WallTime noon() {
  return *parse_time("2026-05-01T12:00:00Z");
}

Copy copy(std::string cluster, bool wanted, CopyHealth health, bool reported = true, bool applied = true) {
  return {std::move(cluster), wanted, applied, reported, health};
}

struct Case {
  const char* name;
  std::vector<Copy> copies;  // the one in m1 is to go
  std::string_view held;     // empty: it may go
  bool has_targets = true;
  RemovalReason reason = RemovalReason::Rescheduled;
};

void PrintTo(const Case& given, std::ostream* out) {
  *out << given.name;
}

constexpr auto kHealthy = CopyHealth::Healthy;
constexpr auto kUnhealthy = CopyHealth::Unhealthy;
constexpr auto kUnknown = CopyHealth::Unknown;

class Removal_Plan : public testing::TestWithParam<Case> {};

TEST_P(Removal_Plan, holds_the_last_copy_that_is_as_good) {
  const Case& given = GetParam();
  const RemovalCause cause{given.reason, "scheduler", "x", "2026-05-01T12:00:00Z", {}};
  const RemovalView view{.cause = cause,
                         .cluster = "m1",
                         .copies = given.copies,
                         .has_targets = given.has_targets,
                         .still_required_by = {}};
  const auto hold = hold_removal(view, noon());
  EXPECT_EQ(hold ? hold->reason : std::string_view(), given.held);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Removal_Plan,
    testing::Values(
        Case{"another_is_healthy", {copy("m1", false, kHealthy), copy("m2", true, kHealthy)}, ""},
        Case{"another_is_not_healthy_yet",
             {copy("m1", false, kHealthy), copy("m2", true, kUnhealthy)},
             "LastHealthyCopy"},
        Case{"another_has_not_reported",
             {copy("m1", false, kHealthy), copy("m2", true, kHealthy, false)},
             "LastHealthyCopy"},
        Case{"another_goes_as_well",
             {copy("m1", false, kHealthy), copy("m2", false, kHealthy)},
             "LastHealthyCopy"},
        Case{"a_target_has_no_work_yet", {copy("m1", false, kHealthy)}, "LastHealthyCopy"},
        Case{"an_unhealthy_one_may_go",
             {copy("m1", false, kUnhealthy), copy("m2", true, kUnknown, false)},
             ""},
        Case{"an_unknown_one_may_be_serving",
             {copy("m1", false, kUnknown, false), copy("m2", true, kUnhealthy)},
             "LastHealthyCopy"},
        Case{"where_nobody_can_judge_reported_is_enough",
             {copy("m1", false, kUnknown), copy("m2", true, kUnknown)},
             ""},
        Case{"an_unjudged_one_does_not_replace_a_healthy_one",
             {copy("m1", false, kHealthy), copy("m2", true, kUnknown)},
             "LastHealthyCopy"},
        Case{"nothing_fits",
             {copy("m1", false, kHealthy)},
             "NoReplacement",
             false,
             RemovalReason::NoClusterFits},
        Case{"nothing_fits_and_it_is_unhealthy",
             {copy("m1", false, kUnhealthy)},
             "NoReplacement",
             false,
             RemovalReason::Evicted},
        Case{"nothing_of_ours_was_applied", {copy("m1", false, kUnknown, false, false)}, "", false},
        Case{"purged_directly", {copy("m1", false, kHealthy)}, "", true, RemovalReason::PurgedDirectly},
        Case{"template_deleted", {copy("m1", false, kHealthy)}, "", false, RemovalReason::TemplateDeleted},
        Case{"unjoin", {copy("m1", false, kHealthy)}, "", false, RemovalReason::ClusterRemoved},
        Case{"confirmed", {copy("m1", false, kHealthy)}, "", false, RemovalReason::EvictionConfirmed},
        Case{"scaled_to_zero", {copy("m1", false, kHealthy)}, "", false, RemovalReason::ScaledToZero}),
    [](const auto& info) { return info.param.name; });

TEST(Removal_Hold, waits_for_the_undo_window_and_no_longer) {
  const std::vector<Copy> copies = {copy("m1", false, kHealthy), copy("m2", true, kHealthy)};
  const RemovalCause cause{RemovalReason::PlacementChanged, "scheduler", "x", "2026-05-01T11:59:50Z", {}};
  RemovalView view{.cause = cause, .cluster = "m1", .copies = copies, .still_required_by = {}};
  EXPECT_FALSE(hold_removal(view, noon()).has_value());
  view.undo_window = seconds(30);
  const auto hold = hold_removal(view, noon());
  ASSERT_TRUE(hold.has_value());
  EXPECT_EQ(hold->reason, "UndoWindow");
  EXPECT_EQ(hold->look_again_in, seconds(20));
  view.undo_window = seconds(10);
  EXPECT_FALSE(hold_removal(view, noon()).has_value());
}

TEST(Removal_Hold, ignorance_holds_decisions_and_not_what_a_person_asked) {
  RemovalCause cause{RemovalReason::PurgedDirectly, "TaintManager", "x", "", {}};
  const RemovalView view{
      .cause = cause, .cluster = "m1", .copies = {}, .facts_known = false, .still_required_by = {}};
  EXPECT_EQ(hold_removal(view, noon())->reason, "FactsUnknown");
  cause.reason = RemovalReason::BindingDeleted;
  EXPECT_FALSE(hold_removal(view, noon()).has_value());
}

TEST(Removal_Hold, what_others_depend_on_stays_with_them) {
  const std::vector<Copy> copies = {copy("m1", false, kHealthy), copy("m2", true, kHealthy)};
  const RemovalCause cause{RemovalReason::Rescheduled, "dependencies", "x", "", {}};
  const RemovalView view{
      .cause = cause, .cluster = "m1", .copies = copies, .still_required_by = "default/web-deployment"};
  EXPECT_EQ(hold_removal(view, noon())->reason, "StillRequired");
}

TEST(Removal_Copy, is_what_its_work_says_while_its_cluster_is_ready) {
  const api::Json work = json(R"({"status": {"conditions": [{"type": "Applied", "status": "True"}],
                                             "manifestStatuses": [{"health": "Healthy"}]}})");
  EXPECT_EQ(copy_of(work, "m1", true, true).health, kHealthy);
  EXPECT_FALSE(copy_of(work, "m1", true, false).reported);
  EXPECT_EQ(copy_of(work, "m1", true, false).health, kUnknown);
  const api::Json failed = json(R"({"status": {"conditions": [{"type": "Applied", "status": "False"}],
                                               "manifestStatuses": [{"health": "Healthy"}]}})");
  EXPECT_TRUE(copy_of(failed, "m1", true, true).applied);
  EXPECT_FALSE(copy_of(failed, "m1", true, true).reported);
  EXPECT_FALSE(copy_of(json("{}"), "m1", true, true).applied);
}

RemovalReason reason_of(std::string_view binding, const api::Json* cluster) {
  return removal_cause(json(binding), "m1", cluster, noon()).reason;
}

TEST(Removal_Cause, is_found_on_binding_and_cluster) {
  const api::Json live = json(R"({"metadata": {"name": "m1"}})");
  const api::Json deleting =
      json(R"({"metadata": {"name": "m1", "deletionTimestamp": "2026-05-01T12:00:00Z"}})");
  constexpr std::string_view kClaimed =
      R"({"metadata": {"labels": {"propagationpolicy.karmada.io/permanent-id": "p"}},
      "spec": {"clusters": [{"name": "m2"}]}})";
  EXPECT_EQ(reason_of(kClaimed, nullptr), RemovalReason::ClusterRemoved);
  EXPECT_EQ(reason_of(kClaimed, &deleting), RemovalReason::ClusterRemoved);
  EXPECT_EQ(reason_of(kClaimed, &live), RemovalReason::Rescheduled);
  EXPECT_EQ(reason_of(R"({"metadata": {"annotations": {"flotilla.io/approve-removal": "m1"}}})", &live),
            RemovalReason::Approved);
  EXPECT_EQ(
      reason_of(R"({"spec": {"gracefulEvictionTasks": [{"fromCluster": "m1", "purgeMode": "Directly"}]}})",
                &live),
      RemovalReason::PurgedDirectly);
  EXPECT_EQ(reason_of(R"({"spec": {"replicas": 0, "replicaRequirements": {}}})", &live),
            RemovalReason::ScaledToZero);
  EXPECT_EQ(reason_of(R"({"spec": {}})", &live), RemovalReason::NotRequired);
  EXPECT_EQ(reason_of(R"({"spec": {"requiredBy": [{"name": "a"}]}})", &live), RemovalReason::Rescheduled);
  EXPECT_EQ(
      reason_of(R"({"metadata": {"labels": {"propagationpolicy.karmada.io/permanent-id": "p"}}, "spec": {}})",
                &live),
      RemovalReason::NoClusterFits);
}

TEST(Removal_Cause, is_what_was_written_down_where_it_was) {
  const api::Json live = json(R"({"metadata": {"name": "m1"}})");
  api::Json binding = json(R"({"metadata": {"labels": {"propagationpolicy.karmada.io/permanent-id": "p"}},
                               "spec": {"clusters": [{"name": "m2"}]}})");
  api::note_removal(binding, "m1",
                    {RemovalReason::PlacementChanged, "scheduler", "x", "2026-05-01T11:00:00Z", {}});
  const RemovalCause cause = removal_cause(binding, "m1", &live, noon());
  EXPECT_EQ(cause.reason, RemovalReason::PlacementChanged);
  EXPECT_EQ(cause.since, "2026-05-01T11:00:00Z");
}

TEST(Removal_Cause, of_a_binding_that_goes_says_whether_its_template_went) {
  const api::Json binding = json(R"({"spec": {"resource": {"kind": "Deployment", "name": "web"}}})");
  EXPECT_EQ(removal_cause_of_deletion(binding, true, noon()).reason, RemovalReason::BindingDeleted);
  EXPECT_EQ(removal_cause_of_deletion(binding, false, noon()).text(),
            "TemplateDeleted by user: Deployment web was deleted");
}

}  // namespace
}  // namespace flotilla::controllers
