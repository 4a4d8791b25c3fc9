// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/join.hpp"

#include <fmt/format.h>

#include "core/api/object.hpp"
#include "core/ctl/accounts.hpp"
#include "core/ctl/removal.hpp"
#include "core/http/url.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;
using Progress = std::function<void(std::string_view)>;

Json cluster_object(const JoinRequest& request, const Access& member, const std::string& id) {
  const auto reference = [&](const std::string& name) {
    return Json::object({{"namespace", request.ns}, {"name", name}});
  };
  Json spec = Json::object({{"syncMode", "Push"},
                            {"id", id},
                            {"apiEndpoint", member.server},
                            {"secretRef", reference(request.name)},
                            {"impersonatorSecretRef", reference(request.name + "-impersonator")}});
  if (!request.provider.empty()) spec.set("provider", request.provider);
  if (!request.region.empty()) spec.set("region", request.region);
  if (!request.zones.empty()) spec.set("zones", Json::strings(request.zones));
  if (!member.proxy_url.empty()) spec.set("proxyURL", member.proxy_url);
  if (member.insecure_skip_verify) spec.set("insecureSkipTLSVerification", true);
  return Json::object({{"apiVersion", "cluster.karmada.io/v1alpha1"},
                       {"kind", "Cluster"},
                       {"metadata", Json::object({{"name", request.name}})},
                       {"spec", std::move(spec)}});
}

Status refuse_clash(Session& control_plane, const JoinRequest& request, const std::string& id) {
  const Result<Json> clusters = control_plane.get(kClusters);
  if (!clusters) return clusters.error();
  for (const Json& cluster : (*clusters)["items"].elements()) {
    const std::string_view name = api::name_of(cluster);
    if (name == request.name && !request.renew) {
      return Error(Code::AlreadyExists,
                   fmt::format("cluster {} has already joined; choose another name, or unjoin it", name));
    }
    if (name != request.name && cluster["spec"]["id"].as_string() == id) {
      return Error(Code::AlreadyExists, fmt::format("this cluster has already joined as {}", name));
    }
  }
  return {};
}

}  // namespace

Status join(Session& control_plane, Session& member, const JoinRequest& request, const Progress& progress) {
  const auto tell = [&](std::string_view what) {
    if (progress) progress(what);
  };
  tell("looking at the member");
  const Result<Json> system = member.get("/api/v1/namespaces/kube-system");
  if (!system) return Error(system.error()).context("member");
  const std::string id(api::uid_of(*system));
  if (Status status = refuse_clash(control_plane, request, id); !status) return status;

  tell("making an account in the member");
  const Result<MemberSide> side = prepare_member(member, request.name, request.ns);
  if (!side) return Error(side.error()).context("member");

  tell("registering");
  if (Status made = ensure_namespace(control_plane, request.ns); !made) return made;
  const std::string& ca = member.access().ca_pem;
  if (Status brought = bring_credentials(control_plane, request.name, request.ns, *side, ca); !brought)
    return brought;
  const Result<Json> cluster = ensure(control_plane, kClusters, cluster_object(request, member.access(), id));
  if (!cluster) return cluster.error();
  return own_credentials(control_plane, request.ns, *cluster, *side);
}

Status unjoin(Session& control_plane, Session* member, const UnjoinRequest& request,
              const Progress& progress) {
  const std::string path = std::string(kClusters) + "/" + http::percent_encode(request.name);
  const Result<Json> cluster = control_plane.get(path);
  if (!cluster) return cluster.error();
  if ((*cluster)["spec"]["syncMode"].as_string() == "Pull") {
    return Error(Code::Invalid, fmt::format("cluster {} is in pull mode: flotillactl unregister {}",
                                            request.name, request.name));
  }
  if (progress) progress("waiting until everything is removed from the member");
  const SystemClock clock;
  const SteadyTime until = clock.steady_now() + request.wait;
  if (Status removed = remove_cluster(control_plane, request.name, until, request.force); !removed)
    return removed;
  if (member == nullptr) return {};
  const std::string account = "karmada-" + request.name;
  const std::string role = http::percent_encode("karmada-controller-manager:" + account);
  for (const std::string& target :
       {fmt::format("{}/clusterrolebindings/{}", kRbac, role), fmt::format("{}/clusterroles/{}", kRbac, role),
        in_namespace(request.ns, "serviceaccounts/" + account), "/api/v1/namespaces/" + request.ns}) {
    const Status gone = remove_all(*member, {target});
    if (!gone && !request.force) return Error(gone.error()).context("member");
  }
  return {};
}

}  // namespace flotilla::ctl
