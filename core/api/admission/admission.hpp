// SPDX-License-Identifier: Apache-2.0
// Karmada's admission: what its webhooks and its aggregated API server complete and refuse on their own
// kinds. The API server calls it in process, after the schema's defaults and checks. What it needs of the
// world besides the request comes in through AdmissionWorld; all else is a pure function of the request.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"

namespace flotilla::api {

enum class AdmissionVerb : std::uint8_t { Create, Update, Delete };

// The objects carry apiVersion and kind. They must outlive the call.
struct AdmissionRequest {
  AdmissionVerb verb = AdmissionVerb::Create;
  std::string_view name_space;  // of the request; empty for cluster-scoped kinds
  const Json& object;           // null on Delete
  const Json& old_object;       // null on Create
};

// Feature gates and flags that change an answer.
struct AdmissionOptions {
  bool federated_quota_enforcement = false;
  bool customized_cluster_resource_modeling = true;
  bool allow_no_execute_taint_policy = false;
};

class AdmissionWorld {
 public:
  virtual ~AdmissionWorld() = default;

  virtual WallTime now() const = 0;
  // A random version 4 UUID.
  virtual std::string new_id() = 0;
  // All objects of a kind, of one namespace where it is given.
  virtual std::vector<Json> list(std::string_view api_version, std::string_view kind,
                                 std::string_view name_space) const = 0;
  // Writes the status of an object; not called on a dry run.
  virtual Status update_status(const Json& object) = 0;
  // Errors: the text of a Lua script that does not compile.
  virtual Status compile_script(std::string_view script) const = 0;
  virtual bool knows_time_zone(std::string_view name) const = 0;
};

// True where Karmada has something to say about this kind; the others pass unchanged.
bool is_admitted_kind(std::string_view api_version, std::string_view kind);

// The object as it is stored. Not for Delete. Errors: Invalid, an object that cannot be completed.
Result<Json> complete(const AdmissionRequest& request, AdmissionWorld& world,
                      const AdmissionOptions& options);

// Errors: Forbidden with the fields that are wrong (as a webhook denies), Invalid for kinds of the aggregated
// API server. On Delete every kind is asked for: a protected object stays.
Status review(const AdmissionRequest& request, AdmissionWorld& world, const AdmissionOptions& options);

// complete(), then review() of what came of it. The answer to Delete is the old object.
Result<Json> admit(const AdmissionRequest& request, AdmissionWorld& world, const AdmissionOptions& options);

}  // namespace flotilla::api
