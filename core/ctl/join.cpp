// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/join.hpp"

#include <fmt/format.h>

#include <thread>

#include "core/api/object.hpp"
#include "core/base/base64.hpp"
#include "core/http/url.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;
using Progress = std::function<void(std::string_view)>;

constexpr std::string_view kSystemLabel = "karmada.io/system";
constexpr const char* kClusters = "/apis/cluster.karmada.io/v1alpha1/clusters";
constexpr const char* kRbac = "/apis/rbac.authorization.k8s.io/v1";
constexpr int kTokenTries = 30;
constexpr auto kTokenPause = std::chrono::milliseconds(100);

Json metadata(std::string_view name, std::string_view ns = {}) {
  Json made = Json::object({{"name", name}, {"labels", Json::object({{kSystemLabel, "true"}})}});
  if (!ns.empty()) made.set("namespace", ns);
  return made;
}

std::string in_namespace(std::string_view ns, std::string_view resource) {
  return fmt::format("/api/v1/namespaces/{}/{}", ns, resource);
}

// Creates it, or brings what is there to what is wanted.
Result<Json> ensure(Session& session, const std::string& collection, const Json& object) {
  Result<Json> created = session.post(collection, object);
  if (created || !created.error().is(Code::AlreadyExists)) return created;
  Json patch = object;
  patch.erase("apiVersion");
  patch.erase("kind");
  return session.patch(collection + "/" + http::percent_encode(api::name_of(object)), patch,
                       "application/merge-patch+json");
}

