// SPDX-License-Identifier: Apache-2.0
#include "core/cel/cel.hpp"

#include <gtest/gtest.h>

#include "core/cel/authorization.hpp"

namespace flotilla::cel {
namespace {

using api::Json;

Environment self_of(TypePtr type) {
  return {{{"self", type}, {"oldSelf", type}}};
}

std::string fault_of(std::string_view expression, const Environment& environment) {
  const auto program = compile(expression, environment);
  return program ? "none" : program.error().message();
}

TEST(Cel, shows_each_fault_with_its_line_and_a_caret) {
  const TypePtr type = Type::object("object", {{"a", "a", Type::integer()}});
  EXPECT_EQ(fault_of("self.nope > 1", self_of(type)),
            "ERROR: <input>:1:5: undefined field 'nope'\n | self.nope > 1\n | ....^");
  EXPECT_EQ(fault_of("self.a > 1 &&\n  self.b > self.c", self_of(type)),
            "ERROR: <input>:2:7: undefined field 'b'\n |   self.b > self.c\n | ......^\n"
            "ERROR: <input>:2:16: undefined field 'c'\n |   self.b > self.c\n | ...............^");
  EXPECT_EQ(fault_of("self.a == 'x'", self_of(type)),
            "ERROR: <input>:1:8: found no matching overload for '_==_' applied to '(int, string)'\n | self.a "
            "== 'x'\n "
            "| .......^");
}

TEST(Cel, knows_which_variables_an_expression_names) {
  const auto program = compile(
      "self > 1 && oldSelf.all(self, self == 2)",
      {{{"self", Type::integer()}, {"oldSelf", Type::list(Type::integer())}, {"other", Type::dyn()}}});
  ASSERT_TRUE(program.ok()) << program.error().message();
  EXPECT_TRUE((*program)->uses("self"));
  EXPECT_TRUE((*program)->uses("oldSelf"));
  EXPECT_FALSE((*program)->uses("other"));
  EXPECT_TRUE((*program)->type()->is(TypeKind::Bool));
}

TEST(Cel, stops_at_the_limit_of_an_expression_and_of_the_request) {
  Json list = Json::array();
  for (int i = 0; i < 2000; ++i) list.push_back(i);
  const auto program = compile("self.all(x, self.all(y, x >= y || x < y))", self_of(Type::dyn()));
  ASSERT_TRUE(program.ok());
  Budget budget;
  const Binding bindings[] = {{"self", Value::view(list)}};
  const auto value = (*program)->evaluate(bindings, budget);
  ASSERT_FALSE(value.ok());
  EXPECT_TRUE(value.error().is(Code::ResourceExhausted));
  EXPECT_EQ(value.error().message(), kCostLimitExceeded);

  const auto cheap = compile("self.size() > 1", self_of(Type::dyn()));
  Budget small(5);
  EXPECT_TRUE((*cheap)->evaluate(bindings, small).ok());
  const auto second = (*cheap)->evaluate(bindings, small);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().message(), kOutOfBudget);
  EXPECT_TRUE(small.exhausted());
}

// Each of these is one step to cel-go.
TEST(Cel, stops_what_its_costs_do_not_show) {
  Json list = Json::array();
  for (int i = 0; i < 20'000; ++i) list.push_back(Json::array({i, "x"}));
  const Json self = Json::object({{"list", list}, {"again", list}, {"text", std::string(1 << 20, 'x')}});
  for (const char* expression :
       {"self.list.all(x, self == oldSelf)", "self.list.all(x, (self.list + self.again).size() > 1)",
        "self.list.all(x, self.text.charAt(3) == 'x')", "self.list.all(x, '%s'.format([self.text]) != '')"}) {
    const auto program = compile(expression, self_of(Type::dyn()));
    ASSERT_TRUE(program.ok());
    Budget budget;
    const Json other = self;
    const Binding bindings[] = {{"self", Value::view(self)}, {"oldSelf", Value::view(other)}};
    const auto value = (*program)->evaluate(bindings, budget);
    ASSERT_FALSE(value.ok()) << expression;
    EXPECT_EQ(value.error().message(), kCostLimitExceeded) << expression;
  }
}

TEST(Cel, says_when_no_overload_takes_the_arguments) {
  const auto program = compile("self.size() > 1", self_of(Type::dyn()));
  const Json number = 5;
  Budget budget;
  const Binding bindings[] = {{"self", Value::view(number)}};
  const auto value = (*program)->evaluate(bindings, budget);
  ASSERT_FALSE(value.ok());
  EXPECT_TRUE(value.error().is(Code::Unsupported));
  EXPECT_EQ(value.error().message(), "no such overload: size(int)");
}

TEST(Cel, refuses_what_is_too_deep_or_too_long) {
  const std::string deep = std::string(400, '(') + "1" + std::string(400, ')');
  EXPECT_NE(fault_of(deep, {}).find("expression recursion limit exceeded: 250"), std::string::npos);
  std::string sum = "1";
  for (int i = 0; i < 400; ++i) sum += "+1";
  EXPECT_NE(fault_of(sum, {}).find("expression recursion limit exceeded: 250"), std::string::npos);
  std::string terms = "true";
  for (int i = 0; i < 5000; ++i) terms += " && true";
  EXPECT_EQ(fault_of(terms, {}), "none");
  EXPECT_NE(fault_of(std::string(200'000, ' '), {}).find("expression code point size exceeds limit"),
            std::string::npos);
}

class Clerk final : public AccessSource {
 public:
  AccessDecision check(const AccessQuery& query) const override {
    return {query.group == "apps" && query.resource == "deployments" && query.ns == "n" &&
                query.verb == "create" && query.account_name.empty(),
            "asked", ""};
  }
};

TEST(Cel, asks_the_authorizer) {
  const Environment environment{
      {{"authorizer", Type::authorizer()}, {"authorizer.requestResource", resource_check_type()}}};
  const auto clerk = std::make_shared<Clerk>();
  AccessQuery own;
  own.group = "apps";
  own.resource = "deployments";
  own.ns = "n";
  const Binding bindings[] = {{"authorizer", authorizer_value(clerk)},
                              {"authorizer.requestResource", resource_check_value(clerk, own)}};
  const auto answer = [&](std::string_view expression) {
    const auto program = compile(expression, environment);
    EXPECT_TRUE(program.ok()) << program.error().message();
    Budget budget;
    const auto value = (*program)->evaluate(bindings, budget);
    return value && value->as_bool();
  };
  EXPECT_TRUE(
      answer("authorizer.group('apps').resource('deployments').namespace('n').check('create').allowed()"));
  EXPECT_FALSE(
      answer("authorizer.group('apps').resource('deployments').namespace('m').check('create').allowed()"));
  EXPECT_TRUE(answer("authorizer.requestResource.check('create').allowed()"));
  EXPECT_TRUE(answer("authorizer.requestResource.check('get').reason() == 'asked'"));
  EXPECT_FALSE(
      answer("authorizer.serviceAccount('n', 'a').group('apps').resource('deployments').namespace('n')"
             ".check('create').allowed()"));
}

class Doubles final : public LazyObject {
 public:
  bool has(std::string_view name) const override { return name == "twice"; }
  Result<Value> member(std::string_view, Budget& budget) override {
    ++made;
    budget.charge(3);
    return Value::integer(84);
  }
  int made = 0;
};

TEST(Cel, makes_lazy_members_when_they_are_asked_for) {
  const auto doubles = std::make_shared<Doubles>();
  const auto program =
      compile("self > 0 || variables.twice == 84",
              {{{"self", Type::integer()},
                {"variables", Type::object("variables", {{"twice", "twice", Type::integer()}})}}});
  ASSERT_TRUE(program.ok()) << program.error().message();
  Budget budget;
  const Binding one[] = {{"self", Value::integer(1)}, {"variables", Value::lazy(doubles)}};
  EXPECT_TRUE((*program)->evaluate(one, budget)->as_bool());
  EXPECT_EQ(doubles->made, 0);
  const Binding none[] = {{"self", Value::integer(0)}, {"variables", Value::lazy(doubles)}};
  EXPECT_TRUE((*program)->evaluate(none, budget)->as_bool());
  EXPECT_EQ(doubles->made, 1);
}

TEST(Cel, reports_a_variable_that_is_not_bound) {
  const auto program = compile("self > 0", {{{"self", Type::integer()}}});
  Budget budget;
  const auto value = (*program)->evaluate({}, budget);
  ASSERT_FALSE(value.ok());
  EXPECT_EQ(value.error().message(), "no such attribute(s): self");
}

TEST(Cel, gives_values_back_as_json) {
  const auto program = compile("{'a': [1, 2u, 1.5], 'b': duration('1m'), 'c': optional.none()}", {});
  ASSERT_FALSE(program.ok());  // values of different types
  const auto mixed = compile("{'a': dyn([1, 2]), 'b': dyn(duration('1m')), 'c': dyn(b'hi')}", {});
  ASSERT_TRUE(mixed.ok()) << mixed.error().message();
  Budget budget;
  const auto value = (*mixed)->evaluate({}, budget);
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(value->to_json()->dump(), R"({"a":[1,2],"b":"60s","c":"aGk="})");
}

TEST(Cel_Estimate, follows_the_bounds_of_the_schema) {
  const auto estimate = [](std::string_view schema, std::string_view expression) {
    const TypePtr type = type_of_schema(*Json::parse(schema), false);
    const auto program = compile(expression, self_of(type));
    EXPECT_TRUE(program.ok()) << program.error().message();
    return program ? (*program)->estimated_cost() : 0;
  };
  const char* numbers = R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}}})";
  EXPECT_EQ(estimate(numbers, "self.a < self.b"), 5u);
  EXPECT_EQ(estimate(numbers, "self.a < self.b && self.a > 1"), 8u);
  EXPECT_EQ(estimate(numbers, "has(self.a)"), 1u);
  const char* bounded = R"({"type":"array","maxItems":10,"items":{"type":"string","maxLength":5}})";
  EXPECT_EQ(estimate(bounded, "self.all(x, true)"), 32u);
  EXPECT_EQ(estimate(bounded, "self.all(x, x == 'abc')"), 1u + 1u + 10u * (3u + 2u));
  EXPECT_EQ(estimate(bounded, "self.all(x, x.matches('a+b?'))"), 2u + 10u * (3u + 1u + 3u * 1u));
  EXPECT_EQ(estimate(bounded, "self.exists(x, self.all(y, x != y))"), 2u + 10u * (4u + 2u + 10u * (3u + 4u)));
  const char* endless = R"({"type":"array","items":{"type":"string"}})";
  EXPECT_LT(estimate(endless, "self.size() > 3"), 100u);
  EXPECT_GT(estimate(endless, "self.all(x, self.all(y, x != y))"), kEstimatedCostLimit);
  EXPECT_GT(estimate(endless, "self.all(x, x.contains('abcdefghijkl'))"), kEstimatedCostLimit);
}

