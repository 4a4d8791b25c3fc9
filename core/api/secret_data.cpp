// SPDX-License-Identifier: Apache-2.0
#include "core/api/secret_data.hpp"

#include "core/api/object.hpp"
#include "core/base/base64.hpp"

namespace flotilla::api {

Result<std::string> secret_value(const Json& secret, std::string_view key) {
  const Json* value = secret["data"].find(key);
  if (value == nullptr) return std::string();
  auto decoded = base64_decode(value->as_string());
  if (!decoded)
    return invalid("secret " + key_of(secret).text() + ": data." + std::string(key) + " is not base64");
  return *std::move(decoded);
}

}  // namespace flotilla::api
