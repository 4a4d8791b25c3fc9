// SPDX-License-Identifier: Apache-2.0
// A new target must have no NoSchedule or NoExecute taint that the placement does not tolerate. Clusters that
// run the workload already are left to eviction.
#include <flotilla/sdk/scheduler.hpp>

#include <vector>

namespace {

namespace sdk = flotilla::sdk;

// A toleration without a key or an effect is for every key or effect.
bool tolerates(const flt_toleration_t& toleration, const flt_taint_t& taint) {
  if (toleration.effect != FLT_EFFECT_NONE && toleration.effect != taint.effect) return false;
  if (toleration.key != FLT_SYM_EMPTY && toleration.key != taint.key) return false;
  if (toleration.op == FLT_TOLERATE_EXISTS) return true;
  return toleration.op == FLT_TOLERATE_EQUAL && toleration.value == taint.value;
}

class TaintToleration {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {.name = "taint_toleration",
                                               .summary = "Clusters whose taints the placement tolerates"};
  static constexpr bool kBounded = true;
  static constexpr bool kFiltersByPlacement = true;

  void bind(sdk::Binder binder) {
    taints_ = binder.require("taints");
    dictionary_ = binder.require("dict.taints");
  }

  // Every taint that occurs has a reason of its own, ready before the first workload.
  void table_changed(sdk::Binder binder, sdk::Table table) {
    reasons_.clear();
    for (const flt_taint_t& taint : table.column<flt_taint_t>(dictionary_)) {
      bool repels = taint.effect == FLT_EFFECT_NO_SCHEDULE || taint.effect == FLT_EFFECT_NO_EXECUTE;
      reasons_.push_back(repels ? binder.reason(reason_of(table, taint)) : kHarmless);
    }
  }

  void filter(sdk::Workload workload, sdk::Table table, sdk::Fits fits) const {
    const auto taints = table.list<std::uint32_t>(taints_);
    if (!taints.any()) return;
    const auto dictionary = table.column<flt_taint_t>(dictionary_);
    fits.for_each([&](std::uint32_t row) {
      if (sdk::has_bit(workload.targets, row)) return;
      for (const std::uint32_t taint : taints[row]) {
        if (reasons_[taint] == kHarmless || tolerated(workload, dictionary[taint])) continue;
        fits.refuse(row, reasons_[taint]);
        return;
      }
    });
  }

 private:
  static constexpr std::uint16_t kHarmless = 0;

  static bool tolerated(sdk::Workload workload, const flt_taint_t& taint) {
    for (const flt_toleration_t& toleration : sdk::tolerations(workload)) {
      if (tolerates(toleration, taint)) return true;
    }
    return false;
  }

  // key:Effect, or key=value:Effect.
  static std::string reason_of(sdk::Table table, const flt_taint_t& taint) {
    std::string text = "cluster(s) had untolerated taint {";
    text += table.text(taint.key);
    if (taint.value != FLT_SYM_EMPTY) {
      text += '=';
      text += table.text(taint.value);
    }
    text += taint.effect == FLT_EFFECT_NO_EXECUTE ? ":NoExecute}" : ":NoSchedule}";
    return text;
  }

  std::int32_t taints_ = -1;
  std::int32_t dictionary_ = -1;
  std::vector<std::uint16_t> reasons_;
};

}  // namespace

FLT_PLUGIN((flotilla::sdk::PluginInfo{.id = "io.flotilla.scheduler.taint_toleration",
                                      .version = "0.1.0",
                                      .name = "Taint toleration"}),
           &flotilla::sdk::scheduler_component<TaintToleration>)
