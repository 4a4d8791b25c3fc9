// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/host_services.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <deque>
#include <shared_mutex>
#include <unordered_map>

#include "core/base/log.hpp"
#include "core/plugin/host_state.hpp"

namespace flotilla::plugin {
namespace {

const Logger kLog("plugin");
constexpr std::size_t kRetired = 256;

std::string_view view(flt_str_t text) {
  return text.p == nullptr ? std::string_view() : std::string_view(text.p, text.n);
}

HostServices::State& state_of(const flt_host_t* host) {
  return static_cast<HostServices*>(host->ctx)->state();
}

// --- log
// --------------------------------------------------------------------------------------------------------

LogLevel level_of(std::int32_t level) {
  switch (level) {
    case FLT_LOG_DEBUG:
      return LogLevel::Debug;
    case FLT_LOG_INFO:
      return LogLevel::Info;
    case FLT_LOG_WARN:
      return LogLevel::Warn;
    default:
      return LogLevel::Error;
  }
}

std::int32_t log_is_enabled(const flt_host_t*, std::int32_t level) noexcept {
  return log_enabled(level_of(level)) ? 1 : 0;
}

void log_line(const flt_host_t* host, std::int32_t level, flt_str_t target, flt_str_t message,
              const flt_field_t* fields, std::uint64_t count) noexcept {
  try {
    if (!log_enabled(level_of(level))) return;
    const HostServices::State& state = state_of(host);
    std::vector<LogField> copied;
    for (std::uint64_t i = 0; i < count; ++i) copied.emplace_back(view(fields[i].key), view(fields[i].value));
    std::string name = state.log_name;
    if (target.n > 0) name.append(".").append(view(target));
    log_write(level_of(level), name, view(message), copied);
  } catch (...) {  // a line lost is better than an exception in a plugin
  }
}

// --- clock
// ------------------------------------------------------------------------------------------------------

std::int64_t monotonic_ns(const flt_host_t* host) noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             state_of(host).executor.clock().steady_now().time_since_epoch())
      .count();
}

std::int64_t wall_ns(const flt_host_t* host) noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             state_of(host).executor.clock().now().time_since_epoch())
      .count();
}

// --- exec
// -------------------------------------------------------------------------------------------------------

void exec_post(const flt_host_t* host, void (*fn)(void* ctx), void* ctx) noexcept {
  state_of(host).executor.post([fn, ctx] { fn(ctx); });
}

void exec_post_blocking(const flt_host_t* host, void (*fn)(void* ctx), void* ctx) noexcept {
  state_of(host).executor.post_blocking([fn, ctx] { fn(ctx); });
}

// The token stays in `timers` until the function is about to run or is cancelled: whoever removes it decides.
std::uint64_t exec_post_after(const flt_host_t* host, std::int64_t delay_ns, void (*fn)(void* ctx),
                              void* ctx) noexcept {
  HostServices::State& state = state_of(host);
  auto timer = std::make_shared<boost::asio::steady_timer>(state.executor.strand());
  timer->expires_after(std::chrono::nanoseconds(delay_ns));
  std::uint64_t token = 0;
  {
    std::lock_guard lock(state.mutex);
    token = ++state.next_token;
    state.timers.emplace(token, timer);
  }
  auto keep = state.self.lock();
  boost::asio::post(timer->get_executor(), [timer, keep, token, fn, ctx] {
    timer->async_wait([timer, keep, token, fn, ctx](const boost::system::error_code&) {
      HostServices::State& own = keep->state();
      {
        std::lock_guard lock(own.mutex);
        if (own.timers.erase(token) == 0) return;
      }
      fn(ctx);
    });
  });
  return token;
}

std::int32_t exec_cancel(const flt_host_t* host, std::uint64_t token) noexcept {
  HostServices::State& state = state_of(host);
  std::shared_ptr<void> timer;
  {
    std::lock_guard lock(state.mutex);
    const auto it = state.timers.find(token);
    if (it == state.timers.end()) return 0;
    timer = std::move(it->second);
    state.timers.erase(it);
  }
  auto waiting = std::static_pointer_cast<boost::asio::steady_timer>(timer);
  boost::asio::post(waiting->get_executor(), [waiting] { waiting->cancel(); });
  return 1;
}

// --- secret and sym
// ---------------------------------------------------------------------------------------------

flt_status_t secret_read(const flt_host_t* host, std::uint64_t handle,
                         void (*sink)(void* ctx, flt_bytes_t value), void* ctx) noexcept {
  HostServices::State& state = state_of(host);
  std::string value;
  {
    std::lock_guard lock(state.mutex);
    const auto it = state.secrets.find(handle);
    if (it == state.secrets.end()) return FLT_NOT_FOUND;
    value = it->second;
  }
  sink(ctx, {reinterpret_cast<const std::uint8_t*>(value.data()), value.size()});
  return FLT_OK;
}

std::uint32_t sym_intern(const flt_host_t* host, flt_str_t text) noexcept {
  return state_of(host).environment.symbols()->intern(view(text));
}

flt_str_t sym_lookup(const flt_host_t* host, std::uint32_t symbol) noexcept {
  const std::string_view text = state_of(host).environment.symbols()->lookup(symbol);
  return {text.data(), text.size()};
}

const void* query(const flt_host_t* host, flt_str_t id) noexcept {
  return state_of(host).environment.find(view(id));
}

constexpr flt_host_log_t kLogTable{sizeof(flt_host_log_t), 0, log_is_enabled, log_line};
constexpr flt_host_clock_t kClockTable{sizeof(flt_host_clock_t), 0, monotonic_ns, wall_ns};
constexpr flt_host_exec_t kExecTable{sizeof(flt_host_exec_t), 0,          exec_post, exec_post_after,
                                     exec_post_blocking,      exec_cancel};
