// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/kube/certificate_reconciler.hpp"

#include <algorithm>

#include "core/base/base64.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;
using reconcile::Key;
using reconcile::Outcome;
using store::Event;
using store::Part;

constexpr std::string_view kGroup = "certificates.k8s.io";
constexpr std::int64_t kYear = 365 * 24 * 3600;
constexpr std::int64_t kShortest = 600;

store::Collection requests() {
  return store::collection_of(kGroup, "certificatesigningrequests");
}

bool has_condition(const Json& request, std::string_view type) {
  for (const Json& condition : request["status"]["conditions"].elements()) {
    if (condition["type"].as_string() == type) return condition["status"].as_string() == "True";
  }
  return false;
}

bool wants_us(const Json& request) {
  const std::string_view signer = request["spec"]["signerName"].as_string();
  if (signer != "kubernetes.io/kube-apiserver-client" &&
      signer != "kubernetes.io/kube-apiserver-client-kubelet")
    return false;
  return request["status"]["certificate"].as_string().empty() && has_condition(request, "Approved") &&
         !has_condition(request, "Denied") && !has_condition(request, "Failed");
}

// Client certificates are for clients; a server's usage is refused.
std::string wrong_usage(const Json& request) {
  bool client = false;
  for (const Json& usage : request["spec"]["usages"].elements()) {
    const std::string_view name = usage.as_string();
    client = client || name == "client auth";
    if (name != "client auth" && name != "digital signature" && name != "key encipherment")
      return "invalid usage for client certificate: " + std::string(name);
  }
  return client ? "" : "invalid usage for client certificate: client auth is required";
}

}  // namespace

CertificateReconciler::CertificateReconciler(KubeContext& context)
    : context_(context), loop_(context.executor, "certificate-signing", *this, {.metrics = context.metrics}) {
  context.informers.on(requests(), [this](const Event& event) {
    if (event.type != Event::Type::Deleted) loop_.enqueue({event.collection, event.object->key()});
  });
}

Task<Outcome> CertificateReconciler::reconcile(Key key) {
  const api::ObjectPtr request = context_.store.get(requests(), "", key.object.name);
  if (!request || request->deleting() || !context_.sign_certificate) co_return Outcome::done();
  const auto content = request->content();
  if (!wants_us(*content)) co_return Outcome::done();
  const auto resource = context_.resources()->find_resource(kGroup, "v1", "certificatesigningrequests");
  if (!resource) co_return Outcome::done();
  const Json& spec = (*content)["spec"];
  const std::int64_t seconds = std::max(kShortest, spec["expirationSeconds"].as_int(kYear));
  std::string fault = wrong_usage(*content);
  std::string certificate;
  if (fault.empty()) {
    const auto pem = base64_decode(spec["request"].as_string());
    const auto made = pem ? context_.sign_certificate(*pem, std::min(seconds, kYear))
                          : Result<std::string>(Error(Code::Invalid, "the request is not base64"));
    if (made) certificate = base64_encode(*made);
    if (!made) fault = made.error().message();
  }
  const std::string now = format_time(context_.executor.clock().now());
  store::Writer::Change change = [fault, certificate, now](Json& object) -> Result<bool> {
    if (!wants_us(object)) return false;
    if (fault.empty()) {
      object["status"].set("certificate", certificate);
      return true;
    }
    object["status"]["conditions"].push_back(Json::object({{"type", "Failed"},
                                                           {"status", "True"},
                                                           {"reason", "SignerValidationFailure"},
                                                           {"message", fault},
                                                           {"lastUpdateTime", now},
                                                           {"lastTransitionTime", now}}));
    return true;
  };
  auto writing =
      context_.writer.modify(store::StoredKind::of(*resource), Part::Status, key.object, std::move(change));
  const auto written = co_await std::move(writing);
  if (!written && !written.error().is(Code::NotFound)) co_return Outcome::retry(written.error());
  co_return Outcome::done();
}

}  // namespace flotilla::controllers
