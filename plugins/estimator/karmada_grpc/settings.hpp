// SPDX-License-Identifier: Apache-2.0
// How Karmada's estimators are reached. Plain text; no gRPC here.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace flotilla::estimator {

inline constexpr const char* kSchema = R"({
  "type": "object", "additionalProperties": false,
  "properties": {
    "address": {"type": "string", "minLength": 1,
      "default": "{service_prefix}-{cluster}.{service_namespace}.svc:{port}",
      "description": "Where the estimator of a cluster listens; {cluster}, {service_prefix}, {service_namespace} and {port} are filled in. Anything that gRPC can dial, unix:/path too."},
    "addresses": {"type": "object", "additionalProperties": {"type": "string"}, "default": {},
      "description": "Addresses of single clusters, by name."},
    "service_prefix": {"type": "string", "default": "karmada-scheduler-estimator"},
    "service_namespace": {"type": "string", "default": "karmada-system"},
    "port": {"type": "integer", "minimum": 1, "maximum": 65535, "default": 10352},
    "ca_file": {"type": "string", "default": "", "description": "Verifies servers; without it and without insecure_skip_verify there is no TLS."},
    "cert_file": {"type": "string", "default": ""},
    "key_file": {"type": "string", "default": ""},
    "insecure_skip_verify": {"type": "boolean", "default": false},
    "server_name": {"type": "string", "default": "", "description": "The name servers have to have a certificate for, where it is not that of the address."},
    "keepalive_seconds": {"type": "integer", "minimum": 10, "default": 310,
      "description": "How often a silent connection in use is probed. Servers end connections that are probed more often than they allow, which is every 5 minutes by default."},
    "idle_seconds": {"type": "integer", "minimum": 1, "default": 600,
      "description": "A connection that nobody has asked over for so long is closed."}
  }
})";

struct Settings {
  std::string address, service_prefix, service_namespace, port;
  std::map<std::string, std::string, std::less<>> addresses;
  std::string ca_file, cert_file, key_file, server_name;
  bool insecure_skip_verify = false;
  std::int64_t keepalive_seconds = 310;
  std::int64_t idle_seconds = 600;

  // `config_json` has passed kSchema, defaults filled in. Throws sdk::Failure.
  static Settings parse(std::string_view config_json);

  bool tls() const { return !ca_file.empty() || insecure_skip_verify; }
  std::string address_of(std::string_view cluster) const;
};

}  // namespace flotilla::estimator
