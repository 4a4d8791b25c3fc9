// SPDX-License-Identifier: Apache-2.0
// TLS settings of both sides and what a peer's certificate says.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <boost/asio/ssl/host_name_verification.hpp>
#include <cstring>

#include "core/http/wire.hpp"
#include "core/http/x509.hpp"

namespace flotilla::http {

namespace {

using Context = asio::ssl::context;

Error pem_error(std::string_view what) {
  return Error(Code::Invalid,
               openssl_error(std::string("cannot be read")).insert(0, std::string(what) + ": "));
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
                    unsigned int in_length, void*) {
  static constexpr unsigned char kOurs[] = "\x02h2\x08http/1.1";
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_length, kOurs, sizeof kOurs - 1, in, in_length);
  // Without overlap the connection goes on without ALPN: that is HTTP/1.1 too.
  if (found != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

// A certificate that does not verify is the API server's to refuse, with a 401.
int accept_any(int, X509_STORE_CTX*) {
  return 1;
}

Status load_identity(Context& context, const std::string& certificate_pem, const std::string& key_pem) {
  ErrorCode error;
  context.use_certificate_chain(asio::buffer(certificate_pem), error);
  if (error) return pem_error("certificate");
  context.use_private_key(asio::buffer(key_pem), Context::pem, error);
  if (error) return pem_error("private key");
  if (SSL_CTX_check_private_key(context.native_handle()) != 1) {
    return Error(Code::Invalid, "private key: it does not belong to the certificate");
  }
  return {};
}

void set_common_options(Context& context) {
  SSL_CTX* const raw = context.native_handle();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
  // As Go's clients and servers have it: AES-128 first, as strong here and a quarter cheaper.
  SSL_CTX_set_ciphersuites(raw, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
  // Many clients close the socket without a good-bye; HTTP's own framing says whether something is missing.
  SSL_CTX_set_options(raw, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
}

// What authorities' extensions say OpenSSL else finds out with the first handshakes, several threads at once.
void read_authorities(Context& context) {
  STACK_OF(X509_OBJECT)* known = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context.native_handle()));
  for (int i = 0; i < sk_X509_OBJECT_num(known); ++i) {
    X509* const authority = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(known, i));
    if (authority != nullptr) X509_check_purpose(authority, -1, 0);
  }
}

}  // namespace

std::string openssl_error(std::string_view otherwise) {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? std::string(otherwise) : std::string(reason);
}

Result<std::shared_ptr<Context>> make_server_context(const TlsIdentity& identity,
                                                     const std::string& client_ca_pem) {
  auto context = std::make_shared<Context>(Context::tls_server);
  set_common_options(*context);
  SSL_CTX* const raw = context->native_handle();
  if (Status loaded = load_identity(*context, identity.certificate_pem, identity.key_pem); !loaded) {
    return std::move(loaded).context("server identity");
  }
  SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  static constexpr unsigned char kSessionContext[] = "flotilla";
  SSL_CTX_set_session_id_context(raw, kSessionContext, sizeof kSessionContext - 1);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);  // tickets only: no memory per client
  SSL_CTX_set_num_tickets(raw, 1);
  if (client_ca_pem.empty()) return context;
  ErrorCode error;
  context->add_certificate_authority(asio::buffer(client_ca_pem), error);
  if (error) return pem_error("client CA");
  read_authorities(*context);
  auto authorities = parse_certificates(client_ca_pem);
  if (!authorities) return std::move(authorities).context("client CA");
  for (const Certificate& authority : *authorities) SSL_CTX_add_client_CA(raw, authority.handle());
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, accept_any);
  return context;
}

Result<std::shared_ptr<Context>> make_client_context(const ClientOptions& options) {
  auto context = std::make_shared<Context>(Context::tls_client);
  set_common_options(*context);
  if (options.only_tls_1_3) SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_3_VERSION);
  ErrorCode error;
  if (!options.ca_pem.empty()) {
    context->add_certificate_authority(asio::buffer(options.ca_pem), error);
    if (error) return pem_error("CA");
    read_authorities(*context);
    // A cluster's "CA" is often the server's own certificate.
    X509_STORE_set_flags(SSL_CTX_get_cert_store(context->native_handle()), X509_V_FLAG_PARTIAL_CHAIN);
  } else {
    context->set_default_verify_paths(error);
  }
  if (!options.client_certificate_pem.empty()) {
    Status loaded = load_identity(*context, options.client_certificate_pem, options.client_key_pem);
    if (!loaded) return std::move(loaded).context("client identity");
  }
  static constexpr unsigned char kOurs[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context->native_handle(), kOurs, sizeof kOurs - 1);
  SSL_CTX_set_verify(context->native_handle(),
                     options.insecure_skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  return context;
}

Result<std::shared_ptr<Context>> make_proxy_context(const ClientOptions& options) {
  ClientOptions shown;
  shown.ca_pem = options.ca_pem;
  shown.insecure_skip_verify = options.insecure_skip_verify;
  auto context = make_client_context(shown);
  ErrorCode ignored;
  if (context && !shown.ca_pem.empty()) (*context)->set_default_verify_paths(ignored);
  return context;
}

void describe_peer(SSL* session, Peer& peer) {
  X509* const raw = SSL_get0_peer_certificate(session);
  if (raw == nullptr) return;
  peer.certificate_presented = true;
  if (SSL_get_verify_result(session) != X509_V_OK) return;
  peer.certificate_verified = true;
  Subject subject = subject_of(raw);
  peer.common_name = std::move(subject.common_name);
  peer.organizations = std::move(subject.organizations);
}

}  // namespace flotilla::http
