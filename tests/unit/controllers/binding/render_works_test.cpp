// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/binding/render_works.hpp"

#include <gtest/gtest.h>

#include <map>

#include "core/api/object.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;

class Controllers_RenderWorks : public testing::Test {
 protected:
  Controllers_RenderWorks() {
    for (const char* name : {"a", "b", "c"}) {
      clusters_[name] = Json::object({{"metadata", Json::object({{"name", name}})}});
    }
  }
  Rendered render() const {
    const auto find = [this](std::string_view name) -> const Json* {
      const auto found = clusters_.find(std::string(name));
      return found == clusters_.end() ? nullptr : &found->second;
    };
    return render_works({binding_, template_, find, {}, {}, native_});
  }
  static const Json& manifest(const RenderedWork& work) {
    return work.work.at({"spec", "workload", "manifests"}).element(0);
  }

  interpreter::NativeInterpreter native_;
  std::map<std::string, Json> clusters_;
  Json template_ = *Json::parse(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"nginx",
    "namespace":"default","uid":"u1","resourceVersion":"7","generation":2},"spec":{"replicas":9},"status":{"x":1}})");
  Json binding_ = *Json::parse(R"({"apiVersion":"work.karmada.io/v1alpha2","kind":"ResourceBinding",
    "metadata":{"name":"nginx-deployment","namespace":"default",
                "labels":{"resourcebinding.karmada.io/permanent-id":"b1"}},
    "spec":{"resource":{"uid":"u1"},"replicas":9,"clusters":[{"name":"a","replicas":4},{"name":"b","replicas":5}]}})");
};

TEST_F(Controllers_RenderWorks, each_cluster_gets_its_share_and_no_more_than_may_travel) {
  const Rendered rendered = render();
  ASSERT_EQ(rendered.works.size(), 2u);
  EXPECT_EQ(rendered.works[0].work.at({"metadata", "namespace"}).as_string(), "karmada-es-a");
  EXPECT_EQ(rendered.works[0].work.at({"metadata", "name"}).as_string(), "nginx-687f7fb96f");
  EXPECT_EQ(manifest(rendered.works[0]).at({"spec", "replicas"}).as_int(), 4);
  EXPECT_EQ(manifest(rendered.works[1]).at({"spec", "replicas"}).as_int(), 5);
  EXPECT_FALSE(manifest(rendered.works[0]).contains("status"));
  EXPECT_FALSE(manifest(rendered.works[0])["metadata"].contains("uid"));
  EXPECT_EQ(api::label_of(manifest(rendered.works[0]), "karmada.io/managed"), "true");
}

TEST_F(Controllers_RenderWorks, what_others_require_is_added_once) {
  binding_["spec"]["requiredBy"] =
      *Json::parse(R"([{"name":"x","namespace":"default","clusters":[{"name":"b"},{"name":"c"}]}])");
  const Rendered rendered = render();
  ASSERT_EQ(rendered.works.size(), 3u);
}

TEST_F(Controllers_RenderWorks, a_cluster_that_is_gone_fails_alone) {
  clusters_.erase("a");
  const Rendered rendered = render();
  EXPECT_EQ(rendered.works.size(), 1u);
  ASSERT_EQ(rendered.failures.size(), 1u);
  EXPECT_EQ(rendered.failures[0].cluster, "a");
}

TEST_F(Controllers_RenderWorks, dispatching_is_suspended_where_it_is_asked) {
  binding_["spec"]["suspension"] = *Json::parse(R"({"dispatchingOnClusters":{"clusterNames":["b"]}})");
  const Rendered rendered = render();
  EXPECT_FALSE(rendered.works[0].work.at({"spec", "suspendDispatching"}).as_bool(true));
  EXPECT_TRUE(rendered.works[1].work.at({"spec", "suspendDispatching"}).as_bool());
}

TEST_F(Controllers_RenderWorks, completions_of_a_divided_job_are_shared_out_by_replicas) {
  template_ =
      *Json::parse(R"({"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"j","namespace":"default"},
    "spec":{"parallelism":9,"completions":18}})");
  binding_["spec"]["placement"] =
      *Json::parse(R"({"replicaScheduling":{"replicaSchedulingType":"Divided"}})");
  const Rendered rendered = render();
  EXPECT_EQ(manifest(rendered.works[0]).at({"spec", "completions"}).as_int(), 8);
  EXPECT_EQ(manifest(rendered.works[1]).at({"spec", "completions"}).as_int(), 10);
}

}  // namespace
}  // namespace flotilla::controllers
