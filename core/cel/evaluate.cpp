// SPDX-License-Identifier: Apache-2.0
// Walks the tree. Costs are those of cel-go's interpreter, step by step, so that the same rule stops at the
// same place: a name, a member and a plain call cost 1, a list 10, a map 30; a macro costs what the loop that
// cel-go makes of it would.
#include <algorithm>

#include "core/cel/arithmetic.hpp"
#include "core/cel/functions.hpp"
#include "core/cel/tree.hpp"

namespace flotilla::cel {
namespace {

using Kind = Value::Kind;

constexpr std::uint64_t kMostWork = 4'000'000;  // less than a second
constexpr std::uint64_t kListCost = 10;
constexpr std::uint64_t kMapCost = 30;

Error no_such_key(std::string_view key) {
  return evaluation_error("no such key: " + std::string(key));
}

std::string index_text(const Value& index) {
  switch (index.kind()) {
    case Kind::Int:
      return std::to_string(index.as_int());
    case Kind::Uint:
      return std::to_string(index.as_uint());
    case Kind::Double:
      return double_text(index.as_double());
    case Kind::Bool:
      return index.as_bool() ? "true" : "false";
    default:
      return std::string(index.as_string());
  }
}

bool has_text(const Value& value) {
  return value.is(Kind::String) || value.is(Kind::Bytes);
}

std::uint64_t cost_of_comparing(const Value& a, const Value& b) {
  // A character has four bytes at most: what is that much longer need not be counted.
  if (has_text(a) && has_text(b)) {
    const bool first = a.as_string().size() < b.as_string().size();
    const Value& less = first ? a : b;
    const Value& more = first ? b : a;
    if (less.as_string().size() < more.as_string().size() / 4)
      return traversal(static_cast<double>(less.cost_size()));
  }
  return traversal(static_cast<double>(std::min(a.cost_size(), b.cost_size())));
}

std::uint64_t cost_of_operator(Op op, const Value& a, const Value& b) {
  switch (op) {
    case Op::Equal:
    case Op::NotEqual:
      return cost_of_comparing(a, b);
    case Op::Less:
    case Op::LessEqual:
    case Op::Greater:
    case Op::GreaterEqual:
      return has_text(a) && has_text(b) ? cost_of_comparing(a, b) : 1;
    case Op::Add:
      return has_text(a) && has_text(b) ? traversal(static_cast<double>(a.cost_size() + b.cost_size())) : 1;
    case Op::In:
      return b.is(Kind::List) ? b.cost_size() : 1;
    default:
      return 1;
  }
}

class Evaluation {
 public:
  Evaluation(const Tree& tree, std::span<const Binding> bindings, Budget& budget)
      : tree_(tree), bindings_(bindings), budget_(budget) {
    variables_.assign(tree.variables.size(), nullptr);
    for (std::size_t i = 0; i < variables_.size(); ++i) {
      const auto it = std::find_if(bindings.begin(), bindings.end(),
                                   [&](const Binding& one) { return one.name == tree.variables[i]; });
      if (it != bindings.end()) variables_[i] = &it->value;
    }
  }

  Result<Value> run() {
    Result<Value> result = eval(*tree_.root);
    if (result && exceeded()) result = over_limit();
    budget_.charge(cost_);
    if (budget_.exhausted() && !exceeded()) return Error(Code::ResourceExhausted, std::string(kOutOfBudget));
    return result;
  }

 private:
  bool exceeded() const { return cost_ > budget_.per_expression(); }
  static Error over_limit() { return Error(Code::ResourceExhausted, std::string(kCostLimitExceeded)); }
  static bool is_fatal(const Error& error) { return error.is(Code::ResourceExhausted); }

