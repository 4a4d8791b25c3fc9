// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/taint_change.hpp"

#include <gtest/gtest.h>

namespace flotilla::ctl {
namespace {

using api::Json;

Json taints(std::string_view text) {
  return *Json::parse(text);
}

std::string changed(std::string_view before, const std::vector<std::string>& words, bool overwrite = false) {
  const auto changes = parse_taints(words);
  if (!changes) return changes.error().message();
  const auto after = change_taints(taints(before), *changes, overwrite);
  return after ? after->dump() : after.error().message();
}

TEST(Ctl_TaintChange, puts_on_and_takes_off) {
  EXPECT_EQ(changed("[]", {"a=1:NoSchedule", "b:NoExecute"}),
            R"([{"effect":"NoSchedule","key":"a","value":"1"},{"effect":"NoExecute","key":"b"}])");
  const char* both = R"([{"effect":"NoSchedule","key":"a","value":"1"},{"effect":"NoExecute","key":"a"}])";
  EXPECT_EQ(changed(both, {"a-"}), "[]");
  EXPECT_EQ(changed(both, {"a:NoExecute-"}), R"([{"effect":"NoSchedule","key":"a","value":"1"}])");
  EXPECT_EQ(changed(both, {"b-"}), "taint \"b\" not found");
}

TEST(Ctl_TaintChange, another_value_needs_overwrite) {
  const char* one = R"([{"effect":"NoSchedule","key":"a","value":"1"}])";
  EXPECT_EQ(changed(one, {"a=1:NoSchedule"}), one);
  EXPECT_EQ(changed(one, {"a=2:NoSchedule"}),
            "already has a taint(s) with same effect(s) and --overwrite is false");
  EXPECT_EQ(changed(one, {"a=2:NoSchedule"}, true), R"([{"effect":"NoSchedule","key":"a","value":"2"}])");
  EXPECT_EQ(
      changed(one, {"a=2:NoExecute"}),
      R"([{"effect":"NoSchedule","key":"a","value":"1"},{"effect":"NoExecute","key":"a","value":"2"}])");
}

TEST(Ctl_TaintChange, what_is_no_taint_is_refused) {
  for (const char* text : {"a", "a=1", ":NoSchedule", "a:Sometimes", "=x:NoSchedule", "-"})
    EXPECT_FALSE(parse_taint(text)) << text;
  EXPECT_FALSE(parse_taints({"a=1:NoSchedule", "a-"}));
  EXPECT_FALSE(parse_taints({"a=1:NoSchedule", "a=2:NoSchedule"}));
  EXPECT_TRUE(parse_taints({"a=1:NoSchedule", "a:NoExecute-"}));
}

}  // namespace
}  // namespace flotilla::ctl
