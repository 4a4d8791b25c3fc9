// SPDX-License-Identifier: Apache-2.0
// How an object is created, changed and deleted according to the API's metadata rules (k8s-api: Metadata
// semantics, Deletion), whoever does it: the API server for clients, controllers for themselves. Store knows
// keys and bytes; Writer knows uid, creationTimestamp, generation, finalizers, deletionTimestamp, graceful
// deletion, status apart from spec, admission. What is specific to a kind comes from the schema registry
// (core/api/schema).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/api/object.hpp"
#include "core/store/store.hpp"

namespace flotilla::store {

// A kind as it is stored.
struct StoredKind {
  api::Gvk gvk;  // storage version
  std::string resource;
  bool namespaced = true;
  bool has_status_subresource = false;  // the main endpoint ignores status, /status ignores all else
  bool has_generation = false;          // generation counts changes of all but metadata and status
  Collection collection() const { return collection_of(gvk.group, resource); }
};

// Which part of the object a write may change.
enum class Part { Main, Status };

struct AdmissionRequest {
  enum class Operation : std::uint8_t { Create, Update, Delete };
  Operation operation = Operation::Create;
  const StoredKind* kind = nullptr;
  std::string subresource;           // "status", "scale" or empty
  const Json* old_object = nullptr;  // null on create
  bool dry_run = false;
};

// Mutates and validates in process (Karmada's webhooks, Kubernetes' own admission that concerns controllers
// too).
using Admission = std::function<Status(const AdmissionRequest&, Json& object)>;

struct WriteOptions {
  Durability durability = Durability::Derived;
  bool dry_run = false;
};

struct DeleteOptions {
  std::string uid;                   // precondition
  std::optional<Revision> revision;  // precondition
  std::string propagation;           // "", Background, Foreground, Orphan
  std::optional<std::int64_t> grace_period_seconds;
  bool dry_run = false;
  Durability durability = Durability::Derived;
};

class Writer {
 public:
  Writer(Store& store, const Clock& clock, Admission admission);

  // Sets uid, creationTimestamp, generation; resolves generateName. Errors: AlreadyExists, Invalid,
  // Forbidden.
  Task<Result<ObjectPtr>> create(StoredKind kind, Json object, WriteOptions options = {});
  // `object.metadata.resourceVersion`, when set, must be the current one (Conflict). Unchanged content writes
  // nothing and answers the current object. Removing the last finalizer of a deleting object deletes it.
  Task<Result<ObjectPtr>> update(StoredKind kind, Part part, Json object, WriteOptions options = {});
  // Reads, lets `change` alter the object (false: leave it), writes; again on conflict.
  using Change = std::function<Result<bool>(Json& object)>;
  Task<Result<ObjectPtr>> modify(StoredKind kind, Part part, ObjectKey key, Change change,
                                 WriteOptions options = {});
  // Deletes now, or marks with deletionTimestamp where finalizers or grace demand it. The answer is the
  // object left or gone; `gone` says which.
  struct Deleted {
    ObjectPtr object;
    bool gone = false;
  };
  Task<Result<Deleted>> remove(StoredKind kind, ObjectKey key, DeleteOptions options = {});

  Store& store() { return store_; }
  const Clock& clock() const { return clock_; }

 private:
  Store& store_;
  const Clock& clock_;
  Admission admission_;
};

}  // namespace flotilla::store
