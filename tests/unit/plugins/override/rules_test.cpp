// SPDX-License-Identifier: Apache-2.0
// The override rules of plugins/override, through the C ABI.
#include <gtest/gtest.h>

#include <string>

#include "tests/fakes/in_tree_overrides.hpp"

namespace flotilla::overrides {
namespace {

using api::Json;

// What `params` make of `manifest`, or what was refused.
Result<Json> overridden(std::string_view field, std::string_view params, std::string_view manifest) {
  const RuleKind* kind = fakes::in_tree_overrides().find(field);
  EXPECT_NE(kind, nullptr);
  auto rule = kind->compile(*Json::parse(params));
  if (!rule) return std::move(rule).error();
  Json object = *Json::parse(manifest);
  const Json cluster = Json::object();
  const Target target{&cluster, {}};
  auto groups = (*rule)->apply(object, {&target, 1});
  if (!groups) return std::move(groups).error();
  for (const PatchGroup& group : *groups) {
    EXPECT_EQ(group.kind, PatchGroup::Kind::JsonPatch);
    EXPECT_EQ(group.targets, std::vector<std::uint32_t>{0});
    if (Status applied = object.apply_json_patch(group.patch); !applied) return std::move(applied).error();
  }
  return object;
}

std::string image(std::string_view params, std::string_view image) {
  const auto pod = Json::object(
      {{"kind", "Pod"},
       {"spec", Json::object({{"containers", Json::array({Json::object({{"image", image}})})}})}});
  auto done = overridden("imageOverrider", params, pod.dump());
  if (!done) return done.error().message();
  return std::string(done->at({"spec", "containers"}).element(0)["image"].as_string());
}

std::string data(std::string_view params, std::string_view text) {
  const auto map = Json::object({{"kind", "ConfigMap"}, {"data", Json::object({{"f", text}})}});
  auto done = overridden("fieldOverrider", params, map.dump());
  return done ? std::string(done->at({"data", "f"}).as_string()) : done.error().message();
}

TEST(Plugins_Override, every_field_of_karmadas_overriders_has_its_rule_in_its_order) {
  std::string order;
  for (const auto& kind : fakes::in_tree_overrides().kinds()) order += std::string(kind->field()) + " ";
  EXPECT_EQ(
      order,
      "imageOverrider commandOverrider argsOverrider labelsOverrider annotationsOverrider fieldOverrider "
      "plaintext ");
}

TEST(Plugins_Override, image_parts_change_one_by_one) {
  EXPECT_EQ(image(R"([{"component":"Registry","operator":"add","value":"reg.io"}])", "team/app:1"),
            "reg.io/team/app:1");
  EXPECT_EQ(image(R"([{"component":"Registry","operator":"add","value":".cn"}])", "quay.io:443/app"),
            "quay.io:443.cn/app");
  EXPECT_EQ(image(R"([{"component":"Registry","operator":"remove"}])", "localhost/app:dev"), "app:dev");
  EXPECT_EQ(image(R"([{"component":"Repository","operator":"add","value":"-alpine"}])", "nginx:1"),
            "nginx-alpine:1");
  EXPECT_EQ(image(R"([{"component":"Tag","operator":"add","value":"-x"}])", "nginx:1"), "nginx:1-x");
  EXPECT_EQ(image(R"([{"component":"Tag","operator":"remove"}])", "nginx:1"), "nginx");
}

TEST(Plugins_Override, a_tag_and_a_digest_replace_each_other) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  EXPECT_EQ(image(R"([{"component":"Tag","operator":"replace","value":"v2"}])", "nginx@" + digest),
            "nginx:v2");
  EXPECT_EQ(image(R"([{"component":"Tag","operator":"replace","value":")" + digest + R"("}])", "nginx:1"),
            "nginx@" + digest);
  EXPECT_EQ(image(R"([{"component":"Tag","operator":"replace","value":"no tag!"}])", "nginx:1"), "nginx:1");
  EXPECT_EQ(image(R"([{"component":"Registry","operator":"remove"}])", "r.io/nginx:1@" + digest), "nginx:1");
}

TEST(Plugins_Override, what_is_no_image_is_refused) {
  const std::string params = R"([{"component":"Tag","operator":"remove"}])";
  for (const char* bad :
       {"", "/sub:1", "-alpine", "A", "nginx@sha256:123", "a..b", "a___b", "r.io/", "a:b:c", "a/B"}) {
    EXPECT_EQ(image(params, bad),
              "failed to parse image value(" + std::string(bad) + "), error: invalid reference format");
  }
  EXPECT_EQ(image(params, "A/b:1").substr(0, 3), "A/b");
}

TEST(Plugins_Override, a_predicate_names_the_one_image_in_any_kind) {
  const auto done =
      overridden("imageOverrider",
                 R"([{"predicate":{"path":"/spec/list/1/img"},"component":"Tag","operator":"replace",
                                    "value":"2"}])",
                 R"({"kind":"Foo","spec":{"list":[{},{"img":"a:1"}]}})");
  ASSERT_TRUE(done);
  EXPECT_EQ(done->at({"spec", "list"}).element(1)["img"].as_string(), "a:2");
}

TEST(Plugins_Override, a_predicate_that_leads_nowhere_is_refused) {
  for (const char* path : {"spec/x", "/spec/y", "/spec/list/7", "/spec/list", "/spec/list/0/a"}) {
    const std::string params =
        R"([{"predicate":{"path":")" + std::string(path) + R"("},"component":"Tag","operator":"remove"}])";
    EXPECT_FALSE(overridden("imageOverrider", params, R"({"kind":"Foo","spec":{"list":["a:1"]}})")) << path;
  }
}