constexpr flt_host_secret_t kSecretTable{sizeof(flt_host_secret_t), 0, secret_read};
constexpr flt_host_sym_t kSymTable{sizeof(flt_host_sym_t), 0, sym_intern, sym_lookup};

class InternedTexts final : public Symbols {
 public:
  std::uint32_t intern(std::string_view text) override {
    {
      std::shared_lock lock(mutex_);
      const auto it = ids_.find(text);
      if (it != ids_.end()) return it->second;
    }
    std::unique_lock lock(mutex_);
    const auto it = ids_.find(text);
    if (it != ids_.end()) return it->second;
    const std::string& kept = texts_.emplace_back(text);
    const auto id = static_cast<std::uint32_t>(texts_.size());
    ids_.emplace(kept, id);
    return id;
  }
  std::string_view lookup(std::uint32_t symbol) const override {
    std::shared_lock lock(mutex_);
    return symbol == 0 || symbol > texts_.size() ? std::string_view() : std::string_view(texts_[symbol - 1]);
  }

 private:
  mutable std::shared_mutex mutex_;
  std::deque<std::string> texts_;  // addresses stay
  std::unordered_map<std::string_view, std::uint32_t> ids_;
};

}  // namespace

std::shared_ptr<Symbols> make_symbols() {
  return std::make_shared<InternedTexts>();
}

HostEnvironment::HostEnvironment(const Executor& executor, std::string product,
                                 std::shared_ptr<Symbols> symbols)
    : executor_(executor), product_(std::move(product)), symbols_(std::move(symbols)) {}

HostEnvironment::~HostEnvironment() = default;

void HostEnvironment::offer(std::string id, const void* table, std::shared_ptr<void> state) {
  services_.insert_or_assign(std::move(id), Service{table, std::move(state)});
}

const void* HostEnvironment::find(std::string_view id) const {
  const auto it = services_.find(id);
  return it == services_.end() ? nullptr : it->second.table;
}

void HostEnvironment::retire(std::shared_ptr<void> dead) {
  std::shared_ptr<void> oldest;  // freed after the lock
  std::lock_guard lock(mutex_);
  retired_.push_back(std::move(dead));
  if (retired_.size() <= kRetired) return;
  oldest = std::move(retired_.front());
  retired_.pop_front();
}

void* HostEnvironment::state(std::string_view id) const {
  const auto it = services_.find(id);
  return it == services_.end() ? nullptr : it->second.state.get();
}

HostServices::State::State(HostEnvironment& env, std::string name, std::uint32_t exec_flags)
    : environment(env),
      executor(env.executor()),
      owner(std::move(name)),
      log_name("plugin." + owner),
      exec(exec_flags) {}

void HostServices::State::run_operation(std::function<void()> work) {
  const bool blocking = (exec & FLT_EXEC_BLOCKING) != 0;
  if ((exec & FLT_EXEC_SERIAL) == 0) {
    blocking ? executor.post_blocking(std::move(work)) : work();
    return;
  }
  {
    std::lock_guard lock(mutex);
    serial.push_back(std::move(work));
    if (serial_running) return;
    serial_running = true;
  }
  if (blocking) {
    executor.post_blocking([keep = self.lock()] { keep->state().drain_serial(); });
  } else {
    drain_serial();
  }
}

void HostServices::State::drain_serial() {
  for (;;) {
    std::function<void()> work;
    {
      std::lock_guard lock(mutex);
      if (serial.empty()) {
        serial_running = false;
        return;
      }
      work = std::move(serial.front());
      serial.pop_front();
    }
    work();
  }
}

void HostServices::State::misbehaved(std::string_view what) {
  // The first few say all there is to say.
  if (misbehaviours.fetch_add(1) < 10) kLog.error("plugin misbehaves", {{"instance", owner}, {"what", what}});
}

HostServices::HostServices(std::unique_ptr<State> state) : state_(std::move(state)) {}

HostServices::~HostServices() = default;

std::shared_ptr<HostServices> HostServices::make(HostEnvironment& environment, std::string owner,
                                                 std::uint32_t exec) {
  auto state = std::make_unique<State>(environment, std::move(owner), exec);
  std::shared_ptr<HostServices> made(new HostServices(std::move(state)));
  State& own = *made->state_;
  own.self = made;
  const std::string& product = environment.product();
  own.table = {sizeof(flt_host_t),
               FLT_ABI_MINOR,
               {product.data(), product.size()},
               made.get(),
               &arena_functions(),
               &call_functions(),
               &stream_functions(),
               &kLogTable,
               &kClockTable,
               &kExecTable,
               nullptr,  // metrics are not offered yet
               &kSecretTable,
               &kSymTable,
               query};
  return made;
}

HostServices& HostServices::of(const flt_host_t* host) {
  return *static_cast<HostServices*>(host->ctx);
}

std::uint64_t HostServices::grant_secret(std::string value) {
  std::lock_guard lock(state_->mutex);
  const std::uint64_t handle = ++state_->next_token;
  state_->secrets.emplace(handle, std::move(value));
  return handle;
}

const flt_host_t* HostServices::table() const {
  return &state_->table;
}
HostEnvironment& HostServices::environment() const {
  return state_->environment;
}
const std::string& HostServices::owner() const {
  return state_->owner;
}
std::size_t HostServices::in_flight() const {
  return state_->in_flight;
}
std::size_t HostServices::orphans() const {
  return state_->orphans;
}
std::size_t HostServices::misbehaviours() const {
  return state_->misbehaviours;
}

}  // namespace flotilla::plugin
