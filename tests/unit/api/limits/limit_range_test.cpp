// SPDX-License-Identifier: Apache-2.0
#include "core/api/limits/limit_range.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

Json parse(std::string_view text) {
  auto json = Json::parse(text);
  EXPECT_TRUE(json.ok());
  return *json;
}

TEST(Api_LimitRange, gives_what_is_not_said_and_notes_it) {
  Json pod = parse(R"({"spec":{"containers":[{"name":"a","resources":{"requests":{"cpu":"1"}}}]}})");
  apply_limit_defaults(parse(R"({"spec":{"limits":[{"type":"Container","default":{"cpu":"2","memory":"1Gi"},
      "defaultRequest":{"cpu":"1","memory":"512Mi"}}]}})"),
                       pod);
  const Json& read = pod;
  EXPECT_EQ(read["spec"]["containers"].element(0)["resources"].dump(),
            R"({"limits":{"cpu":"2","memory":"1Gi"},"requests":{"cpu":"1","memory":"512Mi"}})");
  EXPECT_EQ(read["metadata"]["annotations"]["kubernetes.io/limit-ranger"].as_string(),
            "LimitRanger plugin set: memory request for container a; cpu, memory limit for container a");
}

TEST(Api_LimitRange, leaves_alone_what_says_everything) {
  Json pod = parse(
      R"({"spec":{"containers":[{"name":"a","resources":{"requests":{"cpu":"1"},"limits":{"cpu":"1"}}}]}})");
  const Json before = pod;
  apply_limit_defaults(
      parse(
          R"({"spec":{"limits":[{"type":"Container","default":{"cpu":"2"},"defaultRequest":{"cpu":"2"}}]}})"),
      pod);
  EXPECT_EQ(pod, before);
}

TEST(Api_LimitRange, bounds_containers_and_pods) {
  const Json range = parse(R"({"spec":{"limits":[{"type":"Container","max":{"memory":"1Gi"}},
      {"type":"Pod","max":{"cpu":"1"},"min":{"cpu":"200m"}}]}})");
  EXPECT_EQ(check_pod_limits(range, parse(R"({"spec":{"containers":[{"name":"a"}]}})")),
            "[maximum memory usage per Container is 1Gi.  No limit is specified, minimum cpu usage per Pod "
            "is 200m.  No "
            "request is specified, maximum cpu usage per Pod is 1.  No limit is specified]");
  EXPECT_EQ(check_pod_limits(range, parse(R"({"spec":{"containers":[
      {"resources":{"requests":{"cpu":"600m"},"limits":{"cpu":"600m","memory":"1Gi"}}},
      {"resources":{"requests":{"cpu":"600m"},"limits":{"cpu":"600m","memory":"1Gi"}}}]}})")),
            "maximum cpu usage per Pod is 1, but limit is 1200m");
}

TEST(Api_LimitRange, bounds_claims_by_their_requests) {
  const Json range =
      parse(R"({"spec":{"limits":[{"type":"PersistentVolumeClaim","min":{"storage":"2Gi"}}]}})");
  EXPECT_EQ(check_claim_limits(range, parse(R"({"spec":{"resources":{"requests":{"storage":"1Gi"}}}})")),
            "minimum storage usage per PersistentVolumeClaim is 2Gi, but request is 1Gi");
}

}  // namespace
}  // namespace flotilla::api
