// SPDX-License-Identifier: Apache-2.0
// An expression and, behind a line "---", the document that it looks at.
#include "core/cel/cel.hpp"
#include "tests/fuzz/input.hpp"

namespace {

using namespace flotilla;

const cel::Environment& environment() {
  static const cel::Environment made{
      {{"self", cel::Type::dyn()},
       {"typed", cel::Type::object("object", {{"a", "a", cel::Type::integer()},
                                              {"l", "l", cel::Type::list(cel::Type::string())}})},
       {"authorizer", cel::Type::authorizer()}}};
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = fuzz::text_of(data, size);
  const std::string_view expression = fuzz::take_part(rest);
  const auto program = cel::compile(expression, environment());
  if (!program) {
    fuzz::require(program.error().message().starts_with("ERROR: <input>:"), "every fault says where");
    return 0;
  }
  auto document = api::Json::parse(rest);
  if (!document) document = api::Json();
  const api::Json fields = api::Json::object({{"a", 1}, {"l", api::Json::array({"x", "y"})}});
  const cel::Binding bindings[] = {
      {"self", cel::Value::view(*document)},
      {"typed", cel::Value::view(fields, *environment().variables[1].type)},
  };
  const auto run = [&](std::uint64_t limit) {
    cel::Budget budget(limit, limit);
    auto value = (*program)->evaluate(bindings, budget);
    std::string text = value ? std::string(value->type_name()) : value.error().message();
    if (value)
      if (const auto json = value->to_json()) text += json->dump();
    return std::pair(text, budget.spent());
  };
  const auto [text, cost] = run(50'000);
  fuzz::require(run(50'000) == std::pair(text, cost), "the same expression yields the same");
  if (cost > 0 && cost <= 50'000)
    fuzz::require(run(cost).first == text, "what an evaluation cost is enough for it");
  return 0;
}
