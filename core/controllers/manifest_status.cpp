// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/manifest_status.hpp"

#include "core/api/object.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;
using interpreter::Operation;

Json identifier_of(const Json& manifest, std::int64_t ordinal) {
  const api::Gvk gvk = api::Gvk::of(manifest);
  Json identifier = Json::object({{"ordinal", ordinal},
                                  {"version", gvk.version},
                                  {"kind", gvk.kind},
                                  {"resource", ""},
                                  {"name", api::name_of(manifest)}});
  if (!gvk.group.empty()) identifier.set("group", gvk.group);
  const std::string_view ns = api::namespace_of(manifest);
  if (!ns.empty()) identifier.set("namespace", ns);
  return identifier;
}

}  // namespace

Result<Json> manifest_status(const interpreter::Interpreter& interpreter, const Json& manifest,
                             std::int64_t ordinal, const Json& observed, std::optional<Error>* health_fault) {
  Json entry = Json::object({{"identifier", identifier_of(manifest, ordinal)}});
  if (interpreter.supports(observed, Operation::InterpretStatus)) {
    auto status = interpreter.reflect_status(observed);
    if (!status) return std::move(status).context("reflect status");
    if (!status->is_null()) entry.set("status", *std::move(status));
  }
  std::string_view health = "Healthy";
  if (interpreter.supports(observed, Operation::InterpretHealth)) {
    const auto healthy = interpreter.interpret_health(observed);
    health = !healthy ? "Unknown" : *healthy ? "Healthy" : "Unhealthy";
    if (!healthy && health_fault != nullptr) *health_fault = healthy.error();
  }
  entry.set("health", health);
  return entry;
}

void tell_manifest_status(reconcile::EventRecorder& events, const Json& work, const Json& manifest,
                          const Result<Json>& entry, const std::optional<Error>& health_fault,
                          const Json& before) {
  const std::string object = "object(" + std::string(manifest["kind"].as_string()) + "/" +
                             std::string(api::namespace_of(manifest)) + "/" +
                             std::string(api::name_of(manifest)) + ")";
  if (!entry) {
    return events.record(work, reconcile::kWarning, "ReflectStatusFailed",
                         "Reflect status for " + object + " failed, err: " + entry.error().message() + ".");
  }
  if (before.is_null())
    events.record(work, reconcile::kNormal, "ReflectStatusSucceed",
                  "Reflect status for " + object + " succeed.");
  if (health_fault) {
    return events.record(work, reconcile::kWarning, "InterpretHealthFailed",
                         "Interpret health of " + object + " failed, err: " + health_fault->message() + ".");
  }
  const std::string health((*entry)["health"].as_string());
  if (before["health"].as_string() == health) return;
  events.record(work, reconcile::kNormal, "InterpretHealthSucceed",
                "Interpret health of " + object + " as " + health + ".");
}

}  // namespace flotilla::controllers
