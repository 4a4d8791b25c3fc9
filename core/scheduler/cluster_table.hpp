// SPDX-License-Identifier: Apache-2.0
// All clusters as columns: what scheduling reads, and nothing else of a Cluster. A table is immutable and
// cheap to share; the next one shares every group of columns that did not change.
//
// Rows are in ascending order of name, so the order of rows is the last tie-break of scheduling.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/api/quantity.hpp"
#include "core/scheduler/row_set.hpp"
#include "core/scheduler/symbols.hpp"

namespace flotilla::scheduler {

struct Label {
  Sym key = kNoSym;
  Sym value = kNoSym;
  bool operator==(const Label&) const = default;
};

enum class TaintEffect : std::uint32_t { None, NoSchedule, PreferNoSchedule, NoExecute };

struct Taint {
  Sym key = kNoSym;
  Sym value = kNoSym;
  TaintEffect effect = TaintEffect::None;
  bool operator==(const Taint&) const = default;
};

// One list per row, all in one block.
template <typename T>
struct Lists {
  std::vector<std::uint32_t> offsets{0};
  std::vector<T> items;

  std::span<const T> at(Row row) const {
    return std::span<const T>(items).subspan(offsets[row], offsets[row + 1] - offsets[row]);
  }
  void append(std::span<const T> list) {
    items.insert(items.end(), list.begin(), list.end());
    offsets.push_back(static_cast<std::uint32_t>(items.size()));
  }
  // O(1) while the length stays, else what lies behind moves.
  void replace(Row row, std::span<const T> list) {
    const std::size_t had = offsets[row + 1] - offsets[row];
    const auto at = items.begin() + offsets[row];
    std::copy_n(list.begin(), std::min(had, list.size()), at);
    if (had == list.size()) return;
    if (had > list.size()) {
      items.erase(at + static_cast<std::ptrdiff_t>(list.size()), at + static_cast<std::ptrdiff_t>(had));
    } else {
      items.insert(at + static_cast<std::ptrdiff_t>(had), list.begin() + static_cast<std::ptrdiff_t>(had),
                   list.end());
    }
    const auto by = static_cast<std::uint32_t>(list.size() - had);  // wraps as it should
    for (std::size_t i = row + 1; i < offsets.size(); ++i) offsets[i] += by;
  }
};

inline constexpr std::uint32_t kReady = 1;          // condition Ready is True
inline constexpr std::uint32_t kDeleting = 2;       // has a deletionTimestamp
inline constexpr std::uint32_t kPullMode = 4;       // spec.syncMode is Pull
inline constexpr std::uint32_t kApisComplete = 8;   // condition CompleteAPIEnablements is True
inline constexpr std::uint32_t kHasResources = 16;  // status.resourceSummary is there
inline constexpr std::uint32_t kHasZones = 32;      // spec.zones is not empty

// What placements match on. A compiled placement is valid for exactly one of these.
struct ClusterIdentity {
  std::vector<Sym> names;
  std::vector<Sym> providers;
  std::vector<Sym> regions;
  std::vector<std::uint32_t> flags;
  Lists<Sym> zones;
  Lists<Label> labels;          // by ascending key symbol
  Lists<std::uint32_t> taints;  // indexes into taint_dictionary
  std::vector<Taint> taint_dictionary;
  std::vector<Row> row_of_name;  // by symbol
  RowSet deleting;
};

struct ApiKey {
  Sym group_version = kNoSym;
  Sym kind = kNoSym;
  bool operator==(const ApiKey&) const = default;
};

// Which row serves which API: one set of rows per API.
struct ClusterApis {
  std::vector<ApiKey> keys;
  std::unordered_map<std::uint64_t, std::uint32_t> index;  // group_version << 32 | kind
  std::size_t words = 0;                                   // per API
  std::vector<std::uint64_t> bits;
};

inline constexpr std::uint32_t kNoApi = 0xffffffffu;
inline constexpr std::uint32_t kNoResource = 0xffffffffu;
inline constexpr std::int64_t kAbsent = INT64_MIN;

// The unit in which scheduling counts a resource: thousandths of cpu, ones of all else; rounded up.
std::int64_t in_units_of(std::string_view resource, const api::Quantity& quantity);

struct ResourceAmount {
  std::uint32_t resource = 0;
  std::int64_t amount = 0;
  bool operator==(const ResourceAmount&) const = default;
};

inline constexpr std::int64_t kNodePods = 110;

// A grade of a cluster's resource model: so many nodes that have at least these resources.
struct NodeGrade {
  std::int64_t count = 0;
  std::vector<ResourceAmount> least;
  std::int64_t pods = kNodePods;  // that each still has room for
  bool operator==(const NodeGrade&) const = default;
};

// Null for a cluster without a usable model.
using NodeGrades = std::shared_ptr<const std::vector<NodeGrade>>;

// One value per row and resource, in the resource's unit (cpu: thousandths); kAbsent where a cluster does not
// have the resource. `available` is allocatable - allocated - allocating, rounded once.
struct ResourcePlane {
  std::vector<std::int64_t> allocatable;
  std::vector<std::int64_t> allocated;
  std::vector<std::int64_t> allocating;
  std::vector<std::int64_t> available;
};

struct ClusterResources {
  std::vector<Sym> names;
  std::vector<ResourcePlane> planes;
  std::vector<NodeGrades> models;
  std::uint32_t pods = kNoResource;  // the plane of pods
};

// Per 64 rows, when anything of their identity or APIs last changed; when rows moved, everywhere.
struct BlockEpochs {
  std::shared_ptr<const void> lineage;  // of the builder: only tables of one can be compared
  std::vector<std::uint64_t> epochs;
};

class ClusterTable {
 public:
  ClusterTable(std::uint64_t epoch, std::shared_ptr<const Symbols> symbols,
               std::shared_ptr<const ClusterIdentity> identity, std::shared_ptr<const ClusterApis> apis,
               std::shared_ptr<const ClusterResources> resources, std::shared_ptr<const BlockEpochs> blocks)
      : epoch_(epoch),
        symbols_(std::move(symbols)),
        identity_(std::move(identity)),
        apis_(std::move(apis)),
        resources_(std::move(resources)),
        blocks_(std::move(blocks)) {}

