// SPDX-License-Identifier: Apache-2.0
#include "core/store/metadata_rules.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <array>

namespace flotilla::store {
namespace {

template <std::size_t n>
std::array<unsigned char, n> random_bytes() {
  std::array<unsigned char, n> bytes{};
  ASSERT(RAND_bytes(bytes.data(), static_cast<int>(n)) == 1);
  return bytes;
}

bool is_namespace(const StoredKind& kind) {
  return kind.gvk.group.empty() && kind.gvk.kind == "Namespace";
}

std::string group_resource(const StoredKind& kind) {
  return kind.gvk.group.empty() ? kind.resource : kind.resource + "." + kind.gvk.group;
}

std::string group_kind(const StoredKind& kind) {
  return kind.gvk.group.empty() ? kind.gvk.kind : kind.gvk.kind + "." + kind.gvk.group;
}

std::string quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

ErrorDetails details_of(const StoredKind& kind, std::string_view name) {
  ErrorDetails details;
  details.name = name;
  details.group = kind.gvk.group;
  details.kind = kind.resource;
  return details;
}

Error conflict_error(const StoredKind& kind, std::string_view name, const std::string& why) {
  return Error(Code::Conflict,
               "Operation cannot be fulfilled on " + group_resource(kind) + " " + quoted(name) + ": " + why,
               details_of(kind, name));
}

// Preconditions of DELETE name the kind, not the resource.
Error precondition_error(const StoredKind& kind, std::string_view name, const std::string& why) {
  ErrorDetails details = details_of(kind, name);
  details.kind = kind.gvk.kind;
  return Error(Code::Conflict,
               "Operation cannot be fulfilled on " + group_kind(kind) + " " + quoted(name) + ": " + why,
               std::move(details));
}

std::string storage_key(const StoredKind& kind, const ObjectKey& key) {
  return "/registry/" + kind.collection().get() + "/" + key.text();
}

// `to` gets the member as `from` has it, or loses it.
void restore(const Json& from, Json& to, std::string_view member) {
  if (const Json* value = from.find(member)) {
    const Json* there = std::as_const(to).find(member);
    if (there == nullptr || !(*there == *value)) to.set(member, *value);
  } else {
    to.erase(member);
  }
}

// Absent keeps the live ones; [] and [{}] mean: forget them.
void settle_managed_fields(const Json& live, Json& metadata) {
  const Json* given = metadata.find("managedFields");
  if (given == nullptr) {
    restore(live, metadata, "managedFields");
  } else if (given->empty() || (given->size() == 1 && given->element(0).empty())) {
    metadata.erase("managedFields");
  }
}

bool same_managed_fields(const Json& a, const Json& b) {
  const auto left = a.elements();
  const auto right = b.elements();
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](const Json& x, const Json& y) {
    if (x == y) return true;
    Json one = x;
    Json other = y;
    one.erase("time");
    other.erase("time");
    return one == other;
  });
}

// Equal members but those that `skip` names.
template <typename Skip>
bool same_members(const Json& a, const Json& b, Skip skip) {
  const auto x = a.members();
  const auto y = b.members();
  auto i = x.begin();
  auto j = y.begin();
  for (;; ++i, ++j) {
    while (i != x.end() && skip((*i).key)) ++i;
    while (j != y.end() && skip((*j).key)) ++j;
    if (i == x.end() || j == y.end()) return i == x.end() && j == y.end();
    if ((*i).key != (*j).key || !((*i).value == (*j).value)) return false;
  }
}

bool holds_namespace(const StoredKind& kind, const Json& object) {
  return is_namespace(kind) && !object["spec"]["finalizers"].empty();
}

