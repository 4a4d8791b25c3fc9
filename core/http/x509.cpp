// SPDX-License-Identifier: Apache-2.0
#include "core/http/x509.hpp"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ctime>

namespace flotilla::http {

namespace {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, Deleter<X509_free>>;
using RequestPtr = std::unique_ptr<X509_REQ, Deleter<X509_REQ_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>>;

Error openssl_failure(std::string_view doing) {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return Error(Code::Invalid, std::string(doing) + ": " + (reason == nullptr ? "not valid" : reason));
}

BioPtr reader(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string contents(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string certificate_text(X509* certificate) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), certificate);
  return contents(out.get());
}

std::string key_text(EVP_PKEY* key) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return contents(out.get());
}

Result<KeyPtr> read_key(std::string_view pem) {
  KeyPtr key(PEM_read_bio_PrivateKey(reader(pem).get(), nullptr, nullptr, nullptr));
  if (!key) return openssl_failure("private key");
  return key;
}

// Text of one entry of a name.
std::string entry_text(const X509_NAME_ENTRY* entry) {
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
  if (size < 0) return {};
  std::string out(reinterpret_cast<char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  return out;
}

Subject subject_of_name(const X509_NAME* name) {
  Subject subject;
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    const int kind = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
    if (kind == NID_commonName) subject.common_name = entry_text(entry);
    if (kind == NID_organizationName) subject.organizations.push_back(entry_text(entry));
  }
  return subject;
}

WallTime wall_time(const ASN1_TIME* time) {
  std::tm parts{};
  ASN1_TIME_to_tm(time, &parts);
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

std::vector<std::string> names_of(const GENERAL_NAMES* names, int type) {
  std::vector<std::string> out;
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type != type) continue;
    const ASN1_STRING* value = type == GEN_IPADD ? name->d.iPAddress : name->d.ia5;
    const unsigned char* data = ASN1_STRING_get0_data(value);
    const int size = ASN1_STRING_length(value);
    if (type != GEN_IPADD) {
      out.emplace_back(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    } else {
      char text[INET6_ADDRSTRLEN] = {};
      if (inet_ntop(size == 4 ? AF_INET : AF_INET6, data, text, sizeof text) != nullptr)
        out.emplace_back(text);
    }
  }
  return out;
}

NamesPtr alternative_names(const X509* certificate) {
  return NamesPtr(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
}

bool is_address(const std::string& name) {
  unsigned char buffer[16];
  return inet_pton(AF_INET, name.c_str(), buffer) == 1 || inet_pton(AF_INET6, name.c_str(), buffer) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509V3_set_ctx_nodb(&context);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// Names of dots, letters, digits, '-', '*' and ':' only, so that none can smuggle a second entry in.
bool add_names(X509* certificate, const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (name.find_first_of(",\n\r ") != std::string::npos || name.empty()) continue;
    if (!text.empty()) text += ',';
    text += (is_address(name) ? "IP:" : "DNS:") + name;
  }
  return text.empty() || add_extension(certificate, nullptr, NID_subject_alt_name, text);
}

bool add_name_entry(X509_NAME* name, int kind, const std::string& value) {
  return X509_NAME_add_entry_by_NID(name, kind, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

// A blank certificate with serial, dates, subject and key.
Result<CertificatePtr> blank(const Subject& subject, EVP_PKEY* key, const Validity& validity) {
  CertificatePtr certificate(X509_new());
  unsigned char serial[16];
  if (!certificate || RAND_bytes(serial, sizeof serial) != 1) return openssl_failure("make a certificate");
  serial[0] &= 0x7f;
  const std::unique_ptr<BIGNUM, Deleter<BN_free>> number(BN_bin2bn(serial, sizeof serial, nullptr));
  bool ok = BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate.get())) != nullptr;
  X509_set_version(certificate.get(), 2);
  // Five minutes back: clocks of clients are not ours.
  const auto start = std::chrono::system_clock::to_time_t(validity.now - std::chrono::minutes(5));
  const auto end = std::chrono::system_clock::to_time_t(
      validity.now + std::chrono::duration_cast<std::chrono::system_clock::duration>(validity.lifetime));
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), start);
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), end);
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  for (const std::string& organization : subject.organizations) {
    ok = ok && add_name_entry(name, NID_organizationName, organization);
  }
  if (!subject.common_name.empty()) ok = ok && add_name_entry(name, NID_commonName, subject.common_name);
  ok = ok && X509_set_pubkey(certificate.get(), key) == 1;
  if (!ok) return openssl_failure("make a certificate");
  return certificate;
}

struct Authority {
  Certificate certificate;
  KeyPtr key;
};