TEST(Cel_Type, escapes_what_is_no_name) {
  EXPECT_EQ(escape_property("foo-bar"), "foo__dash__bar");
  EXPECT_EQ(escape_property("a.b/c"), "a__dot__b__slash__c");
  EXPECT_EQ(escape_property("in"), "__in__");
  EXPECT_EQ(escape_property("a__b"), "a__underscores__b");
  EXPECT_EQ(escape_property("9a"), std::nullopt);
  EXPECT_EQ(escape_property("a b"), std::nullopt);
  EXPECT_EQ(unescape_property("a__dash__b"), "a-b");
  EXPECT_EQ(unescape_property("__namespace__"), "namespace");
  EXPECT_EQ(unescape_property("a__b"), std::nullopt);
}

TEST(Cel_Type, declares_of_a_resource_what_is_always_there) {
  const auto schema = Json::parse(R"({"type":"object","properties":{"spec":{"type":"object","properties":
      {"a":{"type":"integer"}}},"metadata":{"type":"object"}}})");
  const TypePtr type = type_of_schema(*schema, true);
  EXPECT_EQ(fault_of("self.metadata.name == self.kind && self.spec.a > 1", self_of(type)), "none");
  EXPECT_NE(fault_of("self.metadata.labels", self_of(type)).find("undefined field 'labels'"),
            std::string::npos);
  EXPECT_EQ(type_of_schema(*Json::parse(R"({"type":"array"})"), false), nullptr);
  EXPECT_EQ(type_of_schema(*Json::parse(R"({"x-kubernetes-preserve-unknown-fields":true})"), false), nullptr);
}

}  // namespace
}  // namespace flotilla::cel
