// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/read/continuation.hpp"
#include "core/base/base64.hpp"
#include "tests/fuzz/input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flotilla;
  const std::string_view text = fuzz::text_of(data, size);
  // As it is, and as a client makes one up.
  for (const std::string& token : {std::string(text), base64url_encode(text)}) {
    for (const bool namespaced : {true, false}) {
      const auto read = apiserver::decode_continuation(token, namespaced);
      if (!read) continue;
      const auto again = apiserver::decode_continuation(
          apiserver::encode_continuation(read->revision, read->after), namespaced);
      fuzz::require(again.ok() && again->after == read->after, "a token goes on where it says");
    }
  }
  return 0;
}