Result<Authority> open_authority(const KeyPair& pair) {
  auto certificate = Certificate::parse(pair.certificate_pem);
  if (!certificate) return std::move(certificate).context("CA certificate");
  auto key = read_key(pair.key_pem);
  if (!key) return std::move(key).context("CA");
  if (X509_check_private_key(certificate->handle(), key->get()) != 1) {
    return Error(Code::Invalid, "CA: the private key does not belong to the certificate");
  }
  return Authority{*std::move(certificate), *std::move(key)};
}

struct Profile {
  const char* extended_usage;
  std::vector<std::string> names;
};

Result<std::string> sign(const Authority& authority, const Subject& subject, EVP_PKEY* key,
                         const Profile& profile, const Validity& validity) {
  auto certificate = blank(subject, key, validity);
  if (!certificate) return std::move(certificate).error();
  X509* const raw = certificate->get();
  X509* const issuer = authority.certificate.handle();
  if (X509_NAME_cmp(X509_get_subject_name(raw), X509_get_subject_name(issuer)) == 0) {
    return Error(Code::Invalid,
                 "\"" + subject.common_name +
                     "\" is the CA's own name: verifiers would take the certificate for self-signed");
  }
  const bool ok = X509_set_issuer_name(raw, X509_get_subject_name(issuer)) == 1 &&
                  add_extension(raw, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
                  add_extension(raw, issuer, NID_key_usage, "critical,digitalSignature,keyEncipherment") &&
                  add_extension(raw, issuer, NID_ext_key_usage, profile.extended_usage) &&
                  add_extension(raw, issuer, NID_authority_key_identifier, "keyid") &&
                  add_names(raw, profile.names) && X509_sign(raw, authority.key.get(), EVP_sha256()) != 0;
  if (!ok) return openssl_failure("sign a certificate");
  return certificate_text(raw);
}

Result<KeyPair> sign_new_key(const KeyPair& authority, const Subject& subject, const Profile& profile,
                             const Validity& validity) {
  auto opened = open_authority(authority);
  if (!opened) return std::move(opened).error();
  const KeyPtr key(EVP_EC_gen("P-256"));
  if (!key) return openssl_failure("make a key");
  auto signed_pem = sign(*opened, subject, key.get(), profile, validity);
  if (!signed_pem) return std::move(signed_pem).error();
  return KeyPair{*std::move(signed_pem), key_text(key.get())};
}

}  // namespace

Result<Certificate> Certificate::parse(std::string_view pem) {
  auto all = parse_certificates(pem);
  if (!all) return std::move(all).error();
  return std::move(all->front());
}

Result<std::vector<Certificate>> parse_certificates(std::string_view pem) {
  std::vector<Certificate> certificates;
  const BioPtr in = reader(pem);
  while (X509* raw = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back().handle_ = std::shared_ptr<X509>(raw, Deleter<X509_free>());
  }
  const unsigned long code = ERR_peek_last_error();
  const bool ended = code == 0 || ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
  if (!ended) return openssl_failure("certificate");
  ERR_clear_error();
  if (certificates.empty()) return Error(Code::Invalid, "certificate: no PEM block CERTIFICATE");
  return certificates;
}

Subject subject_of(X509* certificate) {
  return subject_of_name(X509_get_subject_name(certificate));
}

Subject Certificate::subject() const {
  return subject_of(handle_.get());
}
WallTime Certificate::not_before() const {
  return wall_time(X509_get0_notBefore(handle_.get()));
}
WallTime Certificate::not_after() const {
  return wall_time(X509_get0_notAfter(handle_.get()));
}
std::vector<std::string> Certificate::dns_names() const {
  return names_of(alternative_names(handle_.get()).get(), GEN_DNS);
}
std::vector<std::string> Certificate::ip_addresses() const {
  return names_of(alternative_names(handle_.get()).get(), GEN_IPADD);
}
bool Certificate::is_ca() const {
  return X509_check_ca(handle_.get()) > 0;
}
std::string Certificate::pem() const {
  return certificate_text(handle_.get());
}
bool Certificate::signed_by(const Certificate& authority) const {
  const bool ok = X509_verify(handle_.get(), X509_get0_pubkey(authority.handle())) == 1;
  ERR_clear_error();
  return ok;
}

namespace {

std::string hex(const unsigned char* bytes, unsigned int size) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (unsigned int i = 0; i < size; ++i) {
    out += kDigits[bytes[i] >> 4];
    out += kDigits[bytes[i] & 15];
  }
  return out;
}

}  // namespace

std::string Certificate::fingerprint() const {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  X509_digest(handle_.get(), EVP_sha256(), digest, &size);
  return hex(digest, size);
}

