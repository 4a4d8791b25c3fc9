// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/host_services.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <thread>

#include "core/async/fiber_scope.hpp"

namespace flotilla::plugin {
namespace {

using namespace std::chrono_literals;

// A daemon's worth of host with one instance, and a fiber to ask it from.
class Host {
 public:
  explicit Host(std::uint32_t exec = FLT_EXEC_ASYNC)
      : executor_(clock_), environment_(executor_, "flotilla test"), scope_(executor_.strand(), "test") {
    services_ = HostServices::make(environment_, "probe", exec);
  }
  ~Host() {
    scope_.cancel();
    scope_.join_blocking();
    executor_.stop();
  }

  Completion call(Op op, CallOptions options = {}) {
    std::promise<Completion> answer;
    auto waiting = answer.get_future();
    scope_.spawn(ask(services_, std::move(op), std::move(options), &answer));
    return waiting.get();
  }
  Result<std::optional<Stream::Batch>> next(Stream& stream, Duration idle = 10s) {
    std::promise<Result<std::optional<Stream::Batch>>> answer;
    auto waiting = answer.get_future();
    scope_.spawn(read(&stream, idle, &answer));
    return waiting.get();
  }

  const flt_host_t* table() const { return services_->table(); }
  HostServices& services() { return *services_; }
  std::shared_ptr<HostServices> shared() { return services_; }
  HostEnvironment& environment() { return environment_; }
  FiberScope& scope() { return scope_; }

 private:
  static Task<void> ask(std::shared_ptr<HostServices> services, Op op, CallOptions options,
                        std::promise<Completion>* answer) {
    auto waiting = services->call(std::move(op), std::move(options));
    answer->set_value(co_await std::move(waiting));
  }
  static Task<void> read(Stream* stream, Duration idle,
                         std::promise<Result<std::optional<Stream::Batch>>>* answer) {
    auto waiting = stream->next(idle);
    answer->set_value(co_await std::move(waiting));
  }

  SystemClock clock_;
  Executor executor_;
  HostEnvironment environment_;
  FiberScope scope_;
  std::shared_ptr<HostServices> services_;
};

TEST(Plugin_Arena, gives_zeroed_and_aligned_memory_up_to_its_limit) {
  const ArenaRef arena = make_arena(1u << 20);
  const flt_host_mem_t& mem = arena_functions();
  for (std::size_t i = 1; i < 5000; i += 7) {
    auto* bytes = static_cast<unsigned char*>(mem.alloc(arena.get(), i % 97, 64));
    ASSERT_NE(bytes, nullptr);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes) % 64, 0u);
    for (std::size_t j = 0; j < i % 97; ++j) ASSERT_EQ(bytes[j]++, 0);
  }
  EXPECT_EQ(mem.alloc(arena.get(), 2u << 20, 8), nullptr);
  EXPECT_EQ(mem.alloc(arena.get(), 8, 3), nullptr);
  EXPECT_EQ(mem.alloc(arena.get(), ~std::uint64_t{0}, 8), nullptr);
}

TEST(Plugin_Arena, releases_an_adopted_buffer_once_when_it_dies) {
  int released = 0;
  ArenaRef arena = make_arena();
  arena_functions().adopt(
      arena.get(), "x", 1, [](void* ctx) { ++*static_cast<int*>(ctx); }, &released);
  EXPECT_EQ(released, 0);
  arena.reset();
  EXPECT_EQ(released, 1);
}

TEST(Plugin_Call, answers_with_the_result_completed_inside_the_operation) {
  Host host;
  const Completion answer = host.call([&](flt_call_t* call) {
    auto* result =
        static_cast<int*>(host.table()->mem->alloc(host.table()->call->arena(call), sizeof(int), 4));
    *result = 42;
    host.table()->call->complete(call, FLT_OK, result, nullptr);
  });
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(*answer.as<int>(), 42);
  EXPECT_EQ(host.services().in_flight(), 0u);
}

TEST(Plugin_Call, answers_from_another_thread) {
  Host host;
  std::thread other;
  const Completion answer = host.call([&](flt_call_t* call) {
    other = std::thread([&host, call] { host.table()->call->complete(call, FLT_OK, nullptr, nullptr); });
  });
  other.join();
  EXPECT_TRUE(answer.ok());
}

