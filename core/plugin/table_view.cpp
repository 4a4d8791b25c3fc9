// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/table_view.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace flotilla::plugin {
namespace {

using scheduler::ClusterTable;

// Columns are shown where they lie: the layouts are one.
static_assert(sizeof(flt_label_t) == sizeof(scheduler::Label));
static_assert(offsetof(flt_label_t, value) == offsetof(scheduler::Label, value));
static_assert(sizeof(flt_label_t) == sizeof(scheduler::ApiKey));
static_assert(offsetof(flt_label_t, value) == offsetof(scheduler::ApiKey, kind));
static_assert(sizeof(flt_taint_t) == sizeof(scheduler::Taint));
static_assert(offsetof(flt_taint_t, effect) == offsetof(scheduler::Taint, effect));
static_assert(sizeof(flt_amount_t) == sizeof(scheduler::ResourceAmount));
static_assert(offsetof(flt_amount_t, amount) == offsetof(scheduler::ResourceAmount, amount));
static_assert(FLT_EFFECT_NO_EXECUTE == static_cast<std::uint32_t>(scheduler::TaintEffect::NoExecute));
static_assert(FLT_CLUSTER_ZONES == scheduler::kHasZones && FLT_CLUSTER_DELETING == scheduler::kDeleting);
static_assert(FLT_SYM_UNKNOWN == scheduler::kUnknownSym && FLT_NO_ROW == scheduler::kNoRow);
static_assert(FLT_ABSENT == scheduler::kAbsent && FLT_NO_API == scheduler::kNoApi);

enum Column : std::int32_t {
  kName,
  kProvider,
  kRegion,
  kZones,
  kFlags,
  kLabels,
  kTaints,
  kDictTaints,
  kApis,
  kDictApis,
  kDictResources,
  kFirstResource
};
constexpr std::array<std::string_view, kFirstResource> kNames = {
    "name",   "provider",    "region", "zones",     "flags",         "labels",
    "taints", "dict.taints", "apis",   "dict.apis", "dict.resources"};

enum Plane : std::int32_t { kAllocatable, kAllocated, kAllocating, kAvailable, kPlanes };
constexpr std::array<std::string_view, kPlanes> kPlaneNames = {"res.allocatable.", "res.allocated.",
                                                               "res.allocating.", "res.available."};

template <typename T>
void show(flt_column_t& out, std::uint32_t type, const std::vector<T>& data) {
  out.type = type;
  out.data = data.data();
  out.n = data.size();
}

template <typename T>
void show(flt_column_t& out, std::uint32_t type, const scheduler::Lists<T>& lists) {
  show(out, type, lists.items);
  out.offsets = lists.offsets.data();
}

const std::vector<std::int64_t>& plane_of(const scheduler::ResourcePlane& plane, std::int32_t which) {
  switch (which) {
    case kAllocatable:
      return plane.allocatable;
    case kAllocated:
      return plane.allocated;
    case kAllocating:
      return plane.allocating;
    default:
      return plane.available;
  }
}

std::string_view view_of(flt_str_t text) {
  return {text.p, static_cast<std::size_t>(text.n)};
}

const TableView& of(const flt_table_t* table) {
  return *static_cast<const TableView*>(table->ctx);
}

std::int32_t find_column(const flt_table_t* table, flt_str_t name) {
  return of(table).numbers().find(view_of(name));
}

flt_status_t column(const flt_table_t* table, std::int32_t number, flt_column_t* out) {
  return of(table).numbers().view(of(table).table(), number, *out);
}

flt_str_t text(const flt_table_t* table, std::uint32_t sym) {
  std::string_view found = of(table).table().symbols().text(sym);
  return {found.data(), found.size()};
}

std::uint32_t find_sym(const flt_table_t* table, flt_str_t text) {
  return of(table).table().symbols().find(view_of(text));
}

std::uint32_t find_row(const flt_table_t* table, flt_str_t cluster) {
  return of(table).table().find(view_of(cluster));
}

std::uint32_t find_api(const flt_table_t* table, flt_str_t api_version, flt_str_t kind) {
  return of(table).table().find_api(view_of(api_version), view_of(kind));
}

flt_status_t grade(const flt_table_t* table, std::uint32_t row, std::uint32_t index, flt_grade_t* out) {
  const std::vector<scheduler::NodeGrades>& models = of(table).table().resources().models;
  if (out->struct_size < offsetof(flt_grade_t, pods_taken)) return FLT_INVALID_ARGUMENT;
  if (row >= models.size() || models[row] == nullptr || index >= models[row]->size()) return FLT_NOT_FOUND;
  const scheduler::NodeGrade& found = (*models[row])[index];
  out->count = found.count;
  out->least = reinterpret_cast<const flt_amount_t*>(found.least.data());
  out->n_least = found.least.size();
  if (out->struct_size >= sizeof *out) out->pods_taken = scheduler::kNodePods - found.pods;
  return FLT_OK;
}

constexpr flt_table_functions_t kFunctions = {
    sizeof(flt_table_functions_t), 0, find_column, column, text, find_sym, find_row, find_api, grade};

}  // namespace

