// SPDX-License-Identifier: Apache-2.0
// How much an evaluation can cost at most, from the bounds that a schema gives. A CustomResourceDefinition
// whose rules could cost too much is refused before there is any object. The rules are those of cel-go's
// estimator with Kubernetes' own functions, because which definitions are accepted depends on every number.
#include <algorithm>
#include <cmath>
#include <map>

#include "core/cel/functions.hpp"
#include "core/cel/tree.hpp"

namespace flotilla::cel {
namespace {

constexpr std::uint64_t kEndless = ~std::uint64_t{0};
constexpr double kTraversal = 0.1;
constexpr double kPattern = 0.25;

std::uint64_t plus(std::uint64_t a, std::uint64_t b) {
  return a > kEndless - b ? kEndless : a + b;
}

std::uint64_t times(std::uint64_t a, std::uint64_t b) {
  return a != 0 && b > kEndless / a ? kEndless : a * b;
}

std::uint64_t scaled(std::uint64_t size, double factor) {
  const double product = std::ceil(static_cast<double>(size) * factor);
  return product >= 18446744073709551615.0 ? kEndless : static_cast<std::uint64_t>(product);
}

struct Size {
  std::uint64_t min = 0, max = kEndless;
};

Size sum(Size a, Size b) {
  return {plus(a.min, b.min), plus(a.max, b.max)};
}
Size either(Size a, Size b) {
  return {std::min(a.min, b.min), std::max(a.max, b.max)};
}

bool is_scalar(TypeKind kind) {
  return kind == TypeKind::Bool || kind == TypeKind::Int || kind == TypeKind::Uint ||
         kind == TypeKind::Double || kind == TypeKind::Timestamp || kind == TypeKind::Duration;
}

// What stands at a path of the document is as large as its type says; what has no size there has 0.
Size size_at_path(const Type& type) {
  if (type.max_elements() != Type::kUnbounded) return {0, type.max_elements()};
  return {0, type.is(TypeKind::Dyn) ? kEndless : 0};
}

// Of one node: what it costs, and what is known of its size.
struct Finding {
  std::uint64_t cost = 0;
  std::optional<Size> size;  // computed
  bool on_path = false;      // of a variable: `self.a[0].b`
  const Type* type = nullptr;

