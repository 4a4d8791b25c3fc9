// SPDX-License-Identifier: Apache-2.0
// A stream as the host of the checks gives it to a plugin: with little credit, and strict about it.
#pragma once

#include <flotilla/abi/storage.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "sdk/conformance/test_host.hpp"

namespace flotilla::conformance {

class TestStream {
 public:
  // `cost` says how much credit a batch takes; `read` copies what is in it while its memory is there.
  TestStream(TestHost& host, std::int64_t credit, std::function<std::int64_t(const void*)> cost);
  ~TestStream();  // closes; a stream that the plugin does not end is a fault
  TestStream(const TestStream&) = delete;
  TestStream& operator=(const TestStream&) = delete;

  flt_stream_t* handle() const { return stream_.get(); }
  // Gives its credit back. Null: nothing came in time, or the stream has ended (ended()).
  struct Batch {
    const void* data = nullptr;
    std::shared_ptr<void> memory;
  };
  std::optional<Batch> next(std::chrono::milliseconds patience);
  // How it ended, once everything before was read.
  std::optional<Answer> ended() const;
  void close();
  // True: the plugin has ended it.
  bool wait_for_end(std::chrono::milliseconds patience);

  static const flt_host_stream_t& functions();

 private:
  std::shared_ptr<flt_stream> stream_;
};

}  // namespace flotilla::conformance
