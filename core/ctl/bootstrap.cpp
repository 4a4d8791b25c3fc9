// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/bootstrap.hpp"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <thread>

#include "core/api/agent_rights.hpp"
#include "core/api/object.hpp"
#include "core/base/base64.hpp"
#include "core/config/yaml.hpp"
#include "core/http/jws.hpp"
#include "core/http/url.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

constexpr const char* kClusterInfo = "/api/v1/namespaces/kube-public/configmaps/cluster-info";
constexpr const char* kRequests = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
constexpr auto kPause = std::chrono::seconds(1);
constexpr auto kShortPause = std::chrono::milliseconds(100);

bool is_word(std::string_view text, std::size_t length) {
  return text.size() == length &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

std::string url_of(const std::string& endpoint) {
  return endpoint.find("://") == std::string::npos ? "https://" + endpoint : endpoint;
}

// 1. Unverified, until the token's signature is there. 2. The CA is checked against the pins. 3. Once more
// over a verified connection: the same text.
Result<Access> discover_once(const Discovery& discovery) {
  Access access;
  access.server = url_of(discovery.endpoint);
  access.insecure_skip_verify = true;
  Session unverified(access, std::chrono::seconds(10));
  const Result<Json> info = unverified.get(kClusterInfo);
  if (!info) return info.error();
  const Result<std::string> text = signed_kubeconfig(*info, discovery.token);
  if (!text) return text.error();
  const Result<std::string> authority =
      pinned_authority(*text, discovery.unsafe_skip_ca ? std::vector<std::string>() : discovery.pins);
  if (!authority) return authority.error();
  access.insecure_skip_verify = false;
  access.ca_pem = *authority;
  Session verified(access, std::chrono::seconds(10));
  const Result<Json> again = verified.get(kClusterInfo);
  if (!again) return again.error();
  if ((*again)["data"]["kubeconfig"].as_string() != *text) {
    return Error(Code::Unauthorized,
                 "cluster-info read over the verified connection differs from the one before");
  }
  access.bearer_token = discovery.token.text();
  return access;
}

bool is_final(const Error& error) {
  return error.is(Code::Unauthorized) || error.is(Code::Invalid) || error.is(Code::Forbidden);
}

}  // namespace

std::string random_word(std::size_t length) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  constexpr unsigned kFair = 256 / kLetters.size() * kLetters.size();
  std::string word;
  while (word.size() < length) {
    unsigned char byte = 0;
    if (getrandom(&byte, 1, 0) != 1) continue;
    if (byte < kFair) word += kLetters[byte % kLetters.size()];
  }
  return word;
}

Result<BootstrapToken> BootstrapToken::parse(std::string_view text) {
  const auto dot = text.find('.');
  if (dot == std::string_view::npos || !is_word(text.substr(0, dot), 6) || !is_word(text.substr(dot + 1), 16))
    return Error(Code::Invalid, "the token is not of the form [a-z0-9]{6}.[a-z0-9]{16}");
  return BootstrapToken{std::string(text.substr(0, dot)), std::string(text.substr(dot + 1))};
}

BootstrapToken BootstrapToken::random() {
  return {random_word(6), random_word(16)};
}

Result<std::string> signed_kubeconfig(const Json& cluster_info, const BootstrapToken& token) {
  const Json& data = cluster_info["data"];
  const std::string_view text = data["kubeconfig"].as_string();
  if (text.empty()) {
    return Error(Code::Invalid,
                 "ConfigMap kube-public/cluster-info has no kubeconfig: this server lets nobody in by token");
  }
  const std::string_view signature = data["jws-kubeconfig-" + token.id].as_string();
  if (signature.empty()) {
    return Error(
        Code::NotFound,
        fmt::format("the control plane knows no token {}, or it has expired: flotillactl token create there "
                    "makes a new one",
                    token.id));
  }
  if (!http::is_signed_by(signature, text, token.secret)) {
    return Error(Code::Unauthorized,
                 "cluster-info is not signed with this token: this server is not to be trusted");
  }
  return std::string(text);
}

