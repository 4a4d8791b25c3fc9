// SPDX-License-Identifier: Apache-2.0
// interpret/<operation>/<by>: one question about one object, asked of the bundled scripts and of the native
// interpreter.
#include <array>

#include "core/interpreter/lua_interpreter.hpp"
#include "tests/bench/bench.hpp"

namespace flotilla::bench {
namespace {

using api::Json;
using interpreter::Interpreter;

constexpr auto kLeast = std::chrono::milliseconds(300);
constexpr std::int64_t kMostTimes = 50000;
constexpr std::int64_t kWarm = 100;

Json workload(std::string_view api_version, std::string_view kind) {
  Json object = Json::parse(R"({"metadata": {"name": "web", "namespace": "default", "generation": 3,
      "labels": {"app": "web"}, "annotations": {"resourcetemplate.karmada.io/generation": "3"}},
      "spec": {"replicas": 4, "selector": {"matchLabels": {"app": "web"}}, "template": {
        "metadata": {"labels": {"app": "web"}}, "spec": {
          "volumes": [{"name": "c", "configMap": {"name": "config"}}],
          "containers": [{"name": "a", "image": "nginx:1", "resources": {"requests": {"cpu": "100m", "memory": "1Gi"}},
            "env": [{"name": "x", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}]}}},
      "status": {"observedGeneration": 3, "replicas": 4, "updatedReplicas": 4, "readyReplicas": 4,
                 "availableReplicas": 4}})")
                    .value();
  object.set("apiVersion", api_version);
  object.set("kind", kind);
  object.freeze();
  return object;
}

Json items() {
  Json list = Json::array();
  for (int i = 0; i < 10; ++i) {
    list.push_back(Json::parse(R"({"clusterName": "member", "applied": true, "health": "Healthy", "status": {
        "generation": 3, "observedGeneration": 3, "resourceTemplateGeneration": 3, "replicas": 4,
        "updatedReplicas": 4, "readyReplicas": 4, "availableReplicas": 4}})")
                       .value());
  }
  return list;
}

void measure_all(const Interpreter& interpreter, const Json& object, const std::string& by,
                 std::vector<Line>& lines) {
  const Json list = items();
  const WallTime now{};
  const auto add = [&](const std::string& operation, const std::function<bool()>& ask) {
    lines.push_back(measure("interpret/" + operation + "/" + by, kLeast, kMostTimes, kWarm,
                            [&ask](std::int64_t) { static_cast<void>(ask()); }));
  };
  add("health", [&] { return interpreter.interpret_health(object).ok(); });
  add("replicas", [&] { return interpreter.interpret_replicas(object).ok(); });
  add("revise", [&] { return interpreter.revise_replica(object, 7).ok(); });
  add("aggregate10", [&] { return interpreter.aggregate_status(object, list.elements(), now).ok(); });
}

}  // namespace

Result<std::vector<Line>> run_interpret() {
  const SystemClock clock;
  const auto bundled = interpreter::bundled_interpreter(clock);
  const interpreter::NativeInterpreter native;
  std::vector<Line> lines;
  measure_all(*bundled, workload("apps.kruise.io/v1alpha1", "CloneSet"), "lua", lines);
  measure_all(native, workload("apps/v1", "Deployment"), "native", lines);
  return lines;
}

}  // namespace flotilla::bench
