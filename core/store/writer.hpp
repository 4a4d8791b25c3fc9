// SPDX-License-Identifier: Apache-2.0
// How an object is created, changed and deleted according to the API's metadata rules (k8s-api: Metadata
// semantics, Deletion), whoever does it: the API server for clients, controllers for themselves. Store knows
// keys and bytes; Writer knows uid, creationTimestamp, generation, finalizers, deletionTimestamp, graceful
// deletion, status apart from spec, admission. What is specific to a kind comes from the schema registry
// (core/api/schema). Errors are worded and detailed as the API answers them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/api/object.hpp"
#include "core/api/schema/registry.hpp"
#include "core/base/clock.hpp"
#include "core/store/store.hpp"

namespace flotilla::store {

// A kind as it is stored.
struct StoredKind {
  api::Gvk gvk;  // storage version
  std::string resource;
  bool namespaced = true;
  bool has_status_subresource = false;  // the main endpoint ignores status, /status ignores all else
  bool has_generation = false;          // counts changes of all but metadata and (with subresource) status
  bool generation_constant = false;     // ... but stays 1 (PriorityClass)
  bool generation_annotations = false;  // ... and those of annotations (Deployment)
  bool status_metadata = false;  // /status may change metadata too: Kubernetes' own kinds, not custom ones
  bool graceful = false;         // deletion has a grace period: pods
  Collection collection() const { return collection_of(gvk.group, resource); }
  static StoredKind of(const api::Resource& resource);
};

// Which part of the object a write may change. Finalize: spec.finalizers of a Namespace. Whole: Main and
// Status in one commit, for controllers that decide both.
enum class Part { Main, Status, Finalize, Whole };

struct AdmissionRequest {
  enum class Operation : std::uint8_t { Create, Update, Delete };
  Operation operation = Operation::Create;
  const StoredKind* kind = nullptr;
  std::string subresource;           // "status", "finalize" or empty
  const Json* old_object = nullptr;  // null on create
  bool dry_run = false;
};

// Mutates and validates in process (Karmada's webhooks, Kubernetes' own admission that concerns controllers
// too).
using Admission = std::function<Status(const AdmissionRequest&, Json& object)>;

// A write that Admission has let pass.
struct LateWrite {
  StoredKind kind;
  AdmissionRequest::Operation operation = AdmissionRequest::Operation::Create;
  std::string subresource;  // "status", "finalize" or empty
  Json object;              // null on delete
  Json old_object;          // null on create
  bool dry_run = false;
};
// Admission that may have to wait for somebody: webhooks, quotas. After Admission.
// `wanted` is asked first and is cheap; `run` answers the object as it may be stored.
struct LateAdmission {
  std::function<bool(const StoredKind&, AdmissionRequest::Operation, std::string_view subresource)> wanted;
  std::function<Task<Result<Json>>(LateWrite)> run;
  // Told of a write that `run` let pass and that was not stored after all. May be empty.
  std::function<Task<void>(LateWrite)> undo = {};
};

struct WriteOptions {
  Durability durability = Durability::Derived;
  bool dry_run = false;
  // Create with the status given: for those who would write it at once anyway (simulators, controllers).
  bool with_status = false;
  // Goes into the commit of an update; may be filled as late as in Writer::Change.
  std::shared_ptr<SideValues> beside = {};
};

struct DeleteOptions {
  std::string uid;                   // precondition
  std::optional<Revision> revision;  // precondition
  std::string propagation;           // "", Background, Foreground, Orphan
  std::optional<std::int64_t> grace_period_seconds;
  // Annotations that the object gets in the same commit that marks it, where finalizers keep it.
  std::vector<std::pair<std::string, std::string>> annotations = {};
  bool dry_run = false;
  Durability durability = Durability::Derived;
};

class Writer {
 public:
  Writer(Store& store, const Clock& clock, Admission admission);
  virtual ~Writer() = default;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  // Before the first write.
  void set_late_admission(LateAdmission late) { late_ = std::move(late); }

  // Sets uid, creationTimestamp, generation; resolves generateName. A dry run answers at revision 0. Errors:
  // AlreadyExists, Invalid, Forbidden.
  virtual Task<Result<ObjectPtr>> create(StoredKind kind, Json object, WriteOptions options = {});
  // `object.metadata.resourceVersion`, when set, must be the current one (Conflict). Unchanged content writes
  // nothing and answers the current object. Removing the last finalizer of a deleting object deletes it; the
  // answer is then the object as it would have become, at its last revision.
  virtual Task<Result<ObjectPtr>> update(StoredKind kind, Part part, Json object, WriteOptions options = {});
  // Reads, lets `change` alter the object (false: leave it), writes; again on conflict. A resourceVersion
  // that `change` sets itself is a precondition.
  using Change = std::function<Result<bool>(Json& object)>;
  virtual Task<Result<ObjectPtr>> modify(StoredKind kind, Part part, ObjectKey key, Change change,
                                         WriteOptions options = {});
  // Deletes now, or marks with deletionTimestamp where finalizers or grace demand it. The answer is the
  // object left or gone; `gone` says which.
  struct Deleted {
    ObjectPtr object;
    bool gone = false;
  };
  virtual Task<Result<Deleted>> remove(StoredKind kind, ObjectKey key, DeleteOptions options = {});

  Store& store() { return store_; }
  const Clock& clock() const { return clock_; }

 private:
  Status admit(const StoredKind& kind, AdmissionRequest::Operation operation, std::string_view subresource,
               const Json* old_object, bool dry_run, Json& object) const;
  // One try. Errors: Conflict with `retry` set when another write came in between.
  Task<Result<ObjectPtr>> write_over(const StoredKind& kind, Part part, ObjectPtr current, Json object,
                                     WriteOptions options, bool& retry);
  bool wants_late(const StoredKind& kind, AdmissionRequest::Operation operation,
                  std::string_view subresource) const {
    return late_.wanted && late_.wanted(kind, operation, subresource);
  }
  Task<Result<ObjectPtr>> settled(ObjectPtr object, WriteOptions options);
  // After a write that late admission let pass has failed. `live` may be null.
  Task<void> undo_late(const StoredKind& kind, std::string_view subresource, Json object, Json live,
                       WriteOptions options);

  Store& store_;
  const Clock& clock_;
  Admission admission_;
  LateAdmission late_;
};

}  // namespace flotilla::store
