// SPDX-License-Identifier: Apache-2.0
// Every rule of plugins/override passes the suite that authors of rules are given.
#include <gtest/gtest.h>

#include "sdk/conformance/override_suite.hpp"

extern "C" {
extern const flt_plugin_v1_t flt_plugin_override_image;
extern const flt_plugin_v1_t flt_plugin_override_command;
extern const flt_plugin_v1_t flt_plugin_override_args;
extern const flt_plugin_v1_t flt_plugin_override_labels;
extern const flt_plugin_v1_t flt_plugin_override_annotations;
extern const flt_plugin_v1_t flt_plugin_override_plaintext;
extern const flt_plugin_v1_t flt_plugin_override_field;
}

namespace flotilla::conformance {
namespace {

constexpr const char* kPod = R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},
  "spec":{"containers":[{"name":"a","image":"nginx:1","args":["x"]}]}})";

struct Case {
  const flt_plugin_v1_t* plugin;
  OverrideSubject::Example example;
};

const Case kCases[] = {
    {&flt_plugin_override_image, {R"([{"component":"Tag","operator":"replace","value":"2"}])", kPod}},
    {&flt_plugin_override_command, {R"([{"containerName":"a","operator":"add","value":["x"]}])", kPod}},
    {&flt_plugin_override_args, {R"([{"containerName":"a","operator":"remove","value":["x"]}])", kPod}},
    {&flt_plugin_override_labels, {R"([{"operator":"add","value":{"a":"b"}}])", kPod}},
    {&flt_plugin_override_annotations, {R"([{"operator":"add","value":{"a":"b"}}])", kPod}},
    {&flt_plugin_override_plaintext, {R"([{"path":"/spec/x","operator":"add","value":1}])", kPod}},
    {&flt_plugin_override_field,
     {R"([{"fieldPath":"/data/f","yaml":[{"subPath":"/a","operator":"replace","value":1}]}])",
      R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"f":"a: 0\n"}})"}},
};

TEST(Plugins_Override, every_rule_passes_the_conformance_suite) {
  for (const Case& each : kCases) {
    OverrideSubject subject;
    subject.component = each.plugin->components[0];
    subject.examples = {each.example};
    for (const OverrideCheck& check : override_checks()) {
      EXPECT_EQ(run_check(check, subject), "") << each.plugin->id << " " << check.id << ": " << check.rule;
    }
  }
}

}  // namespace
}  // namespace flotilla::conformance
