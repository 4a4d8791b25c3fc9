// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/cluster_table.hpp"

namespace flotilla::scheduler {

std::int64_t in_units_of(std::string_view resource, const api::Quantity& quantity) {
  return resource == "cpu" ? quantity.milli_value() : quantity.value();
}

Row ClusterTable::find(std::string_view name) const {
  Sym sym = symbols_->find(name);
  // A symbol may be younger than the identity columns and then names no row of theirs.
  return sym < identity_->row_of_name.size() ? identity_->row_of_name[sym] : kNoRow;
}

std::uint32_t ClusterTable::find_api(std::string_view group_version, std::string_view kind) const {
  Sym gv = symbols_->find(group_version);
  Sym k = symbols_->find(kind);
  if (gv == kUnknownSym || k == kUnknownSym) return kNoApi;
  auto found = apis_->index.find(std::uint64_t{gv} << 32 | k);
  return found == apis_->index.end() ? kNoApi : found->second;
}

std::span<const std::uint64_t> ClusterTable::rows_serving(std::uint32_t api) const {
  return std::span<const std::uint64_t>(apis_->bits).subspan(api * apis_->words, apis_->words);
}

std::uint32_t ClusterTable::find_resource(std::string_view name) const {
  for (std::uint32_t i = 0; i < resources_->names.size(); ++i) {
    if (symbols_->text(resources_->names[i]) == name) return i;
  }
  return kNoResource;
}

}  // namespace flotilla::scheduler