std::int32_t ColumnNumbers::find(std::string_view name) const {
  auto known = std::find(kNames.begin(), kNames.end(), name);
  if (known != kNames.end()) return static_cast<std::int32_t>(known - kNames.begin());
  for (std::int32_t plane = 0; plane < kPlanes; ++plane) {
    if (!name.starts_with(kPlaneNames[static_cast<std::size_t>(plane)])) continue;
    std::string_view resource = name.substr(kPlaneNames[static_cast<std::size_t>(plane)].size());
    auto found = std::find(resources_.begin(), resources_.end(), resource);
    if (found == resources_.end()) return -1;
    return kFirstResource + static_cast<std::int32_t>(found - resources_.begin()) * kPlanes + plane;
  }
  return -1;
}

std::int32_t ColumnNumbers::number(std::string_view name) {
  std::int32_t found = find(name);
  if (found >= 0) return found;
  for (std::string_view prefix : kPlaneNames) {
    if (!name.starts_with(prefix) || name.size() == prefix.size()) continue;
    resources_.emplace_back(name.substr(prefix.size()));
    return find(name);
  }
  return -1;
}

flt_status_t ColumnNumbers::view(const ClusterTable& table, std::int32_t number, flt_column_t& out) const {
  const scheduler::ClusterIdentity& identity = table.identity();
  const std::uint32_t struct_size = out.struct_size;
  if (struct_size < sizeof(flt_column_t)) return FLT_INVALID_ARGUMENT;
  out = flt_column_t{};
  out.struct_size = struct_size;
  switch (number) {
    case kName:
      return show(out, FLT_COLUMN_SYM, identity.names), FLT_OK;
    case kProvider:
      return show(out, FLT_COLUMN_SYM, identity.providers), FLT_OK;
    case kRegion:
      return show(out, FLT_COLUMN_SYM, identity.regions), FLT_OK;
    case kZones:
      return show(out, FLT_COLUMN_SYM, identity.zones), FLT_OK;
    case kFlags:
      return show(out, FLT_COLUMN_U32, identity.flags), FLT_OK;
    case kLabels:
      return show(out, FLT_COLUMN_LABEL, identity.labels), FLT_OK;
    case kTaints:
      return show(out, FLT_COLUMN_U32, identity.taints), FLT_OK;
    case kDictTaints:
      return show(out, FLT_COLUMN_TAINT, identity.taint_dictionary), FLT_OK;
    case kApis:
      show(out, FLT_COLUMN_BITS, table.apis().bits);
      out.n = table.apis().keys.size();
      return FLT_OK;
    case kDictApis:
      return show(out, FLT_COLUMN_LABEL, table.apis().keys), FLT_OK;
    case kDictResources:
      return show(out, FLT_COLUMN_SYM, table.resources().names), FLT_OK;
    default:
      break;
  }
  auto at = static_cast<std::size_t>(std::max(number - kFirstResource, 0));
  if (number < 0 || at / kPlanes >= resources_.size()) return FLT_NOT_FOUND;
  std::uint32_t resource = table.find_resource(resources_[at / kPlanes]);
  if (resource == scheduler::kNoResource) return FLT_NOT_FOUND;
  show(out, FLT_COLUMN_I64,
       plane_of(table.resources().planes[resource], static_cast<std::int32_t>(at % kPlanes)));
  return FLT_OK;
}

TableView::TableView(const ClusterTable& table, const ColumnNumbers& numbers)
    : table_(table), numbers_(numbers) {
  raw_.struct_size = sizeof raw_;
  raw_.epoch = table.epoch();
  raw_.n_rows = table.size();
  raw_.n_words = table.words();
  raw_.functions = &kFunctions;
  raw_.ctx = this;
}

}  // namespace flotilla::plugin
