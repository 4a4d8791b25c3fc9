// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/agency/lease_reconciler.hpp"

#include "core/api/names.hpp"

namespace flotilla::controllers {
namespace {

constexpr Duration kLookAgain = std::chrono::seconds(1);  // until the member is healthy

// What the agent itself reports does not matter here.
void on_spec(Context& context, std::function<void(const Event&)> enqueue) {
  context.informers.on(kinds::kCluster.collection(), [enqueue = std::move(enqueue)](const Event& event) {
    const bool same = event.previous && event.previous->generation() == event.object->generation();
    if (event.type != Event::Type::Deleted && !same) enqueue(event);
  });
}

}  // namespace

Json renewed_lease(const Json& lease, const Json& cluster, Duration duration, WallTime now) {
  Json out = lease;
  if (!out.is_object()) {
    out = Json::object({{"apiVersion", "coordination.k8s.io/v1"},
                        {"kind", "Lease"},
                        {"metadata", Json::object({{"name", api::name_of(cluster)},
                                                   {"namespace", api::kClusterNamespace}})}});
  }
  // An owner of another uid is a Cluster of this name that is gone.
  const Json owner = Json::object({{"apiVersion", cluster["apiVersion"]},
                                   {"kind", "Cluster"},
                                   {"name", api::name_of(cluster)},
                                   {"uid", api::uid_of(cluster)}});
  out["metadata"].set("ownerReferences", Json::array({owner}));
  Json& spec = out.make({"spec"});
  spec.set("holderIdentity", api::name_of(cluster));
  spec.set("leaseDurationSeconds",
           static_cast<std::int64_t>(std::chrono::duration_cast<std::chrono::seconds>(duration).count()));
  spec.set("renewTime", format_micro_time(now));
  return out;
}

LeaseReconciler::LeaseReconciler(Context& context)
    : LoopController(context, "cluster-lease", {.workers = 1, .max_delay = kLookAgain}) {
  on_spec(context, [this](const Event& event) { enqueue(event); });
}

Task<Outcome> LeaseReconciler::reconcile(Key key) {
  const ObjectPtr cluster = context_.get(kinds::kCluster, key.object);
  if (!cluster || cluster->name() != context_.agency->cluster) co_return Outcome::done();
  if (!context_.agency->seen_healthy) co_return Outcome::again_in(kLookAgain);
  const auto content = cluster->content();
  const Duration lasts = context_.options.cluster_lease_duration;
  const WallTime now = context_.now();
  auto renewing = context_.writer.modify(kinds::kLease, Part::Main,
                                         {std::string(api::kClusterNamespace), cluster->name()},
                                         [content, lasts, now](Json& lease) -> Result<bool> {
                                           lease = renewed_lease(lease, *content, lasts, now);
                                           return true;
                                         });
  auto written = co_await std::move(renewing);
  if (!written && written.error().is(Code::NotFound)) {
    auto creating = context_.writer.create(kinds::kLease, renewed_lease(Json(), *content, lasts, now));
    written = co_await std::move(creating);
  }
  if (!written) co_return Outcome::retry(written.error());
  const double share = context_.options.cluster_lease_renew_interval_fraction;
  co_return Outcome::again_in(std::chrono::duration_cast<Duration>(lasts * share));
}

CertificateRotationReconciler::CertificateRotationReconciler(Context& context)
    : LoopController(context, "cert-rotation-controller",
                     {.workers = 1, .max_delay = std::chrono::minutes(1)}) {
  on_spec(context, [this](const Event& event) { enqueue(event); });
}

Task<Outcome> CertificateRotationReconciler::reconcile(Key key) {
  const ObjectPtr cluster = context_.get(kinds::kCluster, key.object);
  if (!cluster || cluster->deleting() || cluster->name() != context_.agency->cluster)
    co_return Outcome::done();
  if (!context_.agency->renew_certificate) co_return Outcome::done();
  const auto agency = context_.agency;
  auto renewed = std::make_shared<Result<bool>>(false);
  auto running =
      run_blocking(context_.executor, [agency, renewed] { *renewed = agency->renew_certificate(); });
  co_await std::move(running);
  if (!*renewed) co_return Outcome::retry(renewed->error());
  co_return Outcome::again_in(context_.options.cert_rotation_checking_interval);
}

}  // namespace flotilla::controllers