  std::uint64_t epoch() const { return epoch_; }  // grows with every change, per builder
  std::size_t size() const { return identity_->names.size(); }
  std::size_t words() const { return words_for(size()); }

  const Symbols& symbols() const { return *symbols_; }
  const ClusterIdentity& identity() const { return *identity_; }
  const std::shared_ptr<const ClusterIdentity>& shared_identity() const { return identity_; }
  const std::shared_ptr<const ClusterApis>& shared_apis() const { return apis_; }
  const std::shared_ptr<const ClusterResources>& shared_resources() const { return resources_; }
  const std::shared_ptr<const Symbols>& shared_symbols() const { return symbols_; }
  const ClusterResources& resources() const { return *resources_; }
  const BlockEpochs& blocks() const { return *blocks_; }
  const ClusterApis& apis() const { return *apis_; }

  std::string_view name(Row row) const { return symbols_->text(identity_->names[row]); }
  Row find(std::string_view name) const;  // kNoRow
  // The API's number, or kNoApi if no cluster serves it.
  std::uint32_t find_api(std::string_view group_version, std::string_view kind) const;
  std::span<const std::uint64_t> rows_serving(std::uint32_t api) const;
  std::uint32_t find_resource(std::string_view name) const;  // kNoResource

 private:
  std::uint64_t epoch_;
  std::shared_ptr<const Symbols> symbols_;
  std::shared_ptr<const ClusterIdentity> identity_;
  std::shared_ptr<const ClusterApis> apis_;
  std::shared_ptr<const ClusterResources> resources_;
  std::shared_ptr<const BlockEpochs> blocks_;
};

using ClusterTablePtr = std::shared_ptr<const ClusterTable>;

}  // namespace flotilla::scheduler