std::string Certificate::public_key_pin() const {
  unsigned char* encoded = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(handle_.get()), &encoded);
  if (length <= 0) return {};
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(encoded, static_cast<std::size_t>(length), digest, &size, EVP_sha256(), nullptr);
  OPENSSL_free(encoded);
  return "sha256:" + hex(digest, size);
}

Result<std::string> make_private_key() {
  const KeyPtr key(EVP_EC_gen("P-256"));
  if (!key) return openssl_failure("make a key");
  return key_text(key.get());
}

Result<KeyPair> make_authority(const std::string& common_name, const Validity& validity) {
  const KeyPtr key(EVP_EC_gen("P-256"));
  if (!key) return openssl_failure("make a key");
  auto certificate = blank(Subject{common_name, {}}, key.get(), validity);
  if (!certificate) return std::move(certificate).error();
  X509* const raw = certificate->get();
  const bool ok = X509_set_issuer_name(raw, X509_get_subject_name(raw)) == 1 &&
                  add_extension(raw, raw, NID_basic_constraints, "critical,CA:TRUE") &&
                  add_extension(raw, raw, NID_key_usage, "critical,digitalSignature,keyCertSign,cRLSign") &&
                  add_extension(raw, raw, NID_subject_key_identifier, "hash") &&
                  X509_sign(raw, key.get(), EVP_sha256()) != 0;
  if (!ok) return openssl_failure("make a CA");
  return KeyPair{certificate_text(raw), key_text(key.get())};
}

Result<KeyPair> sign_server(const KeyPair& authority, const std::string& common_name,
                            const std::vector<std::string>& names, const Validity& validity) {
  return sign_new_key(authority, Subject{common_name, {}}, Profile{"serverAuth", names}, validity);
}

Result<KeyPair> sign_client(const KeyPair& authority, const Subject& subject, const Validity& validity) {
  return sign_new_key(authority, subject, Profile{"clientAuth", {}}, validity);
}

namespace {

Result<RequestPtr> read_request(std::string_view pem) {
  RequestPtr request(PEM_read_bio_X509_REQ(reader(pem).get(), nullptr, nullptr, nullptr));
  if (!request) return openssl_failure("certificate signing request");
  if (X509_REQ_verify(request.get(), X509_REQ_get0_pubkey(request.get())) != 1) {
    return openssl_failure("certificate signing request: signature");
  }
  return request;
}

}  // namespace

Result<SigningRequest> parse_signing_request(std::string_view pem) {
  auto request = read_request(pem);
  if (!request) return std::move(request).error();
  SigningRequest out;
  out.subject = subject_of_name(X509_REQ_get_subject_name(request->get()));
  STACK_OF(X509_EXTENSION)* extensions = X509_REQ_get_extensions(request->get());
  const NamesPtr names(
      static_cast<GENERAL_NAMES*>(X509V3_get_d2i(extensions, NID_subject_alt_name, nullptr, nullptr)));
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  out.names = names_of(names.get(), GEN_DNS);
  for (const int type : {GEN_IPADD, GEN_EMAIL, GEN_URI}) {
    for (std::string& name : names_of(names.get(), type)) out.names.push_back(std::move(name));
  }
  return out;
}

Result<std::string> make_signing_request(std::string_view key_pem, const Subject& subject) {
  const auto key = read_key(key_pem);
  if (!key) return key.error();
  const RequestPtr request(X509_REQ_new());
  X509_NAME* const name = X509_REQ_get_subject_name(request.get());
  bool ok = X509_REQ_set_version(request.get(), 0) == 1;
  for (const std::string& organization : subject.organizations)
    ok = ok && add_name_entry(name, NID_organizationName, organization);
  ok = ok && add_name_entry(name, NID_commonName, subject.common_name) &&
       X509_REQ_set_pubkey(request.get(), key->get()) == 1 &&
       X509_REQ_sign(request.get(), key->get(), EVP_sha256()) != 0;
  const BioPtr out(BIO_new(BIO_s_mem()));
  ok = ok && PEM_write_bio_X509_REQ(out.get(), request.get()) == 1;
  if (!ok) return openssl_failure("make a certificate signing request");
  return contents(out.get());
}

Result<std::string> sign_request(const KeyPair& authority, std::string_view request_pem,
                                 const Validity& validity) {
  auto opened = open_authority(authority);
  if (!opened) return std::move(opened).error();
  auto request = read_request(request_pem);
  if (!request) return std::move(request).error();
  const Subject subject = subject_of_name(X509_REQ_get_subject_name(request->get()));
  return sign(*opened, subject, X509_REQ_get0_pubkey(request->get()), Profile{"clientAuth", {}}, validity);
}

}  // namespace flotilla::http
