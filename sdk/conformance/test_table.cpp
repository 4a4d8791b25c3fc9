// SPDX-License-Identifier: Apache-2.0
#include "sdk/conformance/test_table.hpp"

#include <algorithm>

namespace flotilla::conformance {
namespace {

const TestTable& of(const flt_table_t* table) {
  return *static_cast<const TestTable*>(table->ctx);
}
const TestTable& of(const flt_binder_t* binder) {
  return *static_cast<const TestTable*>(binder->ctx);
}
std::string_view view_of(flt_str_t text) {
  return {text.p, static_cast<std::size_t>(text.n)};
}

constexpr flt_table_functions_t kFunctions = {
    sizeof(flt_table_functions_t),
    0,
    [](const flt_table_t* table, flt_str_t name) { return of(table).find_column(view_of(name)); },
    [](const flt_table_t* table, std::int32_t number, flt_column_t* out) -> flt_status_t {
      return of(table).column(number, *out) ? FLT_OK : FLT_NOT_FOUND;
    },
    [](const flt_table_t* table, std::uint32_t sym) {
      const std::string_view text = of(table).text(sym);
      return flt_str_t{text.data(), text.size()};
    },
    [](const flt_table_t* table, flt_str_t text) { return of(table).find_sym(view_of(text)); },
    [](const flt_table_t* table, flt_str_t name) { return of(table).find_row(view_of(name)); },
    [](const flt_table_t*, flt_str_t, flt_str_t) { return std::uint32_t{0}; },
    [](const flt_table_t*, std::uint32_t, std::uint32_t, flt_grade_t*) -> flt_status_t {
      return FLT_NOT_FOUND;
    },
};

constexpr std::string_view kNames[] = {"name",  "provider",  "region",        "zones",
                                       "flags", "labels",    "taints",        "dict.taints",
                                       "apis",  "dict.apis", "dict.resources"};
constexpr std::int32_t kFirstPlane = std::size(kNames);

template <typename T>
bool show(flt_column_t& out, std::uint32_t type, const std::vector<T>& data,
          const std::uint32_t* offsets = nullptr) {
  out.type = type;
  out.data = data.data();
  out.n = data.size();
  out.offsets = offsets;
  return true;
}

}  // namespace

TestTable::TestTable(std::uint32_t rows, bool bare) : bare_(bare) {
  fill_identity(rows);
  fill_resources(rows);
  raw_ = {sizeof raw_, 0, 1, rows, (rows + 63) / 64, &kFunctions, this};
  binder_ = {sizeof binder_, 0, this,
             [](const flt_binder_t* binder, flt_str_t name) { return of(binder).find_column(view_of(name)); },
             [](const flt_binder_t* binder, flt_str_t text) { return of(binder).reason(view_of(text)); }};
}

std::uint32_t TestTable::sym(std::string_view text) {
  const auto [at, added] = syms_.try_emplace(std::string(text), static_cast<std::uint32_t>(texts_.size()));
  if (added) texts_.emplace_back(text);
  return at->second;
}

void TestTable::fill_identity(std::uint32_t rows) {
  zone_offsets_ = taint_offsets_ = label_offsets_ = {0};
  taint_dictionary_ = {{sym("dedicated"), sym("db"), FLT_EFFECT_NO_SCHEDULE},
                       {sym("slow"), 0, FLT_EFFECT_PREFER_NO_SCHEDULE}};
  apis_ = {{sym("apps/v1"), sym("Deployment")}};
  api_bits_.assign((rows + 63) / 64, 0);
  for (std::uint32_t row = 0; row < rows; ++row) {
    names_.push_back(sym("member-" + std::to_string(100000 + row)));
    providers_.push_back(row % 3 == 0 ? 0 : sym("provider-" + std::to_string(row % 3)));
    regions_.push_back(row % 7 == 6 ? 0 : sym("region-" + std::to_string(row % 7)));
    flags_.push_back(FLT_CLUSTER_READY | FLT_CLUSTER_RESOURCES | (row % 2 == 0 ? FLT_CLUSTER_ZONES : 0));
    if (row % 2 == 0) zones_.push_back(sym("zone-" + std::to_string(row % 5)));
    zone_offsets_.push_back(static_cast<std::uint32_t>(zones_.size()));
    if (row % 4 == 1) taints_.push_back(row % 8 == 1 ? 0 : 1);
    taint_offsets_.push_back(static_cast<std::uint32_t>(taints_.size()));
    labels_.push_back({sym("env"), sym(row % 2 == 0 ? "prod" : "test")});
    label_offsets_.push_back(static_cast<std::uint32_t>(labels_.size()));
    if (row % 9 != 8) api_bits_[row / 64] |= std::uint64_t{1} << (row % 64);
  }
}

void TestTable::fill_resources(std::uint32_t rows) {
  for (const std::string_view name : {"cpu", "memory", "pods"}) {
    resources_.push_back(sym(name));
    for (const std::string_view prefix :
         {"res.allocatable.", "res.allocated.", "res.allocating.", "res.available."}) {
      const std::string plane = std::string(prefix) + std::string(name);
      std::vector<std::int64_t>& values = planes_[plane];
      for (std::uint32_t row = 0; row < rows; ++row) {
        values.push_back(row % 11 == 10 ? FLT_ABSENT : std::int64_t{row % 13} * 1000);
      }
    }
  }
  for (const auto& [name, values] : planes_) plane_names_.push_back(name);
}

std::int32_t TestTable::find_column(std::string_view name) const {
  const auto known = std::find(std::begin(kNames), std::end(kNames), name);
  if (bare_ && name != "name") return -1;
  if (known != std::end(kNames)) return static_cast<std::int32_t>(known - std::begin(kNames));
  const auto plane = std::find(plane_names_.begin(), plane_names_.end(), name);
  if (plane == plane_names_.end()) return -1;
  return kFirstPlane + static_cast<std::int32_t>(plane - plane_names_.begin());
}

bool TestTable::column(std::int32_t number, flt_column_t& out) const {
  if (out.struct_size < sizeof out) return false;
  out = flt_column_t{};
  out.struct_size = sizeof out;
  switch (number) {
    case 0:
      return show(out, FLT_COLUMN_SYM, names_);
    case 1:
      return show(out, FLT_COLUMN_SYM, providers_);
    case 2:
      return show(out, FLT_COLUMN_SYM, regions_);
    case 3:
      return show(out, FLT_COLUMN_SYM, zones_, zone_offsets_.data());
    case 4:
      return show(out, FLT_COLUMN_U32, flags_);
    case 5:
      return show(out, FLT_COLUMN_LABEL, labels_, label_offsets_.data());
    case 6:
      return show(out, FLT_COLUMN_U32, taints_, taint_offsets_.data());
    case 7:
      return show(out, FLT_COLUMN_TAINT, taint_dictionary_);
    case 8:
      show(out, FLT_COLUMN_BITS, api_bits_);
      out.n = apis_.size();
      return true;
    case 9:
      return show(out, FLT_COLUMN_LABEL, apis_);
    case 10:
      return show(out, FLT_COLUMN_SYM, resources_);
    default:
      break;
  }
  const auto plane = static_cast<std::size_t>(number - kFirstPlane);
  if (number < kFirstPlane || plane >= plane_names_.size()) return false;
  return show(out, FLT_COLUMN_I64, planes_.find(plane_names_[plane])->second);
}

std::string_view TestTable::text(std::uint32_t sym) const {
  return sym < texts_.size() ? std::string_view(texts_[sym]) : std::string_view();
}

std::uint32_t TestTable::find_sym(std::string_view text) const {
  if (text.empty()) return FLT_SYM_EMPTY;
  const auto found = syms_.find(text);
  return found == syms_.end() ? FLT_SYM_UNKNOWN : found->second;
}

std::uint32_t TestTable::find_row(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), find_sym(name));
  return found == names_.end() ? FLT_NO_ROW : static_cast<std::uint32_t>(found - names_.begin());
}

