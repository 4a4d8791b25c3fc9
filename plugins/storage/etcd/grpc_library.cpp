// SPDX-License-Identifier: Apache-2.0
#include "grpc_library.hpp"

#include <dlfcn.h>

namespace flotilla::plugins::storage::etcd {
namespace {

// What gRPC has to say of a connection comes with the calls that fail; nothing goes to standard error.
void say_nothing(gpr_log_func_args*) {}

}  // namespace

GrpcLibrary::GrpcLibrary(const flt_host_t*) {
  void* library = ::dlopen(FLOTILLA_GRPC_SONAME, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    throw sdk::Failure(FLT_FAILED_PRECONDITION, "gRPC's library " FLOTILLA_GRPC_SONAME
                                                " is needed to speak with etcd and cannot be loaded (" +
                                                    std::string(::dlerror()) +
                                                    "); install it (Debian: libgrpc29)");
  }
  const auto find = [&](const char* name) {
    void* symbol = ::dlsym(library, name);
    if (symbol == nullptr)
      throw sdk::Failure(FLT_FAILED_PRECONDITION,
                         FLOTILLA_GRPC_SONAME " has no " + std::string(name) + "; it is another version");
    return symbol;
  };
#define FLOTILLA_GRPC_FIND(name) name = reinterpret_cast<decltype(name)>(find(#name));
  FLOTILLA_GRPC_FUNCTIONS(FLOTILLA_GRPC_FIND)
#undef FLOTILLA_GRPC_FIND
  gpr_set_log_function(say_nothing);
  grpc_init();
}

GrpcLibrary::~GrpcLibrary() {
  grpc_shutdown_blocking();
}

grpc_byte_buffer* GrpcLibrary::buffer(std::string text) const {
  auto* kept = new std::string(std::move(text));
  grpc_slice slice = grpc_slice_new_with_user_data(
      kept->data(), kept->size(), [](void* ctx) { delete static_cast<std::string*>(ctx); }, kept);
  grpc_byte_buffer* made = grpc_raw_byte_buffer_create(&slice, 1);
  grpc_slice_unref(slice);
  return made;
}

std::string GrpcLibrary::text(grpc_byte_buffer* buffer) const {
  std::string out;
  grpc_byte_buffer_reader reader;
  if (grpc_byte_buffer_reader_init(&reader, buffer) == 0) return out;
  out.reserve(grpc_byte_buffer_length(buffer));
  for (grpc_slice slice; grpc_byte_buffer_reader_next(&reader, &slice) != 0; grpc_slice_unref(slice))
    out.append(view(slice));
  grpc_byte_buffer_reader_destroy(&reader);
  return out;
}

}  // namespace flotilla::plugins::storage::etcd