Result<std::string> pinned_authority(std::string_view kubeconfig, const std::vector<std::string>& pins) {
  const Result<Json> document = config::parse_yaml(kubeconfig);
  if (!document) return Error(document.error()).context("kubeconfig in cluster-info");
  const Json& clusters = (*document)["clusters"];
  if (clusters.size() != 1) {
    return Error(Code::Invalid,
                 fmt::format("the kubeconfig in cluster-info names {} clusters, not one", clusters.size()));
  }
  const auto pem = base64_decode(clusters.element(0)["cluster"]["certificate-authority-data"].as_string());
  if (!pem || pem->empty()) return Error(Code::Invalid, "the kubeconfig in cluster-info names no CA");
  const auto certificates = http::parse_certificates(*pem);
  if (!certificates) return Error(certificates.error()).context("CA in cluster-info");
  const bool pinned = std::ranges::any_of(*certificates, [&](const http::Certificate& one) {
    return std::ranges::find(pins, one.public_key_pin()) != pins.end();
  });
  if (!pins.empty() && !pinned) {
    return Error(Code::Unauthorized,
                 fmt::format("the CA in cluster-info has the hash {}, which is not the one that "
                             "was given: this server is not to be trusted",
                             certificates->front().public_key_pin()));
  }
  return *pem;
}

Result<Access> discover_control_plane(const Discovery& discovery) {
  const SystemClock clock;
  const SteadyTime until = clock.steady_now() + discovery.timeout;
  for (;;) {
    Result<Access> found = discover_once(discovery);
    if (found || is_final(found.error())) return found;
    if (clock.steady_now() > until) return std::move(found).context("discovery");
    std::this_thread::sleep_for(kPause);
  }
}

Result<http::KeyPair> request_certificate(Session& control_plane, const CertificateRequest& request) {
  const Result<std::string> key = http::make_private_key();
  if (!key) return key.error();
  const Result<std::string> signing = http::make_signing_request(*key, request.subject);
  if (!signing) return signing.error();
  const Json usages = Json::array({"digital signature", "key encipherment", "client auth"});
  const Json object = Json::object(
      {{"apiVersion", "certificates.k8s.io/v1"},
       {"kind", "CertificateSigningRequest"},
       {"metadata",
        Json::object({{"name", request.name}, {"labels", Json::object({{"karmada.io/system", "true"}})}})},
       {"spec", Json::object({{"request", base64_encode(*signing)},
                              {"signerName", api::kAgentSigner},
                              {"expirationSeconds", request.seconds},
                              {"usages", usages}})}});
  const Result<Json> created = control_plane.post(kRequests, object);
  if (!created) return created.error();
  const SystemClock clock;
  const SteadyTime until = clock.steady_now() + request.timeout;
  for (;;) {
    const Result<Json> there = control_plane.get(std::string(kRequests) + "/" + request.name);
    if (!there && is_final(there.error())) return there.error();
    const std::string_view encoded =
        there ? (*there)["status"]["certificate"].as_string() : std::string_view();
    if (!encoded.empty()) {
      const auto pem = base64_decode(encoded);
      if (!pem) return Error(Code::DataLoss, "the certificate that was issued is no base64");
      return http::KeyPair{*pem, *key};
    }
    if (clock.steady_now() > until) {
      return Error(
          Code::Timeout,
          fmt::format("nobody has approved the request for a certificate\n  try: kubectl certificate approve "
                      "{} in the control plane",
                      request.name));
    }
    std::this_thread::sleep_for(kShortPause);
  }
}

Result<bool> is_renewal_due(std::string_view certificate_pem, double threshold, WallTime now) {
  const auto certificate = http::Certificate::parse(certificate_pem);
  if (!certificate) return Error(certificate.error()).context("the agent's certificate");
  const std::chrono::duration<double> whole = certificate->not_after() - certificate->not_before();
  const std::chrono::duration<double> left = certificate->not_after() - now;
  return left.count() <= whole.count() * threshold;
}

Result<http::KeyPair> renew_certificate(Session& control_plane, const std::string& cluster,
                                        std::string_view certificate_pem) {
  const auto old = http::Certificate::parse(certificate_pem);
  if (!old) return old.error();
  CertificateRequest request;
  request.name = cluster + "-" + random_word(5);
  request.subject = old->subject();
  request.seconds =
      std::chrono::duration_cast<std::chrono::seconds>(old->not_after() - old->not_before()).count();
  return request_certificate(control_plane, request);
}

}  // namespace flotilla::ctl
