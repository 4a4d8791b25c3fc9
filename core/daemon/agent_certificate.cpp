// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/agent_certificate.hpp"

#include "core/base/base64.hpp"
#include "core/ctl/accounts.hpp"
#include "core/ctl/agent_manifests.hpp"
#include "core/ctl/bootstrap.hpp"

namespace flotilla::daemon {
namespace {

using api::Json;

// A kubeconfig and how it is written back.
struct Kept {
  ctl::Kubeconfig kubeconfig;
  std::function<Status(const ctl::Kubeconfig&)> write;
};

Result<Kept> find_kept(const config::AgentSettings& settings, const std::shared_ptr<ctl::Session>& member) {
  const std::string target =
      ctl::in_namespace(settings.karmada_kubeconfig_namespace, "secrets/" + std::string(ctl::kAgentSecret));
  const Result<Json> found = member->get(target);
  if (!found && !found.error().is(Code::NotFound)) return Error(found.error()).context("member");
  if (!found) {
    auto file = ctl::Kubeconfig::read(settings.karmada_kubeconfig);
    if (!file) return std::move(file).error();
    return Kept{*std::move(file), [path = settings.karmada_kubeconfig](const ctl::Kubeconfig& renewed) {
                  return renewed.write(path);
                }};
  }
  const auto text = base64_decode((*found)["data"][ctl::kAgentSecret].as_string());
  if (!text) return Error(Code::Invalid, "Secret " + std::string(ctl::kAgentSecret) + " has no kubeconfig");
  auto parsed = ctl::Kubeconfig::parse(*text, "Secret " + std::string(ctl::kAgentSecret));
  if (!parsed) return std::move(parsed).error();
  return Kept{*std::move(parsed),
              [member, target, secret = *found](const ctl::Kubeconfig& renewed) -> Status {
                Json changed = secret;
                changed["data"].set(ctl::kAgentSecret, base64_encode(renewed.text()));
                const Result<Json> written = member->put(target, changed);
                return written ? Status() : Status(written.error());
              }};
}

}  // namespace

Result<std::optional<ctl::Access>> renew_agent_certificate(const config::Settings& settings,
                                                           const ctl::Access& control_plane,
                                                           const ctl::Access& member, WallTime now) {
  const auto to_member = std::make_shared<ctl::Session>(member);
  auto kept = find_kept(settings.agent, to_member);
  if (!kept) return std::move(kept).error();
  const auto access = kept->kubeconfig.access();
  if (!access) return access.error();
  if (access->client_certificate_pem.empty()) return std::optional<ctl::Access>();
  const double threshold = settings.controllers.cert_rotation_remaining_time_threshold;
  const auto due = ctl::is_renewal_due(access->client_certificate_pem, threshold, now);
  if (!due) return due.error();
  if (!*due) return std::optional<ctl::Access>();
  ctl::Session to_control_plane(control_plane);
  const auto pair =
      ctl::renew_certificate(to_control_plane, settings.agent.cluster_name, access->client_certificate_pem);
  if (!pair) return pair.error();
  kept->kubeconfig.set_certificate(pair->certificate_pem, pair->key_pem);
  if (Status written = kept->write(kept->kubeconfig); !written) return written.error();
  ctl::Access renewed = control_plane;
  renewed.client_certificate_pem = pair->certificate_pem;
  renewed.client_key_pem = pair->key_pem;
  return std::optional<ctl::Access>(std::move(renewed));
}

}  // namespace flotilla::daemon
