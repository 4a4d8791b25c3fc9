// SPDX-License-Identifier: Apache-2.0
// How one value is hidden in storage, in the formats of Kubernetes' providers: "k8s:enc:aesgcm:v1:KEY:" and
// "k8s:enc:aescbc:v1:KEY:" in front of what only the key can read. AES-GCM also holds a value to its own key
// in the store, so none can be swapped for another. Thread: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace flotilla::store {

enum class CipherKind : std::uint8_t { AesGcm, AesCbc };

struct CipherKey {
  CipherKind kind = CipherKind::AesGcm;
  std::string name;
  std::string secret;  // 16, 24 or 32 bytes

  std::string prefix() const;
};

inline constexpr std::string_view kEncryptedPrefix = "k8s:enc:";

// With the prefix. `place` is the key under which the value is stored.
std::string encrypt_value(const CipherKey& key, std::string_view place, std::string_view plain);
// `value` with the prefix of this key. Errors: DataLoss (another secret, another place, damaged).
Result<std::string> decrypt_value(const CipherKey& key, std::string_view place, std::string_view value);

}  // namespace flotilla::store
