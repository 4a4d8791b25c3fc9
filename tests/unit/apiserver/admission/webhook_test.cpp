// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/admission/webhook.hpp"

#include <gtest/gtest.h>

#include "core/apiserver/admission/webhook_review.hpp"

namespace flotilla::apiserver {
namespace {

Json parse(std::string_view text) {
  auto json = Json::parse(text);
  EXPECT_TRUE(json.ok());
  return *json;
}

AdmissionAttributes attributes(std::string_view group, std::string_view version, std::string_view resource) {
  static const auto served = [] {
    auto made = std::make_shared<Served>();
    made->registry = api::Registry::builtin();
    return std::shared_ptr<const Served>(made);
  }();
  AdmissionAttributes out;
  out.served = served;
  out.resource = served->registry.find_resource(group, version, resource);
  out.kind = out.resource->gvk();
  out.ns = out.resource->namespaced ? "shop" : "";
  return out;
}

MatchRule rule(std::string_view groups, std::string_view versions, std::string_view resources,
               std::string_view scope = "*") {
  return {{"CREATE"},
          {std::string(groups)},
          {std::string(versions)},
          {std::string(resources)},
          std::string(scope)};
}

TEST(Apiserver_Webhook, rules_match_resources_and_subresources) {
  AdmissionAttributes pods = attributes("", "v1", "pods");
  EXPECT_TRUE(rule("", "v1", "pods").matches(pods, *pods.resource));
  EXPECT_TRUE(rule("*", "*", "*").matches(pods, *pods.resource));
  EXPECT_TRUE(rule("*", "*", "*/*").matches(pods, *pods.resource));
  EXPECT_FALSE(rule("", "v1", "pods/status").matches(pods, *pods.resource));
  pods.subresource = "status";
  EXPECT_FALSE(rule("*", "*", "*").matches(pods, *pods.resource));
  EXPECT_TRUE(rule("", "v1", "*/status").matches(pods, *pods.resource));
  EXPECT_TRUE(rule("", "v1", "pods/*").matches(pods, *pods.resource));
}

TEST(Apiserver_Webhook, scope_tells_cluster_from_namespace) {
  AdmissionAttributes pods = attributes("", "v1", "pods");
  EXPECT_TRUE(rule("", "v1", "pods", "Namespaced").matches(pods, *pods.resource));
  EXPECT_FALSE(rule("", "v1", "pods", "Cluster").matches(pods, *pods.resource));
  AdmissionAttributes spaces = attributes("", "v1", "namespaces");
  spaces.ns = "shop";  // its own name
  EXPECT_TRUE(rule("", "v1", "namespaces", "Cluster").matches(spaces, *spaces.resource));
  EXPECT_FALSE(rule("", "v1", "namespaces", "Namespaced").matches(spaces, *spaces.resource));
}

TEST(Apiserver_Webhook, equivalent_versions_are_found) {
  const AdmissionAttributes scalers = attributes("autoscaling", "v2", "horizontalpodautoscalers");
  const std::vector<MatchRule> rules = {rule("autoscaling", "v1", "horizontalpodautoscalers")};
  EXPECT_EQ(matching_version(rules, false, scalers), nullptr);
  ASSERT_NE(matching_version(rules, true, scalers), nullptr);
  EXPECT_EQ(matching_version(rules, true, scalers)->version, "v1");
  const AdmissionAttributes events = attributes("", "v1", "events");
  EXPECT_NE(matching_version({rule("events.k8s.io", "v1", "events")}, true, events), nullptr);
}

TEST(Apiserver_Webhook, configurations_are_nobodys_business) {
  EXPECT_TRUE(
      is_exempt(*attributes("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations").resource));
  EXPECT_FALSE(is_exempt(*attributes("", "v1", "pods").resource));
}

TEST(Apiserver_Webhook, answers_are_held_to_the_protocol) {
  const auto webhook =
      Webhook::read("c", parse(R"({"name":"x.example.com","admissionReviewVersions":["v1"]})"), false);
  const auto error = [&](std::string_view body) {
    const auto answer = read_answer(*webhook, body, "u");
    return answer ? std::string("accepted") : answer.error().message();
  };
  EXPECT_EQ(
      error(
          R"({"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"u","allowed":true}})"),
      "accepted");
  EXPECT_EQ(error(R"({"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"})"),
            "received invalid webhook response: webhook response was absent");
  EXPECT_EQ(error(R"({"apiVersion":"v1","kind":"X","response":{}})"),
            "received invalid webhook response: expected webhook response of admission.k8s.io/v1, "
            "Kind=AdmissionReview, got "
            "v1, Kind=X");
  EXPECT_EQ(
      error(
          R"({"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"u","patch":"W10="}})"),
      "received invalid webhook response: validating webhook may not return response.patch");
}

TEST(Apiserver_Webhook, transport_errors_read_as_gos) {
  EXPECT_EQ(go_transport_error(Error(Code::Unavailable, "connect to 127.0.0.1:1: Connection refused")),
            "dial tcp 127.0.0.1:1: connect: connection refused");
  EXPECT_EQ(go_transport_error(Error(Code::Timeout, "whatever")), "context deadline exceeded");
}

}  // namespace
}  // namespace flotilla::apiserver