Result<Json> ensure_namespace(Session& session, std::string_view ns) {
  return ensure(session, "/api/v1/namespaces",
                Json::object({{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", metadata(ns)}}));
}

struct Credentials {
  std::string ca, token;  // base64, as Secrets hold them
};

// A token that does not expire: from the account's Secret where the member fills one in, else a long-lived
// request.
Result<Credentials> token_of(Session& member, const std::string& ns, const std::string& account) {
  Json meta = metadata(account, ns);
  meta.set("annotations", Json::object({{"kubernetes.io/service-account.name", account}}));
  const Json secret = Json::object({{"apiVersion", "v1"},
                                    {"kind", "Secret"},
                                    {"metadata", std::move(meta)},
                                    {"type", "kubernetes.io/service-account-token"}});
  const std::string secrets = in_namespace(ns, "secrets");
  const Result<Json> made = ensure(member, secrets, secret);
  if (!made) return made.error();
  for (int i = 0; i < kTokenTries; ++i) {
    const Result<Json> filled = member.get(secrets + "/" + account);
    if (!filled) return filled.error();
    const Json& data = (*filled)["data"];
    if (!data["token"].as_string().empty()) {
      return Credentials{std::string(data["ca.crt"].as_string()), std::string(data["token"].as_string())};
    }
    std::this_thread::sleep_for(kTokenPause);
  }
  const Json request =
      Json::object({{"apiVersion", "authentication.k8s.io/v1"},
                    {"kind", "TokenRequest"},
                    {"spec", Json::object({{"expirationSeconds", 10LL * 365 * 24 * 3600}})}});
  const Result<Json> token = member.post(in_namespace(ns, "serviceaccounts/" + account + "/token"), request);
  if (!token) return token.error();
  return Credentials{"", base64_encode((*token)["status"]["token"].as_string())};
}

Status ensure_account(Session& member, const std::string& ns, const std::string& account) {
  const Result<Json> made = ensure(
      member, in_namespace(ns, "serviceaccounts"),
      Json::object({{"apiVersion", "v1"}, {"kind", "ServiceAccount"}, {"metadata", metadata(account, ns)}}));
  return made ? Status() : Status(made.error());
}

// All rights on everything: what is propagated may be anything.
Status grant_all(Session& member, const std::string& ns, const std::string& account,
                 const std::string& role) {
  const Json everything = Json::array({"*"});
  const Json cluster_role = Json::object(
      {{"apiVersion", "rbac.authorization.k8s.io/v1"},
       {"kind", "ClusterRole"},
       {"metadata", metadata(role)},
       {"rules",
        Json::array(
            {Json::object({{"apiGroups", everything}, {"resources", everything}, {"verbs", everything}}),
             Json::object({{"nonResourceURLs", everything}, {"verbs", Json::array({"get"})}})})}});
  if (const Result<Json> made = ensure(member, fmt::format("{}/clusterroles", kRbac), cluster_role); !made) {
    return made.error();
  }
  const Json binding = Json::object(
      {{"apiVersion", "rbac.authorization.k8s.io/v1"},
       {"kind", "ClusterRoleBinding"},
       {"metadata", metadata(role)},
       {"subjects",
        Json::array({Json::object({{"kind", "ServiceAccount"}, {"name", account}, {"namespace", ns}})})},
       {"roleRef",
        Json::object({{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", role}})}});
  const Result<Json> bound = ensure(member, fmt::format("{}/clusterrolebindings", kRbac), binding);
  return bound ? Status() : Status(bound.error());
}

Json secret_of(const std::string& name, const std::string& ns, const Credentials& credentials,
               const std::string& ca_pem) {
  Json data = Json::object({{"token", credentials.token}});
  if (!ca_pem.empty()) {
    data.set("caBundle", base64_encode(ca_pem));
  } else if (!credentials.ca.empty()) {
    data.set("caBundle", credentials.ca);
  }
  return Json::object({{"apiVersion", "v1"},
                       {"kind", "Secret"},
                       {"metadata", metadata(name, ns)},
                       {"data", std::move(data)}});
}

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

// The Cluster's own secrets go when it goes.
Status own_secret(Session& control_plane, const JoinRequest& request, const std::string& name,
                  const Json& cluster) {
  const Json owner = Json::object({{"apiVersion", "cluster.karmada.io/v1alpha1"},
                                   {"kind", "Cluster"},
                                   {"name", request.name},
                                   {"uid", api::uid_of(cluster)},
                                   {"controller", true},
                                   {"blockOwnerDeletion", true}});
  const Json patch = Json::object({{"metadata", Json::object({{"ownerReferences", Json::array({owner})}})}});
  const Result<Json> patched =
      control_plane.patch(in_namespace(request.ns, "secrets/" + name), patch, "application/merge-patch+json");
  return patched ? Status() : Status(patched.error());
}

// What the member needs to let us in: two accounts, and their tokens.
struct MemberSide {
  Credentials own, impersonator;
};
Result<MemberSide> prepare_member(Session& member, const JoinRequest& request) {
  if (const Result<Json> made = ensure_namespace(member, request.ns); !made) return made.error();
  const std::string account = "karmada-" + request.name;
  for (const std::string& name : {std::string("karmada-impersonator"), account}) {
    if (Status status = ensure_account(member, request.ns, name); !status) return status.error();
  }
  const std::string role = "karmada-controller-manager:" + account;
  if (Status status = grant_all(member, request.ns, account, role); !status) return status.error();
  Result<Credentials> impersonator = token_of(member, request.ns, "karmada-impersonator");
  if (!impersonator) return impersonator.error();
  Result<Credentials> own = token_of(member, request.ns, account);
  if (!own) return own.error();
  return MemberSide{std::move(*own), std::move(*impersonator)};
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
  const Result<MemberSide> side = prepare_member(member, request);
  if (!side) return Error(side.error()).context("member");

  tell("registering");
  if (const Result<Json> made = ensure_namespace(control_plane, request.ns); !made) return made.error();
  const std::string& ca = member.access().ca_pem;
  const std::string secrets = in_namespace(request.ns, "secrets");
  Json impersonator = secret_of(request.name + "-impersonator", request.ns, side->impersonator, "");
  impersonator["data"].erase("caBundle");
  for (const Json& secret : {impersonator, secret_of(request.name, request.ns, side->own, ca)}) {
    if (const Result<Json> made = ensure(control_plane, secrets, secret); !made) return made.error();
  }
  const Result<Json> cluster = ensure(control_plane, kClusters, cluster_object(request, member.access(), id));
  if (!cluster) return cluster.error();
  for (const std::string& name : {request.name, request.name + "-impersonator"}) {
    if (Status status = own_secret(control_plane, request, name, *cluster); !status) return status;
  }
  return {};
}

Status unjoin(Session& control_plane, Session* member, const UnjoinRequest& request,
              const Progress& progress) {
  const std::string path = std::string(kClusters) + "/" + http::percent_encode(request.name);
  const Result<Json> cluster = control_plane.get(path);
  if (!cluster) return cluster.error();
  if ((*cluster)["spec"]["syncMode"].as_string() == "Pull") {
    return Error(Code::Invalid,
                 fmt::format("cluster {} is in pull mode: unregister it where its agent runs", request.name));
  }
  const Result<Json> removed = control_plane.remove(path);
  if (!removed && !removed.error().is(Code::NotFound)) return removed.error();
  if (progress) progress("waiting until everything is removed from the member");
  const SystemClock clock;
  const SteadyTime until = clock.steady_now() + request.wait;
  for (;;) {
    const Result<Json> there = control_plane.get(path);
    if (!there && there.error().is(Code::NotFound)) break;
    if (clock.steady_now() > until) {
      return Error(Code::Timeout,
                   fmt::format("cluster {} is still being removed after {} s; it goes on in the background",
                               request.name, request.wait.count()));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  if (member == nullptr) return {};
  const std::string account = "karmada-" + request.name;
  const std::string role = http::percent_encode("karmada-controller-manager:" + account);
  for (const std::string& target :
       {fmt::format("{}/clusterrolebindings/{}", kRbac, role), fmt::format("{}/clusterroles/{}", kRbac, role),
        in_namespace(request.ns, "serviceaccounts/" + account), "/api/v1/namespaces/" + request.ns}) {
    const Result<Json> gone = member->remove(target);
    if (!gone && !gone.error().is(Code::NotFound)) return Error(gone.error()).context("member");
  }
  return {};
}

}  // namespace flotilla::ctl
