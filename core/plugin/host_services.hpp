// SPDX-License-Identifier: Apache-2.0
// The daemon's side of flt_host (sdk/include/flotilla/abi/host.h): what a plugin instance may ask of us, and
// how we run its operations. Adapters (storage_adapter, driver_adapter, ...) are written on call() and
// Stream:
//
//   Op op = [this, request](flt_call_t* call) { ops_->range(self_, &request, call); };
//   auto waiting = services_->call(std::move(op), {.timeout = std::chrono::seconds(5)});
//   const Completion answer = co_await std::move(waiting);
//   if (!answer.ok()) co_return answer.error;
//   const auto* result = answer.as<flt_range_result_t>();    // lives as long as answer.arena
//
// A plugin that answers late or never cannot hang the daemon: at its deadline the call is answered for it and
// becomes an orphan, whose memory waits for the late completion. One that completes twice is noted as
// misbehaving. Thread: everything from any thread.
#pragma once

#include <flotilla/abi/entry.h>
#include <flotilla/abi/host.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/async/executor.hpp"
#include "core/async/task.hpp"
#include "core/base/result.hpp"
#include "core/plugin/arena.hpp"

namespace flotilla::plugin {

// Interned texts shared with whoever builds the tables that plugins read. Thread-safe.
class Symbols {
 public:
  virtual ~Symbols() = default;
  virtual std::uint32_t intern(std::string_view text) = 0;
  virtual std::string_view lookup(std::uint32_t symbol) const = 0;  // empty: no such symbol
};
std::shared_ptr<Symbols> make_symbols();

// What all instances of one daemon share. Services are offered before the first plugin is loaded.
class HostEnvironment {
 public:
  HostEnvironment(const Executor& executor, std::string product,
                  std::shared_ptr<Symbols> symbols = make_symbols());
  ~HostEnvironment();

  // An optional service for flt_host.query, for example "flotilla.host.http/1". `state` lives as long as the
  // environment; the functions of the table find it with HostServices::of(host).environment().state(id).
  void offer(std::string id, const void* table, std::shared_ptr<void> state = {});
  const void* find(std::string_view id) const;
  void* state(std::string_view id) const;

  const Executor& executor() const { return executor_; }
  const std::string& product() const { return product_; }
  const std::shared_ptr<Symbols>& symbols() const { return symbols_; }

  // Keeps a finished call or stream for a while, so that a second completion is noticed and no wild write.
  void retire(std::shared_ptr<void> dead);

 private:
  struct Service {
    const void* table;
    std::shared_ptr<void> state;
  };
  const Executor& executor_;
  std::string product_;
  std::shared_ptr<Symbols> symbols_;
  std::map<std::string, Service, std::less<>> services_;
  std::mutex mutex_;
  std::deque<std::shared_ptr<void>> retired_;
};

// How an operation ended. `result` and the texts behind it live in `arena`.
struct Completion {
  flt_status_t status = FLT_OK;
  const void* result = nullptr;
  ArenaRef arena;
  Error error;               // when status is not FLT_OK
  std::string reason;        // the kind's fixed word: Conflict, Compacted, FutureRevision, Expired, ...
  std::string details_json;  // as the plugin gave it

  bool ok() const { return status == FLT_OK; }
  template <typename T>
  const T* as() const {
    return static_cast<const T*>(result);
  }
};

Code code_of(flt_status_t status, int http_status = 0, std::string_view reason = {});

// For functions that return a status: hands out a flt_error and turns it into an Error.
//   ErrorSlot slot;
//   if (const flt_status_t status = ops->compile(self, rule, &out, slot.get()); status != FLT_OK)
//     return slot.take(status);
class ErrorSlot {
 public:
  ErrorSlot();
  flt_error_t* get() { return &error_; }
  Error take(flt_status_t status) const;

 private:
  ArenaRef arena_;
  flt_error_t error_{};
};

using Op = std::function<void(flt_call_t*)>;

struct CallOptions {
  Duration timeout = std::chrono::seconds(30);  // Duration::max(): none
  Duration grace{0};                            // the host waits so much longer than it tells the plugin
  std::string trace = {};                       // W3C traceparent
  std::size_t arena_limit = kDefaultArenaLimit;
  bool control = false;  // start and stop may block whatever the component says: on the blocking pool
};

// The host as one plugin instance sees it. Held by shared_ptr: calls that a plugin never answers keep it
// alive.
class HostServices : public std::enable_shared_from_this<HostServices> {
 public:
  // `owner` names the instance in logs: "sqlite", "kubernetes/main". `exec` is FLT_EXEC_* of the component.
  static std::shared_ptr<HostServices> make(HostEnvironment& environment, std::string owner,
                                            std::uint32_t exec);
  ~HostServices();
  HostServices(const HostServices&) = delete;
  HostServices& operator=(const HostServices&) = delete;

  // Runs an operation where the component wants it: here for FLT_EXEC_ASYNC, on the blocking pool for
  // FLT_EXEC_BLOCKING, one after the other in order of arrival for FLT_EXEC_SERIAL. When the deadline passes
  // or the fiber is cancelled the answer is FLT_DEADLINE_EXCEEDED or FLT_CANCELLED and the plugin is told to
  // cancel.
  Task<Completion> call(Op op, CallOptions options = {});
  // The same for callers that are no fiber: `done` exactly once, on an I/O thread. No deadline is enforced:
  // who needs the order of answers (storage commits) cannot give up on one. `done` runs in the order of
  // completion.
  void call(Op op, CallOptions options, std::function<void(Completion)> done);

  // A secret for this instance alone; the handle goes into its configuration.
  std::uint64_t grant_secret(std::string value);

  const flt_host_t* table() const;
  HostEnvironment& environment() const;
  const std::string& owner() const;
  std::size_t in_flight() const;  // operations not completed by the plugin
  std::size_t orphans() const;    // of them, those already answered for it
  std::size_t misbehaviours() const;

  // Whose table this is. Only for tables made here.
  static HostServices& of(const flt_host_t* host);

  struct State;
  State& state() { return *state_; }

 private:
  explicit HostServices(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// A stream of batches from a plugin with explicit credit. Create it, give handle() to the operation that
// starts the stream, then read:
//   while (true) { auto reading = stream.next(idle); auto batch = co_await std::move(reading); ... }
class Stream {
 public:
  struct Options {
    std::int64_t credit = 1024;  // events, or bytes for logs
    // How much credit a batch takes; null: 1. Runs on the plugin's thread, must not block.
    std::int64_t (*cost)(const void* batch) = nullptr;
    std::size_t arena_limit = kDefaultArenaLimit;
  };
  struct Batch {
    const void* data = nullptr;  // the batch struct of the kind; lives in `arena`
    ArenaRef arena;
    template <typename T>
    const T* as() const {
      return static_cast<const T*>(data);
    }
  };

  Stream(const std::shared_ptr<HostServices>& services, Options options);
  ~Stream();  // close()
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  flt_stream_t* handle() const;
  // The next batch; its credit goes back to the plugin. Nullopt: the plugin ended the stream in order.
  // Errors: what the plugin ended it with (Completion::reason in ErrorDetails::reason), Timeout after `idle`,
  // Cancelled.
  Task<Result<std::optional<Batch>>> next(Duration idle = Duration::max());
  // The plugin is told; end() is still its duty. Idempotent.
  void close();
  // For a stream whose start operation failed: the plugin never got it.
  void abandon();

 private:
  std::shared_ptr<flt_stream> stream_;
};

}  // namespace flotilla::plugin
