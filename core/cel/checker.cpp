// SPDX-License-Identifier: Apache-2.0
#include "core/cel/checker.hpp"

#include <algorithm>
#include <utility>

#include "core/cel/functions.hpp"
#include "core/cel/time.hpp"
#include "core/cel/unify.hpp"

namespace flotilla::cel {
namespace {

struct Local {
  std::string name;
  TypePtr type;
};

// "a.b.c" of idents and selections alone.
std::optional<std::string> qualified_name(const Node& node) {
  if (node.kind == NodeKind::Ident) return node.name;
  if (node.kind != NodeKind::Select || node.tests) return std::nullopt;
  auto operand = qualified_name(*node.arguments[0]);
  if (operand) *operand += "." + node.name;
  return operand;
}

std::string applied_text(const std::vector<TypePtr>& types, bool member) {
  std::string out;
  for (std::size_t i = member ? 1 : 0; i < types.size(); ++i)
    out += (out.empty() ? "" : ", ") + types[i]->text();
  return (member ? types[0]->text() + "." : "") + "(" + out + ")";
}

class Checker {
 public:
  Checker(const Environment& environment, std::vector<bool>& used, Faults& faults)
      : environment_(environment), used_(used), faults_(faults) {
    used_.assign(environment.variables.size(), false);
  }

  TypePtr run(Node& root) {
    check(root);
    finish(root);
    return root.type;
  }

 private:
  void fault(const Node& node, std::string message) { faults_.add(node.position, std::move(message)); }
  TypePtr known(const Node& node) const { return unifier_.resolve(node.type); }
  std::string text(const TypePtr& type) const { return unifier_.resolve(type, true)->text(); }

  void check(Node& node) { node.type = type_of(node); }

  TypePtr type_of(Node& node) {
    switch (node.kind) {
      case NodeKind::Literal:
        return literal_type(node.literal);
      case NodeKind::Ident:
        return ident_type(node);
      case NodeKind::Select:
        return select_type(node);
      case NodeKind::List:
        return list_type(node);
      case NodeKind::Map:
        return map_type(node);
      case NodeKind::Comprehension:
        return comprehension_type(node);
      case NodeKind::Struct:
        return undeclared(node, node.name);
      case NodeKind::Call:
        return call_type(node);
    }
    return Type::dyn();
  }

  static TypePtr literal_type(const Value& value) {
    switch (value.kind()) {
      case Value::Kind::Null:
        return Type::null();
      case Value::Kind::Bool:
        return Type::boolean();
      case Value::Kind::Int:
        return Type::integer();
      case Value::Kind::Uint:
        return Type::unsigned_integer();
      case Value::Kind::Double:
        return Type::number();
      case Value::Kind::Bytes:
        return Type::bytes();
      default:
        return Type::string();
    }
  }

  TypePtr undeclared(const Node& node, std::string_view name) {
    fault(node, "undeclared reference to '" + std::string(name) + "' (in container '')");
    return Type::dyn();
  }

  // A variable of the environment or a type; null when the name is neither.
  TypePtr global_type(Node& node, std::string_view name) {
    for (std::size_t i = 0; i < environment_.variables.size(); ++i) {
      if (environment_.variables[i].name != name) continue;
      used_[i] = true;
      node.variable = static_cast<int>(i);
      node.kind = NodeKind::Ident;
      return environment_.variables[i].type;
    }
    TypePtr type = find_type(name);
    if (!type) return nullptr;
    node.kind = NodeKind::Literal;
    node.literal = Value::type(type);
    node.arguments.clear();
    return Type::type_of(type);
  }

  TypePtr ident_type(Node& node) {
    for (std::size_t i = locals_.size(); i-- > 0;) {
      if (locals_[i].name != node.name) continue;
      node.local = static_cast<int>(i);
      return locals_[i].type;
    }
    TypePtr type = global_type(node, node.name);
    return type ? type : undeclared(node, node.name);
  }

  bool starts_local(const Node& node) const {
    const Node* first = &node;
    while (first->kind == NodeKind::Select) first = first->arguments[0].get();
    return std::any_of(locals_.begin(), locals_.end(),
                       [&](const Local& local) { return local.name == first->name; });
  }

  TypePtr select_type(Node& node) {
    if (!node.tests) {
      const auto name = qualified_name(node);
      if (name && !starts_local(node))
        if (TypePtr type = global_type(node, *name)) return type;
    }
    check(*node.arguments[0]);
    TypePtr type = field_type(node, known(*node.arguments[0]), node.name);
    return node.tests ? Type::boolean() : type;
  }

  TypePtr field_type(const Node& node, const TypePtr& operand, const std::string& name) {
    switch (operand->kind()) {
      case TypeKind::Dyn:
        return Type::dyn();
      case TypeKind::Param:
        (void)unifier_.assign(Type::dyn(), operand);
        return Type::dyn();
      case TypeKind::Map:
        return operand->element();
      case TypeKind::Optional:
        return optional_of(field_type(node, unifier_.resolve(operand->element()), name));
      case TypeKind::Object:
        if (const ObjectField* field = operand->field(name)) return field->type;
        fault(node, "undefined field '" + name + "'");
        return Type::dyn();
      default:
        fault(node, "type '" + text(operand) + "' does not support field selection");
        return Type::dyn();
    }
  }