  Result<Value> eval(const Node& node) {
    if (exceeded() || work_noted() - work_before_ > kMostWork) return over_limit();
    switch (node.kind) {
      case NodeKind::Literal:
        return node.literal;
      case NodeKind::Ident:
        return ident(node);
      case NodeKind::Select:
        return select(node);
      case NodeKind::List:
        return list(node);
      case NodeKind::Map:
        return map(node);
      case NodeKind::Comprehension:
        return comprehension(node);
      case NodeKind::Struct:
        return evaluation_error("no such type: " + node.name);
      case NodeKind::Call:
        return call(node);
    }
    return Value();
  }

  Result<Value> ident(const Node& node) {
    cost_ += 1;
    if (node.local >= 0) return locals_[static_cast<std::size_t>(node.local)];
    const Value* value = node.variable >= 0 ? variables_[static_cast<std::size_t>(node.variable)] : nullptr;
    if (value == nullptr) return evaluation_error("no such attribute(s): " + node.name);
    return *value;
  }

  // A member of a map, an object or a lazy one; nothing when it is absent.
  Result<std::optional<Value>> member(const Value& of, const std::string& name) {
    if (LazyObject* lazy = of.as_lazy()) {
      if (!lazy->has(name)) return std::optional<Value>();
      auto made = lazy->member(name, budget_);
      if (!made) return made.error();
      return std::optional<Value>(*std::move(made));
    }
    return of.find(std::string_view(name));
  }

  Result<Value> select(const Node& node) {
    auto operand = eval(*node.arguments[0]);
    if (!operand) return operand;
    if (!node.tests) cost_ += 1;
    if (operand->is(Kind::Optional)) return select_optional(*operand, node);
    if (node.tests) {
      if (LazyObject* lazy = operand->as_lazy()) return Value::boolean(lazy->has(node.name));
      return Value::boolean(operand->find(std::string_view(node.name)).has_value());
    }
    auto found = member(*operand, node.name);
    if (!found) return found.error();
    if (!*found) return no_such_key(node.name);
    return **std::move(found);
  }

  Result<Value> select_optional(const Value& of, const Node& node) {
    const Value* content = of.content();
    if (content == nullptr) return node.tests ? Value::boolean(false) : Value::none();
    auto found = member(*content, node.name);
    if (!found) return found.error();
    if (node.tests) return Value::boolean(found->has_value());
    return *found ? Value::some(**std::move(found)) : Value::none();
  }

  Result<Value> list(const Node& node) {
    std::vector<Value> elements;
    elements.reserve(node.arguments.size());
    for (std::size_t i = 0; i < node.arguments.size(); ++i) {
      auto element = eval(*node.arguments[i]);
      if (!element) return element;
      if (!node.optional[i]) {
        elements.push_back(*std::move(element));
      } else if (!element->is(Kind::Optional)) {
        return no_such_overload("", {});
      } else if (const Value* content = element->content()) {
        elements.push_back(*content);
      }
    }
    cost_ += kListCost;
    return Value::list(std::move(elements));
  }

  Result<Value> map(const Node& node) {
    std::vector<Entry> entries;
    for (std::size_t i = 0; i + 1 < node.arguments.size(); i += 2) {
      auto key = eval(*node.arguments[i]);
      if (!key) return key;
      auto value = eval(*node.arguments[i + 1]);
      if (!value) return value;
      if (node.optional[i / 2]) {
        if (!value->is(Kind::Optional)) return no_such_overload("", {});
        const Value* content = value->content();
        if (content == nullptr) continue;
        value = Value(*content);
      }
      if (!key->is(Kind::String) && !key->is(Kind::Bool) && !key->is_number())
        return evaluation_error("unsupported key type: " + std::string(key->type_name()));
      for (const Entry& entry : entries)
        if (entry.first == *key) return evaluation_error("duplicate key in map literal: " + index_text(*key));
      entries.emplace_back(*std::move(key), *std::move(value));
    }
    cost_ += kMapCost;
    return Value::map(std::move(entries));
  }

