// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/lua/sandbox.hpp"

#include <cstdlib>
#include <optional>
#include <utility>

#include "core/interpreter/lua/vm.hpp"

namespace flotilla::interpreter::lua {

namespace {

constexpr int kHookInterval = 1000;
constexpr std::size_t kMemoryKept = 8u << 20;  // a state that holds more is not kept
constexpr const char* kOutOfMemory = "the memory limit is reached";

void* allocate(void* owner, void* block, std::size_t old_size, std::size_t new_size) {
  Vm& vm = *static_cast<Vm*>(owner);
  if (block == nullptr) old_size = 0;
  if (new_size == 0) {
    std::free(block);
    vm.memory -= old_size;
    return nullptr;
  }
  if (new_size > old_size && vm.memory + (new_size - old_size) > vm.limits.memory_bytes) return nullptr;
  void* moved = std::realloc(block, new_size);
  if (moved != nullptr) vm.memory = vm.memory - old_size + new_size;
  return moved;
}

// A bound once reached stays reached: a script that catches the error gets it again with its next
// instruction.
void count(lua_State* state, lua_Debug*) {
  Vm& vm = vm_of(state);
  vm.instructions += kHookInterval;
  if (vm.stopped == nullptr) {
    if (vm.instructions > vm.limits.instructions) {
      vm.stopped = "the instruction limit is reached";
    } else if (vm.clock.steady_now() - vm.started > vm.limits.time) {
      vm.stopped = "the time limit is reached";
    } else {
      return;
    }
  }
  lua_sethook(state, count, LUA_MASKCOUNT, 1);
  luaL_error(state, "%s", vm.stopped);
}

Type type_at(lua_State* state, int index) {
  switch (lua_type(state, index)) {
    case LUA_TNONE:
    case LUA_TNIL:
      return Type::Nil;
    case LUA_TBOOLEAN:
      return Type::Bool;
    case LUA_TNUMBER:
      return Type::Number;
    case LUA_TSTRING:
      return Type::Text;
    case LUA_TTABLE:
      return Type::Table;
    default:
      return Type::Other;
  }
}

// What the protected half works on; lives outside of it.
struct Frame {
  const Call* call;
  const Script* script;
  Results results;
  bool unreadable = false;  // vm.message says why
};

int set_up(lua_State* state) {
  open_libraries(state);
  return 0;
}

void push_chunk(lua_State* state, const Script& script) {
  lua_rawgeti(state, LUA_REGISTRYINDEX, kScripts + script.id);
  if (!lua_isnil(state, -1)) return;
  lua_pop(state, 1);
  if (script.text.starts_with(LUA_SIGNATURE)) luaL_error(state, "a script has to be source text");
  if (luaL_loadbuffer(state, script.text.data(), script.text.size(), "=script") != 0) lua_error(state);
  lua_pushvalue(state, -1);
  lua_rawseti(state, LUA_REGISTRYINDEX, kScripts + script.id);
}

int compile_protected(lua_State* state) {
  push_chunk(state, *static_cast<Frame*>(lua_touserdata(state, 1))->script);
  return 0;
}

// Never raises: the stack is large enough.
void read_results(lua_State* state, int first, Frame& frame) {
  for (std::size_t i = 0; i < frame.results.size() && !frame.unreadable; ++i) {
    Value& value = frame.results[i];
    int index = first + static_cast<int>(i);
    value.type = type_at(state, index);
    if (value.type == Type::Other) continue;
    auto references = i == 0 ? frame.call->references : std::span<const api::Json* const>();
    frame.unreadable = !read_json(state, index, references, value.json);
  }
}

int run_protected(lua_State* state) {
  Frame& frame = *static_cast<Frame*>(lua_touserdata(state, 1));
  const Call& call = *frame.call;
  luaL_checkstack(state, kReadSlots, "results");
  push_environment(state);
  push_chunk(state, call.script);
  lua_pushvalue(state, 2);
  lua_setfenv(state, -2);
  lua_call(state, 0, 0);
  lua_getfield(state, 2, call.function);
  if (!lua_isfunction(state, -1)) {
    return luaL_error(state, "the script defines no function %s", call.function);
  }
  for (const api::Json* argument : call.arguments) push_json(state, *argument);
  lua_call(state, static_cast<int>(call.arguments.size()), static_cast<int>(frame.results.size()));
  read_results(state, 3, frame);
  return 0;
}

// "script:3: text" is how Lua says where; what is called script has a better name with the caller.
std::string in_our_words(std::string_view text) {
  constexpr std::string_view kScript = "script:";
  if (!text.starts_with(kScript)) return std::string(text);
  std::size_t colon = text.find(':', kScript.size());
  if (colon == std::string_view::npos) return std::string(text);
  std::string words = "line ";
  words += text.substr(kScript.size(), colon - kScript.size());
  words += text.substr(colon);
  return words;
}

// Takes the error off the stack.
Error take_error(lua_State* state, int outcome) {
  const char* text = lua_type(state, -1) == LUA_TSTRING ? lua_tostring(state, -1) : nullptr;
  std::string words = text == nullptr ? "the script raised an error that is no text" : in_our_words(text);
  lua_settop(state, 0);
  // A compiler without memory tells by its text alone.
  if (outcome == LUA_ERRMEM || words == "not enough memory")
    return Error(Code::ResourceExhausted, kOutOfMemory);
  return invalid(std::move(words));
}

std::atomic<int> next_script_id{0};

}  // namespace

void Sandbox::CloseState::operator()(lua_State* state) const {
  lua_close(state);
}

Script::Script(std::string the_text)
    : id(next_script_id.fetch_add(1, std::memory_order_relaxed)), text(std::move(the_text)) {}

Sandbox::Sandbox(const Clock& clock, const LuaLimits& limits, std::span<const Module> modules)
    : vm_(std::make_unique<Vm>(clock, limits, modules)), state_(lua_newstate(allocate, vm_.get())) {
  if (state_ != nullptr && lua_cpcall(state_.get(), set_up, nullptr) != 0) state_.reset();
}

Sandbox::~Sandbox() = default;

Result<Results> Sandbox::run(const Call& call) {
  if (state_ == nullptr) return Error(Code::ResourceExhausted, "no memory for a Lua state");
  lua_State* state = state_.get();
  vm_->started = vm_->clock.steady_now();
  vm_->instructions = 0;
  vm_->pattern_steps = vm_->limits.pattern_steps;
  vm_->stopped = nullptr;
  vm_->printed.clear();
  Frame frame{&call, &call.script, {}, false};
  lua_sethook(state, count, LUA_MASKCOUNT, kHookInterval);
  int outcome = lua_cpcall(state, run_protected, &frame);
  lua_sethook(state, nullptr, 0, 0);
  vm_->scratch = api::Json();
  if (call.printed != nullptr) *call.printed = vm_->printed;
  std::optional<Error> error;
  if (outcome != 0) error = take_error(state, outcome);
  if (vm_->stopped != nullptr) return Error(Code::Timeout, vm_->stopped);
  if (error) return std::move(*error);
  if (frame.unreadable) return invalid(vm_->message);
  return std::move(frame.results);
}

Status Sandbox::compile(const Script& script) {
  if (state_ == nullptr) return Error(Code::ResourceExhausted, "no memory for a Lua state");
  Frame frame{nullptr, &script, {}, false};
  int outcome = lua_cpcall(state_.get(), compile_protected, &frame);
  if (outcome == 0) return {};
  return take_error(state_.get(), outcome);
}

bool Sandbox::reusable() const {
  return state_ != nullptr && vm_->stopped == nullptr && vm_->memory <= kMemoryKept;
}

SandboxPool::SandboxPool(const Clock& clock, LuaLimits limits, std::vector<Module> modules)
    : clock_(clock), limits_(limits), modules_(std::move(modules)) {}

SandboxPool::~SandboxPool() {
  for (auto& slot : idle_) delete slot.load();
}

Result<Results> SandboxPool::run(const Call& call) const {
  std::unique_ptr<Sandbox> sandbox = take();
  const SteadyTime began = clock_.steady_now();
  Result<Results> results = sandbox->run(call);
  call.script.last_took.store((clock_.steady_now() - began).count(), std::memory_order_relaxed);
  const bool kept = sandbox->reusable() && give_back(std::move(sandbox));
  if (observer_.put) observer_.put(kept);
  return results;
}

std::unique_ptr<Sandbox> SandboxPool::take() const {
  for (auto& slot : idle_) {
    Sandbox* sandbox = slot.exchange(nullptr);
    if (sandbox == nullptr) continue;
    if (observer_.took) observer_.took(false);
    return std::unique_ptr<Sandbox>(sandbox);
  }
  if (observer_.took) observer_.took(true);
  return std::make_unique<Sandbox>(clock_, limits_, modules_);
}

bool SandboxPool::give_back(std::unique_ptr<Sandbox> sandbox) const {
  for (auto& slot : idle_) {
    Sandbox* nobody = nullptr;
    if (slot.compare_exchange_strong(nobody, sandbox.get())) {
      sandbox.release();
      return true;
    }
  }
  return false;
}

}  // namespace flotilla::interpreter::lua
