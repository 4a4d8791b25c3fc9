// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/monitoring/request_metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "core/apiserver/monitoring/overload.hpp"

namespace flotilla::apiserver {
namespace {

using testing::HasSubstr;

TEST(ApiServer_RequestMetrics, counts_by_label_and_code) {
  RequestMetrics metrics;
  const RequestLabels labels{"LIST", "apps", "v1", "deployments", "", "namespace"};
  metrics.count(labels, 200, std::chrono::milliseconds(3), 1500);
  metrics.count(labels, 200, std::chrono::milliseconds(300), std::nullopt);
  metrics.count(labels, 404, std::chrono::milliseconds(1), 0);
  std::string text;
  metrics.append_to(text);
  const std::string series =
      "{verb=\"LIST\",dry_run=\"\",group=\"apps\",version=\"v1\",resource=\"deployments\",subresource=\"\","
      "scope=\"namespace\",component=\"apiserver\"";
  EXPECT_THAT(text, HasSubstr("apiserver_request_total" + series + ",code=\"200\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("apiserver_request_total" + series + ",code=\"404\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("_bucket" + series + ",le=\"0.005\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("_bucket" + series + ",le=\"0.4\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("_count" + series + "} 3\n"));
}

TEST(ApiServer_RequestMetrics, many_threads_lose_nothing) {
  RequestMetrics metrics;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&metrics] {
      for (int j = 0; j < 1000; ++j) {
        const std::string resource = "r" + std::to_string(j % 50);
        metrics.count({"GET", "", "v1", resource, "", "resource"}, 200, std::chrono::milliseconds(1), 10);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(metrics.total(), 4000u);
  std::string text;
  metrics.append_to(text);
  EXPECT_THAT(
      text,
      HasSubstr(
          "resource=\"r49\",subresource=\"\",scope=\"resource\",component=\"apiserver\",code=\"200\"} 80\n"));
}

TEST(ApiServer_Overload, refuses_beyond_the_bound_but_not_everybody) {
  Overload overload;
  overload.set_bounds(1, 1);
  const RequestInfo get = read_request("GET", "/api/v1/namespaces/x/pods/y", Query(""));
  const RequestInfo watch = read_request("GET", "/api/v1/pods", Query("watch=1"));
  const RequestInfo post = read_request("POST", "/api/v1/namespaces/x/pods", Query(""));
  {
    const auto first = overload.enter(get, false);
    EXPECT_FALSE(first.refused());
    EXPECT_TRUE(overload.enter(get, false).refused());
    EXPECT_FALSE(overload.enter(get, true).refused());
    EXPECT_FALSE(overload.enter(post, false).refused());
    EXPECT_FALSE(overload.enter(watch, false).refused());
    EXPECT_EQ(overload.reading(), 1);
  }
  EXPECT_EQ(overload.reading(), 0);
  EXPECT_FALSE(overload.enter(get, false).refused());
}

}  // namespace
}  // namespace flotilla::apiserver