TEST(Plugin_Call, carries_an_error_in_our_words) {
  Host host;
  const Completion answer = host.call([&](flt_call_t* call) {
    flt_error_t error{};
    error.struct_size = sizeof error;
    error.http_status = 409;
    error.reason = {"AlreadyExists", 13};
    error.message = {"web is there", 12};
    error.retry_after_ms = 1500;
    host.table()->call->complete(call, FLT_ABORTED, nullptr, &error);
  });
  EXPECT_EQ(answer.status, FLT_ABORTED);
  EXPECT_EQ(answer.error.code(), Code::AlreadyExists);
  EXPECT_EQ(answer.error.message(), "web is there");
  EXPECT_EQ(answer.reason, "AlreadyExists");
  EXPECT_EQ(answer.error.details()->retry_after_seconds, 2);
}

TEST(Plugin_Call, is_answered_for_a_plugin_that_never_does) {
  Host host;
  flt_call_t* lost = nullptr;
  const Completion answer = host.call([&](flt_call_t* call) { lost = call; }, {.timeout = 20ms});
  EXPECT_EQ(answer.status, FLT_DEADLINE_EXCEEDED);
  EXPECT_EQ(answer.error.code(), Code::Timeout);
  EXPECT_EQ(host.services().orphans(), 1u);
  EXPECT_EQ(host.table()->call->cancelled(lost), 1);
  host.table()->call->complete(lost, FLT_OK, nullptr, nullptr);
  EXPECT_EQ(host.services().orphans(), 0u);
  EXPECT_EQ(host.services().in_flight(), 0u);
}

TEST(Plugin_Call, notes_a_second_completion) {
  Host host;
  host.call([&](flt_call_t* call) {
    host.table()->call->complete(call, FLT_OK, nullptr, nullptr);
    host.table()->call->complete(call, FLT_OK, nullptr, nullptr);
  });
  EXPECT_EQ(host.services().misbehaviours(), 1u);
}

TEST(Plugin_Call, runs_the_cancel_hook_and_frees_its_context) {
  Host host;
  struct Seen {
    std::promise<void> cancelled, freed;
  } seen;
  flt_call_t* pending = nullptr;
  host.call(
      [&](flt_call_t* call) {
        pending = call;
        host.table()->call->on_cancel(
            call, [](void* ctx) { static_cast<Seen*>(ctx)->cancelled.set_value(); }, &seen,
            [](void* ctx) { static_cast<Seen*>(ctx)->freed.set_value(); });
      },
      {.timeout = 10ms});
  seen.cancelled.get_future().get();
  seen.freed.get_future().get();
  host.table()->call->complete(pending, FLT_CANCELLED, nullptr, nullptr);
}

TEST(Plugin_Call, frees_the_cancel_hook_of_a_completed_call_without_running_it) {
  Host host;
  std::promise<void> freed;
  host.call([&](flt_call_t* call) {
    host.table()->call->on_cancel(
        call, [](void*) { ADD_FAILURE() << "cancelled"; }, &freed,
        [](void* ctx) { static_cast<std::promise<void>*>(ctx)->set_value(); });
    host.table()->call->complete(call, FLT_OK, nullptr, nullptr);
  });
  freed.get_future().get();
}

