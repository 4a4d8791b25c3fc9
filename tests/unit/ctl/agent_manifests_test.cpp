// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/agent_manifests.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/api/object.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

AgentOptions options() {
  AgentOptions options;
  options.cluster = "m1";
  options.api_endpoint = "https://10.0.0.1:6443";
  options.region = "here";
  options.zones = {"a", "b"};
  options.image = "flotilla/flotillad:1";
  return options;
}

std::vector<std::string> command_of(const Json& deployment) {
  std::vector<std::string> words;
  for (const Json& word :
       deployment["spec"]["template"]["spec"]["containers"].element(0)["command"].elements())
    words.emplace_back(word.as_string());
  return words;
}

TEST(Ctl_AgentManifests, the_kubeconfig_is_found_where_the_deployment_takes_it_from) {
  const KubeconfigPlace place = kubeconfig_place(agent_deployment(options()).object);
  EXPECT_EQ(place.secret, "karmada-kubeconfig");
  EXPECT_EQ(place.key, "karmada-kubeconfig");
  EXPECT_EQ(place.context, "");
  EXPECT_EQ(kubeconfig_place(Json::object()).secret, "");
}

TEST(Ctl_AgentManifests, both_agents_get_the_same_flags) {
  AgentOptions karmadas = options();
  karmadas.image = "docker.io/karmada/karmada-agent:v1.16.0";
  const auto ours = command_of(agent_deployment(options()).object);
  const auto theirs = command_of(agent_deployment(karmadas).object);
  EXPECT_EQ(ours[0], "flotillad");
  EXPECT_EQ(ours[1], "--profile=agent");
  EXPECT_EQ(theirs[0], "/bin/karmada-agent");
  for (const std::string& flag : agent_flags(options())) {
    EXPECT_NE(std::ranges::find(ours, flag), ours.end()) << flag;
    EXPECT_NE(std::ranges::find(theirs, flag), theirs.end()) << flag;
  }
}

TEST(Ctl_AgentManifests, rotation_is_switched_on_as_karmada_switches_it_on) {
  AgentOptions rotating = options();
  rotating.certificate_rotation = true;
  const auto flags = agent_flags(rotating);
  EXPECT_NE(std::ranges::find(flags, "--controllers=*,certRotation"), flags.end());
}

// karmadactl unregister leaves nothing else behind either.
TEST(Ctl_AgentManifests, everything_that_is_made_goes_again) {
  const auto gone = agent_leftovers(options());
  std::vector<PlacedObject> made = agent_manifests(options(), "text");
  made.push_back(agent_deployment(options()));
  for (const PlacedObject& each : made) {
    const std::string path = each.collection + "/" + std::string(api::name_of(each.object));
    EXPECT_NE(std::ranges::find(gone, path), gone.end()) << path;
  }
  EXPECT_NE(std::ranges::find(gone, "/api/v1/namespaces/karmada-cluster"), gone.end());
}

TEST(Ctl_AgentManifests, it_is_rolled_out_when_all_replicas_are_there) {
  Json deployment = *Json::parse(
      R"({"metadata": {"generation": 2}, "spec": {"replicas": 2},
          "status": {"observedGeneration": 2, "updatedReplicas": 2, "availableReplicas": 2}})");
  EXPECT_TRUE(is_rolled_out(deployment));
  deployment["status"].set("availableReplicas", 1);
  EXPECT_FALSE(is_rolled_out(deployment));
  deployment["status"].set("availableReplicas", 2);
  deployment["status"].set("observedGeneration", 1);
  EXPECT_FALSE(is_rolled_out(deployment));
}

}  // namespace
}  // namespace flotilla::ctl
