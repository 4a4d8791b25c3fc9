// SPDX-License-Identifier: Apache-2.0
#include "core/api/protobuf/protobuf.hpp"
#include "tests/fuzz/input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flotilla;
  const auto decoded = api::decode_protobuf(fuzz::text_of(data, size));
  if (decoded) fuzz::require(api::Json::parse(decoded->dump()).ok(), "what was decoded is JSON");
  return 0;
}
