// SPDX-License-Identifier: Apache-2.0
// Which values are hidden, and with which keys: Kubernetes' EncryptionConfiguration
// (apiserver.config.k8s.io/v1) with the providers aesgcm, aescbc and identity.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/store/encryption/value_cipher.hpp"

namespace flotilla::store {

class EncryptionRules {
 public:
  // Errors: Invalid with the field that is wrong.
  static Result<EncryptionRules> read(const api::Json& configuration);

  // What is stored for a value. `place` is its key: "/registry/secrets/ns/name".
  std::string seal(std::string_view place, std::string value) const;
  struct Opened {
    std::string value;
    bool stale = false;  // not as seal() would write it
  };
  // Errors: DataLoss with what is wrong, without the place.
  Result<Opened> open(std::string_view place, std::string value) const;

 private:
  struct Entry {
    std::vector<std::string> prefixes;  // of places; "" is everything
    std::vector<CipherKey> keys;        // all of them may read
    bool reads_plain = false;
    bool writes_plain = false;  // identity comes first, else the first key writes
  };
  const Entry* entry_of(std::string_view place) const;

  std::vector<Entry> entries_;
};

}  // namespace flotilla::store
