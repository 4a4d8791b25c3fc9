// SPDX-License-Identifier: Apache-2.0
#include "core/api/binding.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

const Json& binding() {
  static const Json kBinding = *Json::parse(R"({"spec":{"clusters":[{"name":"b","replicas":2},{"name":"a"}],
    "requiredBy":[{"clusters":[{"name":"b","replicas":9},{"name":"c","replicas":1}]}],
    "gracefulEvictionTasks":[{"fromCluster":"d","purgeMode":"Gracefully"},{"fromCluster":"e","purgeMode":"Directly"},
                             {"fromCluster":"f"}]}})");
  return kBinding;
}

TEST(Api_Binding, targets_are_its_own_clusters_and_those_of_who_requires_it) {
  EXPECT_EQ(targets_of(binding()), (std::vector<TargetCluster>{{"b", 2}, {"a", 0}, {"c", 1}}));
}

TEST(Api_Binding, clusters_evicted_gracefully_keep_their_works) {
  EXPECT_EQ(clusters_with_works(binding()), (std::vector<std::string>{"a", "b", "c", "d", "f"}));
}

TEST(Api_Binding, clusters_purged_directly_do_not) {
  EXPECT_EQ(clusters_purged_directly(binding()), std::vector<std::string>{"e"});
}

}  // namespace
}  // namespace flotilla::api
