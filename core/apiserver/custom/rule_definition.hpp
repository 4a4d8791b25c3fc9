// SPDX-License-Identifier: Apache-2.0
// One entry of x-kubernetes-validations.
#pragma once

#include <optional>
#include <string>

#include "core/api/validation/field_view.hpp"
#include "core/cel/cel.hpp"

namespace flotilla::apiserver {

struct CompiledRule {
  cel::ProgramPtr program, message_program;  // the second may be null
  std::string text, message;                 // without the space around them
  std::string reason, field_path;
  bool optional_old_self = false;
};

// Nothing where the rule does not compile. `self` may be null: then there is no
// type to speak of.
std::optional<CompiledRule> compile_rule(const api::Json& rule, const cel::TypePtr& self);

// Says of each rule of an openAPIV3Schema what is wrong with it: it does not
// compile, costs too much, looks back where nothing can be found again.
void check_rule_definitions(const api::FieldView& schema);

}  // namespace flotilla::apiserver
