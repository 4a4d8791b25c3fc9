// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/admission/service_account.hpp"

#include <openssl/rand.h>

#include "core/apiserver/errors.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::string_view kMountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
constexpr std::string_view kMirror = "kubernetes.io/config.mirror";

std::string random_suffix() {
  static constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
  unsigned char bytes[5] = {};
  RAND_bytes(bytes, sizeof bytes);
  std::string out;
  for (const unsigned char byte : bytes) out += kLetters[byte % kLetters.size()];
  return out;
}

Json token_volume(const std::string& name) {
  Json token =
      Json::object({{"serviceAccountToken", Json::object({{"expirationSeconds", 3607}, {"path", "token"}})}});
  Json root = Json::object(
      {{"configMap",
        Json::object({{"name", "kube-root-ca.crt"},
                      {"items", Json::array({Json::object({{"key", "ca.crt"}, {"path", "ca.crt"}})})}})}});
  Json field = Json::object({{"apiVersion", "v1"}, {"fieldPath", "metadata.namespace"}});
  Json space = Json::object(
      {{"downwardAPI",
        Json::object({{"items", Json::array({Json::object(
                                    {{"path", "namespace"}, {"fieldRef", std::move(field)}})})}})}});
  return Json::object(
      {{"name", name},
       {"projected",
        Json::object({{"defaultMode", 420},
                      {"sources", Json::array({std::move(token), std::move(root), std::move(space)})}})}});
}

// False: every container has something there already.
bool mount(Json& containers, const std::string& volume) {
  bool used = false;
  for (Json& container : containers.elements()) {
    bool taken = false;
    for (const Json& have : std::as_const(container)["volumeMounts"].elements())
      taken = taken || have["mountPath"].as_string() == kMountPath;
    if (taken) continue;
    container["volumeMounts"].push_back(
        Json::object({{"name", volume}, {"mountPath", kMountPath}, {"readOnly", true}}));
    used = true;
  }
  return used;
}

}  // namespace

Status give_service_account(const PluginRequest& request, Json& pod) {
  if (!api::annotation_of(pod, kMirror).empty()) return {};
  Json& spec = pod["spec"];
  std::string name(std::as_const(spec)["serviceAccountName"].as_string());
  if (name.empty()) name = "default";
  spec.set("serviceAccountName", name);
  spec.set("serviceAccount", name);
  const auto account = request.store.get(store::collection_of("", "serviceaccounts"), request.ns, name);
  if (!account) {
    return plugin_forbids(request, pod,
                          "error looking up service account " + std::string(request.ns) + "/" + name +
                              ": serviceaccount " + quoted(name) + " not found");
  }
  const auto content = account->content();
  bool wanted = (*content)["automountServiceAccountToken"].as_bool(true);
  wanted = std::as_const(spec)["automountServiceAccountToken"].as_bool(wanted);
  if (wanted) {
    const std::string volume = "kube-api-access-" + random_suffix();
    bool used = mount(spec["containers"], volume);
    if (std::as_const(spec)["initContainers"].size() > 0)
      used = mount(spec["initContainers"], volume) || used;
    if (used) spec["volumes"].push_back(token_volume(volume));
  }
  if (std::as_const(spec)["imagePullSecrets"].empty() && (*content)["imagePullSecrets"].size() > 0)
    spec.set("imagePullSecrets", (*content)["imagePullSecrets"]);
  return {};
}

}  // namespace flotilla::apiserver
