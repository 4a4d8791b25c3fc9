// SPDX-License-Identifier: Apache-2.0
#include "sdk/conformance/test_host.hpp"

#include <atomic>
#include <chrono>
#include <cstdlib>

#include "sdk/conformance/test_arena.hpp"
#include "sdk/conformance/test_stream.hpp"

namespace fc = flotilla::conformance;

struct flt_call : std::enable_shared_from_this<flt_call> {
  fc::TestHost::State* host = nullptr;
  std::shared_ptr<flt_arena> arena = std::make_shared<flt_arena>();
  std::mutex mutex;
  std::condition_variable changed;
  bool completed = false;
  fc::Answer answer;
  std::atomic<bool> cancelled{false};
  struct Hook {
    void (*fn)(void*);
    void* ctx;
    void (*free)(void*);
  };
  std::vector<Hook> hooks;
};

namespace flotilla::conformance {

struct TestHost::State {
  std::mutex mutex;
  std::vector<std::string> faults;
  std::vector<std::shared_ptr<flt_call>> calls;  // kept, so that a second completion is seen
  std::vector<std::shared_ptr<void>> kept;
  flt_host_t table{};
  TestExecutor executor;  // first to go: what it still runs may note faults

  void fault(std::string what) {
    std::lock_guard lock(mutex);
    faults.push_back(std::move(what));
  }
};

namespace {

constexpr auto kPatience = std::chrono::seconds(60);

void* alloc(flt_arena_t* arena, std::uint64_t size, std::uint64_t align) {
  std::lock_guard lock(arena->mutex);
  // Exactly as large as asked for, so that a sanitizer sees what goes beyond.
  auto& block = arena->blocks.emplace_back(new unsigned char[size + align]());
  const auto at = reinterpret_cast<std::uintptr_t>(block.get());
  return block.get() + (align - at % align) % align;
}

void adopt(flt_arena_t* arena, const void*, std::uint64_t, void (*release)(void*), void* ctx) {
  std::lock_guard lock(arena->mutex);
  arena->adopted.push_back({release, ctx});
}

void complete(flt_call_t* call, flt_status_t status, const void* result, const flt_error_t* error) {
  std::lock_guard lock(call->mutex);
  if (call->completed) return call->host->fault("a call was completed twice");
  call->completed = true;
  call->answer.status = status;
  call->answer.result = status == FLT_OK ? result : nullptr;
  call->answer.memory = std::move(call->arena);
  if (status != FLT_OK && error != nullptr) {
    call->answer.reason = text_of(error->reason);
    call->answer.message = text_of(error->message);
  }
  if (status != FLT_OK && call->answer.message.empty()) call->host->fault("an error has no message");
  for (const flt_call::Hook& hook : call->hooks) {
    if (hook.free != nullptr) call->host->executor.post([hook] { hook.free(hook.ctx); });
  }
  call->changed.notify_all();
}

flt_arena_t* arena_of(flt_call_t* call) {
  return call->arena.get();
}
std::int64_t no_deadline(flt_call_t*) {
  return 0;
}
flt_str_t no_trace(flt_call_t*) {
  return {nullptr, 0};
}
std::int32_t is_cancelled(flt_call_t* call) {
  return call->cancelled ? 1 : 0;
}
// Hooks run on the host's thread, in order with their frees.
void tell_cancelled(const std::shared_ptr<flt_call>& call, const flt_call::Hook& hook) {
  call->host->executor.post([call, hook] {
    {
      std::lock_guard lock(call->mutex);
      if (call->completed) return;
    }
    hook.fn(hook.ctx);
  });
}
void on_cancel(flt_call_t* call, void (*fn)(void*), void* ctx, void (*ctx_free)(void*)) {
  std::lock_guard lock(call->mutex);
  call->hooks.push_back({fn, ctx, ctx_free});
  if (call->cancelled) tell_cancelled(call->shared_from_this(), call->hooks.back());
}

std::int32_t log_enabled(const flt_host_t*, std::int32_t) {
  return std::getenv("CONFORMANCE_LOG") != nullptr ? 1 : 0;
}
void log_write(const flt_host_t*, std::int32_t, flt_str_t, flt_str_t message, const flt_field_t* fields,
               std::uint64_t n) {
  std::string line = text_of(message);
  for (std::uint64_t i = 0; i < n; ++i) line += " " + text_of(fields[i].key) + "=" + text_of(fields[i].value);
  std::fprintf(stderr, "%s\n", line.c_str());
}

std::int64_t monotonic(const flt_host_t*) {
  return monotonic_ns();
}
std::int64_t wall(const flt_host_t*) {
  return std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

TestExecutor& executor_of(const flt_host_t* host) {
  return static_cast<TestHost::State*>(host->ctx)->executor;
}
void post(const flt_host_t* host, void (*fn)(void*), void* ctx) {
  executor_of(host).post([fn, ctx] { fn(ctx); });
}
std::uint64_t post_after(const flt_host_t* host, std::int64_t delay_ns, void (*fn)(void*), void* ctx) {
  return executor_of(host).post_after(delay_ns, [fn, ctx] { fn(ctx); });
}
std::int32_t cancel_post(const flt_host_t* host, std::uint64_t token) {
  return executor_of(host).cancel(token) ? 1 : 0;
}

constexpr flt_host_mem_t kMem{sizeof(flt_host_mem_t), 0, alloc, adopt};
constexpr flt_host_call_t kCall{
    sizeof(flt_host_call_t), 0, complete, arena_of, no_deadline, no_trace, is_cancelled, on_cancel};
constexpr flt_host_log_t kLog{sizeof(flt_host_log_t), 0, log_enabled, log_write};
constexpr flt_host_clock_t kClock{sizeof(flt_host_clock_t), 0, monotonic, wall};
constexpr flt_host_exec_t kExec{sizeof(flt_host_exec_t), 0, post, post_after, post, cancel_post};

}  // namespace

std::int64_t monotonic_ns() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

TestHost::TestHost() : state_(std::make_unique<State>()) {
  flt_host_t& table = state_->table;
  table.struct_size = sizeof table;
  table.abi_minor = FLT_ABI_MINOR;
  table.product = {"conformance", 11};
  table.mem = &kMem;
  table.ctx = state_.get();
  table.call = &kCall;
  table.stream = &TestStream::functions();
  table.exec = &kExec;
  table.log = &kLog;
  table.clock = &kClock;
}

TestHost::~TestHost() = default;

const flt_host_t* TestHost::table() const {
  return &state_->table;
}

TestHost::Pending TestHost::begin(const std::function<void(flt_call_t*)>& operation) {
  Pending pending;
  pending.call_ = std::make_shared<flt_call>();
  pending.call_->host = state_.get();
  {
    std::lock_guard lock(state_->mutex);
    state_->calls.push_back(pending.call_);
  }
  try {
    operation(pending.call_.get());
  } catch (...) {
    state_->fault("an operation threw an exception");
  }
  return pending;
}

Answer TestHost::Pending::wait() {
  std::unique_lock lock(call_->mutex);
  if (!call_->changed.wait_for(lock, kPatience, [this] { return call_->completed; })) {
    call_->host->fault("a call was not completed within 60 s");
    Answer late;
    late.status = FLT_DEADLINE_EXCEEDED;
    return late;
  }
  return std::move(call_->answer);
}

void TestHost::Pending::cancel() {
  std::lock_guard lock(call_->mutex);
  if (call_->completed || call_->cancelled.exchange(true)) return;
  for (const flt_call::Hook& hook : call_->hooks) tell_cancelled(call_, hook);
}

void TestHost::fault(std::string what) {
  state_->fault(std::move(what));
}

void TestHost::keep(std::shared_ptr<void> what) {
  std::lock_guard lock(state_->mutex);
  state_->kept.push_back(std::move(what));
}

TestExecutor& TestHost::executor() {
  return state_->executor;
}

bool TestHost::Pending::done() const {
  std::lock_guard lock(call_->mutex);
  return call_->completed;
}

std::vector<std::string> TestHost::faults() const {
  std::vector<std::string> all;
  std::vector<std::shared_ptr<flt_call>> calls;
  {
    std::lock_guard lock(state_->mutex);
    all = state_->faults;
    calls = state_->calls;
  }
  for (const auto& call : calls) {
    std::lock_guard lock(call->mutex);
    if (!call->completed) all.push_back("a call was never completed");
  }
  return all;
}

TestInstance::TestInstance(TestHost& host, const flt_component_t& component, std::string config_json,
                           std::string state_dir)
    : host_(host), component_(component) {
  if (config_json.empty()) config_json = "{}";
  const std::string instance = "check";
  flt_create_args_t args{};
  args.struct_size = sizeof args;
  args.instance = {instance.data(), instance.size()};
  args.config_json = {config_json.data(), config_json.size()};
  if (!state_dir.empty()) args.state_dir = {state_dir.data(), state_dir.size()};
  flt_arena arena;
  flt_error_t error{};
  error.struct_size = sizeof error;
  error.arena = &arena;
  created_.status = component.create(host.table(), &args, &self_, &error);
  if (created_.status == FLT_OK) return;
  created_.message = text_of(error.message);
  created_.reason = text_of(error.reason);
  self_ = nullptr;
}

TestInstance::~TestInstance() {
  if (self_ == nullptr) return;
  stop();
  component_.destroy(self_);
}

Answer TestInstance::start() {
  Answer answer;
  answer.status = FLT_OK;
  if (FLT_HAS(&component_, start))
    answer = host_.run([&](flt_call_t* call) { component_.start(self_, call); });
  started_ = answer.ok();
  return answer;
}

Answer TestInstance::stop() {
  Answer answer;
  answer.status = FLT_OK;
  if (!started_ || !FLT_HAS(&component_, stop)) return answer;
  started_ = false;
  const std::int64_t deadline = monotonic(nullptr) + 30'000'000'000;
  return host_.run([&](flt_call_t* call) { component_.stop(self_, deadline, call); });
}

}  // namespace flotilla::conformance