  Size known() const {
    if (size) return *size;
    if (on_path && type) return size_at_path(*type);
    if (type && is_scalar(type->kind())) return {1, 1};
    return {};
  }
};

using Findings = std::vector<Finding>;

Finding costs(std::uint64_t cost, std::optional<Size> size = std::nullopt) {
  Finding out;
  out.cost = cost;
  out.size = size;
  return out;
}

Finding walks_first(const Findings& in) {
  return costs(scaled(in[0].known().max, kTraversal));
}
Finding copies_first(const Findings& in) {
  return costs(scaled(in[0].known().max, kTraversal), in[0].known());
}
Finding splits(const Findings& in) {
  return costs(scaled(in[0].known().max, 2 * kTraversal), Size{0, in[0].known().max});
}
Finding matches(const Findings& in) {
  return costs(times(scaled(plus(in[0].known().max, 1), kTraversal), scaled(in[1].known().max, kPattern)));
}
Finding finds(const Findings& in) {
  Finding out = matches(in);
  out.size = Size{0, in[0].known().max};
  return out;
}
Finding contains(const Findings& in) {
  return costs(times(scaled(in[0].known().max, kTraversal), scaled(in[1].known().max, kTraversal)));
}
Finding walks_second(const Findings& in) {
  return costs(scaled(in[1].known().max, kTraversal));
}

// isSorted, sum, min, max, indexOf: one step per element and a walk over it when it is a text.
Finding walks_elements(const Findings& in) {
  const Finding& list = in[0];
  if (!list.type || !list.type->is(TypeKind::List)) return walks_first(in);
  std::uint64_t each = 1;
  const Type& element = *list.type->element();
  if (element.is(TypeKind::String) || element.is(TypeKind::Bytes))
    each = plus(each, scaled(list.on_path ? size_at_path(element).max : kEndless, kTraversal));
  return costs(times(list.known().max, each));
}

Finding replaces(const Findings& in) {
  const Size text = in[0].known(), old = in[1].known(), fresh = in[2].known();
  Size count{0, 0}, kept{0, 0};
  if (old.min == 0) {
    count.max = plus(text.max, 1);
    kept.max = text.max;
  } else if (fresh.max <= old.min) {
    kept.max = text.max;
  } else {
    count.max = scaled(text.max, 1.0 / static_cast<double>(old.min));
  }
  return costs(scaled(text.max, 2 * kTraversal), Size{0, plus(times(count.max, fresh.max), kept.max)});
}

Finding joins(const Findings& in) {
  const std::uint64_t count = in[0].known().max;
  std::uint64_t size = 0;
  if (in[0].type && in[0].type->is(TypeKind::List))
    size = times(count, in[0].on_path ? size_at_path(*in[0].type->element()).max : kEndless);
  if (in.size() > 1) size = plus(size, times(in[1].known().max, count > 0 ? count - 1 : 0));
  return costs(scaled(size, kTraversal), Size{0, size});
}

Finding multiplies(const Findings& in) {
  return costs(plus(1, times(in[0].known().max, in[1].known().max)));
}
Finding multiplies_twice(const Findings& in) {
  return costs(plus(1, times(2, times(in[0].known().max, in[1].known().max))));
}
Finding asks(const Findings&) {
  return costs(350'000);
}
Finding to_bytes(const Findings& in) {
  const Size size = in[0].known();
  return costs(scaled(size.max, kTraversal), Size{size.min, times(size.max, 4)});
}

Finding selects(const Findings& in) {
  const std::uint64_t size = in[1].known().max;
  return costs(plus(10, plus(times(plus(size, 1) / 2, 50), scaled(size, kTraversal))));
}
// Which format is asked is not known: a pattern of 128 signs.
Finding validates(const Findings& in) {
  return costs(times(scaled(plus(in[1].known().max, 1), kTraversal), 32));
}

using Rule = Finding (*)(const Findings&);

// Functions that are not here cost 1.
Rule rule_of(std::string_view name) {
  static const std::map<std::string_view, Rule> rules = {
      {"isSorted", walks_elements},
      {"sum", walks_elements},
      {"min", walks_elements},
      {"max", walks_elements},
      {"indexOf", walks_elements},
      {"lastIndexOf", walks_elements},
      {"url", walks_first},
      {"isURL", walks_first},
      {"lowerAscii", copies_first},
      {"upperAscii", copies_first},
      {"substring", copies_first},
      {"trim", copies_first},
      {"replace", replaces},
      {"split", splits},
      {"join", joins},
      {"find", finds},
      {"findAll", finds},
      {"matches", matches},
      {"contains", contains},
      {"startsWith", walks_second},
      {"endsWith", walks_second},
      {"cidr", walks_first},
      {"isCIDR", walks_first},
      {"isIP", walks_first},
      {"ip.isCanonical", splits},
      {"quantity", walks_first},
      {"isQuantity", walks_first},
      {"sets.contains", multiplies},
      {"sets.intersects", multiplies},
      {"sets.equivalent", multiplies_twice},
      {"fieldSelector", selects},
      {"labelSelector", selects},
      {"validate", validates},
      {"check", asks},
      {"bytes", to_bytes},
      {"format", walks_first},
      {"strings.quote", copies_first},
  };
  const auto it = rules.find(name);
  return it == rules.end() ? nullptr : it->second;
}

class Estimation {
 public:
  Finding find(const Node& node) {
    Finding out = of(node);
    out.type = node.type.get();
    return out;
  }

 private:
  Finding of(const Node& node) {
    switch (node.kind) {
      case NodeKind::Literal:
        return literal(node.literal);
      case NodeKind::Ident:
        return ident(node);
      case NodeKind::Select:
        return select(node);
      case NodeKind::List:
      case NodeKind::Map:
        return container(node);
      case NodeKind::Comprehension:
        return comprehension(node);
      case NodeKind::Struct:
        return {};
      case NodeKind::Call:
        return call(node);
    }
    return {};
  }

  static Finding literal(const Value& value) {
    Finding out;
    if (value.is(Value::Kind::String) || value.is(Value::Kind::Bytes))
      out.size = Size{value.cost_size(), value.cost_size()};
    return out;
  }

  Finding ident(const Node& node) {
    if (node.local < 0) {
      Finding out = costs(1);
      out.on_path = true;
      return out;
    }
    Finding out = costs(1);
    out.on_path = locals_[static_cast<std::size_t>(node.local)];
    return out;
  }

  Finding select(const Node& node) {
    const Finding operand = find(*node.arguments[0]);
    Finding out = costs(operand.cost);
    const TypeKind kind = node.arguments[0]->type->kind();
    if (!node.tests && (kind == TypeKind::Map || kind == TypeKind::Object)) out.cost = plus(out.cost, 1);
    out.on_path = operand.on_path;
    return out;
  }

  Finding container(const Node& node) {
    const bool is_list = node.kind == NodeKind::List;
    Finding out = costs(is_list ? 10 : 30);
    for (const NodePtr& argument : node.arguments) out.cost = plus(out.cost, find(*argument).cost);
    const std::uint64_t count = is_list ? node.arguments.size() : node.arguments.size() / 2;
    out.size = Size{count, count};
    return out;
  }

  Finding call(const Node& node) {
    Findings in;
    std::uint64_t cost = 0;
    for (const NodePtr& argument : node.arguments) {
      in.push_back(find(*argument));
      if (node.op != Op::Conditional || in.size() == 1) cost = plus(cost, in.back().cost);
    }
    if (node.op == Op::And || node.op == Op::Or) return costs(cost);
    if (node.op == Op::Conditional) {
      return costs(plus(cost, std::max(in[1].cost, in[2].cost)), either(in[1].known(), in[2].known()));
    }
    Finding out = node.op == Op::Function ? function(node, in) : operation(node, in);
    out.cost = plus(out.cost, cost);
    return out;
  }

  static Finding function(const Node& node, const Findings& in) {
    const Rule rule = rule_of(node.name);
    if (rule && !in.empty()) return rule(in);
    // ip("1.2.3.4") reads a text, cidr.ip() a member.
    if (node.name == "ip" && !node.member) return walks_first(in);
    if (node.name == "containsIP" || node.name == "containsCIDR") return address(node, in);
    return costs(1);
  }

  static Finding address(const Node& node, const Findings& in) {
    std::uint64_t cost = scaled(32, kTraversal);
    if (node.name == "containsCIDR") cost += scaled(16, kTraversal) + 1;
    if (in[1].type && in[1].type->is(TypeKind::String))
      cost = plus(cost, scaled(in[1].known().max, kTraversal));
    return costs(cost);
  }

  static Finding operation(const Node& node, const Findings& in) {
    switch (node.op) {
      case Op::Equal:
      case Op::NotEqual:
        return costs(scaled(std::min(in[0].known().max, in[1].known().max), kTraversal));
      case Op::Less:
      case Op::LessEqual:
      case Op::Greater:
      case Op::GreaterEqual: {
        const bool numbers = is_scalar(in[0].type->kind()) || is_scalar(in[1].type->kind());
        return costs(numbers ? 1 : scaled(std::min(in[0].known().max, in[1].known().max), kTraversal));
      }
      case Op::Add:
        return add(in);
      case Op::In:
        return costs(in[1].type->is(TypeKind::Map) ? 1 : in[1].known().max);
      case Op::Index:
      case Op::OptionalIndex: {
        Finding out = costs(1);
        out.on_path = in[0].on_path && node.op == Op::Index;
        return out;
      }
      default:
        return costs(1);
    }
  }

  static Finding add(const Findings& in) {
    const TypeKind kind = in[0].type->kind() == TypeKind::Dyn ? in[1].type->kind() : in[0].type->kind();
    if (is_scalar(kind)) return costs(1);
    const Size size = sum(in[0].known(), in[1].known());
    return costs(kind == TypeKind::List ? 1 : scaled(size.max, kTraversal), size);
  }

  // What one round costs beside the bodies, and what stands around the loop.
  struct Frame {
    std::uint64_t round = 0, around = 0;
  };
  static Frame frame_of(Macro macro) {
    switch (macro) {
      case Macro::All:
        return {3, 1};
      case Macro::Exists:
        return {4, 1};
      case Macro::ExistsOne:
        return {2, 2};
      case Macro::Map:
      case Macro::MapIf:
        return {12, 11};
      case Macro::Filter:
        return {13, 11};
      default:
        return {0, 2};
    }
  }

  Finding comprehension(const Node& node) {
    const Finding range = find(*node.arguments[0]);
    const auto local = static_cast<std::size_t>(node.local);
    if (locals_.size() <= local) locals_.resize(local + 1);
    locals_[local] = range.on_path;
    const Frame frame = frame_of(node.macro);
    std::uint64_t bodies = 0;
    for (std::size_t i = 1; i < node.arguments.size(); ++i)
      bodies = plus(bodies, find(*node.arguments[i]).cost);
    const bool loops = node.macro != Macro::OptionalMap && node.macro != Macro::OptionalFlatMap;
    const std::uint64_t rounds = loops ? range.known().max : 1;
    Finding out = costs(plus(plus(range.cost, frame.around), times(rounds, plus(bodies, frame.round))));
    if (loops) out.size = range.known();
    return out;
  }

  std::vector<bool> locals_;  // whether each variable of a macro walks a path
};

}  // namespace

std::uint64_t estimate_cost(const Node& root) {
  return Estimation().find(root).cost;
}

}  // namespace flotilla::cel
