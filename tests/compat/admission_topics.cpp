// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "core/api/manifest.hpp"
#include "tests/compat/topic.hpp"

namespace flotilla::compat {

namespace {

using api::Json;

Json prune(const Json& input) {
  Json object = input["object"];
  api::prune_manifest(object, input["removeJobTTL"].as_bool() ? api::JobTtl::Remove : api::JobTtl::Keep);
  return Json::object({{"object", object}});
}

constexpr std::array kTopics = {
    Topic{"prune", prune},
};

}  // namespace

std::span<const Topic> admission_topics() {
  return kTopics;
}

}  // namespace flotilla::compat
