// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/decision_keys.hpp"

#include <gtest/gtest.h>

#include <set>

#include "core/controllers/kinds.hpp"

namespace flotilla::controllers {
namespace {

api::Json binding(const std::string& number) {
  return *api::Json::parse(R"({"metadata":{"name":"web","namespace":"d","uid":"u1","annotations":{
      "flotilla.io/decision":")" +
                           number + R"("}}})");
}

TEST(Controllers_DecisionKeys, number_decisions_from_one_on_whatever_somebody_writes_there) {
  EXPECT_EQ(decision_number(api::Json::object()), 0);
  EXPECT_EQ(decision_number(binding("17")), 17);
  EXPECT_EQ(decision_number(binding("-3")), 0);
  EXPECT_EQ(decision_number(binding("seventeen")), 0);
  EXPECT_EQ(decision_number(binding("99999999999999999999")), 0);
  EXPECT_GT(decision_number(binding("9223372036854775807")) + 1, 0);
}

TEST(Controllers_DecisionKeys, take_turns) {
  EXPECT_EQ(decision_key("u1", 7), "decisions/u1/07");
  EXPECT_EQ(decision_key("u1", 27), decision_key("u1", 7));
  EXPECT_EQ(names_key(3, 12), "names/00000003-00000012");
}

TEST(Controllers_DecisionKeys, names_may_be_written_in_ranges_that_overlap) {
  const auto names = read_names({{"names/00000000-00000002", "a\nb\n"},
                                 {"names/00000001-00000004", "b\nc\nd\n"},
                                 {"names/00000006-00000007", "g\n"},
                                 {"names/nonsense", "x\n"}});
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b", "c", "d", "", "", "g"}));
  EXPECT_TRUE(read_names({{"names/99999999999-1", "x\n"}}).empty());
}

TEST(Controllers_DecisionKeys, of_a_binding_go_with_it) {
  const auto keys = [](const std::string& number) {
    std::set<std::string> keys;
    const auto object = api::Object::make(binding(number), Revision(1));
    for (const store::SideValue& value : records_of(kinds::kResourceBinding.collection(), object)) {
      EXPECT_TRUE(value.remove);
      keys.insert(value.key);
    }
    return keys;
  };
  EXPECT_EQ(keys("2"), (std::set<std::string>{"decisions/u1/01", "decisions/u1/02"}));
  EXPECT_EQ(keys("33").size(), 20u);
  EXPECT_EQ(keys("nonsense").size(), 20u);
  EXPECT_TRUE(records_of(kinds::kWork.collection(), api::Object::make(binding("2"), Revision(1))).empty());
}

}  // namespace
}  // namespace flotilla::controllers