TEST(Plugin_Call, runs_serial_blocking_operations_in_order) {
  Host host(FLT_EXEC_BLOCKING | FLT_EXEC_SERIAL);
  std::vector<int> order;
  std::promise<void> all;
  for (int i = 0; i < 100; ++i) {
    host.services().call(
        [&, i](flt_call_t* call) {
          order.push_back(i);
          host.table()->call->complete(call, FLT_OK, nullptr, nullptr);
          if (i == 99) all.set_value();
        },
        {}, [](Completion) {});
  }
  all.get_future().get();
  ASSERT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(Plugin_Call, turns_an_exception_into_an_internal_error) {
  Host host;
  const Completion answer = host.call([](flt_call_t*) { throw 1; });
  EXPECT_EQ(answer.status, FLT_INTERNAL);
}

TEST(Plugin_Stream, hands_batches_over_in_order_and_then_the_end) {
  Host host;
  Stream stream(host.shared(), {.credit = 2});
  const flt_host_stream_t& functions = *host.table()->stream;
  flt_stream_t* handle = stream.handle();
  for (int i = 0; i < 2; ++i) {
    flt_arena_t* arena = functions.batch_begin(handle);
    auto* number = static_cast<int*>(host.table()->mem->alloc(arena, sizeof(int), 4));
    *number = i;
    EXPECT_EQ(functions.push(handle, arena, number), 1 - i);
  }
  functions.end(handle, FLT_OK, nullptr);
  for (int i = 0; i < 2; ++i) {
    const auto batch = host.next(stream);
    ASSERT_TRUE(batch.ok());
    EXPECT_EQ(*(*batch)->as<int>(), i);
  }
  EXPECT_EQ(host.next(stream).value(), std::nullopt);
}

TEST(Plugin_Stream, tells_the_plugin_when_credit_is_back) {
  Host host;
  Stream stream(host.shared(), {.credit = 1});
  const flt_host_stream_t& functions = *host.table()->stream;
  flt_stream_t* handle = stream.handle();
  flt_arena_t* arena = functions.batch_begin(handle);
  EXPECT_EQ(functions.push(handle, arena, nullptr), 0);
  std::promise<void> told;
  functions.on_credit(
      handle, [](void* ctx) { static_cast<std::promise<void>*>(ctx)->set_value(); }, &told, nullptr);
  ASSERT_TRUE(host.next(stream).ok());
  told.get_future().get();
  functions.end(handle, FLT_OK, nullptr);
}

TEST(Plugin_Stream, ends_with_the_plugins_error) {
  Host host;
  Stream stream(host.shared(), {});
  flt_error_t error{};
  error.struct_size = sizeof error;
  error.reason = {"Expired", 7};
  host.table()->stream->end(stream.handle(), FLT_OUT_OF_RANGE, &error);
  const auto batch = host.next(stream);
  ASSERT_FALSE(batch.ok());
  EXPECT_EQ(batch.error().code(), Code::Gone);
  EXPECT_EQ(batch.error().details()->reason, "Expired");
}

TEST(Plugin_Stream, is_closed_to_the_plugin_when_the_reader_goes) {
  Host host;
  auto stream = std::make_unique<Stream>(host.shared(), Stream::Options{});
  flt_stream_t* handle = stream->handle();
  flt_arena_t* arena = host.table()->stream->batch_begin(handle);
  stream.reset();
  EXPECT_EQ(host.table()->stream->closed(handle), 1);
  EXPECT_LT(host.table()->stream->push(handle, arena, nullptr), 0);
  host.table()->stream->end(handle, FLT_OK, nullptr);
}

TEST(Plugin_Stream, times_out_when_nothing_comes) {
  Host host;
  Stream stream(host.shared(), {});
  EXPECT_EQ(host.next(stream, 10ms).error().code(), Code::Timeout);
  stream.abandon();
}

TEST(Plugin_Host, runs_posted_work_and_cancels_timers) {
  Host host;
  const flt_host_exec_t& exec = *host.table()->exec;
  std::promise<void> posted, later;
  const auto set = [](void* ctx) { static_cast<std::promise<void>*>(ctx)->set_value(); };
  exec.post(host.table(), set, &posted);
  posted.get_future().get();
  exec.post_after(host.table(), 1'000'000, set, &later);
  later.get_future().get();
  const std::uint64_t token = exec.post_after(
      host.table(), 3'600'000'000'000, [](void*) { ADD_FAILURE() << "ran"; }, nullptr);
  EXPECT_EQ(exec.cancel(host.table(), token), 1);
  EXPECT_EQ(exec.cancel(host.table(), token), 0);
}

TEST(Plugin_Host, keeps_symbols_and_secrets_and_services) {
  Host host;
  const flt_host_t* table = host.table();
  const std::uint32_t zone = table->sym->intern(table, {"zone", 4});
  EXPECT_NE(zone, 0u);
  EXPECT_EQ(table->sym->intern(table, {"zone", 4}), zone);
  EXPECT_EQ(std::string_view(table->sym->lookup(table, zone).p, 4), "zone");
  EXPECT_EQ(table->sym->lookup(table, 99).n, 0u);

  std::string seen;
  const std::uint64_t handle = host.services().grant_secret("hunter2");
  const auto sink = [](void* ctx, flt_bytes_t value) {
    static_cast<std::string*>(ctx)->assign(reinterpret_cast<const char*>(value.p), value.n);
  };
  EXPECT_EQ(table->secret->read(table, handle, sink, &seen), FLT_OK);
  EXPECT_EQ(seen, "hunter2");
  EXPECT_EQ(table->secret->read(table, handle + 1, sink, &seen), FLT_NOT_FOUND);

  const int service = 0;
  host.environment().offer("test.service/1", &service);
  EXPECT_EQ(table->query(table, {"test.service/1", 14}), &service);
  EXPECT_EQ(table->query(table, {"other/1", 7}), nullptr);
}

}  // namespace
}  // namespace flotilla::plugin