// The garbage collector's finalizers according to the policy asked for. True if the list changed.
bool settle_gc_finalizers(const StoredKind& kind, const DeleteOptions& options, Json& object) {
  const bool orphan = api::has_finalizer(object, kOrphanFinalizer);
  const bool foreground = api::has_finalizer(object, kForegroundFinalizer);
  bool want_orphan = options.propagation == "Orphan";
  bool want_foreground = options.propagation == "Foreground";
  if (options.propagation.empty()) {
    want_orphan = orphan;
    want_foreground = foreground && !orphan;
    const bool orphans_by_default =
        (kind.gvk.group == "batch" && kind.gvk.version == "v1" && kind.gvk.kind == "Job") ||
        (kind.gvk.group.empty() && kind.gvk.kind == "ReplicationController");
    if (!orphan && !foreground && orphans_by_default) want_orphan = true;
  }
  if (kind.gvk.kind == "Event") want_orphan = want_foreground = false;
  if (want_orphan == orphan && want_foreground == foreground) return false;
  api::remove_finalizer(object, kOrphanFinalizer);
  api::remove_finalizer(object, kForegroundFinalizer);
  if (want_orphan) api::add_finalizer(object, kOrphanFinalizer);
  if (want_foreground) api::add_finalizer(object, kForegroundFinalizer);
  return true;
}

std::int64_t grace_of(const DeleteOptions& options, const Json& pod) {
  const Json& phase = pod["status"]["phase"];
  if (pod["spec"]["nodeName"].as_string().empty() || phase.as_string() == "Succeeded" ||
      phase.as_string() == "Failed")
    return 0;
  std::int64_t grace = pod["spec"]["terminationGracePeriodSeconds"].as_int(30);
  if (options.grace_period_seconds) grace = *options.grace_period_seconds;
  return grace < 0 ? 1 : grace;
}

void mark_deleting(WallTime now, std::int64_t grace, Json& object) {
  Json& metadata = object["metadata"];
  if (!metadata.contains("deletionTimestamp")) {
    const std::int64_t generation = metadata["generation"].as_int();
    if (generation > 0) {
      metadata.set("generation", generation + 1);
    } else {
      metadata.erase("generation");
    }
  }
  metadata.set("deletionTimestamp", format_time(now + std::chrono::seconds(grace)));
  metadata.set("deletionGracePeriodSeconds", grace);
}

}  // namespace

StoredKind StoredKind::of(const api::Resource& resource) {
  StoredKind kind;
  kind.gvk = {resource.group, resource.storage_version.empty() ? resource.version : resource.storage_version,
              resource.kind};
  kind.resource = resource.resource;
  kind.namespaced = resource.namespaced;
  kind.has_status_subresource = resource.traits.status;
  kind.has_generation = resource.traits.generation != api::GenerationRule::None;
  kind.generation_constant = resource.traits.generation == api::GenerationRule::Constant;
  kind.generation_annotations = resource.traits.generation_annotations;
  kind.status_metadata = resource.origin == api::Origin::Kubernetes;
  kind.graceful = resource.traits.graceful_delete;
  return kind;
}

std::string new_uid() {
  auto bytes = random_bytes<16>();
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += digits[bytes[i] >> 4];
    text += digits[bytes[i] & 15];
  }
  return text;
}

std::string generated_name(std::string_view base) {
  constexpr std::string_view letters = "bcdfghjklmnpqrstvwxz2456789";
  std::string name(base.substr(0, 58));
  for (const unsigned char byte : random_bytes<5>()) name += letters[byte % letters.size()];
  return name;
}

Status prepare_create(const StoredKind& kind, WallTime now, Json& object) {
  const Json& given = std::as_const(object)["metadata"]["resourceVersion"];
  if (const auto version = given.as_string(); !version.empty() && version != "0")
    return bad_request("resourceVersion should not be set on objects to be created");
  if (!object.contains("apiVersion")) object.set("apiVersion", kind.gvk.api_version());
  if (!object.contains("kind")) object.set("kind", kind.gvk.kind);
  Json& metadata = object["metadata"];
  for (const char* member :
       {"deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion", "generation"})
    metadata.erase(member);
  if (!kind.namespaced) metadata.erase("namespace");
  metadata.set("uid", new_uid());
  metadata.set("creationTimestamp", format_time(now));
  if (kind.has_generation) metadata.set("generation", 1);
  if (kind.has_status_subresource) object.erase("status");
  return {};
}

void complete_create(const StoredKind& kind, Json& object) {
  if (!is_namespace(kind)) return;
  object.make({"spec", "finalizers"}) = Json::array({"kubernetes"});
  object.make({"status", "phase"}) = "Active";
  object.make({"metadata", "labels", "kubernetes.io/metadata.name"}) = api::name_of(object);
}