TEST(Plugins_Override, init_containers_and_cron_jobs_are_left_alone) {
  const std::string params = R"([{"component":"Registry","operator":"replace","value":"r.io"}])";
  const std::string pod = R"({"kind":"Pod","spec":{"containers":[],"initContainers":[{"image":"a"}]}})";
  EXPECT_EQ(*overridden("imageOverrider", params, pod), *Json::parse(pod));
  const std::string cron =
      R"({"kind":"CronJob","spec":{"jobTemplate":{"spec":{"template":{"spec":{"containers":[{"image":"a"}]}}}}}})";
  EXPECT_EQ(*overridden("imageOverrider", params, cron), *Json::parse(cron));
}

TEST(Plugins_Override, words_of_a_command_are_added_and_removed) {
  const std::string pod =
      R"({"kind":"Pod","spec":{"containers":[{"name":"a","command":["x","y","x"]},{"name":"b"}]}})";
  const auto added = overridden("commandOverrider",
                                R"([{"containerName":"a","operator":"add","value":["z"]},
                                    {"containerName":"b","operator":"add","value":["q"]}])",
                                pod);
  EXPECT_EQ(added->at({"spec", "containers"}).element(0)["command"].dump(), R"(["x","y","x","z"])");
  EXPECT_EQ(added->at({"spec", "containers"}).element(1)["command"].dump(), R"(["q"])");
  const auto removed =
      overridden("commandOverrider", R"([{"containerName":"a","operator":"remove","value":["x"]}])", pod);
  EXPECT_EQ(removed->at({"spec", "containers"}).element(0)["command"].dump(), R"(["y"])");
}

TEST(Plugins_Override, labels_are_added_and_known_ones_replaced_or_removed) {
  const auto done = overridden("labelsOverrider",
                               R"([{"operator":"add","value":{"a/b":"1"}},
                                   {"operator":"replace","value":{"a/b":"2","unknown":"x"}},
                                   {"operator":"remove","value":{"unknown":""}}])",
                               R"({"metadata":{}})");
  EXPECT_EQ(done->at({"metadata", "labels"}).dump(), R"({"a/b":"2"})");
}

TEST(Plugins_Override, plaintext_is_one_json_patch) {
  const auto done = overridden(
      "plaintext", R"([{"path":"/l/-","operator":"add","value":3},{"path":"/l/0","operator":"remove"}])",
      R"({"l":[1,2]})");
  EXPECT_EQ(done->dump(), R"({"l":[2,3]})");
  EXPECT_FALSE(overridden("plaintext", R"([{"path":"/x/y","operator":"replace","value":1}])", R"({"x":{}})"));
  EXPECT_FALSE(overridden("plaintext", R"([{"path":"/x/y","operator":"add","value":1}])", R"({"x":1})"));
}

TEST(Plugins_Override, json_in_a_field_keeps_the_order_of_its_members) {
  EXPECT_EQ(data(R"([{"fieldPath":"/data/f","json":[{"subPath":"/b","operator":"replace","value":9},
                     {"subPath":"/c","operator":"add","value":"<"}]}])",
                 R"({"z": 1, "b": 2})"),
            R"({"z":1,"b":9,"c":"\u003c"})");
}

TEST(Plugins_Override, yaml_in_a_field_is_written_with_sorted_keys) {
  EXPECT_EQ(
      data(R"([{"fieldPath":"/data/f","yaml":[{"subPath":"/list/-","operator":"add","value":"last"}]}])",
           "zeta: 1.5 # why\nlist:\n- a\n- b: {}\nbase: &x {k: v}\ncopy: *x\n"),
      "base:\n  k: v\ncopy:\n  k: v\nlist:\n- a\n- b: {}\n- last\nzeta: 1.5\n");
}

TEST(Plugins_Override, yaml_texts_are_quoted_where_they_would_mean_something_else) {
  const std::string params =
      R"([{"fieldPath":"/data/f","yaml":[{"subPath":"/x","operator":"add","value":1}]}])";
  EXPECT_EQ(
      data(params, R"({"a":"yes","b":"1","c":"a: b","d":"two\nlines","e":"","f":"# no","g":"null","h":"it's",
                             "i":"2020-01-01","j":"tab\there","k":" lead","l":"end\n"})"),
      "a: \"yes\"\nb: \"1\"\nc: 'a: b'\nd: |-\n  two\n  lines\ne: \"\"\nf: '# no'\ng: \"null\"\nh: it's\n"
      "i: \"2020-01-01\"\nj: \"tab\\there\"\nk: ' lead'\nl: |\n  end\nx: 1\n");
}

TEST(Plugins_Override, yaml_scalars_mean_what_kubernetes_tools_read) {
  const std::string params = R"([{"fieldPath":"/data/f","yaml":[{"subPath":"/x","operator":"remove"}]}])";
  EXPECT_EQ(
      data(params, "x: 0\non: off\noct: 0777\nhex: 0xF\nbig: 1.0\nflt: 1234567.5\nnil: ~\nm: !!str 1\n"),
      "big: 1\nflt: 1.2345675e+06\nhex: 15\nm: \"1\"\nnil: null\noct: 511\n\"true\": false\n");
}

TEST(Plugins_Override, a_field_that_holds_no_text_is_refused) {
  EXPECT_FALSE(overridden("fieldOverrider", R"([{"fieldPath":"/data","json":[]}])", R"({"data":{}})"));
  EXPECT_FALSE(overridden("fieldOverrider", R"([{"fieldPath":"/none","json":[]}])", R"({"data":{}})"));
  EXPECT_EQ(
      data(R"([{"fieldPath":"/data/f","yaml":[{"subPath":"/x","operator":"remove"}]}])", "a: [").substr(0, 8),
      "not YAML");
}

}  // namespace
}  // namespace flotilla::overrides
