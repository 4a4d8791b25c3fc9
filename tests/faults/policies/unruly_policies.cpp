// SPDX-License-Identifier: Apache-2.0
// One policy per misdeed. Each looks at workloads that are called as it is and lets all others pass, so that
// these have to be scheduled as if it were not there.
#include <flotilla/sdk/scheduler.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <thread>

namespace {

namespace sdk = flotilla::sdk;

enum class Misdeed {
  StrangeReason,
  BringsBack,
  Nothing,
  Late,
  Throws,
  Hangs,
  Slow,  // no misdeed yet
  ScoresTooMuch,
  DividesBadly
};

constexpr const char* name_of(Misdeed misdeed) {
  switch (misdeed) {
    case Misdeed::StrangeReason:
      return "strange-reason";
    case Misdeed::BringsBack:
      return "brings-back";
    case Misdeed::Nothing:
      return "says-nothing";
    case Misdeed::Late:
      return "too-late";
    case Misdeed::Throws:
      return "throws";
    case Misdeed::Hangs:
      return "hangs";
    case Misdeed::Slow:
      return "slow";
    case Misdeed::ScoresTooMuch:
      return "scores-too-much";
    case Misdeed::DividesBadly:
      return "divides-badly";
  }
  return "";
}

bool is_for(const flt_workload_t* workload, Misdeed misdeed) {
  return sdk::view(workload->name) == name_of(misdeed);
}

void wait_a_moment() {
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

template <Misdeed misdeed>
flt_status_t filter(void*, const flt_cycle_t* cycle, const flt_workload_t* workload, flt_rows_t rows,
                    std::uint64_t* fits, std::uint16_t* reasons, flt_error_t*) {
  if (!is_for(workload, misdeed)) return FLT_OK;
  const std::uint64_t words = (rows.last + 63) / 64;
  switch (misdeed) {
    case Misdeed::StrangeReason:
      fits[0] &= ~std::uint64_t{1};
      reasons[0] = 4711;
      break;
    case Misdeed::BringsBack:
      fits[words - 1] |= std::uint64_t{1} << 63;
      break;
    case Misdeed::Nothing:
      for (std::uint64_t word = 0; word < words; ++word) fits[word] = 0;
      break;
    case Misdeed::Late:
      while (*static_cast<const volatile std::int32_t*>(cycle->cancelled) == 0) wait_a_moment();
      break;
    case Misdeed::Throws:
      throw std::runtime_error("out of order");
    case Misdeed::Slow:
      std::this_thread::sleep_for(std::chrono::milliseconds(1200));
      break;
    default:
      for (;;) wait_a_moment();
  }
  return FLT_OK;
}

flt_status_t score(void*, const flt_cycle_t* cycle, const flt_workload_t* workload, flt_rows_t,
                   const std::uint64_t*, std::int32_t* scores, flt_error_t*) {
  if (!is_for(workload, Misdeed::ScoresTooMuch)) return FLT_OK;
  for (std::uint64_t row = 0; row < cycle->table->n_rows; ++row) scores[row] = 1'000'000;
  return FLT_OK;
}

flt_status_t pass_others(void*, const flt_cycle_t*, const flt_workload_t* workload, std::uint64_t*,
                         std::uint32_t* skip, flt_error_t*) {
  if (!is_for(workload, Misdeed::DividesBadly)) *skip = FLT_SKIP_ASSIGN | FLT_ANY_ORDER;
  return FLT_OK;
}

// Twice what was asked for.
flt_status_t divide(void*, const flt_cycle_t*, const flt_workload_t* workload, const flt_candidate_t* chosen,
                    std::uint64_t n, flt_target_t* targets, std::uint64_t* n_targets, flt_error_t*) {
  for (std::uint64_t i = 0; i < n; ++i) targets[i] = {chosen[i].row, workload->replicas};
  *n_targets = n;
  return FLT_OK;
}

flt_status_t create(const flt_host_t*, const flt_create_args_t*, void** self, flt_error_t*) {
  static int nobody;
  *self = &nobody;
  return FLT_OK;
}
void destroy(void*) {}

constexpr flt_scheduler_ops_t ops_of(Misdeed misdeed) {
  flt_scheduler_ops_t ops{};
  ops.struct_size = sizeof ops;
  switch (misdeed) {
    case Misdeed::ScoresTooMuch:
      ops.score = score;
      break;
    case Misdeed::DividesBadly:
      ops.prepare = pass_others;
      ops.assign = divide;
      break;
    case Misdeed::StrangeReason:
      ops.filter = filter<Misdeed::StrangeReason>;
      break;
    case Misdeed::BringsBack:
      ops.filter = filter<Misdeed::BringsBack>;
      break;
    case Misdeed::Nothing:
      ops.filter = filter<Misdeed::Nothing>;
      break;
    case Misdeed::Late:
      ops.filter = filter<Misdeed::Late>;
      break;
    case Misdeed::Throws:
      ops.filter = filter<Misdeed::Throws>;
      break;
    case Misdeed::Hangs:
      ops.filter = filter<Misdeed::Hangs>;
      break;
    case Misdeed::Slow:
      ops.filter = filter<Misdeed::Slow>;
      break;
  }
  return ops;
}

template <Misdeed misdeed>
constexpr flt_scheduler_ops_t kOps = ops_of(misdeed);
template <Misdeed misdeed>
constexpr flt_component_t kComponent = {sizeof(flt_component_t),
                                        FLT_EXEC_COMPUTE,
                                        0,
                                        FLT_KIND_SCHEDULER,
                                        name_of(misdeed),
                                        "Does what no policy should",
                                        nullptr,
                                        &kOps<misdeed>,
                                        create,
                                        destroy,
                                        nullptr,
                                        nullptr,
                                        nullptr,
                                        nullptr,
                                        nullptr};

// Refuses "told" until it has heard that "innocent" is scheduled.
class Hears {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {.name = "hears",
                                               .summary = "Is told what became of decisions"};

  void bind(sdk::Binder binder) { reason_ = binder.reason("cluster(s) wait for word of the innocent"); }
  void filter(sdk::Workload workload, sdk::Table, sdk::Fits fits) const {
    if (sdk::view(workload.name) == "told" && !heard_)
      fits.refuse_if([](std::uint32_t) { return true; }, reason_);
  }
  void observe(sdk::Workload workload, sdk::Table, std::uint32_t outcome,
               std::span<const flt_target_t> targets) {
    if (sdk::view(workload.name) == "innocent" && outcome == FLT_OUTCOME_SCHEDULED && targets.size() == 2)
      heard_ = true;
  }

 private:
  std::uint16_t reason_ = 0;
  std::atomic<bool> heard_{false};
};

}  // namespace

FLT_PLUGIN((flotilla::sdk::PluginInfo{
               .id = "org.example.unruly", .version = "1.0.0", .name = "Unruly policies"}),
           &kComponent<Misdeed::StrangeReason>, &kComponent<Misdeed::BringsBack>,
           &kComponent<Misdeed::Nothing>, &kComponent<Misdeed::Late>, &kComponent<Misdeed::Throws>,
           &kComponent<Misdeed::Hangs>, &kComponent<Misdeed::ScoresTooMuch>, &kComponent<Misdeed::Slow>,
           &kComponent<Misdeed::DividesBadly>, &flotilla::sdk::scheduler_component<Hears>)
