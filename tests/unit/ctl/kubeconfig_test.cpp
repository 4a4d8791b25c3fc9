// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/kubeconfig.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace flotilla::ctl {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class Ctl_Kubeconfig : public testing::Test {
 protected:
  Ctl_Kubeconfig() {
    std::string name = (fs::temp_directory_path() / "flotilla-kubeconfig-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~Ctl_Kubeconfig() override {
    unsetenv("KUBECONFIG");
    fs::remove_all(folder_);
  }
  std::string write(const std::string& name, std::string_view text) {
    const std::string path = folder_ + "/" + name;
    EXPECT_TRUE(write_file(path, text).ok());
    return path;
  }
  std::string folder_;
};

constexpr const char* kOne = R"(apiVersion: v1
kind: Config
current-context: a
clusters:
- name: ca
  cluster: {server: "https://a:1", certificate-authority: ca.pem}
users:
- name: ua
  user: {token: t0, client-certificate-data: eHk=, client-key-data: eno=}
contexts:
- name: a
  context: {cluster: ca, user: ua, namespace: team}
)";

TEST_F(Ctl_Kubeconfig, reads_inline_data_and_files_beside_it) {
  write("ca.pem", "CA");
  const auto config = Kubeconfig::read(write("config", kOne));
  ASSERT_TRUE(config.ok());
  const auto access = config->access();
  ASSERT_TRUE(access.ok()) << access.error().message();
  EXPECT_EQ(access->server, "https://a:1");
  EXPECT_EQ(access->ca_pem, "CA");
  EXPECT_EQ(access->client_certificate_pem, "xy");
  EXPECT_EQ(access->bearer_token, "t0");
  EXPECT_EQ(access->ns, "team");
}

TEST_F(Ctl_Kubeconfig, names_what_is_broken) {
  const auto message = [&](std::string_view text) {
    const auto config = Kubeconfig::read(write("config", text));
    if (!config) return config.error().message();
    const auto access = config->access("a");
    return access ? std::string() : access.error().message();
  };
  EXPECT_THAT(message("kind: Pod"), HasSubstr("is no kubeconfig"));
  EXPECT_THAT(message("a: [\n"), HasSubstr("/config: line"));
  EXPECT_THAT(message("contexts: []"), HasSubstr("no context \"a\""));
  EXPECT_THAT(message("contexts: [{name: a, context: {cluster: x}}]"), HasSubstr("no cluster \"x\""));
  EXPECT_THAT(
      message(
          "contexts: [{name: a, context: {cluster: x}}]\nclusters: [{name: x, cluster: {server: 'https://x', "
          "certificate-authority: gone.pem}}]"),
      HasSubstr("gone.pem"));
  EXPECT_EQ(Kubeconfig::read(folder_ + "/absent").error().code(), Code::NotFound);
}

TEST_F(Ctl_Kubeconfig, runs_exec_plugins) {
  const auto config = Kubeconfig::read(write("config", R"(kind: Config
clusters: [{name: c, cluster: {server: "https://a:1"}}]
contexts: [{name: a, context: {cluster: c, user: u}}]
users:
- name: u
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: sh
      args: ["-c", "echo '{\"kind\":\"ExecCredential\",\"status\":{\"token\":\"'$WORD'\"}}'"]
      env: [{name: WORD, value: "it's"}]
)"));
  ASSERT_TRUE(config.ok());
  const auto access = config->access("a");
  ASSERT_TRUE(access.ok()) << access.error().message();
  EXPECT_EQ(access->bearer_token, "it's");
}

TEST_F(Ctl_Kubeconfig, merges_the_files_of_the_environment_first_wins) {
  const std::string one = write("one", kOne);
  const std::string two = write("two", R"(kind: Config
clusters: [{name: ca, cluster: {server: "https://other"}}, {name: cb, cluster: {server: "https://b"}}]
contexts: [{name: b, context: {cluster: cb, user: none}}]
)");
  setenv("KUBECONFIG", (one + ":" + folder_ + "/absent:" + two).c_str(), 1);
  write("ca.pem", "CA");
  const auto config = Kubeconfig::find("");
  ASSERT_TRUE(config.ok());
  EXPECT_THAT(config->contexts(), ElementsAre("a", "b"));
  EXPECT_EQ(config->access()->server, "https://a:1");
  EXPECT_EQ(config->access("b")->server, "https://b");
}

TEST_F(Ctl_Kubeconfig, writes_what_it_reads_back_for_the_owner_alone) {
  Access access;
  access.server = "https://127.0.0.1:1";
  access.ca_pem = "CA\n";
  access.client_certificate_pem = "C";
  access.client_key_pem = "K";
  Kubeconfig config;
  config.put("flotilla", access);
  config.put("member1", access);
  config.remove("member1");
  const std::string path = folder_ + "/out";
  ASSERT_TRUE(config.write(path).ok());
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const auto back = Kubeconfig::read(path);
  ASSERT_TRUE(back.ok());
  EXPECT_THAT(back->contexts(), ElementsAre("flotilla"));
  EXPECT_EQ(back->access()->ca_pem, "CA\n");
}

}  // namespace
}  // namespace flotilla::ctl