  Result<Value> call(const Node& node) {
    switch (node.op) {
      case Op::And:
      case Op::Or:
        return logic(node);
      case Op::Conditional:
        return conditional(node);
      case Op::OptionalSelect:
        return optional_select(node);
      case Op::Not:
      case Op::Negate:
        return unary(node);
      case Op::Function:
        return function(node);
      default:
        return binary(node);
    }
  }

  // Errors count only when no other term decides.
  Result<Value> logic(const Node& node) {
    const bool decides = node.op == Op::Or;
    std::optional<Error> error;
    for (const NodePtr& term : node.arguments) {
      auto value = eval(*term);
      if (!value && is_fatal(value.error())) return value;
      if (value && value->is(Kind::Bool)) {
        if (value->as_bool() == decides) return value;
      } else if (!error) {
        error = value ? no_such_overload("", {}) : value.error();
      }
    }
    if (error) return *error;
    return Value::boolean(!decides);
  }

  Result<Value> conditional(const Node& node) {
    auto condition = eval(*node.arguments[0]);
    if (!condition) return condition;
    if (!condition->is(Kind::Bool)) return no_such_overload("", {});
    return eval(*node.arguments[condition->as_bool() ? 1 : 2]);
  }

  Result<Value> optional_select(const Node& node) {
    auto operand = eval(*node.arguments[0]);
    if (!operand) return operand;
    cost_ += 1;
    if (operand->is(Kind::Optional)) return select_optional(*operand, node);
    auto found = member(*operand, node.name);
    if (!found) return found.error();
    return *found ? Value::some(**std::move(found)) : Value::none();
  }

  Result<Value> unary(const Node& node) {
    auto operand = eval(*node.arguments[0]);
    if (!operand) return operand;
    cost_ += 1;
    if (node.op == Op::Negate) return negate_value(*operand);
    if (!operand->is(Kind::Bool)) return no_such_overload("!_", {&*operand});
    return Value::boolean(!operand->as_bool());
  }

  Result<Value> binary(const Node& node) {
    auto left = eval(*node.arguments[0]);
    if (!left) return left;
    auto right = eval(*node.arguments[1]);
    if (!right) return right;
    cost_ += cost_of_operator(node.op, *left, *right);
    if (exceeded()) return over_limit();
    switch (node.op) {
      case Op::Equal:
        return Value::boolean(*left == *right);
      case Op::NotEqual:
        return Value::boolean(!(*left == *right));
      case Op::Less:
      case Op::LessEqual:
      case Op::Greater:
      case Op::GreaterEqual:
        return compare(node.op, *left, *right);
      case Op::In:
        return contains(*left, *right);
      case Op::Index:
      case Op::OptionalIndex:
        return index(node.op, *left, *right);
      default:
        return calculate(node.op, *left, *right);
    }
  }

  static Result<Value> compare(Op op, const Value& a, const Value& b) {
    const auto sign = a.compare(b);
    if (!sign) {
      // NaN has a type that compares, and compares as false.
      if (a.is_number() && b.is_number()) return Value::boolean(false);
      return no_such_overload(operator_name(op), {&a, &b});
    }
    switch (op) {
      case Op::Less:
        return Value::boolean(*sign < 0);
      case Op::LessEqual:
        return Value::boolean(*sign <= 0);
      case Op::Greater:
        return Value::boolean(*sign > 0);
      default:
        return Value::boolean(*sign >= 0);
    }
  }

  static Result<Value> contains(const Value& wanted, const Value& in) {
    if (in.is(Kind::Map)) return Value::boolean(in.find(wanted).has_value());
    if (!in.is(Kind::List)) return no_such_overload("@in", {&wanted, &in});
    bool found = false;
    in.each([&](const Value& element) {
      found = element == wanted;
      return !found;
    });
    return Value::boolean(found);
  }

