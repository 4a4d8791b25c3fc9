// SPDX-License-Identifier: Apache-2.0
// Which type may stand where another is wanted, and what that says of type parameters. Internal to core/cel.
#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/cel/type.hpp"

namespace flotilla::cel {

class Unifier {
 public:
  // A parameter that nothing is known of.
  TypePtr fresh();
  // `type` with its letters replaced by parameters of this use: one map per use.
  TypePtr instantiate(const TypePtr& type, std::map<std::string, TypePtr>& letters);

  // Whether each type may stand where its counterpart is wanted. What is learned of parameters is kept when
  // all may.
  bool assign(std::span<const TypePtr> types, std::span<const TypePtr> wanted);
  bool assign(const TypePtr& type, const TypePtr& wanted) { return assign({&type, 1}, {&wanted, 1}); }
  // Parameters replaced by what is known of them; the unknown ones stay, or become Dyn.
  TypePtr resolve(const TypePtr& type, bool unknown_to_dyn = false) const;
  // Of two that may stand for each other, the one that says less.
  static TypePtr more_general(const TypePtr& a, const TypePtr& b);

 private:
  bool fits(const TypePtr& type, const TypePtr& wanted);
  bool bind(const TypePtr& parameter, const TypePtr& type, bool type_is_wanted);
  bool mentions(const TypePtr& type, const TypePtr& parameter) const;
  TypePtr bound(const TypePtr& type) const;
  void learn(std::size_t parameter, TypePtr type);

  // By the number in a parameter's name; null: unknown.
  std::vector<TypePtr> known_;
  // What to put back when an assignment fails halfway.
  std::vector<std::pair<std::size_t, TypePtr>> changes_;
};

// The same type, parameters included.
bool same_type(const Type& a, const Type& b);

}  // namespace flotilla::cel
