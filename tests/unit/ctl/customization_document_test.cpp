// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/customization_document.hpp"

#include <gtest/gtest.h>

namespace flotilla::ctl {
namespace {

using api::Json;

const char* kGame = R"({"apiVersion":"config.karmada.io/v1alpha1","kind":"ResourceInterpreterCustomization",
  "metadata":{"name":"game","resourceVersion":"7"},
  "spec":{"target":{"apiVersion":"example.io/v1","kind":"Game"},"customizations":{
    "healthInterpretation":{"luaScript":"-- well?\nfunction InterpretHealth(o) return true end"},
    "retention":{"luaScript":"function Retain(d, o)\n\n  return d\nend\n"}}}})";

Json game() {
  return Json::parse(kGame).value();
}

TEST(Ctl_CustomizationDocument, has_a_marker_for_everything) {
  EXPECT_EQ(customization_document(game(), false),
            "---@name: game\n---@apiVersion: example.io/v1\n---@kind: Game\n"
            "---@rule: Retain\nfunction Retain(d, o)\n\n  return d\nend\n"
            "---@rule: InterpretReplica\n---@rule: InterpretComponent\n---@rule: ReviseReplica\n"
            "---@rule: InterpretStatus\n---@rule: AggregateStatus\n"
            "---@rule: InterpretHealth\n-- well?\nfunction InterpretHealth(o) return true end\n"
            "---@rule: InterpretDependency\n");
}

TEST(Ctl_CustomizationDocument, left_alone_is_the_same_customization) {
  for (const bool document : {false, true}) {
    const std::string text =
        commented({"Please edit.\n", "\nline 3: wrong\n"}) + customization_document(game(), document);
    EXPECT_EQ(edited_customization(game(), text).value().dump(), game().dump());
    EXPECT_EQ(without_head(text), customization_document(game(), document));
  }
}

TEST(Ctl_CustomizationDocument, sets_changes_and_removes_scripts) {
  const Json edited =
      edited_customization(
          game(),
          "---@name: game\n---@apiVersion: example.io/v2\n---@kind: Match\n"
          "---@rule: InterpretHealth\n\n"
          "---@rule: ReviseReplica\n---@param o table\nfunction ReviseReplica(o, n) return o end\n")
          .value();
  EXPECT_EQ(
      edited["spec"].dump(),
      R"({"customizations":{"replicaRevision":{"luaScript":"---@param o table\nfunction ReviseReplica(o, n) return o end\n"}},)"
      R"("target":{"apiVersion":"example.io/v2","kind":"Match"}})");
  EXPECT_EQ(edited["metadata"].dump(), game()["metadata"].dump());
}

TEST(Ctl_CustomizationDocument, says_which_line_means_nothing) {
  const auto wrong = [](const char* text) {
    return edited_customization(Json::object({}), text).error().message();
  };
  EXPECT_EQ(wrong("---@name: a\nreturn 1\n"), "line 2: unexpected line \"return 1\"");
  EXPECT_EQ(wrong("---@rule: Retian\n"), "line 1: no such rule: \"---@rule: Retian\"");
}

}  // namespace
}  // namespace flotilla::ctl
