// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/policy/judge.hpp"

#include <gtest/gtest.h>

#include "core/apiserver/policy/type_checking.hpp"
#include "tests/fakes/fibers.hpp"
#include "tests/fakes/memory_backend.hpp"

namespace flotilla::apiserver {
namespace {

Json parse(std::string_view text) {
  auto json = Json::parse(text);
  EXPECT_TRUE(json.ok()) << text;
  return *json;
}

class Apiserver_Policy : public testing::Test {
 protected:
  Apiserver_Policy()
      : store_(executor_,
               std::make_unique<store::MemoryBackend>(std::make_shared<store::MemoryBackend::Disk>())),
        authorizer_(store_),
        registry_(store_) {
    EXPECT_TRUE(fakes::run_on(executor_, store_.open()).ok());
    put("", "namespaces",
        R"j({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop","labels":{"env":"prod"}}})j");
    auto served = std::make_shared<Served>();
    served->registry = api::Registry::builtin();
    served_ = served;
  }
  ~Apiserver_Policy() override { fakes::run_on(executor_, close()); }
  Task<bool> close() {
    auto closing = store_.close();
    co_await std::move(closing);
    co_return true;
  }

  void put(std::string_view group, std::string_view resource, std::string_view text) {
    auto creating =
        store_.create(store::collection_of(group, resource), parse(text), store::Durability::Derived);
    EXPECT_TRUE(fakes::run_on(executor_, std::move(creating)).ok());
  }
  // A policy for deployments with this spec beside its constraints, and a binding with that one.
  void bind(std::string_view name, std::string_view spec, std::string_view binding) {
    Json policy =
        parse(R"j({"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicy"})j");
    policy["metadata"] = Json::object({{"name", name}, {"generation", 1}});
    policy["spec"] = parse(spec);
    if (!policy["spec"].contains("matchConstraints")) {
      policy["spec"]["matchConstraints"] = parse(
          R"j({"resourceRules":[{"apiGroups":["apps"],"apiVersions":["v1"],"operations":["CREATE","UPDATE"],"resources":["deployments"]}]})j");
    }
    EXPECT_EQ(faults_of_policy(policy).size(), 0u)
        << faults_of_policy(policy)[0].field << faults_of_policy(policy)[0].message;
    put("admissionregistration.k8s.io", "validatingadmissionpolicies", policy.dump());
    Json bound = parse(
        R"j({"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicyBinding"})j");
    bound["metadata"] = Json::object({{"name", std::string(name) + "-b"}});
    bound["spec"] = parse(binding);
    bound["spec"].set("policyName", name);
    put("admissionregistration.k8s.io", "validatingadmissionpolicybindings", bound.dump());
    registry_.touch();
  }
  // What the policies say to a deployment; empty: nothing.
  std::string verdict(std::string_view object) {
    attributes_ = {};
    attributes_.served = served_;
    attributes_.resource = served_->registry.find_resource("apps", "v1", "deployments");
    attributes_.kind = attributes_.resource->gvk();
    attributes_.ns = "shop";
    attributes_.name = "web";
    attributes_.user.name = "ann";
    attributes_.object = parse(object);
    const auto policies = registry_.policies();
    if (!policies) return "";
    const Status status = judge_by_policies(*policies, attributes_, store_, authorizer_);
    if (status) return "";
    error_ = status.error();
    return error_.message();
  }

  SystemClock clock_;
  Executor executor_{clock_, {.io_threads = 1, .blocking_threads = 1}};
  store::Store store_;
  Authorizer authorizer_;
  PolicyRegistry registry_;
  std::shared_ptr<const Served> served_;
  AdmissionAttributes attributes_;
  Error error_;
};

