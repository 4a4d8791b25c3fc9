// SPDX-License-Identifier: Apache-2.0
#include "sdk/conformance/test_host.hpp"

#include <chrono>
#include <cstdlib>
#include <deque>

namespace fc = flotilla::conformance;

struct flt_arena {
  std::mutex mutex;
  std::deque<std::unique_ptr<unsigned char[]>> blocks;
  struct Adopted {
    void (*release)(void*);
    void* ctx;
  };
  std::vector<Adopted> adopted;
  ~flt_arena() {
    for (const Adopted& one : adopted) one.release(one.ctx);
  }
};

struct flt_call {
  fc::TestHost::State* host = nullptr;
  std::shared_ptr<flt_arena> arena = std::make_shared<flt_arena>();
  std::mutex mutex;
  std::condition_variable changed;
  bool completed = false;
  fc::Answer answer;
  std::vector<std::pair<void (*)(void*), void*>> frees;
};

namespace flotilla::conformance {

struct TestHost::State {
  std::mutex mutex;
  std::vector<std::string> faults;
  std::vector<std::shared_ptr<flt_call>> calls;  // kept, so that a second completion is seen
  flt_host_t table{};

  void fault(std::string what) {
    std::lock_guard lock(mutex);
    faults.push_back(std::move(what));
  }
};

namespace {

constexpr auto kPatience = std::chrono::seconds(60);

std::string text(flt_str_t value) {
  return {value.p == nullptr ? "" : value.p, static_cast<std::size_t>(value.n)};
}

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
    call->answer.reason = text(error->reason);
    call->answer.message = text(error->message);
  }
  if (status != FLT_OK && call->answer.message.empty()) call->host->fault("an error has no message");
  for (const auto& [fn, ctx] : call->frees) fn(ctx);
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
std::int32_t never_cancelled(flt_call_t*) {
  return 0;
}
void on_cancel(flt_call_t* call, void (*)(void*), void* ctx, void (*ctx_free)(void*)) {
  std::lock_guard lock(call->mutex);
  if (ctx_free != nullptr) call->frees.emplace_back(ctx_free, ctx);
}

std::int32_t log_enabled(const flt_host_t*, std::int32_t) {
  return std::getenv("CONFORMANCE_LOG") != nullptr ? 1 : 0;
}
void log_write(const flt_host_t*, std::int32_t, flt_str_t, flt_str_t message, const flt_field_t* fields,
               std::uint64_t n) {
  std::string line = text(message);
  for (std::uint64_t i = 0; i < n; ++i) line += " " + text(fields[i].key) + "=" + text(fields[i].value);
  std::fprintf(stderr, "%s\n", line.c_str());
}

std::int64_t monotonic(const flt_host_t*) {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}
std::int64_t wall(const flt_host_t*) {
  return std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

constexpr flt_host_mem_t kMem{sizeof(flt_host_mem_t), 0, alloc, adopt};
constexpr flt_host_call_t kCall{sizeof(flt_host_call_t), 0,        complete, arena_of, no_deadline, no_trace,
                                never_cancelled,         on_cancel};
constexpr flt_host_log_t kLog{sizeof(flt_host_log_t), 0, log_enabled, log_write};
constexpr flt_host_clock_t kClock{sizeof(flt_host_clock_t), 0, monotonic, wall};

}  // namespace

TestHost::TestHost() : state_(std::make_unique<State>()) {
  flt_host_t& table = state_->table;
  table.struct_size = sizeof table;
  table.abi_minor = FLT_ABI_MINOR;
  table.product = {"conformance", 11};
  table.mem = &kMem;
  table.call = &kCall;
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
  created_.message = text(error.message);
  created_.reason = text(error.reason);
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
