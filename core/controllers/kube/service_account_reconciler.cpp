// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/kube/service_account_reconciler.hpp"

#include "core/base/base64.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;
using api::ObjectPtr;
using reconcile::Key;
using reconcile::Outcome;
using store::Event;
using store::Part;
using store::StoredKind;

const StoredKind kNamespaceKind{{"", "v1", "Namespace"}, "namespaces", false, true, false};
const StoredKind kAccountKind{{"", "v1", "ServiceAccount"}, "serviceaccounts"};
const StoredKind kConfigMapKind{{"", "v1", "ConfigMap"}, "configmaps"};
const StoredKind kSecretKind{{"", "v1", "Secret"}, "secrets"};

constexpr const char* kTokenType = "kubernetes.io/service-account-token";
constexpr const char* kAccountName = "kubernetes.io/service-account.name";
constexpr const char* kAccountUid = "kubernetes.io/service-account.uid";

Json named(const StoredKind& kind, const std::string& ns, const char* name) {
  return Json::object({{"apiVersion", kind.gvk.api_version()},
                       {"kind", kind.gvk.kind},
                       {"metadata", Json::object({{"name", name}, {"namespace", ns}})}});
}

}  // namespace

ServiceAccountReconciler::ServiceAccountReconciler(KubeContext& context)
    : context_(context), loop_(context.executor, "service-account", *this, {.metrics = context.metrics}) {
  context.informers.on(kNamespaceKind.collection(), [this](const Event& event) {
    loop_.enqueue({event.collection, event.object->key()});
  });
  context.informers.on(kSecretKind.collection(), [this](const Event& event) {
    if (event.type != Event::Type::Deleted) loop_.enqueue({event.collection, event.object->key()});
  });
  context.informers.on(kAccountKind.collection(), [this](const Event& event) {
    loop_.enqueue({kNamespaceKind.collection(), {"", event.object->ns()}});
    for (const ObjectPtr& secret :
         context_.store.list(kSecretKind.collection(), event.object->ns()).objects) {
      loop_.enqueue({kSecretKind.collection(), secret->key()});
    }
  });
  context.informers.on(kConfigMapKind.collection(), [this](const Event& event) {
    if (event.object->name() == "kube-root-ca.crt")
      loop_.enqueue({kNamespaceKind.collection(), {"", event.object->ns()}});
  });
}

Task<Outcome> ServiceAccountReconciler::reconcile(Key key) {
  if (key.collection == kNamespaceKind.collection()) {
    const ObjectPtr ns = context_.store.get(key.collection, "", key.object.name);
    if (!ns || ns->deleting()) co_return Outcome::done();
    auto furnishing = furnish(ns->name());
    co_return co_await std::move(furnishing);
  }
  const ObjectPtr secret = context_.store.get(key.collection, key.object.ns, key.object.name);
  if (!secret || secret->deleting()) co_return Outcome::done();
  auto filling = fill_secret(secret);
  co_return co_await std::move(filling);
}

Task<Outcome> ServiceAccountReconciler::furnish(std::string ns) {
  if (!context_.store.get(kAccountKind.collection(), ns, "default")) {
    auto creating = context_.writer.create(kAccountKind, named(kAccountKind, ns, "default"));
    const auto created = co_await std::move(creating);
    if (!created && !created.error().is(Code::AlreadyExists)) co_return Outcome::retry(created.error());
  }
  Json root = named(kConfigMapKind, ns, "kube-root-ca.crt");
  root.make({"metadata", "annotations", "kubernetes.io/description"}) =
      "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such "
      "as the "
      "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of "
      "Kubernetes "
      "clusters.";
  root.set("data", Json::object({{"ca.crt", context_.root_ca_pem}}));
  if (!context_.store.get(kConfigMapKind.collection(), ns, "kube-root-ca.crt")) {
    auto creating = context_.writer.create(kConfigMapKind, std::move(root));
    const auto created = co_await std::move(creating);
    if (!created && !created.error().is(Code::AlreadyExists)) co_return Outcome::retry(created.error());
    co_return Outcome::done();
  }
  const auto data = std::make_shared<const Json>(root["data"]);
  auto repairing = context_.writer.modify(kConfigMapKind, Part::Main, {ns, "kube-root-ca.crt"},
                                          [data](Json& object) -> Result<bool> {
                                            if (std::as_const(object)["data"] == *data) return false;
                                            object.set("data", *data);
                                            return true;
                                          });
  const auto repaired = co_await std::move(repairing);
  if (!repaired && !repaired.error().is(Code::NotFound)) co_return Outcome::retry(repaired.error());
  co_return Outcome::done();
}

Task<Outcome> ServiceAccountReconciler::fill_secret(ObjectPtr secret) {
  const auto content = secret->content();
  if ((*content)["type"].as_string() != kTokenType || !context_.mint_token) co_return Outcome::done();
  const std::string name(api::annotation_of(*content, kAccountName));
  const ObjectPtr account = context_.store.get(kAccountKind.collection(), secret->ns(), name);
  const std::string_view uid = api::annotation_of(*content, kAccountUid);
  if (!account || (!uid.empty() && uid != account->uid())) {
    store::DeleteOptions options;
    options.uid = secret->uid();
    auto removing = context_.writer.remove(kSecretKind, secret->key(), std::move(options));
    const auto removed = co_await std::move(removing);
    if (!removed && !removed.error().is(Code::NotFound)) co_return Outcome::retry(removed.error());
    co_return Outcome::done();
  }
  const Json& data = (*content)["data"];
  if (data.contains("token") && data.contains("ca.crt") && data.contains("namespace"))
    co_return Outcome::done();
  auto token = context_.mint_token(secret->ns(), name, account->uid(), secret->name(), secret->uid());
  if (!token) co_return Outcome::retry(token.error());
  Json filled = Json::object({{"token", base64_encode(*token)},
                              {"ca.crt", base64_encode(context_.root_ca_pem)},
                              {"namespace", base64_encode(secret->ns())}});
  const auto wanted = std::make_shared<const Json>(std::move(filled));
  const std::string account_uid = account->uid();
  auto writing = context_.writer.modify(kSecretKind, Part::Main, secret->key(),
                                        [wanted, account_uid](Json& object) -> Result<bool> {
                                          for (const auto& [field, value] : wanted->members()) {
                                            if (!std::as_const(object)["data"].contains(field))
                                              object.make({"data", field}) = value;
                                          }
                                          object.make({"metadata", "annotations", kAccountUid}) = account_uid;
                                          return true;
                                        });
  const auto written = co_await std::move(writing);
  if (!written && !written.error().is(Code::NotFound)) co_return Outcome::retry(written.error());
  co_return Outcome::done();
}

}  // namespace flotilla::controllers
