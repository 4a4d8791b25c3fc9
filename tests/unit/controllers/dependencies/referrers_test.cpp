// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/dependencies/referrers.hpp"

#include <gtest/gtest.h>

namespace flotilla::controllers {
namespace {

using api::Json;
using api::Labels;
using api::ObjectKey;
using Keys = std::set<ObjectKey>;

Dependency named(const std::string& name) {
  return {"v1", "Secret", "default", name, {}};
}

Dependency labelled(const std::string& value) {
  Json selector = Json::object();
  selector.make({"matchLabels", "app"}) = value;
  return {"v1", "Secret", "default", "", selector};
}

TEST(Controllers_Referrers, are_found_by_name_and_by_labels_before_and_after) {
  Referrers referrers;
  const ObjectKey a{"default", "a"};
  const ObjectKey b{"default", "b"};
  referrers.set(a, {named("s")});
  referrers.set(b, {labelled("x")});
  const Labels none;
  const Labels x{{{"app", "x"}}};
  EXPECT_EQ(referrers.of("v1", "Secret", {"default", "s"}, none, nullptr), Keys{a});
  EXPECT_EQ(referrers.of("v1", "Secret", {"default", "s"}, x, nullptr), (Keys{a, b}));
  EXPECT_EQ(referrers.of("v1", "Secret", {"default", "t"}, none, &x), Keys{b});
  EXPECT_EQ(referrers.of("v1", "Secret", {"other", "s"}, x, nullptr), Keys{});
  EXPECT_EQ(referrers.of("v1", "ConfigMap", {"default", "s"}, x, nullptr), Keys{});
}

TEST(Controllers_Referrers, what_is_no_longer_listed_is_forgotten) {
  Referrers referrers;
  const ObjectKey a{"default", "a"};
  referrers.set(a, {named("s"), labelled("x")});
  referrers.set(a, {named("t")});
  EXPECT_EQ(referrers.of("v1", "Secret", {"default", "s"}, {}, nullptr), Keys{});
  EXPECT_EQ(referrers.of("v1", "Secret", {"default", "t"}, {}, nullptr), Keys{a});
  referrers.set(a, {});
  EXPECT_FALSE(referrers.know_kind("v1", "Secret"));
}

}  // namespace
}  // namespace flotilla::controllers
