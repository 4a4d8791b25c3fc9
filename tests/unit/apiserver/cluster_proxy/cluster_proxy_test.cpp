// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/cluster_proxy/cluster_proxy.hpp"

#include <gtest/gtest.h>

namespace flotilla::apiserver {
namespace {

TEST(ApiServer_ClusterProxy, the_path_behind_the_cluster_stays_as_it_came) {
  const std::string base = "/apis/cluster.karmada.io/v1alpha1/clusters/";
  EXPECT_EQ(proxied_path(base + "m1/proxy/api/v1/pods"), "/api/v1/pods");
  EXPECT_EQ(proxied_path(base + "m1/proxy/"), "/");
  EXPECT_EQ(proxied_path(base + "m1/proxy"), "/");
  EXPECT_EQ(proxied_path(base + "%2A/proxy/a%2Fb//c/"), "/a%2Fb//c/");
  EXPECT_EQ(proxied_path(base + "proxy/proxy/proxy"), "/proxy");
}

std::string object_of(std::string_view path) {
  return object_path(path, read_request("GET", path, Query()));
}

TEST(ApiServer_ClusterProxy, an_object_is_sought_without_its_subresource) {
  EXPECT_EQ(object_of("/api/v1/namespaces/a/pods/p/log"), "/api/v1/namespaces/a/pods/p");
  EXPECT_EQ(object_of("/api/v1/namespaces/a/pods/p"), "/api/v1/namespaces/a/pods/p");
  EXPECT_EQ(object_of("/apis/apps/v1/namespaces/a/deployments/d/scale"),
            "/apis/apps/v1/namespaces/a/deployments/d");
  EXPECT_EQ(object_of("/api/v1/nodes/n/proxy/metrics"), "/api/v1/nodes/n");
  EXPECT_EQ(object_of("/api/v1/namespaces/a"), "/api/v1/namespaces/a");
  EXPECT_EQ(object_of("/api/v1/namespaces/a/status"), "/api/v1/namespaces/a");
}

TEST(ApiServer_ClusterProxy, lists_are_joined_under_the_metadata_of_the_first) {
  const Json lists = join_lists(
      {R"(nonsense)", R"({"kind":"PodList","metadata":{"resourceVersion":"7"},"items":[1]})",
       R"({"kind":"Status"})", R"({"kind":"PodList","metadata":{"resourceVersion":"9"},"items":[2,3]})"});
  EXPECT_EQ(lists.dump(), R"({"items":[1,2,3],"kind":"PodList","metadata":{"resourceVersion":"7"}})");
  const Json tables = join_lists({R"({"kind":"Table","rows":[1]})", R"({"kind":"Table","rows":[2]})"});
  EXPECT_EQ(tables["rows"].dump(), "[1,2]");
  EXPECT_TRUE(join_lists({}).is_null());
}

api::ObjectPtr secret(const std::string& name, const std::string& data) {
  auto json = Json::parse(R"({"apiVersion":"v1","kind":"Secret","metadata":{"namespace":"ns","name":")" +
                          name + R"("},"data":)" + data + "}");
  return api::Object::make(*json, Revision(1));
}

class ApiServer_MemberAccess : public testing::Test {
 protected:
  Result<MemberAccess> read(std::string_view spec) const {
    auto cluster = Json::parse(R"({"metadata":{"name":"m1"},"spec":)" + std::string(spec) + "}");
    const auto find = [this](const std::string&, const std::string& name) -> api::ObjectPtr {
      const auto found = secrets_.find(name);
      return found == secrets_.end() ? nullptr : found->second;
    };
    return read_member_access(*cluster, find);
  }
  std::string refusal(std::string_view spec) const {
    const auto access = read(spec);
    return access ? "" : std::to_string(http_code(access.error())) + " " + access.error().message();
  }
  std::map<std::string, api::ObjectPtr> secrets_{
      {"m1", secret("m1", R"({"caBundle":"Q0E=","token":"eA=="})")},
      {"i1", secret("i1", R"({"token":"dDE="})")},
      {"none", secret("none", "{}")}};
};

TEST_F(ApiServer_MemberAccess, is_what_cluster_and_secrets_say) {
  const auto access = read(R"({"apiEndpoint":"https://m1:6443/k8s","secretRef":{"namespace":"ns","name":"m1"},
      "impersonatorSecretRef":{"namespace":"ns","name":"i1"},"proxyURL":"http://p:3128",
      "proxyHeader":{"X-A":"1,2"}})");
  ASSERT_TRUE(access.ok());
  EXPECT_EQ(access->options.base_url, "https://m1:6443/k8s");
  EXPECT_EQ(access->options.ca_pem, "CA");
  EXPECT_EQ(access->options.proxy_url, "http://p:3128");
  EXPECT_EQ(access->options.proxy_headers.all("X-A"), (std::vector<std::string_view>{"1", "2"}));
  EXPECT_FALSE(access->options.insecure_skip_verify);
  EXPECT_EQ(access->token, "t1");
}

TEST_F(ApiServer_MemberAccess, says_what_is_missing) {
  EXPECT_EQ(refusal(R"({"apiEndpoint":"https://m1"})"), "500 the impersonatorSecretRef of cluster m1 is nil");
  EXPECT_EQ(refusal(R"({"impersonatorSecretRef":{"namespace":"ns","name":"i1"}})"),
            "500 API endpoint of cluster m1 should not be empty");
  EXPECT_EQ(refusal(R"({"apiEndpoint":"https://m1","secretRef":{"namespace":"ns","name":"gone"}})"),
            "404 secrets \"gone\" not found");
  EXPECT_EQ(refusal(R"({"apiEndpoint":"https://m1","secretRef":{"namespace":"ns","name":"none"}})"),
            "500 failed to get CA bundle for cluster m1: the CA bundle of cluster m1 is empty");
  EXPECT_EQ(
      refusal(R"({"apiEndpoint":"https://m1","impersonatorSecretRef":{"namespace":"ns","name":"none"}})"),
      "500 failed to get impresonateToken for cluster m1: the impresonate token of cluster m1 is empty");
}

TEST_F(ApiServer_MemberAccess, the_user_is_spoken_for_and_nobody_else) {
  http::Headers headers;
  headers.add("Impersonate-User", "somebody");
  add_impersonation(headers, {"jane", "uid", {"team", "system:authenticated", "ops"}, {{"scopes", {"x"}}}},
                    "t1");
  EXPECT_EQ(headers.all("Impersonate-User"), (std::vector<std::string_view>{"jane"}));
  EXPECT_EQ(headers.all("Impersonate-Group"), (std::vector<std::string_view>{"team", "ops"}));
  EXPECT_EQ(headers.get("Authorization"), "bearer t1");
  EXPECT_EQ(headers.fields().size(), 4u);
}

TEST_F(ApiServer_MemberAccess, connections_are_kept_while_they_lead_there) {
  SystemClock clock;
  Executor executor(clock);
  MemberClients clients;
  http::ClientOptions options;
  options.base_url = "https://m1:1";
  const auto first = clients.client(executor, "m1", options);
  EXPECT_EQ(clients.client(executor, "m1", options), first);
  options.base_url = "https://m1:2";
  EXPECT_NE(clients.client(executor, "m1", options), first);
}

}  // namespace
}  // namespace flotilla::apiserver
