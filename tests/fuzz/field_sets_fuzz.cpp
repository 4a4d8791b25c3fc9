// SPDX-License-Identifier: Apache-2.0
// fieldsV1 as a client may send it: two of them, cut by a line "---".
#include "core/api/patch/field_set.hpp"
#include "core/api/patch/typed.hpp"
#include "tests/fuzz/input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flotilla;
  std::string_view rest = fuzz::text_of(data, size);
  const auto first = api::Json::parse(fuzz::take_part(rest));
  const auto second = api::Json::parse(rest);
  if (!first) return 0;
  api::FieldSet set = api::FieldSet::from_json(*first);
  fuzz::require(api::FieldSet::from_json(set.to_json()) == set, "a written set is read as it was");
  (void)set.paths();
  if (!second) return 0;
  const api::FieldSet other = api::FieldSet::from_json(*second);
  const api::FieldSet both = set.intersection(other);
  set.add(other);
  fuzz::require(set.intersection(both) == both, "what both have is in their union");
  set.remove(other);
  set.remove_with_descendants(both);
  (void)api::remove_items(api::Schema::any(), *second, set);
  return 0;
}
