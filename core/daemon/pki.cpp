// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/pki.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "core/ctl/kubeconfig.hpp"

namespace flotilla::daemon {
namespace {

using http::Certificate;
using http::KeyPair;

constexpr auto kYear = std::chrono::hours(24 * 365);
constexpr auto kRenewBefore = std::chrono::hours(24 * 30);

Status save(const std::string& folder, const std::string& name, const KeyPair& pair) {
  if (Status status = ctl::write_file(folder + "/" + name + ".key", pair.key_pem, 0600); !status)
    return status;
  return ctl::write_file(folder + "/" + name + ".crt", pair.certificate_pem, 0644);
}

// Nullopt: not there yet.
Result<std::optional<KeyPair>> load(const std::string& folder, const std::string& name) {
  const auto certificate = ctl::read_file(folder + "/" + name + ".crt");
  const auto key = ctl::read_file(folder + "/" + name + ".key");
  for (const auto* part : {&certificate, &key}) {
    if (!*part && part->error().is(Code::NotFound)) return std::optional<KeyPair>();
    if (!*part) return part->error();
  }
  return std::optional<KeyPair>(KeyPair{*certificate, *key});
}

Result<KeyPair> load_or_make_authority(const std::string& folder, const std::string& name,
                                       const std::string& common_name, const Clock& clock) {
  Result<std::optional<KeyPair>> kept = load(folder, name);
  if (!kept) return kept.error();
  if (*kept) {
    if (const auto parsed = Certificate::parse((*kept)->certificate_pem); !parsed) {
      return Error(Code::Invalid, folder + "/" + name + ".crt is broken: " + parsed.error().message());
    }
    return std::move(**kept);
  }
  Result<KeyPair> made = http::make_authority(common_name, {clock.now(), 10 * kYear});
  if (!made) return made;
  if (Status status = save(folder, name, *made); !status) return status.error();
  return made;
}

// Still good for `names` (where it matters) and signed by this authority.
bool is_fresh(const KeyPair& pair, const KeyPair& authority, const std::vector<std::string>& names,
              WallTime now) {
  const auto certificate = Certificate::parse(pair.certificate_pem);
  const auto signer = Certificate::parse(authority.certificate_pem);
  if (!certificate || !signer || !certificate->signed_by(*signer)) return false;
  if (certificate->not_after() < now + kRenewBefore) return false;
  std::vector<std::string> has = certificate->dns_names();
  const std::vector<std::string> addresses = certificate->ip_addresses();
  has.insert(has.end(), addresses.begin(), addresses.end());
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
    return std::find(has.begin(), has.end(), name) != has.end();
  });
}

template <typename Make>
Result<KeyPair> load_or_sign(const std::string& folder, const std::string& name, const KeyPair& authority,
                             const std::vector<std::string>& names, const Clock& clock, Make make) {
  Result<std::optional<KeyPair>> kept = load(folder, name);
  if (!kept) return kept.error();
  if (*kept && is_fresh(**kept, authority, names, clock.now())) return std::move(**kept);
  Result<KeyPair> made = make(http::Validity{clock.now(), kYear});
  if (!made) return made;
  if (Status status = save(folder, name, *made); !status) return status.error();
  return made;
}

}  // namespace

Result<Pki> Pki::load_or_make(const DataDir& directory, const std::vector<std::string>& names,
                              const Clock& clock) {
  const Result<std::string> folder = directory.folder("pki");
  if (!folder) return folder.error();
  Result<KeyPair> authority = load_or_make_authority(*folder, "ca", "flotilla-ca", clock);
  if (!authority) return std::move(authority).context("certificates");
  Result<KeyPair> server = load_or_sign(
      *folder, "server", *authority, names, clock,
      [&](const http::Validity& v) { return http::sign_server(*authority, "flotillad", names, v); });
  if (!server) return std::move(server).context("certificates");
  const http::Subject subject{"admin", {"system:masters"}};
  Result<KeyPair> administrator =
      load_or_sign(*folder, "admin", *authority, {}, clock,
                   [&](const http::Validity& v) { return http::sign_client(*authority, subject, v); });
  if (!administrator) return std::move(administrator).context("certificates");
  Result<KeyPair> proxy_authority =
      load_or_make_authority(*folder, "front-proxy-ca", "front-proxy-ca", clock);
  if (!proxy_authority) return std::move(proxy_authority).context("certificates");
  Result<KeyPair> proxy =
      load_or_sign(*folder, "front-proxy-client", *proxy_authority, {}, clock, [&](const http::Validity& v) {
        return http::sign_client(*proxy_authority, {"front-proxy-client", {}}, v);
      });
  if (!proxy) return std::move(proxy).context("certificates");

  Pki pki;
  pki.server = {server->certificate_pem, server->key_pem};
  pki.authority = std::move(*authority);
  pki.proxy_authority = std::move(*proxy_authority);
  pki.proxy = std::move(*proxy);
  pki.administrator = std::move(*administrator);
  if (auto key = ctl::read_file(*folder + "/service-account.key"))
    pki.service_account_key_pem = std::move(*key);
  return pki;
}

Status Pki::keep_service_account_key(const DataDir& directory, const std::string& pem) {
  const Result<std::string> folder = directory.folder("pki");
  if (!folder) return folder.error();
  return ctl::write_file(*folder + "/service-account.key", pem, 0600);
}

std::vector<std::string> server_names(const std::string& listen_host,
                                      const std::vector<std::string>& configured) {
  std::vector<std::string> names{"localhost",
                                 "127.0.0.1",
                                 "::1",
                                 "kubernetes",
                                 "kubernetes.default",
                                 "kubernetes.default.svc",
                                 "kubernetes.default.svc.cluster.local"};
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) == 0 && host[0] != '\0') names.emplace_back(host.data());
  if (listen_host != "0.0.0.0" && listen_host != "::") names.push_back(listen_host);
  names.insert(names.end(), configured.begin(), configured.end());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace flotilla::daemon
