// SPDX-License-Identifier: Apache-2.0
// gRPC's C library, opened when the first instance is made: a daemon that stores elsewhere neither maps it
// nor needs it installed (adr 0009). The members are its functions of the same names.
#pragma once

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/log.h>
#include <flotilla/sdk/plugin.hpp>

#include <string>
#include <string_view>

namespace flotilla::plugins::storage::etcd {

#define FLOTILLA_GRPC_FUNCTIONS(X)         \
  X(gpr_set_log_function)                  \
  X(grpc_init)                             \
  X(grpc_shutdown_blocking)                \
  X(grpc_completion_queue_create_for_next) \
  X(grpc_completion_queue_next)            \
  X(grpc_completion_queue_shutdown)        \
  X(grpc_completion_queue_destroy)         \
  X(grpc_channel_create)                   \
  X(grpc_channel_destroy)                  \
  X(grpc_channel_create_call)              \
  X(grpc_channel_reset_connect_backoff)    \
  X(grpc_call_start_batch)                 \
  X(grpc_call_cancel)                      \
  X(grpc_call_unref)                       \
  X(grpc_insecure_credentials_create)      \
  X(grpc_ssl_credentials_create_ex)        \
  X(grpc_channel_credentials_release)      \
  X(grpc_raw_byte_buffer_create)           \
  X(grpc_byte_buffer_destroy)              \
  X(grpc_byte_buffer_length)               \
  X(grpc_byte_buffer_reader_init)          \
  X(grpc_byte_buffer_reader_next)          \
  X(grpc_byte_buffer_reader_destroy)       \
  X(grpc_slice_from_copied_buffer)         \
  X(grpc_slice_new_with_user_data)         \
  X(grpc_slice_unref)                      \
  X(grpc_metadata_array_init)              \
  X(grpc_metadata_array_destroy)

// Counts as one user of the library as long as it lives.
class GrpcLibrary {
 public:
  // Throws Failure when the library is not there.
  explicit GrpcLibrary(const flt_host_t* host);
  ~GrpcLibrary();
  GrpcLibrary(const GrpcLibrary&) = delete;
  GrpcLibrary& operator=(const GrpcLibrary&) = delete;

#define FLOTILLA_GRPC_MEMBER(name) decltype(&::name) name = nullptr;
  FLOTILLA_GRPC_FUNCTIONS(FLOTILLA_GRPC_MEMBER)
#undef FLOTILLA_GRPC_MEMBER

  grpc_slice slice(std::string_view text) const {
    return grpc_slice_from_copied_buffer(text.data(), text.size());
  }
  // Takes the text over without copying it.
  grpc_byte_buffer* buffer(std::string text) const;
  std::string text(grpc_byte_buffer* buffer) const;
  static std::string_view view(const grpc_slice& slice) {
    return {reinterpret_cast<const char*>(GRPC_SLICE_START_PTR(slice)), GRPC_SLICE_LENGTH(slice)};
  }
};

inline gpr_timespec after_ns(std::int64_t nanoseconds) {
  return {nanoseconds / 1'000'000'000, static_cast<std::int32_t>(nanoseconds % 1'000'000'000), GPR_TIMESPAN};
}

}  // namespace flotilla::plugins::storage::etcd
