// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/admission.hpp"

#include <filesystem>

#include "core/api/admission/admission.hpp"
#include "core/api/schema/registry.hpp"
#include "core/api/validation/validation.hpp"
#include "core/interpreter/lua/syntax.hpp"
#include "core/store/metadata_rules.hpp"

namespace flotilla::daemon {
namespace {

using api::Json;

class StoreWorld final : public api::AdmissionWorld {
 public:
  StoreWorld(const store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  WallTime now() const override { return clock_.now(); }
  std::string new_id() override { return store::new_uid(); }
  std::vector<Json> list(std::string_view api_version, std::string_view kind,
                         std::string_view ns) const override {
    std::vector<Json> found;
    const api::Gvk gvk = api::Gvk::from(api_version, kind);
    const api::ResourcePtr resource = api::Registry::builtin().find_kind({gvk.group, gvk.version, gvk.kind});
    if (resource == nullptr) return found;
    const store::Snapshot snapshot = store_.list(store::collection_of(gvk.group, resource->resource), ns);
    for (const api::ObjectPtr& object : snapshot.objects) found.push_back(*object->content());
    return found;
  }
  // Only quota enforcement asks for it, and that waits for others: core/apiserver/admission does it.
  Status update_status(const Json&) override {
    return Error(Code::Unsupported, "quotas are charged by the API server");
  }
  Status compile_script(std::string_view script) const override {
    return interpreter::check_lua_syntax(script);
  }
  bool knows_time_zone(std::string_view name) const override {
    if (name.empty() || name.front() == '/' || name.find("..") != std::string_view::npos) return false;
    std::error_code failed;
    return name == "UTC" || name == "Local" ||
           std::filesystem::is_regular_file("/usr/share/zoneinfo/" + std::string(name), failed);
  }

 private:
  const store::Store& store_;
  const Clock& clock_;
};

api::AdmissionVerb verb_of(store::AdmissionRequest::Operation operation) {
  switch (operation) {
    case store::AdmissionRequest::Operation::Create:
      return api::AdmissionVerb::Create;
    case store::AdmissionRequest::Operation::Update:
      return api::AdmissionVerb::Update;
    case store::AdmissionRequest::Operation::Delete:
      break;
  }
  return api::AdmissionVerb::Delete;
}

// Controllers make names out of others, which may get too long. Those of clients were looked at before.
Status check_name(const store::StoredKind& kind, const Json& object) {
  const api::ResourcePtr resource =
      api::Registry::builtin().find_kind({kind.gvk.group, kind.gvk.version, kind.gvk.kind});
  return resource == nullptr ? Status() : api::check_object_name(*resource, api::name_of(object));
}

Status admit(const store::AdmissionRequest& request, Json& object, StoreWorld& world,
             const api::AdmissionOptions& options) {
  // Webhooks of Karmada watch the main resources alone.
  if (!request.subresource.empty() || request.kind == nullptr) return {};
  if (request.operation == store::AdmissionRequest::Operation::Create) {
    Status named = check_name(*request.kind, object);
    if (!named) return named;
  }
  const bool deleting = request.operation == store::AdmissionRequest::Operation::Delete;
  const std::string api_version = request.kind->gvk.api_version();
  if (!deleting && !api::is_admitted_kind(api_version, request.kind->gvk.kind)) return {};
  static const Json kNone;
  const Json& old_object = request.old_object == nullptr ? (deleting ? object : kNone) : *request.old_object;
  const std::string ns(api::namespace_of(deleting ? old_object : object));
  const api::AdmissionRequest asked{verb_of(request.operation), ns, deleting ? kNone : object, old_object};
  Result<Json> admitted = api::admit(asked, world, options);
  if (!admitted) return std::move(admitted).error();
  if (!deleting) object = std::move(*admitted);
  return {};
}

}  // namespace

store::Admission make_admission(const store::Store& store, const Clock& clock,
                                const controllers::Options& options) {
  auto world = std::make_shared<StoreWorld>(store, clock);
  api::AdmissionOptions asked;
  asked.customized_cluster_resource_modeling = options.feature_gates.customized_cluster_resource_modeling;
  asked.allow_no_execute_taint_policy = options.allow_no_execute_taint_policy;
  return [world, asked](const store::AdmissionRequest& request, Json& object) {
    return admit(request, object, *world, asked);
  };
}

}  // namespace flotilla::daemon