  static TypePtr optional_of(TypePtr type) {
    return type->is(TypeKind::Optional) ? type : Type::optional(std::move(type));
  }

  // What all elements of a literal have in common.
  void join(TypePtr& common, const Node& element, bool optional) {
    TypePtr type = known(element);
    if (optional && type->is(TypeKind::Optional)) {
      type = unifier_.resolve(type->element());
    } else if (optional && !type->is(TypeKind::Dyn)) {
      fault(element, "expected type 'optional_type(" + text(type) + ")' but found '" + text(type) + "'");
    }
    if (!common) {
      common = type;
    } else if (unifier_.assign(type, common)) {
      common = Unifier::more_general(unifier_.resolve(common), unifier_.resolve(type));
    } else {
      fault(element, "expected type '" + text(common) + "' but found '" + text(type) + "'");
    }
  }

  TypePtr list_type(Node& node) {
    TypePtr element;
    const bool mixes = std::exchange(mixes_, false);
    for (std::size_t i = 0; i < node.arguments.size(); ++i) {
      check(*node.arguments[i]);
      if (!mixes) join(element, *node.arguments[i], node.optional[i]);
    }
    if (mixes) element = Type::dyn();
    return Type::list(element ? element : unifier_.fresh());
  }

  TypePtr map_type(Node& node) {
    TypePtr key, value;
    for (std::size_t i = 0; i + 1 < node.arguments.size(); i += 2) {
      check(*node.arguments[i]);
      join(key, *node.arguments[i], false);
      check(*node.arguments[i + 1]);
      join(value, *node.arguments[i + 1], node.optional[i / 2]);
    }
    return Type::map(key ? key : unifier_.fresh(), value ? value : unifier_.fresh());
  }

  TypePtr range_element(Node& range) {
    const TypePtr type = known(range);
    switch (type->kind()) {
      case TypeKind::List:
        return type->element();
      case TypeKind::Map:
        return type->key();
      case TypeKind::Dyn:
        return Type::dyn();
      case TypeKind::Param:
        (void)unifier_.assign(Type::dyn(), type);
        return Type::dyn();
      default:
        fault(range, "expression of type '" + text(type) +
                         "' cannot be range of a comprehension (must be list, map, or dynamic)");
        return Type::dyn();
    }
  }

  TypePtr comprehension_type(Node& node) {
    check(*node.arguments[0]);
    const bool optional = node.macro == Macro::OptionalMap || node.macro == Macro::OptionalFlatMap;
    const TypePtr element = optional ? optional_content(node) : range_element(*node.arguments[0]);
    node.local = static_cast<int>(locals_.size());
    locals_.push_back({node.name, element});
    for (std::size_t i = 1; i < node.arguments.size(); ++i) check(*node.arguments[i]);
    locals_.pop_back();
    return macro_type(node, element);
  }

  TypePtr optional_content(const Node& node) {
    const TypePtr type = known(*node.arguments[0]);
    if (type->is(TypeKind::Optional)) return type->element();
    if (!type->is(TypeKind::Dyn)) no_overload(node, "hasValue", {type}, true);
    return Type::dyn();
  }

  // The body must be a bool; the complaint is about the operator that the macro stands for.
  void demand_bool(const Node& node, const Node& body, std::string_view function, std::vector<TypePtr> types,
                   std::size_t at) {
    if (unifier_.assign(known(body), Type::boolean())) return;
    types[at] = known(body);
    no_overload(node, function, types, false);
  }

  TypePtr macro_type(const Node& node, const TypePtr& element) {
    const Node& body = *node.arguments[1];
    const TypePtr flag = Type::boolean(), number = Type::integer();
    switch (node.macro) {
      case Macro::All:
        demand_bool(node, body, "_&&_", {flag, flag}, 1);
        return flag;
      case Macro::Exists:
        demand_bool(node, body, "_||_", {flag, flag}, 1);
        return flag;
      case Macro::ExistsOne:
        demand_bool(node, body, "_?_:_", {flag, number, number}, 0);
        return flag;
      case Macro::Filter: {
        const TypePtr list = Type::list(element);
        demand_bool(node, body, "_?_:_", {flag, list, list}, 0);
        return list;
      }
      case Macro::Map:
        return Type::list(known(body));
      case Macro::MapIf: {
        const TypePtr list = Type::list(known(*node.arguments[2]));
        demand_bool(node, body, "_?_:_", {flag, list, list}, 0);
        return list;
      }
      case Macro::OptionalMap:
        return Type::optional(known(body));
      case Macro::OptionalFlatMap:
        if (!known(body)->is(TypeKind::Optional) && !known(body)->is(TypeKind::Dyn))
          no_overload(node, "_?_:_", {flag, known(body), Type::optional(known(body))}, false);
        return known(body);
    }
    return Type::dyn();
  }