TEST_F(Apiserver_Policy, denies_in_kubernetes_words) {
  EXPECT_EQ(registry_.policies(), nullptr);
  bind("replicas", R"j({"validations":[{"expression":"object.spec.replicas <= 5"}]})j",
       R"j({"validationActions":["Deny"]})j");
  EXPECT_EQ(verdict(R"j({"spec":{"replicas":5}})j"), "");
  EXPECT_EQ(verdict(R"j({"spec":{"replicas":6}})j"),
            "deployments.apps \"web\" is forbidden: ValidatingAdmissionPolicy 'replicas' with binding "
            "'replicas-b' denied "
            "request: failed expression: object.spec.replicas <= 5");
  EXPECT_TRUE(error_.is(Code::Invalid));
  EXPECT_EQ(error_.details()->reason, "Invalid");
  EXPECT_EQ(error_.details()->causes.size(), 1u);
  EXPECT_EQ(verdict(R"j({"spec":{}})j"),
            "deployments.apps \"web\" is forbidden: ValidatingAdmissionPolicy 'replicas' with binding "
            "'replicas-b' denied "
            "request: expression 'object.spec.replicas <= 5' resulted in error: no such key: replicas");
}

TEST_F(Apiserver_Policy, words_come_from_the_message_expression_first) {
  bind(
      "p",
      R"j({"variables":[{"name":"n","expression":"object.spec.replicas"},{"name":"twice","expression":"variables.n * 2"}],
           "validations":[{"expression":"variables.twice <= 10","message":"too many","reason":"Forbidden",
                           "messageExpression":"'no more than 5, not ' + string(variables.n)"}]})j",
      R"j({"validationActions":["Deny"]})j");
  EXPECT_TRUE(verdict(R"j({"spec":{"replicas":6}})j").ends_with("denied request: no more than 5, not 6"));
  EXPECT_TRUE(error_.is(Code::Forbidden));
  EXPECT_EQ(verdict(R"j({"spec":{"replicas":5}})j"), "");
}

TEST_F(Apiserver_Policy, warns_and_notes_where_it_does_not_deny) {
  bind("p",
       R"j({"validations":[{"expression":"false","message":"never"}],
           "auditAnnotations":[{"key":"who","valueExpression":"'by ' + request.userInfo.username"}]})j",
       R"j({"validationActions":["Warn","Audit"]})j");
  EXPECT_EQ(verdict("{}"), "");
  ASSERT_EQ(attributes_.warnings.size(), 1u);
  EXPECT_EQ(attributes_.warnings[0],
            "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'p-b': never");
  EXPECT_EQ(attributes_.annotations["p/who"], "by ann");
  EXPECT_NE(attributes_.annotations["validation.policy.admission.k8s.io/validation_failure"].find(
                "\"message\":\"never\""),
            std::string::npos);
}

TEST_F(Apiserver_Policy, conditions_and_selectors_say_who_is_meant) {
  bind("p",
       R"j({"matchConditions":[{"name":"not-ann","expression":"request.userInfo.username != 'ann'"}],
           "validations":[{"expression":"false"}]})j",
       R"j({"validationActions":["Deny"]})j");
  EXPECT_EQ(verdict("{}"), "");
  bind(
      "q", R"j({"validations":[{"expression":"namespaceObject.metadata.labels.env == 'test'"}]})j",
      R"j({"validationActions":["Deny"],"matchResources":{"namespaceSelector":{"matchLabels":{"env":"test"}}}})j");
  EXPECT_EQ(verdict("{}"), "");
  bind(
      "r", R"j({"validations":[{"expression":"namespaceObject.metadata.labels.env == 'test'"}]})j",
      R"j({"validationActions":["Deny"],"matchResources":{"namespaceSelector":{"matchLabels":{"env":"prod"}}}})j");
  EXPECT_NE(verdict("{}"), "");
}

TEST_F(Apiserver_Policy, fails_as_the_policy_wants) {
  bind("open", R"j({"failurePolicy":"Ignore","validations":[{"expression":"object.spec.replicas > 0"}]})j",
       R"j({"validationActions":["Deny"]})j");
  EXPECT_EQ(verdict("{}"), "");
  bind(
      "closed",
      R"j({"matchConditions":[{"name":"c","expression":"object.nope"}],"validations":[{"expression":"true"}]})j",
      R"j({"validationActions":["Deny"]})j");
  EXPECT_TRUE(verdict("{}").ends_with(
      "denied request: expression 'object.nope' resulted in error: no such key: nope"));
}

