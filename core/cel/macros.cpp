// SPDX-License-Identifier: Apache-2.0
#include "core/cel/macros.hpp"

#include <algorithm>
#include <array>

namespace flotilla::cel {
namespace {

struct Form {
  std::string_view name;
  std::size_t arguments;  // beside the receiver
  Macro macro;
  std::string_view complaint;  // about a variable that is no name
};
constexpr std::string_view kSimpleName = "argument must be a simple name";
constexpr std::string_view kNoIdentifier = "argument is not an identifier";
constexpr std::array<Form, 9> kForms = {
    {{"all", 2, Macro::All, kSimpleName},
     {"exists", 2, Macro::Exists, kSimpleName},
     {"exists_one", 2, Macro::ExistsOne, kSimpleName},
     {"existsOne", 2, Macro::ExistsOne, kSimpleName},
     {"map", 2, Macro::Map, kNoIdentifier},
     {"map", 3, Macro::MapIf, kNoIdentifier},
     {"filter", 2, Macro::Filter, kNoIdentifier},
     {"optMap", 2, Macro::OptionalMap, "optMap() variable name must be a simple identifier"},
     {"optFlatMap", 2, Macro::OptionalFlatMap, "optFlatMap() variable name must be a simple identifier"}}};

NodePtr fault(Faults& faults, std::uint32_t position, std::string_view message) {
  faults.add(position, std::string(message));
  return nullptr;
}

NodePtr expand_has(NodePtr call, Faults& faults) {
  NodePtr operand = std::move(call->arguments[0]);
  if (operand->kind != NodeKind::Select || operand->tests)
    return fault(faults, call->position, "invalid argument to has() macro");
  operand->tests = true;
  operand->position = call->position;
  return operand;
}

}  // namespace

NodePtr expand_macro(NodePtr call, Faults& faults) {
  if (!call->member) {
    return call->name == "has" && call->arguments.size() == 1 ? expand_has(std::move(call), faults)
                                                              : std::move(call);
  }
  const auto form = std::find_if(kForms.begin(), kForms.end(), [&](const Form& one) {
    return one.name == call->name && one.arguments + 1 == call->arguments.size();
  });
  if (form == kForms.end()) return call;
  const Node& variable = *call->arguments[1];
  if (variable.kind != NodeKind::Ident) return fault(faults, variable.position, form->complaint);
  call->kind = NodeKind::Comprehension;
  call->macro = form->macro;
  call->name = variable.name;
  call->arguments.erase(call->arguments.begin() + 1);
  return call;
}

}  // namespace flotilla::cel
