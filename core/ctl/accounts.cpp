// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/accounts.hpp"

#include <fmt/format.h>

#include <thread>

#include "core/api/object.hpp"
#include "core/base/base64.hpp"
#include "core/http/url.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

constexpr std::string_view kSystemLabel = "karmada.io/system";
constexpr int kTokenTries = 30;
constexpr auto kTokenPause = std::chrono::milliseconds(100);

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
                       {"metadata", system_metadata(name, ns)},
                       {"data", std::move(data)}});
}

}  // namespace

Json system_metadata(std::string_view name, std::string_view ns) {
  Json made = Json::object({{"name", name}, {"labels", Json::object({{kSystemLabel, "true"}})}});
  if (!ns.empty()) made.set("namespace", ns);
  return made;
}

std::string in_namespace(std::string_view ns, std::string_view resource) {
  return fmt::format("/api/v1/namespaces/{}/{}", ns, resource);
}

Result<Json> ensure(Session& session, const std::string& collection, const Json& object) {
  Result<Json> created = session.post(collection, object);
  if (created || !created.error().is(Code::AlreadyExists)) return created;
  Json patch = object;
  patch.erase("apiVersion");
  patch.erase("kind");
  return session.patch(collection + "/" + http::percent_encode(api::name_of(object)), patch,
                       "application/merge-patch+json");
}

// Looked for first: agents may not make namespaces.
Status ensure_namespace(Session& session, std::string_view ns) {
  const std::string collection = "/api/v1/namespaces";
  const Result<Json> there = session.get(collection + "/" + std::string(ns));
  if (there) return {};
  if (!there.error().is(Code::NotFound)) return there.error();
  const Result<Json> made = session.post(
      collection,
      Json::object({{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", system_metadata(ns)}}));
  return made || made.error().is(Code::AlreadyExists) ? Status() : Status(made.error());
}

Result<Credentials> token_of(Session& member, const std::string& ns, const std::string& account) {
  Json meta = system_metadata(account, ns);
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
      Json::object(
          {{"apiVersion", "v1"}, {"kind", "ServiceAccount"}, {"metadata", system_metadata(account, ns)}}));
  return made ? Status() : Status(made.error());
}

Status grant_all(Session& member, const std::string& ns, const std::string& account,
                 const std::string& role) {
  const Json everything = Json::array({"*"});
  const Json cluster_role = Json::object(
      {{"apiVersion", "rbac.authorization.k8s.io/v1"},
       {"kind", "ClusterRole"},
       {"metadata", system_metadata(role)},
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
       {"metadata", system_metadata(role)},
       {"subjects",
        Json::array({Json::object({{"kind", "ServiceAccount"}, {"name", account}, {"namespace", ns}})})},
       {"roleRef",
        Json::object({{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", role}})}});
  const Result<Json> bound = ensure(member, fmt::format("{}/clusterrolebindings", kRbac), binding);
  return bound ? Status() : Status(bound.error());
}

Result<MemberSide> prepare_member(Session& member, const std::string& cluster, const std::string& ns,
                                  const WantedAccounts& wanted) {
  if (Status made = ensure_namespace(member, ns); !made) return made.error();
  MemberSide side;
  if (wanted.impersonator) {
    const std::string account = "karmada-impersonator";
    if (Status made = ensure_account(member, ns, account); !made) return made.error();
    auto token = token_of(member, ns, account);
    if (!token) return std::move(token).error();
    side.impersonator = *std::move(token);
  }
  if (wanted.own) {
    const std::string account = "karmada-" + cluster;
    if (Status made = ensure_account(member, ns, account); !made) return made.error();
    if (Status granted = grant_all(member, ns, account, "karmada-controller-manager:" + account); !granted)
      return granted.error();
    auto token = token_of(member, ns, account);
    if (!token) return std::move(token).error();
    side.own = *std::move(token);
  }
  return side;
}

Status bring_credentials(Session& control_plane, const std::string& cluster, const std::string& ns,
                         const MemberSide& side, const std::string& ca_pem) {
  const std::string secrets = in_namespace(ns, "secrets");
  if (side.impersonator) {
    const Credentials token_alone{"", side.impersonator->token};
    const auto made =
        ensure(control_plane, secrets, secret_of(cluster + "-impersonator", ns, token_alone, ""));
    if (!made) return made.error();
  }
  if (side.own) {
    const auto made = ensure(control_plane, secrets, secret_of(cluster, ns, *side.own, ca_pem));
    if (!made) return made.error();
  }
  return {};
}

Status own_credentials(Session& control_plane, const std::string& ns, const Json& cluster,
                       const MemberSide& side) {
  const std::string name(api::name_of(cluster));
  const Json owner = Json::object({{"apiVersion", "cluster.karmada.io/v1alpha1"},
                                   {"kind", "Cluster"},
                                   {"name", name},
                                   {"uid", api::uid_of(cluster)},
                                   {"controller", true},
                                   {"blockOwnerDeletion", true}});
  const Json patch = Json::object({{"metadata", Json::object({{"ownerReferences", Json::array({owner})}})}});
  std::vector<std::string> secrets;
  if (side.own) secrets.push_back(name);
  if (side.impersonator) secrets.push_back(name + "-impersonator");
  for (const std::string& secret : secrets) {
    const Result<Json> patched =
        control_plane.patch(in_namespace(ns, "secrets/" + secret), patch, "application/merge-patch+json");
    if (!patched) return patched.error();
  }
  return {};
}

Status remove_all(Session& session, const std::vector<std::string>& targets) {
  for (const std::string& target : targets) {
    const Result<Json> gone = session.remove(target);
    if (!gone && !gone.error().is(Code::NotFound)) return gone.error();
  }
  return {};
}

Result<bool> wait_until_gone(Session& session, const std::string& target, SteadyTime until) {
  const SystemClock clock;
  for (;;) {
    const Result<Json> there = session.get(target);
    if (!there && there.error().is(Code::NotFound)) return true;
    if (clock.steady_now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

}  // namespace flotilla::ctl
