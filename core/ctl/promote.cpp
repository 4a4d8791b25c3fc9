// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/promote.hpp"

#include <fmt/format.h>

#include "core/api/manifest.hpp"
#include "core/api/object.hpp"
#include "core/base/clock.hpp"
#include "core/config/yaml.hpp"
#include "core/ctl/interpret.hpp"
#include "core/ctl/policy_document.hpp"
#include "core/ctl/terminal.hpp"
#include "core/interpreter/lua_interpreter.hpp"

namespace flotilla::ctl {

using api::Json;

namespace {

constexpr const char* kConflictResolution = "work.karmada.io/conflict-resolution";
constexpr const char* kCustomizations = "/apis/config.karmada.io/v1alpha1/resourceinterpretercustomizations";
// What tells the member that an object is the control plane's.
constexpr const char* kMarks[] = {"karmada.io/managed", "work.karmada.io/permanent-id"};

std::string named(const Resource& resource, const Json& object) {
  const api::Gvk gvk{resource.group, resource.version, resource.kind};
  const std::string ns(api::namespace_of(object));
  return fmt::format("\"{}, Resource={}\"({}{})", gvk.api_version(), resource.resource,
                     ns.empty() ? "" : ns + "/", api::name_of(object));
}

}  // namespace

Json template_of(Json object) {
  api::prune_manifest(object, api::JobTtl::Keep);
  Json& metadata = object["metadata"];
  for (const char* label : kMarks) {
    if (std::as_const(metadata)["labels"].contains(label)) metadata["labels"].erase(label);
  }
  if (std::as_const(metadata)["annotations"][kConflictResolution].as_string().empty())
    metadata.make({"annotations"}).set(kConflictResolution, "overwrite");
  return object;
}

Result<Promotion::Piece> Promotion::read(const Resource& resource, const std::string& ns,
                                         const std::string& name) {
  const std::string where = resource.namespaced ? ns : std::string();
  Piece piece{resource, {}, resource.path(where, name)};
  const Result<Resource> own = there_.find_kind(
      api::Gvk{resource.group, resource.version, resource.kind}.api_version(), resource.kind);
  if (!own) return Error(own.error()).context("cluster " + request_.cluster);
  Result<Json> object = member_.get(own->path(where, name));
  if (!object) return Error(object.error()).context("cluster " + request_.cluster);
  piece.object = template_of(std::move(*object));
  return piece;
}

Status Promotion::run() {
  Result<Resources> here = Resources::discover(control_plane_);
  if (!here) return here.error();
  resources_ = std::move(*here);
  Result<Resources> there = Resources::discover(member_);
  if (!there) return Error(there.error()).context("cluster " + request_.cluster);
  there_ = std::move(*there);
  const Result<Resource> resource = resources_.find(request_.type);
  if (!resource) return resource.error();
  const Result<Piece> piece = read(*resource, request_.ns, request_.name);
  if (!piece) return piece.error();
  if (!request_.output.empty()) return print(*piece);

  const Result<Json> known = control_plane_.get(piece->path);
  if (known) {
    print_warning(
        fmt::format("Resource {} already exist in karmada control plane, you can edit "
                    "PropagationPolicy and OverridePolicy to propagate it",
                    named(*resource, piece->object)));
    return {};
  }
  if (!known.error().is(Code::NotFound)) return known.error();

  std::vector<Piece> promoted;
  if (request_.with_dependencies) {
    const auto needed = dependencies(piece->object);
    if (!needed) return Error(needed.error()).context("dependencies");
    for (const Piece& one : *needed) {
      const Result<bool> created = create(one);
      if (!created) {
        revert(promoted);
        return created.error();
      }
      if (*created) promoted.push_back(one);
    }
  }
  const Result<bool> created = create(*piece);
  Status done = created ? Status() : Status(created.error());
  if (done && request_.with_policy) {
    done = create_policy(piece->object);
    if (!done && *created) promoted.push_back(*piece);
  }
  if (!done) {
    revert(promoted);
    return done;
  }
  fmt::print("Resource {} is promoted successfully\n", named(*resource, piece->object));
  return {};
}

Result<bool> Promotion::create(const Piece& piece) {
  const std::string ns(api::namespace_of(piece.object));
  const Result<Json> made = control_plane_.post(piece.resource.path(ns), piece.object);
  if (!made && made.error().is(Code::AlreadyExists)) return false;
  if (!made) return made.error();
  fmt::print("ResourceTemplate ({}{}) is created successfully\n", ns.empty() ? "" : ns + "/",
             api::name_of(piece.object));
  return true;
}

Status Promotion::create_policy(const Json& object) {
  Result<PolicyDocument> policy = policy_for(resources_, object, request_.policy_name, {request_.cluster});
  if (!policy) return policy.error();
  Json& spec = policy->object["spec"];
  if (request_.with_dependencies) spec.set("propagateDeps", true);
  spec.set("conflictResolution", "Overwrite");
  spec.set("preserveResourcesOnDeletion", true);
  const std::string kind(std::as_const(policy->object)["kind"].as_string());
  const Result<Json> made = control_plane_.post(policy->resource.path(policy->ns), policy->object);
  if (!made && made.error().is(Code::AlreadyExists)) {
    return Error(Code::AlreadyExists,
                 fmt::format("{}({}{}) already exist, please edit it to propagate resource", kind,
                             policy->ns.empty() ? "" : policy->ns + "/", policy->name()));
  }
  if (!made) return made.error();
  fmt::print("{} ({}{}) is created successfully\n", kind, policy->ns.empty() ? "" : policy->ns + "/",
             policy->name());
  return {};
}

// As the control plane asks, but for webhooks: those it alone can reach.
std::shared_ptr<const interpreter::Interpreter> Promotion::interpreter() {
  std::vector<std::shared_ptr<const interpreter::Interpreter>> links;
  std::vector<interpreter::Customization> customizations;
  if (const Result<Json> list = control_plane_.get(kCustomizations)) {
    for (const Json& one : (*list)["items"].elements())
      customizations.push_back(interpreter::read_customization(one));
  }
  if (!customizations.empty()) links.push_back(interpreter_of(std::move(customizations)));
  links.push_back(interpreter_of({}));
  return std::make_shared<interpreter::InterpreterChain>(std::move(links));
}

Result<std::vector<Promotion::Piece>> Promotion::dependencies(const Json& object) {
  std::vector<Piece> pieces;
  const auto asked = interpreter();
  const bool known = asked->supports(object["apiVersion"].as_string(), object["kind"].as_string(),
                                     interpreter::Operation::InterpretDependency);
  if (!known) return pieces;
  const Result<Json> list = asked->dependencies(object);
  if (!list) return list.error();
  for (const Json& one : list->elements()) {
    if (one["name"].as_string().empty()) continue;
    const Result<Resource> resource =
        resources_.find_kind(one["apiVersion"].as_string(), one["kind"].as_string());
    if (!resource) return resource.error();
    Result<Piece> piece =
        read(*resource, std::string(one["namespace"].as_string()), std::string(one["name"].as_string()));
    if (!piece && piece.error().is(Code::NotFound)) continue;  // named, but optional, and not there
    if (!piece) return piece.error();
    pieces.push_back(std::move(*piece));
  }
  return pieces;
}

// The marks go first: what is not the control plane's is not removed with its template.
void Promotion::revert(const std::vector<Piece>& pieces) {
  for (const Piece& piece : pieces) {
    Json labels = Json::object();
    for (const char* mark : kMarks) labels.set(mark, Json());
    const Json change = Json::object({{"metadata", Json::object({{"labels", std::move(labels)}})}});
    const Result<Json> freed = member_.patch(piece.path, change, "application/merge-patch+json");
    const Result<Json> removed = control_plane_.remove(piece.path);
    const bool gone = removed || removed.error().is(Code::NotFound);
    const Error* fault = !freed ? &freed.error() : gone ? nullptr : &removed.error();
    if (fault == nullptr) {
      fmt::print("ResourceTemplate ({}) is taken back\n", api::name_of(piece.object));
    } else {
      print_warning(fmt::format("{} could not be taken back: {}", piece.path, fault->message()));
    }
  }
}

Status Promotion::print(const Piece& piece) const {
  std::vector<Json> documents{piece.object};
  if (request_.with_policy) {
    Result<PolicyDocument> policy =
        policy_for(resources_, piece.object, request_.policy_name, {request_.cluster});
    if (!policy) return policy.error();
    Json& spec = policy->object["spec"];
    if (request_.with_dependencies) spec.set("propagateDeps", true);
    spec.set("conflictResolution", "Overwrite");
    spec.set("preserveResourcesOnDeletion", true);
    documents.push_back(std::move(policy->object));
  }
  for (const Json& document : documents) {
    if (request_.output == "json") {
      fmt::print("{}\n", document.dump_pretty(4));
    } else {
      fmt::print("---\n{}", config::to_yaml(document));
    }
  }
  return {};
}

}  // namespace flotilla::ctl