Json prepare_update(const StoredKind& kind, Part part, const Json& current, Json object) {
  const Json& live = current["metadata"];
  if (part == Part::Finalize) {
    Json next = current;
    restore(object["spec"], next["spec"], "finalizers");
    return next;
  }
  if (part == Part::Status) {
    Json next = current;
    restore(object, next, "status");
    Json& metadata = object["metadata"];
    if (kind.status_metadata) {
      const bool labels_stay = kind.gvk.kind == "Deployment";
      for (const char* member : {"labels", "annotations", "finalizers", "ownerReferences"})
        if (!labels_stay || std::string_view(member) != "labels") restore(metadata, next["metadata"], member);
    }
    settle_managed_fields(live, metadata);
    restore(metadata, next["metadata"], "managedFields");
    return next;
  }
  if (!object.contains("apiVersion")) object.set("apiVersion", kind.gvk.api_version());
  if (!object.contains("kind")) object.set("kind", kind.gvk.kind);
  Json& metadata = object["metadata"];
  for (const char* member :
       {"name", "namespace", "uid", "creationTimestamp", "generation", "deletionTimestamp",
        "deletionGracePeriodSeconds", "generateName", "resourceVersion"})
    if (std::string_view(member) != "generateName" || !metadata.contains(member))
      restore(live, metadata, member);
  metadata.erase("selfLink");
  settle_managed_fields(live, metadata);
  if (kind.has_status_subresource && part != Part::Whole) restore(current, object, "status");
  if (is_namespace(kind)) {
    restore(current["spec"], object["spec"], "finalizers");
    object.make({"metadata", "labels", "kubernetes.io/metadata.name"}) = api::name_of(object);
  }
  return object;
}

Status check_update(const StoredKind& kind, Part part, const Json& current, const Json& object) {
  const std::string_view name = api::name_of(current);
  const std::string_view uid = api::uid_of(object);
  if (!uid.empty() && uid != api::uid_of(current)) {
    return conflict_error(
        kind, name,
        "StorageError: invalid object, Code: 4, Key: " + storage_key(kind, api::key_of(current)) +
            ", ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: " +
            std::string(uid) + ", UID in object meta: " + std::string(api::uid_of(current)));
  }
  const bool main = part == Part::Main || part == Part::Whole;
  if (!main || !current["metadata"]["deletionTimestamp"].is_string()) return {};
  std::string added;
  for (const Json& finalizer : object["metadata"]["finalizers"].elements()) {
    if (api::has_finalizer(current, finalizer.as_string())) continue;
    if (!added.empty()) added += ", ";
    added += quoted(finalizer.as_string());
  }
  if (added.empty()) return {};
  const std::string why =
      "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers "
      "[]string{" +
      added + "}";
  ErrorDetails details = details_of(kind, name);
  details.kind = kind.gvk.kind;
  // Kubernetes checks, and complains, twice.
  details.causes.assign(2, Cause{"FieldValueForbidden", why, "metadata.finalizers"});
  return Error(Code::Invalid,
               group_kind(kind) + " " + quoted(name) + " is invalid: metadata.finalizers: " + why,
               std::move(details));
}

void settle_generation(const StoredKind& kind, const Json& current, Json& object) {
  if (!kind.has_generation || kind.generation_constant) return;
  const auto skip = [&](std::string_view member) {
    return member == "metadata" || member == "apiVersion" || member == "kind" ||
           (member == "status" && kind.has_status_subresource);
  };
  const bool same = same_members(current, object, skip) &&
                    (!kind.generation_annotations ||
                     current["metadata"]["annotations"] == std::as_const(object)["metadata"]["annotations"]);
  const std::int64_t generation = current["metadata"]["generation"].as_int();
  object["metadata"].set("generation", same ? std::max<std::int64_t>(generation, 1) : generation + 1);
}