  TypePtr call_type(Node& node) {
    if (node.op == Op::And || node.op == Op::Or) return logic_type(node);
    if (node.op == Op::OptionalSelect) {
      check(*node.arguments[0]);
      return optional_of(field_type(node, known(*node.arguments[0]), node.name));
    }
    if (node.member) {
      if (const auto prefix = qualified_name(*node.arguments[0])) {
        const std::string name = *prefix + "." + node.name;
        if (find_function(name) != nullptr) {
          node.name = name;
          node.member = false;
          node.arguments.erase(node.arguments.begin());
        }
      }
    }
    for (std::size_t i = 0; i < node.arguments.size(); ++i) {
      // "%s %d".format(["x", 1]): the one literal that may mix.
      mixes_ = i == 1 && node.member && node.name == "format" && node.arguments[i]->kind == NodeKind::List;
      check(*node.arguments[i]);
    }
    const std::string name(node.op == Op::Function ? std::string_view(node.name) : operator_name(node.op));
    const auto* overloads = find_function(name);
    if (overloads == nullptr) return undeclared(node, name);
    TypePtr type = resolve_call(node, name, *overloads);
    check_literals(node);
    return type;
  }

  // a && b && c is judged pair by pair.
  TypePtr logic_type(Node& node) {
    for (std::size_t i = 0; i < node.arguments.size(); ++i) {
      Node& term = *node.arguments[i];
      check(term);
      if (unifier_.assign(known(term), Type::boolean())) continue;
      Node at;
      at.position = node.positions[i == 0 ? 0 : i - 1];
      std::vector<TypePtr> types = {Type::boolean(), known(term)};
      if (i == 0) {
        check(*node.arguments[1]);
        types = {known(term), known(*node.arguments[1])};
      }
      no_overload(at, operator_name(node.op), types, false);
      for (std::size_t k = i + 1; k < node.arguments.size(); ++k)
        if (!node.arguments[k]->type) check(*node.arguments[k]);
      return Type::boolean();
    }
    return Type::boolean();
  }

  TypePtr resolve_call(Node& node, const std::string& name, const std::vector<Overload>& overloads) {
    std::vector<TypePtr> types;
    for (const NodePtr& argument : node.arguments) types.push_back(argument->type);
    TypePtr result;
    for (const Overload& overload : overloads) {
      if (overload.member != node.member || overload.parameters.size() != types.size()) continue;
      std::map<std::string, TypePtr> letters;
      std::vector<TypePtr> wanted;
      for (const TypePtr& parameter : overload.parameters)
        wanted.push_back(unifier_.instantiate(parameter, letters));
      if (!unifier_.assign(types, wanted)) continue;
      node.overloads.push_back(&overload);
      const TypePtr own = unifier_.resolve(unifier_.instantiate(overload.result, letters));
      if (!result) {
        result = own;
      } else if (!result->is(TypeKind::Dyn) && !same_type(*result, *own)) {
        result = Type::dyn();
      }
    }
    if (result) return result;
    for (TypePtr& type : types) type = unifier_.resolve(type);
    no_overload(node, name, types, node.member);
    return Type::dyn();
  }

  void no_overload(const Node& node, std::string_view name, std::vector<TypePtr> types, bool member) {
    for (TypePtr& type : types) type = unifier_.resolve(type, true);
    fault(node, "found no matching overload for '" + std::string(name) + "' applied to '" +
                    applied_text(types, member) + "'");
  }

  // Literals whose text can only fail are refused; patterns are compiled once.
  void check_literals(Node& node) {
    if (node.op != Op::Function || node.arguments.empty()) return;
    const auto literal = [&](std::size_t index) -> const Node* {
      if (index >= node.arguments.size()) return nullptr;
      const Node& argument = *node.arguments[index];
      return argument.kind == NodeKind::Literal && argument.literal.is(Value::Kind::String) ? &argument
                                                                                            : nullptr;
    };
    const auto refuse = [&](const Node& argument) { fault(argument, "invalid " + node.name + " argument"); };
    const Node* first = literal(0);
    if (node.name == "duration" && first && !parse_nanos(first->literal.as_string())) refuse(*first);
    if (node.name == "timestamp" && first && !parse_timestamp(first->literal.as_string())) refuse(*first);
    if (node.name != "matches" && node.name != "find" && node.name != "findAll") return;
    if (const Node* pattern = literal(1)) {
      auto regex = Regex::compile(pattern->literal.as_string());
      if (regex) {
        node.regex = *std::move(regex);
      } else if (node.name == "matches") {
        refuse(*pattern);
      } else {
        fault(*pattern, regex.error().message());
      }
    }
  }

  void finish(Node& node) {
    if (node.type) node.type = unifier_.resolve(node.type, true);
    for (const NodePtr& argument : node.arguments) finish(*argument);
  }

  const Environment& environment_;
  std::vector<bool>& used_;
  Faults& faults_;
  Unifier unifier_;
  std::vector<Local> locals_;
  bool mixes_ = false;  // the next list literal may
};

}  // namespace

TypePtr check_expression(Node& root, const Environment& environment, std::vector<bool>& used,
                         Faults& faults) {
  return Checker(environment, used, faults).run(root);
}

}  // namespace flotilla::cel
