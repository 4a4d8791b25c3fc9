// SPDX-License-Identifier: Apache-2.0
// How a cluster that knows nothing but a token finds its control plane, trusts it, and gets a certificate
// from it: bootstrap tokens, discovery through kube-public/cluster-info, certificate requests.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ctl/session.hpp"
#include "core/http/x509.hpp"

namespace flotilla::ctl {

// "abcdef.0123456789abcdef"
struct BootstrapToken {
  std::string id, secret;

  std::string text() const { return id + "." + secret; }
  // Errors: Invalid, without repeating the secret.
  static Result<BootstrapToken> parse(std::string_view text);
  static BootstrapToken random();
};

// Small letters and digits that nobody can guess.
std::string random_word(std::size_t length);

struct Discovery {
  std::string endpoint;  // "10.0.0.1:6443", or a URL
  BootstrapToken token;
  std::vector<std::string> pins;  // "sha256:..." of CA certificates
  bool unsafe_skip_ca = false;    // the token's signature alone vouches for the server
  Duration timeout = std::chrono::minutes(5);
};

// The control plane, reached with the token; its CA is the one that the signed cluster-info names and, unless
// that is skipped, one of the pins. Errors: Unauthorized (not signed by this token, or pinned otherwise),
// Timeout with what was seen last.
Result<Access> discover_control_plane(const Discovery& discovery);

// What the ConfigMap says, if the token has signed it. Pure. Errors: NotFound (not yet signed), Unauthorized,
// Invalid.
Result<std::string> signed_kubeconfig(const api::Json& cluster_info, const BootstrapToken& token);
// The CA in it. Errors: Invalid; Unauthorized when none of its certificates is pinned.
Result<std::string> pinned_authority(std::string_view kubeconfig, const std::vector<std::string>& pins);

struct CertificateRequest {
  std::string name;  // of the CertificateSigningRequest
  http::Subject subject;
  std::int64_t seconds = 365LL * 24 * 3600;
  Duration timeout = std::chrono::minutes(5);
};
// Asks for a certificate for a new key and waits until it is signed. Errors: Timeout, with how to approve.
Result<http::KeyPair> request_certificate(Session& control_plane, const CertificateRequest& request);

// Whether no more than `threshold` of the certificate's time is left. Errors: Invalid.
Result<bool> is_renewal_due(std::string_view certificate_pem, double threshold, WallTime now);
// A new certificate for who has this one. Errors: as request_certificate.
Result<http::KeyPair> renew_certificate(Session& control_plane, const std::string& cluster,
                                        std::string_view certificate_pem);

}  // namespace flotilla::ctl