bool same_content(const Json& a, const Json& b) {
  const auto metadata = [](std::string_view member) { return member == "metadata"; };
  if (!same_members(a, b, metadata)) return false;
  const auto moving = [](std::string_view member) {
    return member == "resourceVersion" || member == "managedFields";
  };
  return same_members(a["metadata"], b["metadata"], moving) &&
         same_managed_fields(a["metadata"]["managedFields"], b["metadata"]["managedFields"]);
}

bool is_released(const StoredKind& kind, const Json& object) {
  const Json& metadata = object["metadata"];
  return metadata["deletionTimestamp"].is_string() && metadata["finalizers"].empty() &&
         metadata["deletionGracePeriodSeconds"].as_int() == 0 && !holds_namespace(kind, object);
}

DeleteStep plan_delete(const StoredKind& kind, const DeleteOptions& options, WallTime now, Json& object) {
  const bool deleting = std::as_const(object)["metadata"]["deletionTimestamp"].is_string();
  if (holds_namespace(kind, object)) {
    if (deleting) return DeleteStep::Keep;
    mark_deleting(now, 0, object);
    object.make({"status", "phase"}) = "Terminating";
    return DeleteStep::Write;
  }
  const bool changed = settle_gc_finalizers(kind, options, object);
  const bool held = !std::as_const(object)["metadata"]["finalizers"].empty();
  if (kind.graceful) {
    const std::int64_t grace = grace_of(options, object);
    const std::int64_t left = std::as_const(object)["metadata"]["deletionGracePeriodSeconds"].as_int();
    if (deleting && (!options.grace_period_seconds || grace >= left)) {
      if (left > 0 || held) return changed ? DeleteStep::Write : DeleteStep::Keep;
      return DeleteStep::Remove;
    }
    mark_deleting(now, grace, object);
    return grace == 0 && !held ? DeleteStep::Remove : DeleteStep::Write;
  }
  if (!held) return DeleteStep::Remove;
  if (deleting) return changed ? DeleteStep::Write : DeleteStep::Keep;
  mark_deleting(now, 0, object);
  return DeleteStep::Write;
}

Status check_preconditions(const StoredKind& kind, const DeleteOptions& options, const api::Object& object) {
  if (!options.uid.empty() && options.uid != object.uid()) {
    if (is_namespace(kind)) {
      return conflict_error(kind, object.name(),
                            "Precondition failed: UID in precondition: " + options.uid +
                                ", UID in object meta: " + object.uid());
    }
    return precondition_error(kind, object.name(),
                              "the UID in the precondition (" + options.uid +
                                  ") does not match the UID in record (" + object.uid() +
                                  "). The object might have been deleted and then recreated");
  }
  if (options.revision && *options.revision != object.revision()) {
    const std::string wanted = std::to_string(options.revision->get());
    const std::string found = std::to_string(object.revision().get());
    if (is_namespace(kind)) {
      return conflict_error(kind, object.name(),
                            "Precondition failed: ResourceVersion in precondition: " + wanted +
                                ", ResourceVersion in object meta: " + found);
    }
    return precondition_error(kind, object.name(),
                              "the ResourceVersion in the precondition (" + wanted +
                                  ") does not match the ResourceVersion in record (" + found +
                                  "). The object might have been modified");
  }
  return {};
}

Error not_found_error(const StoredKind& kind, std::string_view name) {
  return Error(Code::NotFound, group_resource(kind) + " " + quoted(name) + " not found",
               details_of(kind, name));
}

Error already_exists_error(const StoredKind& kind, std::string_view name, bool deleting) {
  return Error(Code::AlreadyExists,
               (deleting ? "object is being deleted: " : "") + group_resource(kind) + " " + quoted(name) +
                   " already exists",
               details_of(kind, name));
}

Error name_exhausted_error(const StoredKind& kind, std::string_view name) {
  ErrorDetails details = details_of(kind, name);
  details.retry_after_seconds = 1;
  return Error(Code::AlreadyExists,
               group_resource(kind) + " " + quoted(name) +
                   " already exists, the server was not able to generate a unique name for the object",
               std::move(details));
}

Error modified_error(const StoredKind& kind, std::string_view name) {
  return conflict_error(
      kind, name,
      "the object has been modified; please apply your changes to the latest version and try again");
}

}  // namespace flotilla::store
