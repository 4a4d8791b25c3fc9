// SPDX-License-Identifier: Apache-2.0
// What the files of the host's side share: the state behind HostServices, calls and streams. Internal to
// core/plugin; adapters use host_services.hpp.
#pragma once

#include <atomic>
#include <deque>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "core/async/event.hpp"
#include "core/plugin/host_services.hpp"

namespace flotilla::plugin {

// A function of the plugin with its context; `free` exactly once, afterwards `fn` never.
struct Hook {
  void (*fn)(void* ctx) = nullptr;
  void* ctx = nullptr;
  void (*free)(void* ctx) = nullptr;
};

struct HostServices::State {
  State(HostEnvironment& env, std::string name, std::uint32_t exec_flags);

  // Runs `work` where the component's operations belong.
  void run_operation(std::function<void()> work);
  void drain_serial();
  void misbehaved(std::string_view what);
  Error error_from(flt_status_t status, const flt_error_t* error, Completion& into) const;

  HostEnvironment& environment;
  const Executor& executor;
  const std::string owner;
  const std::string log_name;
  const std::uint32_t exec;
  flt_host_t table{};
  std::weak_ptr<HostServices> self;

  std::atomic<std::size_t> in_flight{0};
  std::atomic<std::size_t> orphans{0};
  std::atomic<std::size_t> misbehaviours{0};
  std::atomic<bool> hung{false};  // a call of it did not return and was given up: it is left as it is

  std::mutex mutex;  // all below
  std::deque<std::function<void()>> serial;
  bool serial_running = false;
  std::unordered_map<std::uint64_t, std::string> secrets;
  std::unordered_map<std::uint64_t, std::shared_ptr<void>> timers;
  std::uint64_t next_token = 0;
};

const flt_host_call_t& call_functions();
const flt_host_stream_t& stream_functions();

}  // namespace flotilla::plugin
