// SPDX-License-Identifier: Apache-2.0
// Amounts of resources by name, as in requests, limits, allocatable and hard of the Kubernetes API, and the
// sums and maxima that scheduling makes of them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/api/json.hpp"
#include "core/api/quantity.hpp"
#include "core/base/result.hpp"

namespace flotilla::api {

class ResourceList {
 public:
  using Amounts = std::map<std::string, Quantity, std::less<>>;

  // Null is the empty list. Errors: Invalid with the name whose quantity cannot be read.
  static Result<ResourceList> from_json(const Json& list);
  Json to_json() const;

  // Per name; a name that only one side has counts as zero on the other.
  void add(const ResourceList& other);
  void subtract(const ResourceList& other);
  void multiply(std::int64_t factor);
  // Each amount becomes the greater of both.
  void raise_to(const ResourceList& other);
  // Takes over the amounts of names that are not here yet.
  void fill_in(const ResourceList& other);
  void set(std::string_view name, const Quantity& amount);

  Quantity amount(std::string_view name) const;  // zero where absent
  bool empty() const { return amounts_.empty(); }
  const Amounts& amounts() const { return amounts_; }

 private:
  Amounts amounts_;
};

// Names without a domain that mean something somewhere in Kubernetes: in containers, nodes, claims or quotas.
bool is_standard_resource(std::string_view name);

// cpu, memory, ephemeral-storage, pods, and what a node may offer beside them: extended resources
// (nvidia.com/gpu), huge pages, attachable volumes. All else a scheduler does not reckon with.
bool is_schedulable_resource(std::string_view name);

// The form in which summed requests travel: schedulable resources above zero, cpu in thousandths, all else
// whole, bytes with binary suffixes.
ResourceList schedulable_amounts(const ResourceList& list);

// Whether a limit stands for a request that is not given: the API server fills requests in so when it admits
// a pod, so it is asked for where only a template is known.
enum class Limits : std::uint8_t { Ignored, StandIn };

// What a pod occupies: the sum of its containers or its greatest init container, whichever is more, and its
// overhead.
Result<ResourceList> pod_requests(const Json& pod_spec, Limits limits);

// The same on top of what other pods occupy, as Karmada sums up nodes and clusters: an init container raises
// the total so far to its own requests, so it costs nothing where the containers of others already ask for as
// much.
Status add_pod_requests(ResourceList& total, const Json& pod_spec, Limits limits);

}  // namespace flotilla::api
