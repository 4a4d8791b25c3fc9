// SPDX-License-Identifier: Apache-2.0
// The schedulers of a daemon: each has a name, which bindings give in spec.schedulerName, and policies of its
// own choice, in its order, with its weights.
//
//   scheduler:
//     plugins: ["*"]                       # of the scheduler named controllers.scheduler_name
//     profiles:
//       packing:
//         plugins: ["TaintToleration", "*", "-ClusterLocality"]
//         weights: {my_score: 3}
//
// Plugins are listed as Karmada's --plugins: a name is one more, "-name" one less, "*" all others, in the
// order of their names. Names are those of components; Karmada's (TaintToleration) mean the same.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/controllers/options.hpp"

namespace flotilla::controllers {

struct SchedulerProfile {
  std::string name;
  std::vector<std::string> plugins = {"*"};
  std::map<std::string, std::int32_t> weights = {};  // of scores; 1 where nothing is said
};

// The first is that of options.scheduler_name. Errors: Invalid, names the key.
Result<std::vector<SchedulerProfile>> scheduler_profiles(const Options& options);

struct ChosenPlugin {
  std::string name;
  std::int32_t weight = 1;
  bool operator==(const ChosenPlugin&) const = default;
};

// What a profile takes of the components there are, in order. Errors: Invalid, it names one that is not
// there.
Result<std::vector<ChosenPlugin>> choose_plugins(const SchedulerProfile& profile,
                                                 std::span<const std::string> available);

}  // namespace flotilla::controllers
