// SPDX-License-Identifier: Apache-2.0
// x-kubernetes-validations, seen from here: who knows the language of the rules implements these two.
#pragma once

#include <memory>
#include <string_view>

#include "core/api/json.hpp"
#include "core/api/validation/field_view.hpp"

namespace flotilla::api {

// The rules of one version of a custom resource. Thread: any.
class ObjectRules {
 public:
  virtual ~ObjectRules() = default;
  // `live` is null on create. The object has passed its schema.
  virtual void check(const Json& object, const Json& live, FieldErrors& errors) const = 0;
};

class RuleLanguage {
 public:
  virtual ~RuleLanguage() = default;
  // Of an openAPIV3Schema; null where it has no rules. Bad rules are for check_definition() to refuse and
  // hold always here.
  virtual std::shared_ptr<const ObjectRules> compile(const Json& schema) const = 0;
  // Every rule of the schema compiles, gives a truth value and costs no more than it may.
  virtual void check_definition(const FieldView& schema) const = 0;
};

}  // namespace flotilla::api