TEST_F(Apiserver_Policy, reads_parameters) {
  const char* spec =
      R"j({"paramKind":{"apiVersion":"v1","kind":"ConfigMap"},
          "validations":[{"expression":"object.spec.replicas <= int(params.data.max)","messageExpression":"'at most ' + params.data.max"}]
})j";
  bind("p", spec,
       R"j({"validationActions":["Deny"],"paramRef":{"name":"limits","parameterNotFoundAction":"Deny"}})j");
  EXPECT_TRUE(
      verdict(R"j({"spec":{"replicas":6}})j")
          .ends_with(
              "denied request: failed to configure binding: no params found for policy binding with `Deny` "
              "parameterNotFoundAction"));
  put("", "configmaps",
      R"j({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"limits","namespace":"shop"},"data":{"max":"5"}})j");
  EXPECT_TRUE(verdict(R"j({"spec":{"replicas":6}})j").ends_with("denied request: at most 5"));
  EXPECT_EQ(verdict(R"j({"spec":{"replicas":5}})j"), "");
}

TEST_F(Apiserver_Policy, asks_for_rights) {
  put("rbac.authorization.k8s.io", "clusterroles",
      R"j({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"r"},
          "rules":[{"apiGroups":["apps"],"resources":["deployments"],"verbs":["approve"]}]})j");
  put("rbac.authorization.k8s.io", "clusterrolebindings",
      R"j({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"b"},
          "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"r"},"subjects":[{"kind":"User","name":"ann"}]})j");
  bind("p", R"j({"validations":[{"expression":"authorizer.requestResource.check('approve').allowed()"},
                               {"expression":"!authorizer.group('').resource('pods').namespace('shop').check('get').allowed()"}]})j",
       R"j({"validationActions":["Deny"]})j");
  EXPECT_EQ(verdict("{}"), "");
}

TEST_F(Apiserver_Policy, refuses_what_a_policy_may_not_say) {
  const auto faults = faults_of_policy(parse(R"j({"spec":{"variables":[{"name":"a-b","expression":"1"}],
      "matchConditions":[{"name":"c","expression":"1 +"}],"matchConstraints":{"resourceRules":[]},
      "validations":[{"expression":"object.x +"},{"expression":"1"},{"expression":"","reason":"Nope"},
                     {"expression":"params.x == 1"},{"expression":"request.nope"}]}})j"));
  std::vector<std::string> fields;
  for (const Cause& cause : faults) fields.push_back(cause.field);
  EXPECT_EQ(fields,
            (std::vector<std::string>{"spec.matchConstraints.resourceRules",
                                      "spec.matchConditions[0].expression", "spec.variables[0].name",
                                      "spec.validations[0].expression", "spec.validations[1].expression",
                                      "spec.validations[2].expression", "spec.validations[2].reason",
                                      "spec.validations[3].expression", "spec.validations[4].expression"}));
  EXPECT_NE(faults.back().message.find("compilation failed: ERROR: <input>:1:8: undefined field 'nope'"),
            std::string::npos);
  EXPECT_EQ(
      faults_of_binding(parse(R"j({"spec":{"validationActions":["Deny","Warn"],"paramRef":{}}})j")).size(),
      4u);
}

TEST_F(Apiserver_Policy, checks_expressions_against_the_types_it_is_meant_for) {
  const Json policy =
      parse(R"j({"spec":{"matchConstraints":{"resourceRules":[{"apiGroups":["apps"],"apiVersions":["v1"],
      "operations":["*"],"resources":["deployments"]}]},"validations":[{"expression":"object.spec.replicas > 1"},
      {"expression":"object.spec.replica > 1"}]}})j");
  const Json warnings = type_checking_of(policy, served_->registry);
  ASSERT_EQ(warnings["expressionWarnings"].size(), 1u);
  const Json& warning = warnings["expressionWarnings"].element(0);
  EXPECT_EQ(warning["fieldRef"].as_string(), "spec.validations[1].expression");
  EXPECT_TRUE(warning["warning"].as_string().starts_with(
      "apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'replica'"));
}

}  // namespace
}  // namespace flotilla::apiserver
