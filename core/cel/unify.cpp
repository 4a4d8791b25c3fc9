// SPDX-License-Identifier: Apache-2.0
#include "core/cel/unify.hpp"

#include <algorithm>

namespace flotilla::cel {
namespace {

bool is_nullable(const Type& type) {
  switch (type.kind()) {
    case TypeKind::Null:
    case TypeKind::Object:
    case TypeKind::Opaque:
    case TypeKind::Optional:
    case TypeKind::Timestamp:
    case TypeKind::Duration:
      return true;
    default:
      return false;
  }
}

bool is_dyn(const TypePtr& type) {
  return type->is(TypeKind::Dyn);
}

bool is_param(const TypePtr& type) {
  return type->is(TypeKind::Param);
}

// Of a parameter that fresh() made.
std::size_t index_of(const Type& parameter) {
  std::size_t index = 0;
  for (const char c : std::string_view(parameter.name()).substr(1))
    index = index * 10 + static_cast<std::size_t>(c - '0');
  return index;
}

// Rebuilds a type around its changed parts; the same pointer when none changed.
template <typename Change>
TypePtr with_parts(const TypePtr& type, Change change) {
  const TypePtr element = type->element() ? change(type->element()) : nullptr;
  const TypePtr key = type->key() ? change(type->key()) : nullptr;
  if (element == type->element() && key == type->key()) return type;
  switch (type->kind()) {
    case TypeKind::List:
      return Type::list(element);
    case TypeKind::Map:
      return Type::map(key, element);
    case TypeKind::Optional:
      return Type::optional(element);
    default:
      return Type::type_of(element);
  }
}

}  // namespace

TypePtr Unifier::fresh() {
  known_.emplace_back();
  return Type::param("_" + std::to_string(known_.size() - 1));
}

TypePtr Unifier::instantiate(const TypePtr& type, std::map<std::string, TypePtr>& letters) {
  if (is_param(type)) {
    TypePtr& letter = letters[type->name()];
    if (!letter) letter = fresh();
    return letter;
  }
  return with_parts(type, [&](const TypePtr& part) { return instantiate(part, letters); });
}

bool Unifier::assign(std::span<const TypePtr> types, std::span<const TypePtr> wanted) {
  if (types.size() != wanted.size()) return false;
  changes_.clear();
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (fits(types[i], wanted[i])) continue;
    for (; !changes_.empty(); changes_.pop_back())
      known_[changes_.back().first] = std::move(changes_.back().second);
    return false;
  }
  return true;
}

void Unifier::learn(std::size_t parameter, TypePtr type) {
  changes_.emplace_back(parameter, std::move(known_[parameter]));
  known_[parameter] = std::move(type);
}

TypePtr Unifier::bound(const TypePtr& type) const {
  TypePtr here = type;
  while (is_param(here)) {
    const TypePtr& next = known_[index_of(*here)];
    if (!next) return here;
    here = next;
  }
  return here;
}

bool Unifier::mentions(const TypePtr& type, const TypePtr& parameter) const {
  const TypePtr here = bound(type);
  if (is_param(here)) return here->name() == parameter->name();
  return (here->element() && mentions(here->element(), parameter)) ||
         (here->key() && mentions(here->key(), parameter));
}

bool Unifier::bind(const TypePtr& parameter, const TypePtr& type, bool type_is_wanted) {
  const TypePtr other = bound(type);
  if (is_param(other) && other->name() == parameter->name()) return true;
  const std::size_t index = index_of(*parameter);
  const TypePtr old = known_[index];
  if (!old) {
    if (mentions(type, parameter)) return false;
    learn(index, type);
    return true;
  }
  if (!(type_is_wanted ? fits(old, type) : fits(type, old))) return false;
  const TypePtr general = more_general(resolve(type), resolve(old));
  if (!mentions(general, parameter)) learn(index, general);
  return true;
}

bool Unifier::fits(const TypePtr& type, const TypePtr& wanted) {
  if (type == wanted) return true;
  if (is_param(wanted)) return bind(wanted, type, false);
  if (is_param(type)) return bind(type, wanted, true);
  if (is_dyn(type) || is_dyn(wanted)) return true;
  if (type->is(TypeKind::Null)) return is_nullable(*wanted);
  if (wanted->is(TypeKind::Null)) return is_nullable(*type);
  if (type->kind() != wanted->kind()) return false;
  switch (type->kind()) {
    case TypeKind::List:
    case TypeKind::Optional:
      return fits(type->element(), wanted->element());
    case TypeKind::Map:
      return fits(type->key(), wanted->key()) && fits(type->element(), wanted->element());
    case TypeKind::TypeType:
      return true;
    case TypeKind::Object:
      return false;  // the same pointer or another type
    case TypeKind::Opaque:
      return type->name() == wanted->name();
    default:
      return true;
  }
}

TypePtr Unifier::resolve(const TypePtr& type, bool unknown_to_dyn) const {
  const TypePtr here = bound(type);
  if (is_param(here)) return unknown_to_dyn ? Type::dyn() : here;
  return with_parts(here, [&](const TypePtr& part) { return resolve(part, unknown_to_dyn); });
}

TypePtr Unifier::more_general(const TypePtr& a, const TypePtr& b) {
  if (is_dyn(a) || is_param(a)) return a;
  if (is_dyn(b) || is_param(b)) return b;
  if (a->is(TypeKind::Null)) return b;
  if (b->is(TypeKind::Null)) return a;
  if (a->kind() != b->kind() || !a->element() || !b->element()) return a;
  if (more_general(a->element(), b->element()) != a->element()) return b;
  if (a->key() && more_general(a->key(), b->key()) != a->key()) return b;
  return a;
}

bool same_type(const Type& a, const Type& b) {
  if (&a == &b) return true;
  if (a.kind() != b.kind() || a.is(TypeKind::Object)) return false;
  if (a.name() != b.name() || !a.key() != !b.key() || !a.element() != !b.element()) return false;
  return (!a.key() || same_type(*a.key(), *b.key())) &&
         (!a.element() || same_type(*a.element(), *b.element()));
}

}  // namespace flotilla::cel
