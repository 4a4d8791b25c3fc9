// SPDX-License-Identifier: Apache-2.0
// Certificates: the CA a daemon makes on its first start, what it signs, and what a certificate says.
// Keys are ECDSA P-256, everything is PEM outside. Thread: pure functions; Certificate as a shared_ptr is.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/result.hpp"

struct x509_st;  // OpenSSL's X509

namespace flotilla::http {

struct Subject {
  std::string common_name;                 // the user
  std::vector<std::string> organizations;  // the groups
};

// A certificate with its private key, both PEM.
struct KeyPair {
  std::string certificate_pem;
  std::string key_pem;
};

class Certificate {
 public:
  // The first certificate in the text. Errors: Invalid.
  static Result<Certificate> parse(std::string_view pem);

  Subject subject() const;
  WallTime not_before() const;
  WallTime not_after() const;
  std::vector<std::string> dns_names() const;
  std::vector<std::string> ip_addresses() const;
  bool is_ca() const;
  std::string fingerprint() const;  // SHA-256 of the DER bytes, lower-case hex
  // How kubeadm and karmadactl pin a CA: "sha256:" and the hash of its public key (SPKI), lower-case hex.
  std::string public_key_pin() const;
  std::string pem() const;
  bool signed_by(const Certificate& authority) const;
  x509_st* handle() const { return handle_.get(); }

 private:
  friend Result<std::vector<Certificate>> parse_certificates(std::string_view pem);
  std::shared_ptr<x509_st> handle_;
};

// All certificates of a bundle; Invalid when there is none.
Result<std::vector<Certificate>> parse_certificates(std::string_view pem);
Subject subject_of(x509_st* certificate);

struct Validity {
  WallTime now;
  Duration lifetime = std::chrono::hours(24 * 365);
};

Result<std::string> make_private_key();  // PKCS#8 PEM
// Self-signed, may sign others.
Result<KeyPair> make_authority(const std::string& common_name, const Validity& validity);

// Names and addresses a server answers to; what parses as an IP address becomes an IP SAN.
Result<KeyPair> sign_server(const KeyPair& authority, const std::string& common_name,
                            const std::vector<std::string>& names, const Validity& validity);
Result<KeyPair> sign_client(const KeyPair& authority, const Subject& subject, const Validity& validity);

// A certificate for the public key of a PKCS#10 request (join with a token, kubelet style); its subject is
// the request's unless `subject` says otherwise.
struct SigningRequest {
  Subject subject;
  std::vector<std::string> names;
};
Result<SigningRequest> parse_signing_request(std::string_view pem);
// A request for a certificate of this private key, PEM.
Result<std::string> make_signing_request(std::string_view key_pem, const Subject& subject);
// For use as a client. Errors: Invalid (broken request or signature).
Result<std::string> sign_request(const KeyPair& authority, std::string_view request_pem,
                                 const Validity& validity);

}  // namespace flotilla::http
