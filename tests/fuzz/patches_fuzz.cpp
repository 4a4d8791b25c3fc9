// SPDX-License-Identifier: Apache-2.0
// A document, a line "---", a patch: taken as each of the four kinds.
#include "core/api/patch/managed_fields.hpp"
#include "core/api/patch/patch.hpp"
#include "core/api/schema/registry.hpp"
#include "tests/fuzz/input.hpp"

namespace {

constexpr std::size_t kMostCopied = 3u << 20;

const flotilla::api::Schema& schema() {
  static const auto resource =
      flotilla::api::Registry::kubernetes().find_resource("apps", "v1", "deployments");
  return *resource->schema;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flotilla;
  std::string_view rest = fuzz::text_of(data, size);
  const auto live = api::Json::parse(fuzz::take_part(rest));
  if (!live || !live->is_object()) return 0;
  if (const auto patched = api::json_patch(*live, rest)) {
    // A byte that is read becomes six at most, "\u0000"; what is copied is bounded (json_patch.cpp).
    fuzz::require(patched->object.dump().size() <= 6 * size + kMostCopied, "a patch makes little of little");
  }
  (void)api::merge_patch(*live, rest);
  (void)api::strategic_merge_patch(*live, rest, schema());
  const auto config = api::Json::parse(rest);
  if (!config || !config->is_object()) return 0;
  api::FieldWriter writer;
  writer.manager = "fuzz";
  writer.api_version = "apps/v1";
  (void)api::apply(schema(), *live, *config, writer, false);
  const auto forced = api::apply(schema(), *live, *config, writer, true);
  if (forced) (void)api::apply(schema(), forced->object, *live, writer, true);
  (void)api::record_update(schema(), *live, *config, writer);
  return 0;
}
