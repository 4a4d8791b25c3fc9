// SPDX-License-Identifier: Apache-2.0
// CertificateSigningRequest: the request itself, its signer and usages, and who may write which condition.
#include <algorithm>
#include <set>

#include "core/api/validation/kinds.hpp"
#include "core/base/base64.hpp"

namespace flotilla::api::validation {
namespace {

constexpr std::string_view kUsages[] = {"any",
                                        "cert sign",
                                        "client auth",
                                        "code signing",
                                        "content commitment",
                                        "crl sign",
                                        "data encipherment",
                                        "decipher only",
                                        "digital signature",
                                        "email protection",
                                        "encipher only",
                                        "ipsec end system",
                                        "ipsec tunnel",
                                        "ipsec user",
                                        "key agreement",
                                        "key encipherment",
                                        "microsoft sgc",
                                        "netscape sgc",
                                        "ocsp signing",
                                        "s/mime",
                                        "server auth",
                                        "signing",
                                        "timestamping"};

std::string go_bytes(std::string_view bytes) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out = "[]byte{";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (!out.ends_with('{')) out += ", ";
    out += "0x";
    if (byte > 15) out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out + "}";
}

// Every label of a name, the first bad one stands in the error.
void validate_parts(const FieldView& signer, std::string_view name,
                    std::vector<std::string> (*check)(std::string_view, bool)) {
  std::string_view rest = name;
  while (true) {
    const std::size_t dot = std::min(rest.find('.'), rest.size());
    const std::string_view part = rest.substr(0, dot);
    const auto found = check(part, false);
    for (const std::string& one : found)
      signer.errors().invalid(signer.path(), name, "validating label " + go_quote(part) + ": " + one);
    if (!found.empty() || dot == rest.size()) return;
    rest.remove_prefix(dot + 1);
  }
}

void validate_signer(const FieldView& signer) {
  if (!signer.require()) return;
  const std::string_view text = signer.text();
  if (text == "kubernetes.io/legacy-unknown") {
    signer.invalid("the legacy signerName is not allowed via this API version");
    return;
  }
  if (std::count(text.begin(), text.end(), '/') != 1) {
    signer.invalid("must be a fully qualified domain and path of the form 'example.com/signer-name'");
    return;
  }
  const std::string_view domain = text.substr(0, text.find('/')), path = text.substr(text.find('/') + 1);
  if (domain.size() > 253) signer.errors().too_long(signer.path(), 253);
  validate_parts(signer, domain, check_dns_label);
  if (domain.find('.') == domain.npos) {
    signer.errors().invalid(signer.path(), domain,
                            "should be a domain with at least two segments separated by dots");
  }
  validate_parts(signer, path, check_dns_subdomain);
  constexpr std::int64_t kMost = 571;
  if (static_cast<std::int64_t>(text.size()) > kMost) signer.errors().too_long(signer.path(), kMost);
}

void validate_usages(const FieldView& usages) {
  if (!usages.filled()) usages.errors().required(usages.path());
  for (const FieldView& one : usages.each()) {
    if (std::find(std::begin(kUsages), std::end(kUsages), one.text()) == std::end(kUsages))
      one.errors().not_supported(one.path(), one.value(), kUsages);
  }
  std::set<std::string_view> seen;
  for (const FieldView& one : usages.each()) {
    if (!seen.insert(one.text()).second) one.errors().duplicate(one.path(), one.value());
  }
}

bool is_verdict(std::string_view type) {
  return type == "Approved" || type == "Denied";
}

void validate_conditions(const FieldView& conditions) {
  std::set<std::string_view> seen;
  for (const FieldView& one : conditions.each()) {
    const FieldView type = one["type"], status = one["status"];
    type.require();
    const bool only_true = is_verdict(type.text()) || type.text() == "Failed";
    if (status.require()) {
      if (only_true) {
        status.one_of({"True"});
      } else {
        status.one_of({"False", "True", "Unknown"});
      }
    }
    const std::string_view other = type.text() == "Approved" ? "Denied" : "Approved";
    if (is_verdict(type.text()) && seen.contains(other))
      type.invalid("Approved and Denied conditions are mutually exclusive");
    if (!seen.insert(type.text()).second) type.errors().duplicate(type.path(), type.value());
  }
}

std::vector<const Json*> of_type(const Json& object, std::string_view type) {
  std::vector<const Json*> found;
  for (const Json& one : object["status"]["conditions"].elements()) {
    if (one["type"].as_string() == type) found.push_back(&one);
  }
  return found;
}

void conditions_update(const Subject& subject) {
  const FieldView conditions = subject.object["status"]["conditions"];
  for (const std::string_view type : {"Approved", "Denied", "Failed"}) {
    if (of_type(subject.object.value(), type).size() < of_type(subject.live, type).size())
      conditions.forbid("updates may not remove a condition of type " + go_quote(type));
  }
  if (subject.subresource == "approval") return;
  for (const std::string_view type : {"Approved", "Denied"}) {
    const auto now = of_type(subject.object.value(), type), before = of_type(subject.live, type);
    const bool same = std::equal(now.begin(), now.end(), before.begin(), before.end(),
                                 [](const Json* a, const Json* b) { return *a == *b; });
    if (now.size() > before.size()) {
      conditions.forbid("updates may not add a condition of type " + go_quote(type));
    } else if (now.size() == before.size() && !same) {
      conditions.forbid("updates may not modify a condition of type " + go_quote(type) + "\n");
    }
  }
}

void certificate_update(const Subject& subject) {
  const FieldView certificate = subject.object["status"]["certificate"];
  const Json& before = subject.live["status"]["certificate"];
  if (certificate.text() == before.as_string()) return;
  const std::string pem = base64_decode(certificate.text()).value_or("");
  if (!pem.empty() && pem.find("-----BEGIN CERTIFICATE-----") == pem.npos) {
    certificate.errors().invalid(certificate.path(), "<certificate data>",
                                 "must contain at least one CERTIFICATE PEM block");
  }
  if (subject.subresource != "status") {
    certificate.forbid("updates may not set certificate content");
  } else if (!before.as_string().empty()) {
    certificate.forbid("updates may not modify existing certificate content");
  }
}

}  // namespace

void signing_request(const Subject& subject) {
  const FieldView spec = subject.spec(), request = spec["request"], lifetime = spec["expirationSeconds"];
  const std::string bytes = base64_decode(request.text()).value_or("");
  if (bytes.find("-----BEGIN CERTIFICATE REQUEST-----") == bytes.npos &&
      bytes.find("-----BEGIN NEW CERTIFICATE REQUEST-----") == bytes.npos) {
    request.errors().add_literal(
        "FieldValueInvalid", request.path(),
        "Invalid value: " + go_bytes(bytes) + ": PEM block type must be CERTIFICATE REQUEST");
  }
  validate_usages(spec["usages"]);
  validate_signer(spec["signerName"]);
  if (!lifetime.value().is_null() && lifetime.number() < 600)
    lifetime.invalid("may not specify a duration less than 600 seconds (10 minutes)");
  validate_conditions(subject.object["status"]["conditions"]);
  if (subject.creates()) return;
  conditions_update(subject);
  certificate_update(subject);
}

}  // namespace flotilla::api::validation