  // A whole number as a position; nothing for all else.
  static std::optional<std::int64_t> position_of(const Value& index) {
    if (index.is(Kind::Int)) return index.as_int();
    if (index.is(Kind::Uint) && index.as_uint() <= static_cast<std::uint64_t>(INT64_MAX))
      return static_cast<std::int64_t>(index.as_uint());
    if (!index.is(Kind::Double) || !(index.as_double() >= 0 && index.as_double() < 9e15)) return std::nullopt;
    const auto whole = static_cast<std::int64_t>(index.as_double());
    return static_cast<double>(whole) == index.as_double() ? std::optional(whole) : std::nullopt;
  }

  static Result<std::optional<Value>> indexed(const Value& of, const Value& index) {
    if (of.is(Kind::Map)) return of.find(index);
    if (!of.is(Kind::List)) return no_such_overload("_[_]", {&of, &index});
    const auto at = position_of(index);
    if (!at)
      return evaluation_error("unsupported index type '" + std::string(index.type_name()) + "' in list");
    if (*at < 0 || static_cast<std::uint64_t>(*at) >= of.size()) return std::optional<Value>();
    return std::optional<Value>(of.element(static_cast<std::size_t>(*at)));
  }

  static Result<Value> index(Op op, const Value& of, const Value& index) {
    const bool optional = op == Op::OptionalIndex || of.is(Kind::Optional);
    const Value* container = of.is(Kind::Optional) ? of.content() : &of;
    if (container == nullptr) return Value::none();
    auto found = indexed(*container, index);
    if (!found) return found.error();
    if (optional) return *found ? Value::some(**std::move(found)) : Value::none();
    if (*found) return **std::move(found);
    if (of.is(Kind::List)) return evaluation_error("index out of bounds: " + index_text(index));
    return no_such_key(index_text(index));
  }

  Result<Value> function(const Node& node) {
    if (node.member && (node.name == "or" || node.name == "orValue") && node.arguments.size() == 2)
      return alternative(node);
    std::vector<Value> values;
    values.reserve(node.arguments.size());
    for (const NodePtr& argument : node.arguments) {
      auto value = eval(*argument);
      if (!value) return value;
      values.push_back(*std::move(value));
    }
    for (const Overload* overload : node.overloads) {
      bool fits = true;
      for (std::size_t i = 0; i < values.size() && fits; ++i)
        fits = accepts(*overload->parameters[i], values[i]);
      if (!fits) continue;
      // What does not depend on the result is charged before the work is done.
      const Value nothing;
      const std::uint64_t before = overload->cost ? overload->cost(values, nothing) : 1;
      if (cost_ + before > budget_.per_expression()) return cost_ += before, over_limit();
      auto result = overload->run({values, node.regex.get()});
      cost_ += overload->cost && result ? overload->cost(values, *result) : before;
      return result;
    }
    std::string text = "no such overload: " + node.name + "(";
    for (std::size_t i = 0; i < values.size(); ++i)
      text += (i ? ", " : "") + std::string(values[i].type_name());
    return Error(Code::Unsupported, text + ")");
  }

  Result<Value> alternative(const Node& node) {
    auto first = eval(*node.arguments[0]);
    if (!first) return first;
    cost_ += 1;
    if (!first->is(Kind::Optional)) return no_such_overload(node.name, {&*first});
    const Value* content = first->content();
    if (content == nullptr) return eval(*node.arguments[1]);
    if (node.name == "or") return first;
    return *content;
  }

  // The steps of each macro and what one round of its loop costs beside the bodies.
  Result<Value> comprehension(const Node& node) {
    auto range = eval(*node.arguments[0]);
    if (!range) return range;
    if (locals_.size() <= static_cast<std::size_t>(node.local))
      locals_.resize(static_cast<std::size_t>(node.local) + 1);
    if (node.macro == Macro::OptionalMap || node.macro == Macro::OptionalFlatMap)
      return map_optional(*range, node);
    if (!range->is(Kind::List) && !range->is(Kind::Map)) return no_such_overload("", {});
    switch (node.macro) {
      case Macro::All:
      case Macro::Exists:
        return quantify(*range, node);
      case Macro::ExistsOne:
        return count_one(*range, node);
      default:
        return collect(*range, node);
    }
  }

