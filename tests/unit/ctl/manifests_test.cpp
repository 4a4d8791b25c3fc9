// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/manifests.hpp"

#include <gtest/gtest.h>

#include "core/api/object.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

std::string patch(const char* last, const char* wanted, const char* live) {
  return three_way_patch(Json::parse(last).value(), Json::parse(wanted).value(), Json::parse(live).value())
      .dump();
}

TEST(Ctl_Manifests, change_what_differs_and_leave_what_others_set) {
  EXPECT_EQ(patch(R"({"spec":{"replicas":1}})", R"({"spec":{"replicas":2}})",
                  R"({"spec":{"replicas":1,"paused":true},"status":{}})"),
            R"({"spec":{"replicas":2}})");
}

TEST(Ctl_Manifests, remove_what_was_applied_and_is_wanted_no_more) {
  EXPECT_EQ(patch(R"({"metadata":{"labels":{"a":"1","b":"2"}}})", R"({"metadata":{"labels":{"a":"1"}}})",
                  R"({"metadata":{"labels":{"a":"1","b":"2","c":"3"}}})"),
            R"({"metadata":{"labels":{"b":null}}})");
}

TEST(Ctl_Manifests, leave_lists_alone_that_were_not_edited) {
  EXPECT_EQ(patch(R"({"ports":[{"port":80}]})", R"({"ports":[{"port":80}]})",
                  R"({"ports":[{"port":80,"protocol":"TCP"}]})"),
            "{}");
  EXPECT_EQ(patch(R"({"ports":[{"port":80}]})", R"({"ports":[{"port":81}]})",
                  R"({"ports":[{"port":80,"protocol":"TCP"}]})"),
            R"({"ports":[{"port":81}]})");
}

TEST(Ctl_Manifests, carry_what_was_applied_as_kubectl_does) {
  const Json object = Json::parse(R"({"kind":"ConfigMap","metadata":{"name":"a"}})").value();
  const Json marked = with_last_applied(object);
  EXPECT_EQ(api::annotation_of(marked, kLastApplied), object.dump() + "\n");
  EXPECT_EQ(with_last_applied(marked).dump(), with_last_applied(marked).dump());
}

}  // namespace
}  // namespace flotilla::ctl
