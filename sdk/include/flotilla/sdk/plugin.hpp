// SPDX-License-Identifier: Apache-2.0
// The C++ authoring layer over the C ABI: strings, errors, arenas, and the plugin object. One class per
// component in, C tables out; the layers of each kind (storage.hpp, scheduler.hpp, override.hpp, driver.hpp)
// stand on this file. Header-only, hidden, in an inline namespace: two plugins built with different versions
// coexist.
#pragma once

#include <flotilla/abi/entry.h>

#include <cstring>
#include <exception>
#include <initializer_list>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace flotilla::sdk {
inline namespace sdk_1 {

inline std::string_view view(flt_str_t text) {
  return {text.p, static_cast<std::size_t>(text.n)};
}
inline std::string_view view(flt_bytes_t bytes) {
  return {reinterpret_cast<const char*>(bytes.p), static_cast<std::size_t>(bytes.n)};
}
inline flt_str_t str(std::string_view text) {
  return {text.data(), text.size()};
}
inline flt_bytes_t bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// What plugin code throws; trampolines turn it into its status and message.
class Failure : public std::exception {
 public:
  Failure(flt_status_t code, std::string message, std::string reason = {}, int http_status = 0)
      : code_(code), message_(std::move(message)), reason_(std::move(reason)), http_status_(http_status) {}
  flt_status_t code() const { return code_; }
  const std::string& reason() const { return reason_; }
  int http_status() const { return http_status_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  flt_status_t code_;
  std::string message_;
  std::string reason_;
  int http_status_;
};

// Memory of one call or batch.
class Arena {
 public:
  Arena(const flt_host_t* host, flt_arena_t* arena) : host_(host), arena_(arena) {}

  template <typename T>
  std::span<T> array(std::size_t count) const {
    if (count == 0) return {};
    void* memory = host_->mem->alloc(arena_, count * sizeof(T), alignof(T));
    if (memory == nullptr) throw std::bad_alloc();
    return {static_cast<T*>(memory), count};
  }
  template <typename T>
  T& make() const {
    return array<T>(1)[0];
  }
  flt_str_t copy(std::string_view text) const {
    if (text.empty()) return {nullptr, 0};
    const auto memory = array<char>(text.size());
    std::memcpy(memory.data(), text.data(), text.size());
    return {memory.data(), text.size()};
  }
  flt_bytes_t copy_bytes(std::string_view text) const {
    const flt_str_t copied = copy(text);
    return {reinterpret_cast<const std::uint8_t*>(copied.p), copied.n};
  }
  flt_arena_t* raw() const { return arena_; }

 private:
  const flt_host_t* host_;
  flt_arena_t* arena_;
};

inline void fill_error(const flt_host_t* host, flt_error_t* error, flt_status_t code,
                       std::string_view message, std::string_view reason = {}, int http_status = 0) noexcept {
  if (error == nullptr) return;
  error->code = code;
  error->http_status = http_status;
  if (error->arena == nullptr) return;
  const auto copy = [&](std::string_view text) -> flt_str_t {
    if (text.empty()) return {nullptr, 0};
    void* memory = host->mem->alloc(error->arena, text.size(), 1);
    if (memory == nullptr) return {nullptr, 0};
    std::memcpy(memory, text.data(), text.size());
    return {static_cast<const char*>(memory), text.size()};
  };
  error->message = copy(message);
  error->reason = copy(reason);
}

// Runs `work` and turns what it throws into a status and an error.
template <typename Work>
flt_status_t guarded(const flt_host_t* host, flt_error_t* error, Work&& work) noexcept {
  try {
    work();
    return FLT_OK;
  } catch (const Failure& failure) {
    fill_error(host, error, failure.code(), failure.what(), failure.reason(), failure.http_status());
    return failure.code();
  } catch (const std::bad_alloc&) {
    fill_error(host, error, FLT_RESOURCE_EXHAUSTED, "out of memory");
    return FLT_RESOURCE_EXHAUSTED;
  } catch (const std::exception& unexpected) {
    fill_error(host, error, FLT_INTERNAL, unexpected.what());
    return FLT_INTERNAL;
  } catch (...) {
    fill_error(host, error, FLT_INTERNAL, "unknown exception");
    return FLT_INTERNAL;
  }
}

// An asynchronous operation. Completes exactly once; one that is dropped completes INTERNAL.
class Call {
 public:
  Call(const flt_host_t* host, flt_call_t* call) : host_(host), call_(call) {}
  Call(Call&& other) noexcept : host_(other.host_), call_(std::exchange(other.call_, nullptr)) {}
  Call& operator=(Call&& other) noexcept {
    if (this != &other) {
      drop();
      host_ = other.host_;
      call_ = std::exchange(other.call_, nullptr);
    }
    return *this;
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() { drop(); }

  Arena arena() const { return {host_, host_->call->arena(call_)}; }
  bool cancelled() const { return host_->call->cancelled(call_) != 0; }
  std::int64_t deadline() const { return host_->call->deadline(call_); }

  // `result` lives in arena(), or is null.
  void succeed(const void* result) {
    host_->call->complete(std::exchange(call_, nullptr), FLT_OK, result, nullptr);
  }
  void fail(flt_status_t code, std::string_view message, std::string_view reason = {}, int http_status = 0) {
    flt_error_t error{};
    error.struct_size = sizeof error;
    error.arena = host_->call->arena(call_);
    fill_error(host_, &error, code, message, reason, http_status);
    host_->call->complete(std::exchange(call_, nullptr), code, nullptr, &error);
  }
  // With an error filled by the caller; its texts live in arena().
  void fail_with(const flt_error_t& error) {
    host_->call->complete(std::exchange(call_, nullptr), error.code, nullptr, &error);
  }
  // `work(*this)` completes; what it throws completes as an error.
  template <typename Work>
  void run(Work&& work) noexcept {
    try {
      work(*this);
    } catch (const Failure& failure) {
      if (call_) fail(failure.code(), failure.what(), failure.reason(), failure.http_status());
    } catch (const std::bad_alloc&) {
      if (call_) fail(FLT_RESOURCE_EXHAUSTED, "out of memory");
    } catch (const std::exception& unexpected) {
      if (call_) fail(FLT_INTERNAL, unexpected.what());
    } catch (...) {
      if (call_) fail(FLT_INTERNAL, "unknown exception");
    }
  }
  flt_call_t* raw() const { return call_; }

 private:
  void drop() {
    if (call_ != nullptr) fail(FLT_INTERNAL, "the plugin lost this call");
  }

  const flt_host_t* host_;
  flt_call_t* call_;
};

// Log of the daemon, with this plugin's name on each line.
class Log {
 public:
  explicit Log(const flt_host_t* host) : host_(host) {}
  void write(int level, std::string_view message, std::initializer_list<flt_field_t> fields = {}) const {
    if (host_->log->enabled(host_, level) == 0) return;
    host_->log->write(host_, level, {}, str(message), fields.begin(), fields.size());
  }

 private:
  const flt_host_t* host_;
};

struct PluginInfo {
  const char* id;
  const char* version;
  const char* name;
  const char* vendor = "The Flotilla authors";
  const char* license = "Apache-2.0";
  const char* url = "https://flotilla.io";
};

constexpr flt_plugin_v1_t make_plugin(const PluginInfo& info, const flt_component_t* const* components,
                                      std::uint64_t count) {
  return {FLT_PLUGIN_MAGIC,
          sizeof(flt_plugin_v1_t),
          FLT_ABI_MINOR,
          FLT_ABI_TARGET,
          0,
          info.id,
          info.version,
          info.name,
          info.vendor,
          info.license,
          info.url,
          components,
          count,
          nullptr,
          nullptr};
}

}  // namespace sdk_1
}  // namespace flotilla::sdk

// FLT_PLUGIN((flotilla::sdk::PluginInfo{...}), &component_a, &component_b): exports the plugin.
// FLT_STATIC_PLUGIN_NAME, when defined, names the object instead, for builds that link plugins in (adopt).
#if defined(FLT_STATIC_PLUGIN_NAME)
#define FLT_PLUGIN_OBJECT FLT_STATIC_PLUGIN_NAME
#else
#define FLT_PLUGIN_OBJECT flt_plugin_v1
#endif
#define FLT_PLUGIN(info, ...)                                                                       \
  namespace {                                                                                       \
  constexpr const flt_component_t* const flt_plugin_components[] = {__VA_ARGS__};                   \
  }                                                                                                 \
  extern "C" {                                                                                      \
  FLT_EXPORT extern const flt_plugin_v1_t FLT_PLUGIN_OBJECT;                                        \
  const flt_plugin_v1_t FLT_PLUGIN_OBJECT = ::flotilla::sdk::make_plugin(                           \
      info, flt_plugin_components, sizeof flt_plugin_components / sizeof flt_plugin_components[0]); \
  }
