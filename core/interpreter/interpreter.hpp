// SPDX-License-Identifier: Apache-2.0
// The resource interpreter: what a manifest means to the control plane. How many replicas it asks for and
// what each needs, how to change that number, what of it the member owns, how its status is reflected and put
// together again, whether it is healthy, what it depends on. The answers are pure functions of the objects
// given.
//
// Callers hold a `const Interpreter&` and do not care which one it is: the native one below, or a chain of
// customised ones in front of it (ResourceInterpreterCustomization, webhooks, bundled third party scripts).
// Thread: every const method may be called concurrently.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"

namespace flotilla::interpreter {

// As spelled in ResourceInterpreterWebhookConfiguration rules; to_string gives that spelling.
enum class Operation : std::uint8_t {
  InterpretReplica,
  InterpretComponent,
  ReviseReplica,
  InterpretStatus,
  Retain,
  AggregateStatus,
  InterpretHealth,
  InterpretDependency,
};
inline constexpr int kOperations = 8;

std::string_view to_string(Operation operation);
std::optional<Operation> parse_operation(std::string_view text);

// ResourceBinding.spec.replicas and .replicaRequirements.
struct Replicas {
  std::int64_t count = 0;
  api::Json requirements;  // ReplicaRequirements; null when the workload states none
};

// Contract of every interpreter:
// - A question is asked only where supports() says yes; elsewhere the answer is the error Unsupported.
// - An object is the whole manifest, with apiVersion, kind and metadata.
// - An error means the object (or the status a member reported) cannot be understood. Nothing falls through
// to a
//   later interpreter of a chain then: the customisation is broken and its author has to see that.
class Interpreter {
 public:
  virtual ~Interpreter() = default;

  virtual bool supports(std::string_view api_version, std::string_view kind, Operation operation) const = 0;
  // True where an answer may need I/O or more than a moment (webhooks, scripts): ask from a thread that may
  // wait.
  virtual bool may_block(std::string_view api_version, std::string_view kind, Operation operation) const;

  virtual Result<Replicas> interpret_replicas(const api::Json& object) const = 0;
  // The value of spec.components: a list of {name, replicas, replicaRequirements?}, or null.
  virtual Result<api::Json> interpret_components(const api::Json& object) const = 0;
  // The manifest that asks for `replicas`. A workload without the field is returned as it is.
  virtual Result<api::Json> revise_replica(const api::Json& object, std::int64_t replicas) const = 0;
  // `desired` with what the member itself decides taken over from `observed`, before an update of the member.
  virtual Result<api::Json> retain(const api::Json& desired, const api::Json& observed) const = 0;
  // What of the member's status travels to Work.status.manifestStatuses[].status; null when there is none.
  virtual Result<api::Json> reflect_status(const api::Json& object) const = 0;
  // The new .status of the resource template, from spec AggregatedStatusItem entries
  // {clusterName, status?, applied, appliedMessage?, health}. All else of the template stays as it is; `now`
  // stamps new conditions.
  virtual Result<api::Json> aggregate_status(const api::Json& object, std::span<const api::Json> items,
                                             WallTime now) const = 0;
  virtual Result<bool> interpret_health(const api::Json& object) const = 0;
  // A list of DependentObjectReference {apiVersion, kind, namespace?, name?, labelSelector?}, in no special
  // order.
  virtual Result<api::Json> dependencies(const api::Json& object) const = 0;

  bool supports(const api::Json& object, Operation operation) const;
};

// Feature gates that change an answer.
struct NativeOptions {
  bool resource_quota_estimate = false;  // priorityClassName becomes part of the requirements
};

// The built-in knowledge of Kubernetes' own kinds. InterpretStatus is supported for every kind,
// InterpretComponent for none.
class NativeInterpreter final : public Interpreter {
 public:
  explicit NativeInterpreter(NativeOptions options = {});

  using Interpreter::supports;
  bool supports(std::string_view api_version, std::string_view kind, Operation operation) const override;
  Result<Replicas> interpret_replicas(const api::Json& object) const override;
  Result<api::Json> interpret_components(const api::Json& object) const override;
  Result<api::Json> revise_replica(const api::Json& object, std::int64_t replicas) const override;
  Result<api::Json> retain(const api::Json& desired, const api::Json& observed) const override;
  Result<api::Json> reflect_status(const api::Json& object) const override;
  Result<api::Json> aggregate_status(const api::Json& object, std::span<const api::Json> items,
                                     WallTime now) const override;
  Result<bool> interpret_health(const api::Json& object) const override;
  Result<api::Json> dependencies(const api::Json& object) const override;

 private:
  NativeOptions options_;
};

// For every question the first interpreter that supports it answers. The native one comes last.
class InterpreterChain final : public Interpreter {
 public:
  explicit InterpreterChain(std::vector<std::shared_ptr<const Interpreter>> links);

  using Interpreter::supports;
  bool supports(std::string_view api_version, std::string_view kind, Operation operation) const override;
  bool may_block(std::string_view api_version, std::string_view kind, Operation operation) const override;
  Result<Replicas> interpret_replicas(const api::Json& object) const override;
  Result<api::Json> interpret_components(const api::Json& object) const override;
  Result<api::Json> revise_replica(const api::Json& object, std::int64_t replicas) const override;
  Result<api::Json> retain(const api::Json& desired, const api::Json& observed) const override;
  Result<api::Json> reflect_status(const api::Json& object) const override;
  Result<api::Json> aggregate_status(const api::Json& object, std::span<const api::Json> items,
                                     WallTime now) const override;
  Result<bool> interpret_health(const api::Json& object) const override;
  Result<api::Json> dependencies(const api::Json& object) const override;

  // The one that answers; null where nobody does.
  const Interpreter* find(std::string_view api_version, std::string_view kind, Operation operation) const;
  const Interpreter* find(const api::Json& object, Operation operation) const;

 private:
  std::vector<std::shared_ptr<const Interpreter>> links_;
};

}  // namespace flotilla::interpreter
