// SPDX-License-Identifier: Apache-2.0
// What `require("kube")` gives. Each function has two halves: one that computes and must not raise, because
// values with destructors live in it, and one that pushes the outcome and may.
#include <cmath>

#include "core/api/quantity.hpp"
#include "core/interpreter/dependencies.hpp"
#include "core/interpreter/lua/vm.hpp"
#include "core/interpreter/pod_requirements.hpp"

namespace flotilla::interpreter::lua {

namespace {

using api::Json;
using api::Quantity;

bool failed(Vm& vm, const Error& error) {
  vm.message = error.message();
  return false;
}

int finish(lua_State* state, bool done) {
  Vm& vm = vm_of(state);
  if (!done) return luaL_error(state, "%s", vm.message.c_str());
  push_json(state, vm.scratch);
  return 1;
}

bool pod_template_at(lua_State* state, int index, Json& pod_template) {
  return read_json(state, index, {}, pod_template);
}

bool compute_requirements(lua_State* state, Vm& vm) {
  Json pod_template;
  if (!pod_template_at(state, 1, pod_template)) return false;
  Result<Json> requirements = pod_requirements(pod_template, false);
  if (!requirements) return failed(vm, requirements.error());
  vm.scratch = std::move(*requirements);
  return true;
}

int accurate_pod_requirements(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTABLE);
  luaL_checkstack(state, kReadSlots, "pod template");
  bool done = compute_requirements(state, vm_of(state));
  return finish(state, done);
}

bool compute_dependencies(lua_State* state, Vm& vm, const char* name_space) {
  Json pod_template;
  if (!pod_template_at(state, 1, pod_template)) return false;
  vm.scratch = pod_dependencies(pod_template["spec"], name_space);
  return true;
}

int get_pod_dependencies(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTABLE);
  const char* name_space = luaL_optstring(state, 2, "default");
  luaL_checkstack(state, kReadSlots, "pod template");
  bool done = compute_dependencies(state, vm_of(state), name_space);
  return finish(state, done);
}

// Texts and numbers; nil counts as zero.
bool quantity_at(lua_State* state, int index, Vm& vm, Quantity& quantity) {
  Json text;
  if (!read_json(state, index, {}, text)) return false;
  Result<Quantity> parsed = Quantity::from_json(text);
  if (!parsed) return failed(vm, parsed.error());
  quantity = *parsed;
  return true;
}

bool compute_sum(lua_State* state, Vm& vm) {
  Quantity sum;
  for (int i = 1; i <= lua_gettop(state); ++i) {
    Quantity summand;
    if (!quantity_at(state, i, vm, summand)) return false;
    sum += summand;
  }
  vm.scratch = Json(sum.to_string());
  return true;
}

void check_quantity(lua_State* state, int index) {
  int type = lua_type(state, index);
  luaL_argcheck(state, type == LUA_TNIL || type == LUA_TSTRING || type == LUA_TNUMBER, index,
                "quantity expected");
}

int resource_add(lua_State* state) {
  for (int i = 1; i <= lua_gettop(state); ++i) check_quantity(state, i);
  luaL_checkstack(state, 4, "quantities");
  bool done = compute_sum(state, vm_of(state));
  return finish(state, done);
}

bool compute_amount(lua_State* state, Vm& vm) {
  Quantity quantity;
  if (!quantity_at(state, 1, vm, quantity)) return false;
  double amount = quantity.as_double();
  if (amount < 0 || !std::isfinite(amount)) {
    vm.message = "a quantity of a resource is neither negative nor endless: " + quantity.to_string();
    return false;
  }
  vm.scratch = Json(amount);
  return true;
}

int get_resource_quantity(lua_State* state) {
  luaL_checkany(state, 1);
  check_quantity(state, 1);
  luaL_checkstack(state, 4, "quantity");
  bool done = compute_amount(state, vm_of(state));
  return finish(state, done);
}

}  // namespace

void push_kube_library(lua_State* state) {
  constexpr luaL_Reg kFunctions[] = {{"accuratePodRequirements", accurate_pod_requirements},
                                     {"getPodDependencies", get_pod_dependencies},
                                     {"getResourceQuantity", get_resource_quantity},
                                     {"resourceAdd", resource_add},
                                     {nullptr, nullptr}};
  lua_createtable(state, 0, 4);
  luaL_register(state, nullptr, kFunctions);
}

}  // namespace flotilla::interpreter::lua
