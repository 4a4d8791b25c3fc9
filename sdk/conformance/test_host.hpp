// SPDX-License-Identifier: Apache-2.0
// A host for checks: small, strict, and without anything of the daemon. It notes what a plugin does wrong
// with its calls; faults() tells.
#pragma once

#include <flotilla/abi/entry.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sdk/conformance/test_executor.hpp"

namespace flotilla::conformance {

std::int64_t monotonic_ns();

// How a call ended. `result` lives as long as this.
struct Answer {
  flt_status_t status = FLT_UNKNOWN;
  const void* result = nullptr;
  std::string reason;
  std::string message;
  std::shared_ptr<void> memory;

  bool ok() const { return status == FLT_OK; }
  template <typename T>
  const T& as() const {
    return *static_cast<const T*>(result);
  }
};

class TestHost {
 public:
  TestHost();
  ~TestHost();
  TestHost(const TestHost&) = delete;
  TestHost& operator=(const TestHost&) = delete;

  const flt_host_t* table() const;

  // A call on its way.
  class Pending {
   public:
    Answer wait();  // at most 60 s; then a fault and FLT_DEADLINE_EXCEEDED
    bool done() const;
    void cancel();  // the answer is still due

   private:
    friend class TestHost;
    std::shared_ptr<flt_call> call_;
  };
  Pending begin(const std::function<void(flt_call_t*)>& operation);
  Answer run(const std::function<void(flt_call_t*)>& operation) { return begin(operation).wait(); }

  // Completed twice, threw, never completed.
  std::vector<std::string> faults() const;
  void fault(std::string what);
  // Lives as long as the host.
  void keep(std::shared_ptr<void> what);
  TestExecutor& executor();

  struct State;

 private:
  std::unique_ptr<State> state_;
};

// One instance of a component, from create to destroy.
class TestInstance {
 public:
  TestInstance(TestHost& host, const flt_component_t& component, std::string config_json,
               std::string state_dir);
  ~TestInstance();  // stop and destroy
  TestInstance(const TestInstance&) = delete;
  TestInstance& operator=(const TestInstance&) = delete;

  Answer start();
  Answer stop();
  // Null: create failed; created() says why.
  void* self() const { return self_; }
  const Answer& created() const { return created_; }
  TestHost& host() { return host_; }

 private:
  TestHost& host_;
  const flt_component_t& component_;
  void* self_ = nullptr;
  bool started_ = false;
  Answer created_;
};

}  // namespace flotilla::conformance
