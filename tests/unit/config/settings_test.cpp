// SPDX-License-Identifier: Apache-2.0
#include "core/config/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/config/yaml.hpp"

namespace flotilla::config {
namespace {

using api::Json;
using testing::HasSubstr;

std::string fault(std::string_view text) {
  Settings settings;
  const Status status = read_settings_text(text, "f.yaml", settings);
  return status ? "" : status.error().message();
}

TEST(Config_Settings, file_documents_every_key_with_its_default) {
  std::ifstream file(FLOTILLA_YAML);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  Lines lines;
  ASSERT_TRUE(parse_yaml(text, &lines).ok());
  for (const std::string& key : setting_keys())
    EXPECT_TRUE(lines.contains(key)) << key << " is not documented";
  Settings read;
  const Status status = read_settings(FLOTILLA_YAML, read);
  ASSERT_TRUE(status.ok()) << status.error().message();
  const Settings defaults;
  for (const std::string& key : setting_keys()) {
    EXPECT_EQ(setting_value(key, read).dump(), setting_value(key, defaults).dump()) << key;
  }
}

TEST(Config_Settings, names_file_line_and_the_key_that_was_meant) {
  EXPECT_EQ(fault("listen: 127.0.0.1:1\nsimulation:\n  nods: 3\n"),
            "f.yaml:3: unknown key \"simulation.nods\"; did you mean \"simulation.nodes\"?");
  EXPECT_EQ(fault("nodes: 3"), "f.yaml:1: unknown key \"nodes\"; did you mean \"simulation.nodes\"?");
  EXPECT_EQ(fault("zzzzzzzzzz: 3"),
            "f.yaml:1: unknown key \"zzzzzzzzzz\"; config/flotilla.yaml lists them all");
}

TEST(Config_Settings, tells_every_fault_at_once) {
  EXPECT_EQ(fault("profile: leader\nthreads: {io: 0}\nlog: 3\n"),
            "f.yaml:3: log must be a map\n"
            "f.yaml:1: profile must be one of control-plane, member, agent, not \"leader\"\n"
            "f.yaml:2: threads.io must be a whole number from 1 to 64, not 0");
}

TEST(Config_Settings, checks_types_and_ranges) {
  EXPECT_THAT(fault("simulation: {delay: {job: 3}}"), HasSubstr("must be a duration like"));
  EXPECT_THAT(fault("simulation: {delay: {job: -3s}}"), HasSubstr("must be a duration like"));
  EXPECT_THAT(fault("simulation: {node: {cpu: many}}"), HasSubstr("must be a quantity like"));
  EXPECT_THAT(fault("simulation: {enabled: 1}"), HasSubstr("must be true or false, not 1"));
  EXPECT_THAT(fault("simulation: {failure_rate: 2}"), HasSubstr("from 0 to 1"));
  EXPECT_THAT(fault("listen: localhost"), HasSubstr("no port"));
  EXPECT_THAT(fault("plugins: {directories: [1]}"), HasSubstr("list of texts"));
  EXPECT_THAT(fault("a: [1"), HasSubstr("f.yaml:"));
}

TEST(Config_Settings, takes_single_keys_from_the_command_line) {
  Settings settings;
  EXPECT_TRUE(set_setting("simulation.nodes=5", settings).ok());
  EXPECT_TRUE(set_setting("simulation.delay.job=2s", settings).ok());
  EXPECT_TRUE(set_setting("simulation.enabled=false", settings).ok());
  EXPECT_TRUE(set_setting("plugins.directories=[/a, /b]", settings).ok());
  EXPECT_TRUE(set_setting("storage.config.cacheMb=3", settings).ok());
  EXPECT_EQ(settings.simulation.nodes, 5);
  EXPECT_EQ(settings.simulation.delay.job, std::chrono::seconds(2));
  EXPECT_FALSE(settings.simulation.enabled);
  EXPECT_EQ(settings.plugins.directories.size(), 2u);
  EXPECT_EQ(settings.storage.config["cacheMb"].as_int(), 3);
  EXPECT_EQ(set_setting("simulation.node=5", settings).error().message(),
            "--set simulation.node: unknown key \"simulation.node\"; did you mean \"simulation.nodes\"?");
  EXPECT_EQ(set_setting("nothing", settings).error().message(), "--set nothing: expected KEY=VALUE");
}

TEST(Config_Settings, choose_storage_by_profile) {
  Settings settings;
  EXPECT_EQ(settings.storage_name(), "sqlite");
  settings.profile = "member";
  EXPECT_EQ(settings.storage_name(), "memory");
  settings.storage.name = "etcd";
  EXPECT_EQ(settings.storage_name(), "etcd");
}

TEST(Config_Settings, reads_addresses) {
  EXPECT_EQ(parse_listen("[::1]:0")->host, "::1");
  EXPECT_EQ(parse_listen(":6443")->host, "0.0.0.0");
  EXPECT_EQ(parse_listen("10.0.0.1:65535")->port, 65535);
  EXPECT_FALSE(parse_listen("10.0.0.1:65536"));
  EXPECT_FALSE(parse_listen("10.0.0.1:"));
}

}  // namespace
}  // namespace flotilla::config