std::uint16_t TestTable::reason(std::string_view text) const {
  return reasons_.try_emplace(std::string(text), static_cast<std::uint16_t>(reasons_.size() + 1))
      .first->second;
}

TestWorkload::TestWorkload(const TestTable& table, unsigned variant) {
  raw_.struct_size = sizeof raw_;
  raw_.flags = FLT_WORKLOAD_DIVISIBLE | FLT_WORKLOAD_REQUIREMENTS;
  raw_.api_version = {"apps/v1", 7};
  raw_.kind = {"Deployment", 10};
  raw_.ns = {"default", 7};
  raw_.name = {"web", 3};
  raw_.uid = {"1f0c", 4};
  raw_.replicas = static_cast<std::int32_t>(1 + variant * 3);
  raw_.strategy = variant % 4;  // FLT_DIVIDE_*
  requests_ = {variant % 3 == 0 ? 0 : 100, 10, 0};
  raw_.requests = requests_.data();
  raw_.n_requests = requests_.size();
  targets_.assign(table.words(), 0);
  evicting_.assign(table.words(), 0);
  group_.assign(table.words(), 0x5555555555555555u);
  matched_.assign(table.words(), 0);
  for (std::uint32_t row = 0; row < table.rows(); ++row) {
    matched_[row / 64] |= std::uint64_t{row % 5 != 4} << (row % 64);
    weights_.push_back(row % 4);
    if (variant % 2 == 1 && row % 6 == 0 && previous_.size() < 4) {
      previous_.push_back({row, static_cast<std::int32_t>(1 + row % 3)});
      targets_[row / 64] |= std::uint64_t{1} << (row % 64);
    }
  }
  if (table.rows() > 2) evicting_[0] |= 4;
  raw_.previous = previous_.data();
  raw_.n_previous = previous_.size();
  raw_.targets = targets_.data();
  raw_.evicting = evicting_.data();
  affinity_ = {matched_.data()};
  raw_.affinity = affinity_.data();
  raw_.n_affinity = affinity_.size();
  tolerations_ = {{table.find_sym("dedicated"), table.find_sym("db"), FLT_TOLERATE_EQUAL, FLT_EFFECT_NONE}};
  raw_.tolerations = tolerations_.data();
  raw_.n_tolerations = variant % 3 == 1 ? 1 : 0;
  if (variant >= 4 && variant % 4 != FLT_DIVIDE_STATIC_WEIGHT) {
    raw_.flags |= FLT_WORKLOAD_SPREAD;
    spread_.push_back({FLT_SPREAD_CLUSTER, 0, 1, 5});
    if (variant >= 8) spread_.push_back({FLT_SPREAD_REGION, 0, 1, 3});
  }
  raw_.spread = spread_.data();
  raw_.n_spread = spread_.size();
  if (raw_.strategy == FLT_DIVIDE_STATIC_WEIGHT) raw_.weights = weights_.data();
  if (variant % 5 == 2) raw_.affinity_group = raw_.anti_affinity_group = group_.data();
}

}  // namespace flotilla::conformance
