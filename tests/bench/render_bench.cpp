// SPDX-License-Identifier: Apache-2.0
// render/<clusters>: the Works of one Deployment under three override rules (all clusters, a third of them,
// one of them), as the binding controller makes them.
#include <algorithm>
#include <map>

#include "core/controllers/binding/render_works.hpp"
#include "core/overrides/compiled_policy.hpp"
#include "tests/bench/bench.hpp"
#include "tests/fakes/in_tree_overrides.hpp"

namespace flotilla::bench {
namespace {

using api::Json;

constexpr auto kLeast = std::chrono::milliseconds(500);
constexpr std::int64_t kMostTimes = 2000;

std::string name_of(int number) {
  const std::string digits = std::to_string(number);
  return "cluster-" + std::string(5 - digits.size(), '0') + digits;
}

Json deployment() {
  return Json::parse(
             R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"default",
    "uid":"u","generation":3,"labels":{"app":"web"}},"spec":{"replicas":2,"selector":{"matchLabels":{"app":"web"}},
    "template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"web","image":"nginx:1",
    "env":[{"name":"A","value":"1"},{"name":"B","value":"2"}],"ports":[{"containerPort":80}]},
    {"name":"side","image":"example.com/side:2","resources":{"requests":{"cpu":"100m"}}}]}}}})")
      .value();
}

Json policy() {
  return Json::parse(R"({"metadata":{"name":"o","namespace":"default"},"spec":{"overrideRules":[
    {"overriders":{"imageOverrider":[{"component":"Registry","operator":"add","value":"mirror.example.com"}]}},
    {"targetCluster":{"labelSelector":{"matchLabels":{"tier":"gold"}}},
     "overriders":{"labelsOverrider":[{"operator":"add","value":{"tier":"gold"}}]}},
    {"targetCluster":{"clusterNames":["cluster-00000"]},
     "overriders":{"plaintext":[{"path":"/spec/template/spec/containers/0/env/0/value","operator":"replace","value":"9"}]}}]}})")
      .value();
}

}  // namespace

Result<std::vector<Line>> run_render() {
  std::vector<Line> lines;
  const interpreter::NativeInterpreter native;
  const Json template_ = deployment();
  const std::vector<std::shared_ptr<const overrides::CompiledPolicy>> policies = {
      std::make_shared<const overrides::CompiledPolicy>(policy(), fakes::in_tree_overrides())};
  for (const int count : {1, 10, 100, 1000}) {
    std::map<std::string, Json, std::less<>> clusters;
    Json binding =
        Json::parse(R"({"kind":"ResourceBinding","metadata":{"name":"web-deployment","namespace":"default",
      "labels":{"resourcebinding.karmada.io/permanent-id":"id"}},"spec":{"replicas":2,"resource":{"uid":"u"}}})")
            .value();
    for (int i = 0; i < count; ++i) {
      Json cluster = Json::object();
      cluster.make({"metadata", "name"}) = name_of(i);
      cluster.make({"metadata", "labels", "tier"}) = i % 3 == 0 ? "gold" : "silver";
      clusters.emplace(name_of(i), std::move(cluster));
      binding.make({"spec", "clusters"}).push_back(Json::object({{"name", name_of(i)}, {"replicas", 2}}));
    }
    const auto find = [&](std::string_view name) -> const Json* {
      const auto found = clusters.find(name);
      return found == clusters.end() ? nullptr : &found->second;
    };
    std::string failed;
    const auto render = [&](std::int64_t) {
      const controllers::Rendered rendered =
          controllers::render_works({binding, template_, find, {}, policies, native});
      if (rendered.works.size() != static_cast<std::size_t>(count)) failed = "not every cluster got a Work";
    };
    lines.push_back(measure("render/" + std::to_string(count), kLeast, kMostTimes, 3, render));
    if (!failed.empty()) return internal(failed);
  }
  return lines;
}

}  // namespace flotilla::bench
