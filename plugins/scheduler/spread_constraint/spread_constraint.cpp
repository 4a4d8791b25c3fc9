// SPDX-License-Identifier: Apache-2.0
// Whoever is spread by provider, region, zone or label must have one.
#include <flotilla/sdk/scheduler.hpp>

namespace {

namespace sdk = flotilla::sdk;

class SpreadConstraint {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {
      .name = "spread_constraint", .summary = "Clusters that have what the workload is spread by"};
  static constexpr bool kBounded = true;
  static constexpr bool kFiltersByPlacement = true;

  void bind(sdk::Binder binder) {
    provider_ = binder.require("provider");
    region_ = binder.require("region");
    flags_ = binder.require("flags");
    no_provider_ = binder.reason("cluster(s) did not have provider property");
    no_region_ = binder.reason("cluster(s) did not have region property");
    no_zones_ = binder.reason("cluster(s) did not have zones property");
    labels_ = binder.require("labels");
    no_label_ = binder.reason("cluster(s) did not have the label to spread by");
  }

  void filter(sdk::Workload workload, sdk::Table table, sdk::Fits fits) const {
    for (const flt_spread_t& constraint : sdk::spread(workload)) {
      if (constraint.field == FLT_SPREAD_PROVIDER) {
        refuse_empty(table.column<std::uint32_t>(provider_), fits, no_provider_);
      } else if (constraint.field == FLT_SPREAD_REGION) {
        refuse_empty(table.column<std::uint32_t>(region_), fits, no_region_);
      } else if (constraint.field == FLT_SPREAD_ZONE) {
        const auto flags = table.column<std::uint32_t>(flags_);
        fits.refuse_if([&](std::uint32_t row) { return (flags[row] & FLT_CLUSTER_ZONES) == 0; }, no_zones_);
      } else if (constraint.field == FLT_SPREAD_LABEL && (workload.flags & FLT_WORKLOAD_SPREAD_BY_ANY) != 0) {
        const auto labels = table.list<flt_label_t>(labels_);
        fits.refuse_if(
            [&](std::uint32_t row) {
              return sdk::label_value(labels, row, constraint.label) == FLT_SYM_EMPTY;
            },
            no_label_);
      }
    }
  }

 private:
  static void refuse_empty(std::span<const std::uint32_t> syms, const sdk::Fits& fits, std::uint16_t reason) {
    fits.refuse_if([&](std::uint32_t row) { return syms[row] == FLT_SYM_EMPTY; }, reason);
  }

  std::int32_t provider_ = -1;
  std::int32_t region_ = -1;
  std::int32_t flags_ = -1;
  std::int32_t labels_ = -1;
  std::uint16_t no_provider_ = 0;
  std::uint16_t no_region_ = 0;
  std::uint16_t no_zones_ = 0;
  std::uint16_t no_label_ = 0;
};

}  // namespace

FLT_PLUGIN((flotilla::sdk::PluginInfo{.id = "io.flotilla.scheduler.spread_constraint",
                                      .version = "0.1.0",
                                      .name = "Spread constraint"}),
           &flotilla::sdk::scheduler_component<SpreadConstraint>)