  Result<Value> map_optional(const Value& of, const Node& node) {
    if (!of.is(Kind::Optional)) return no_such_overload("hasValue", {&of});
    cost_ += 2;
    if (of.content() == nullptr) return Value::none();
    locals_[static_cast<std::size_t>(node.local)] = *of.content();
    auto mapped = eval(*node.arguments[1]);
    if (!mapped || node.macro == Macro::OptionalFlatMap) return mapped;
    return Value::some(*std::move(mapped));
  }

  // `step` gets the result of the body for each element and says whether to go on; errors of the body end
  // the walk unless it wants them.
  template <typename Step>
  void walk(const Value& range, const Node& node, Step step) {
    range.each([&](const Value& element) {
      locals_[static_cast<std::size_t>(node.local)] = element;
      return step(eval(*node.arguments[1]));
    });
  }

  Result<Value> quantify(const Value& range, const Node& node) {
    const bool decides = node.macro == Macro::Exists;
    const std::uint64_t round = decides ? 4 : 3;
    std::optional<Error> error;
    bool decided = false;
    std::size_t left = range.size();
    walk(range, node, [&](Result<Value> value) {
      cost_ += round;
      --left;
      if (!value && is_fatal(value.error())) return error = value.error(), decided = false;
      if (value && value->is(Kind::Bool)) {
        decided = value->as_bool() == decides;
        // The loop looks at its condition once more where there is another element.
        if (decided && left > 0) cost_ += round - 1;
        return !decided;
      }
      if (!error) error = value ? no_such_overload("", {}) : value.error();
      return true;
    });
    cost_ += 1;
    if (exceeded()) return over_limit();
    if (decided) return Value::boolean(decides);
    if (error) return *error;
    return Value::boolean(!decides);
  }

  Result<Value> count_one(const Value& range, const Node& node) {
    std::optional<Error> error;
    std::size_t count = 0;
    walk(range, node, [&](Result<Value> value) {
      if (!value || !value->is(Kind::Bool))
        return error = value ? no_such_overload("", {}) : value.error(), false;
      cost_ += value->as_bool() ? 2 : 1;
      count += value->as_bool() ? 1 : 0;
      return true;
    });
    if (error) return *error;
    cost_ += 2;
    return Value::boolean(count == 1);
  }

  // map and filter: the list grows by one element.
  Result<Value> collect(const Value& range, const Node& node) {
    constexpr std::uint64_t kAppend = kListCost + 2;
    std::optional<Error> error;
    std::vector<Value> made;
    walk(range, node, [&](Result<Value> value) {
      if (!value) return error = value.error(), false;
      if (node.macro == Macro::Map) {
        cost_ += kAppend;
        made.push_back(*std::move(value));
        return true;
      }
      if (!value->is(Kind::Bool)) return error = no_such_overload("", {}), false;
      cost_ += value->as_bool() ? kAppend : 1;
      if (!value->as_bool()) return true;
      if (node.macro == Macro::Filter) {
        cost_ += 1;
        made.push_back(locals_[static_cast<std::size_t>(node.local)]);
        return true;
      }
      auto mapped = eval(*node.arguments[2]);
      if (!mapped) return error = mapped.error(), false;
      made.push_back(*std::move(mapped));
      return true;
    });
    if (error) return *error;
    cost_ += kListCost + 1;
    return Value::list(std::move(made));
  }

  const Tree& tree_;
  std::span<const Binding> bindings_;
  Budget& budget_;
  std::vector<const Value*> variables_;
  std::vector<Value> locals_;
  std::uint64_t cost_ = 0;
  std::uint64_t work_before_ = work_noted();
};

}  // namespace

Result<Value> evaluate_tree(const Tree& tree, std::span<const Binding> bindings, Budget& budget) {
  return Evaluation(tree, bindings, budget).run();
}

}  // namespace flotilla::cel
