// SPDX-License-Identifier: Apache-2.0
// The daemon's certificates and keys: a CA made on the first start, a serving certificate that is signed anew
// when its names change or it nears its end, an administrator's client certificate (group system:masters),
// the key that signs ServiceAccount tokens. All PEM in DIR/pki, readable by the owner alone.
#pragma once

#include <string>
#include <vector>

#include "core/base/clock.hpp"
#include "core/daemon/data_dir.hpp"
#include "core/http/http.hpp"
#include "core/http/x509.hpp"

namespace flotilla::daemon {

struct Pki {
  http::KeyPair authority;
  http::TlsIdentity server;
  http::KeyPair administrator;
  // What extension API servers know this one by: a CA of its own, so that no user's certificate passes for
  // it.
  http::KeyPair proxy_authority;
  http::KeyPair proxy;
  std::string service_account_key_pem;  // empty until the API server has made one

  // `names` are what clients may call this server. Errors: Invalid, naming the file that is broken.
  static Result<Pki> load_or_make(const DataDir& directory, const std::vector<std::string>& names,
                                  const Clock& clock);
  static Status keep_service_account_key(const DataDir& directory, const std::string& pem);
};

// localhost, the loopback addresses, the listen address, this machine's name, what the operator adds, and the
// names by which pods call an API server.
std::vector<std::string> server_names(const std::string& listen_host,
                                      const std::vector<std::string>& configured);

}  // namespace flotilla::daemon
