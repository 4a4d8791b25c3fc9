// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/lua_interpreter.hpp"

#include "tests/unit/interpreter/objects.hpp"

namespace flotilla::interpreter::test {
namespace {

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

api::Json customization(std::string_view name, std::string_view member, std::string_view script) {
  api::Json object = json(R"({"spec": {"target": {"apiVersion": "example.io/v1", "kind": "Game"}}})");
  object.make({"metadata"}).set("name", name);
  object.make({"spec", "customizations", member}).set("luaScript", script);
  return object;
}

LuaInterpreter interpreter_of(std::initializer_list<api::Json> objects, LuaLimits limits = {}) {
  std::vector<Customization> customizations;
  for (const api::Json& object : objects) customizations.push_back(read_customization(object));
  return LuaInterpreter(system_clock(), limits, std::move(customizations));
}

api::Json game() {
  return object("example.io/v1", "Game", R"({"metadata": {"name": "chess", "namespace": "play"},
      "spec": {"players": 2, "opening": {}, "moves": []}, "status": {"ready": 2}})");
}

TEST(Interpreter_Lua, supports_what_it_has_scripts_for) {
  LuaInterpreter lua =
      interpreter_of({customization("a", "healthInterpretation", "function InterpretHealth() end")});
  EXPECT_TRUE(lua.supports("example.io/v1", "Game", Operation::InterpretHealth));
  EXPECT_FALSE(lua.supports("example.io/v1", "Game", Operation::Retain));
  EXPECT_FALSE(lua.supports("example.io/v2", "Game", Operation::InterpretHealth));
  EXPECT_TRUE(lua.may_block("example.io/v1", "Game", Operation::InterpretHealth));
}

TEST(Interpreter_Lua, interprets_replicas) {
  LuaInterpreter lua = interpreter_of({customization(
      "a", "replicaResource",
      "function GetReplicas(o) return o.spec.players, {resourceRequest = {cpu = '1'}, nodeClaim = {}} end")});
  Result<Replicas> replicas = lua.interpret_replicas(game());
  ASSERT_TRUE(replicas.ok());
  EXPECT_EQ(replicas->count, 2);
  EXPECT_EQ(replicas->requirements, json(R"({"resourceRequest": {"cpu": "1"}})"));
}

TEST(Interpreter_Lua, interprets_components) {
  LuaInterpreter lua = interpreter_of({customization(
      "a", "componentResource", "function GetComponents(o) return {{name = 'white', replicas = 1}} end")});
  EXPECT_EQ(*lua.interpret_components(game()), json(R"([{"name": "white", "replicas": 1}])"));
}

TEST(Interpreter_Lua, revises_and_leaves_all_else_alone) {
  LuaInterpreter lua = interpreter_of({customization(
      "a", "replicaRevision", "function ReviseReplica(o, n) o.spec.players = n return o end")});
  api::Json expected = game();
  expected["spec"].set("players", 7);
  EXPECT_EQ(*lua.revise_replica(game(), 7), expected);
}

TEST(Interpreter_Lua, retains) {
  LuaInterpreter lua = interpreter_of({customization(
      "a", "retention",
      "function Retain(d, o) d.spec.seat = o.spec.seat d.spec.empty = o.spec.empty return d end")});
  api::Json observed = game();
  observed["spec"].set("seat", 3);
  observed["spec"].set("empty", api::Json::array());
  EXPECT_EQ(*lua.retain(game(), observed), observed);
}

TEST(Interpreter_Lua, reflects_and_aggregates_status) {
  LuaInterpreter lua =
      interpreter_of({customization("a", "statusReflection",
                                    "function ReflectStatus(o) return {ready = o.status.ready} end"),
                      customization("b", "statusAggregation", R"(
         function AggregateStatus(o, items)
           o.status = {ready = 0}
           for _, item in ipairs(items) do o.status.ready = o.status.ready + item.status.ready end
           return o
         end)")});
  EXPECT_EQ(*lua.reflect_status(game()), json(R"({"ready": 2})"));
  api::Json list = items({R"({"ready": 1})", R"({"ready": 4})"});
  EXPECT_EQ(*lua.aggregate_status(game(), std::as_const(list).elements(), noon()), json(R"({"ready": 5})"));
}

TEST(Interpreter_Lua, interprets_health) {
  LuaInterpreter lua = interpreter_of(
      {customization("a", "healthInterpretation",
                     "function InterpretHealth(o) return o.status.ready == o.spec.players end")});
  EXPECT_TRUE(*lua.interpret_health(game()));
}

TEST(Interpreter_Lua, takes_the_first_script_by_name) {
  LuaInterpreter lua = interpreter_of(
      {customization("z", "healthInterpretation", "function InterpretHealth() return false end"),
       customization("m", "healthInterpretation", "function InterpretHealth() return true end"),
       customization("a", "retention", "function Retain(d) return d end")});
  EXPECT_TRUE(*lua.interpret_health(game()));
}

TEST(Interpreter_Lua, unites_the_dependencies_of_all) {
  LuaInterpreter lua = interpreter_of(
      {customization("z", "dependencyInterpretation", R"(function GetDependencies(o) return {
           {apiVersion = "v1", kind = "Secret", namespace = o.metadata.namespace, name = "b"},
           {apiVersion = "v1", kind = "Secret", namespace = o.metadata.namespace, name = "a"}} end)"),
       customization("a", "dependencyInterpretation", R"(function GetDependencies(o) return {
           {apiVersion = "v1", kind = "ConfigMap", namespace = "play", labelSelector = {matchLabels = {x = "y"}}},
           {apiVersion = "v1", kind = "Secret", namespace = "play", name = "b"}} end)"),
       customization("m", "dependencyInterpretation", "function GetDependencies() return {} end")});
  EXPECT_EQ(*lua.dependencies(game()), json(R"([
      {"apiVersion": "v1", "kind": "ConfigMap", "namespace": "play", "labelSelector": {"matchLabels": {"x": "y"}}},
      {"apiVersion": "v1", "kind": "Secret", "namespace": "play", "name": "a"},
      {"apiVersion": "v1", "kind": "Secret", "namespace": "play", "name": "b"}])"));
}

TEST(Interpreter_Lua, names_customization_operation_and_line) {
  LuaInterpreter lua =
      interpreter_of({customization("chess", "healthInterpretation",
                                    "function InterpretHealth(o)\n return o.status.a.b\nend"),
                      customization("loop", "retention", "function Retain() while true do end end")},
                     {.instructions = 10'000});
  EXPECT_EQ(lua.interpret_health(game()).error().message(),
            "ResourceInterpreterCustomization \"chess\", InterpretHealth: line 2: "
            "attempt to index field 'a' (a nil value)");
  Result<api::Json> retained = lua.retain(game(), game());
  EXPECT_TRUE(retained.error().is(Code::Timeout));
  EXPECT_EQ(retained.error().message(),
            "ResourceInterpreterCustomization \"loop\", Retain: the instruction limit is reached");
}

TEST(Interpreter_Lua, complains_about_wrong_results) {
  auto complaint = [](std::string_view member, std::string_view script) {
    return interpreter_of({customization("a", member, script)});
  };
  EXPECT_FALSE(complaint("healthInterpretation", "function InterpretHealth() return 1 end")
                   .interpret_health(game())
                   .ok());
  EXPECT_FALSE(
      complaint("replicaResource", "function GetReplicas() return '3' end").interpret_replicas(game()).ok());
  EXPECT_FALSE(
      complaint("replicaResource", "function GetReplicas() return -3 end").interpret_replicas(game()).ok());
  EXPECT_FALSE(
      complaint("replicaResource", "function GetReplicas() return 3, 4 end").interpret_replicas(game()).ok());
  EXPECT_FALSE(complaint("retention", "function Retain() end").retain(game(), game()).ok());
  EXPECT_FALSE(
      complaint("statusReflection", "function ReflectStatus() return nil end").reflect_status(game()).ok());
  EXPECT_FALSE(
      complaint("dependencyInterpretation", "function GetDependencies() return {{kind = 'Secret'}} end")
          .dependencies(game())
          .ok());
  EXPECT_FALSE(complaint("dependencyInterpretation", "function GetDependencies() return {a = 1} end")
                   .dependencies(game())
                   .ok());
  EXPECT_FALSE(complaint("componentResource", "function GetComponents() return {a = 1} end")
                   .interpret_components(game())
                   .ok());
  EXPECT_TRUE(
      complaint("statusReflection", "function ReflectStatus() return {} end").reflect_status(game()).ok());
}

TEST(Interpreter_Bundle, has_scripts_that_compile) {
  const Bundle& bundle = bundled_customizations();
  EXPECT_GE(bundle.customizations.size(), 27u);
  lua::Sandbox sandbox(system_clock(), {}, bundle.modules);
  for (const Customization& one : bundle.customizations) {
    bool any = false;
    for (const auto& script : one.scripts) {
      if (script == nullptr) continue;
      any = true;
      Status compiled = sandbox.compile(*script);
      EXPECT_TRUE(compiled.ok()) << one.origin << ": " << (compiled ? "" : compiled.error().message());
    }
    EXPECT_TRUE(any) << one.origin;
  }
}

TEST(Interpreter_Bundle, answers_without_waiting) {
  auto bundled = bundled_interpreter(system_clock());
  EXPECT_FALSE(bundled->may_block("argoproj.io/v1alpha1", "Rollout", Operation::InterpretHealth));
  api::Json rollout = object("argoproj.io/v1alpha1", "Rollout", R"({"metadata": {"generation": 3},
      "spec": {"replicas": 4}, "status": {"observedGeneration": "3", "phase": "Healthy"}})");
  EXPECT_TRUE(*bundled->interpret_health(rollout));
  EXPECT_EQ(bundled->interpret_replicas(rollout)->count, 4);
  rollout["status"].set("phase", "Degraded");
  EXPECT_FALSE(*bundled->interpret_health(rollout));
}

TEST(Interpreter_Bundle, knows_certificates) {
  auto bundled = bundled_interpreter(system_clock());
  api::Json certificate = object("cert-manager.io/v1", "Certificate", R"({"metadata": {"namespace": "web"},
      "spec": {"issuerRef": {"name": "ca"}}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}})");
  EXPECT_TRUE(*bundled->interpret_health(certificate));
  EXPECT_EQ(
      *bundled->dependencies(certificate),
      json(R"([{"apiVersion": "cert-manager.io/v1", "kind": "Issuer", "namespace": "web", "name": "ca"}])"));
  api::Json list =
      items({R"({"notAfter": "2026-08-01T00:00:00Z", "conditions": [{"type": "Ready", "status": "True"}]})",
             R"({"notAfter": "2026-07-01T00:00:00Z"})"});
  Result<api::Json> status = bundled->aggregate_status(certificate, std::as_const(list).elements(), noon());
  ASSERT_TRUE(status.ok());
  EXPECT_EQ((*status)["notAfter"], json(R"("2026-07-01T00:00:00Z")"));
}

}  // namespace
}  // namespace flotilla::interpreter::test
