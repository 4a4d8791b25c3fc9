// SPDX-License-Identifier: Apache-2.0
#include "tests/fakes/in_tree_overrides.hpp"

#include <flotilla/abi/entry.h>

#include "core/async/executor.hpp"
#include "core/base/assert.hpp"
#include "core/base/clock.hpp"
#include "core/plugin/override_adapter.hpp"

extern "C" {
extern const flt_plugin_v1_t flt_plugin_override_image;
extern const flt_plugin_v1_t flt_plugin_override_command;
extern const flt_plugin_v1_t flt_plugin_override_args;
extern const flt_plugin_v1_t flt_plugin_override_labels;
extern const flt_plugin_v1_t flt_plugin_override_annotations;
extern const flt_plugin_v1_t flt_plugin_override_plaintext;
extern const flt_plugin_v1_t flt_plugin_override_field;
}

namespace flotilla::fakes {
namespace {

struct Loaded {
  SystemClock clock;
  Executor executor{clock};
  plugin::HostEnvironment environment{executor, "flotilla test"};
  overrides::RuleRegistry registry;

  Loaded() {
    overrides::RuleRegistry::Kinds kinds;
    for (const flt_plugin_v1_t* object :
         {&flt_plugin_override_image, &flt_plugin_override_command, &flt_plugin_override_args,
          &flt_plugin_override_labels, &flt_plugin_override_annotations, &flt_plugin_override_plaintext,
          &flt_plugin_override_field}) {
      for (std::uint64_t i = 0; i < object->n_components; ++i) {
        auto instance = plugin::Instance::create(environment, *object->components[i], {});
        ASSERT(instance);
        auto kind = plugin::adapt_override(*instance);
        ASSERT(kind);
        kinds.push_back(*kind);
      }
    }
    auto made = overrides::RuleRegistry::make(std::move(kinds));
    ASSERT(made);
    registry = std::move(*made);
  }
};

}  // namespace

const overrides::RuleRegistry& in_tree_overrides() {
  static const Loaded loaded;
  return loaded.registry;
}

}  // namespace flotilla::fakes
