// SPDX-License-Identifier: Apache-2.0
#include "core/cel/parser.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "core/cel/lexer.hpp"
#include "core/cel/macros.hpp"

namespace flotilla::cel {
namespace {

constexpr std::uint32_t kDeepest = 250;
constexpr std::size_t kLongest = 100'000;

constexpr std::array<std::string_view, 21> kReserved = {
    "as",  "break", "const",     "continue", "else",    "false",  "for",  "function", "if",   "import", "in",
    "let", "loop",  "namespace", "null",     "package", "return", "true", "var",      "void", "while"};
constexpr std::array<std::string_view, 4> kWords = {"in", "true", "false", "null"};

constexpr std::string_view kOperandExpected =
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, "
    "IDENTIFIER}";

struct Level {
  std::string_view sign;
  Op op;
};
constexpr std::array<Level, 7> kRelations = {{{"<", Op::Less},
                                              {"<=", Op::LessEqual},
                                              {">", Op::Greater},
                                              {">=", Op::GreaterEqual},
                                              {"==", Op::Equal},
                                              {"!=", Op::NotEqual},
                                              {"in", Op::In}}};
constexpr std::array<Level, 2> kSums = {{{"+", Op::Add}, {"-", Op::Subtract}}};
constexpr std::array<Level, 3> kProducts = {{{"*", Op::Multiply}, {"/", Op::Divide}, {"%", Op::Modulo}}};

bool starts_operand(const Token& token) {
  if (token.kind == TokenKind::Symbol)
    return std::string_view("[{(.-!").find(token.text) != std::string_view::npos;
  return token.kind != TokenKind::End && !token.is_word("in");
}

bool is_word(std::string_view text) {
  return std::find(kWords.begin(), kWords.end(), text) != kWords.end();
}

NodePtr make(NodeKind kind, std::uint32_t position) {
  auto node = std::make_unique<Node>();
  node->kind = kind;
  node->position = position;
  return node;
}

void adopt(Node& parent, NodePtr child) {
  parent.depth = std::max(parent.depth, child->depth + 1);
  parent.arguments.push_back(std::move(child));
}

// Each function reads what its grammar rule says and returns null after a fault, of which there is then one.
class Parser {
 public:
  Parser(std::vector<Token> tokens, Faults& faults) : tokens_(std::move(tokens)), faults_(faults) {}

  NodePtr run() {
    NodePtr root = expression();
    if (root && here().kind != TokenKind::End) return mismatched("<EOF>");
    return root;
  }

 private:
  const Token& here() const { return tokens_[at_]; }
  const Token& next() { return here().kind == TokenKind::End ? here() : tokens_[at_++]; }
  bool is_sign(std::string_view sign) const { return sign == "in" ? here().is_word("in") : here().is(sign); }
  bool take(std::string_view symbol) {
    if (!here().is(symbol)) return false;
    ++at_;
    return true;
  }

  NodePtr fault(std::uint32_t position, std::string message) {
    faults_.add(position, std::move(message));
    return nullptr;
  }
  NodePtr mismatched(std::string_view expected) {
    const Token& token = here();
    const std::string found = token.kind == TokenKind::End ? "<EOF>" : std::string(token.text);
    // One token too many is told from a wrong one by what stands behind it.
    const Token& behind = tokens_[std::min(at_ + 1, tokens_.size() - 1)];
    const bool extra = token.kind != TokenKind::End &&
                       (expected == "<EOF>" ? behind.kind == TokenKind::End
                                            : expected == kOperandExpected && starts_operand(behind));
    return fault(token.position, std::string("Syntax error: ") + (extra ? "extraneous" : "mismatched") +
                                     " input '" + found + "' expecting " + std::string(expected));
  }
  bool demand(std::string_view symbol) {
    if (take(symbol)) return true;
    mismatched("'" + std::string(symbol) + "'");
    return false;
  }
  // The node, unless the tree became too deep.
  NodePtr checked(NodePtr node) {
    if (node && node->depth > kDeepest)
      return fault(node->position, "expression recursion limit exceeded: " + std::to_string(kDeepest));
    return node;
  }

  NodePtr expression() {
    if (++nesting_ > kDeepest) {
      --nesting_;
      return fault(here().position, "expression recursion limit exceeded: " + std::to_string(kDeepest));
    }
    NodePtr node = conditional();
    --nesting_;
    return checked(std::move(node));
  }

  NodePtr conditional() {
    NodePtr condition = terms("||", Op::Or);
    if (!condition || !here().is("?")) return condition;
    NodePtr node = make(NodeKind::Call, next().position);
    node->op = Op::Conditional;
    adopt(*node, std::move(condition));
    NodePtr yes = terms("||", Op::Or);
    if (!yes || !demand(":")) return nullptr;
    adopt(*node, std::move(yes));
    NodePtr no = expression();
    if (!no) return nullptr;
    adopt(*node, std::move(no));
    return node;
  }

  // a || b || c is one node with three terms.
  NodePtr terms(std::string_view sign, Op op) {
    NodePtr first = op == Op::Or ? terms("&&", Op::And) : relation();
    if (!first || !here().is(sign)) return first;
    NodePtr node = make(NodeKind::Call, here().position);
    node->op = op;
    adopt(*node, std::move(first));
    while (here().is(sign)) {
      node->positions.push_back(next().position);
      NodePtr term = op == Op::Or ? terms("&&", Op::And) : relation();
      if (!term) return nullptr;
      adopt(*node, std::move(term));
    }
    return checked(std::move(node));
  }

  template <std::size_t N>
  NodePtr chain(const std::array<Level, N>& levels, NodePtr (Parser::*operand)()) {
    NodePtr left = (this->*operand)();
    while (left) {
      const auto level =
          std::find_if(levels.begin(), levels.end(), [&](const Level& one) { return is_sign(one.sign); });
      if (level == levels.end()) break;
      NodePtr node = make(NodeKind::Call, next().position);
      node->op = level->op;
      adopt(*node, std::move(left));
      NodePtr right = (this->*operand)();
      if (!right) return nullptr;
      adopt(*node, std::move(right));
      left = checked(std::move(node));
    }
    return left;
  }
  NodePtr relation() { return chain(kRelations, &Parser::sum); }
  NodePtr sum() { return chain(kSums, &Parser::product); }
  NodePtr product() { return chain(kProducts, &Parser::unary); }

  bool number_follows() const {
    const TokenKind kind = tokens_[std::min(at_ + 1, tokens_.size() - 1)].kind;
    return kind == TokenKind::Int || kind == TokenKind::Float;
  }

  NodePtr unary() {
    if (!here().is("!") && !(here().is("-") && !number_follows())) return member();
    const Token& first = here();
    std::size_t count = 0;
    while (here().is(first.text) && !(first.is("-") && number_follows() && count > 0)) {
      next();
      ++count;
    }
    NodePtr operand = member();
    if (!operand || count % 2 == 0) return operand;
    NodePtr node = make(NodeKind::Call, first.position);
    node->op = first.is("!") ? Op::Not : Op::Negate;
    adopt(*node, std::move(operand));
    return node;
  }

  NodePtr member() {
    NodePtr node = primary();
    while (node) {
      if (here().is(".")) {
        node = selection(std::move(node));
      } else if (here().is("[")) {
        node = indexing(std::move(node));
      } else {
        return node;
      }
      node = checked(std::move(node));
    }
    return node;
  }

  NodePtr selection(NodePtr operand) {
    const std::uint32_t dot = next().position;
    const bool optional = take("?");
    const Token& name = here();
    if (name.kind != TokenKind::Identifier || is_word(name.text))
      return fault(name.position, "Syntax error: no viable alternative at input '." +
                                      (name.kind == TokenKind::End ? std::string() : std::string(name.text)) +
                                      "'");
    next();
    if (optional) {
      NodePtr node = make(NodeKind::Call, dot);
      node->op = Op::OptionalSelect;
      node->name = name.text;
      adopt(*node, std::move(operand));
      return node;
    }
    if (here().is("(")) return call(name, std::move(operand));
    NodePtr node = make(NodeKind::Select, dot);
    node->name = name.text;
    adopt(*node, std::move(operand));
    return node;
  }

  NodePtr indexing(NodePtr operand) {
    NodePtr node = make(NodeKind::Call, next().position);
    node->op = take("?") ? Op::OptionalIndex : Op::Index;
    adopt(*node, std::move(operand));
    NodePtr index = expression();
    if (!index || !demand("]")) return nullptr;
    adopt(*node, std::move(index));
    return node;
  }

  NodePtr call(const Token& name, NodePtr target) {
    NodePtr node = make(NodeKind::Call, next().position);
    node->name = name.text;
    node->member = target != nullptr;
    if (target) adopt(*node, std::move(target));
    if (!arguments(*node)) return nullptr;
    return expand_macro(std::move(node), faults_);
  }

  bool arguments(Node& node) {
    if (take(")")) return true;
    do {
      NodePtr argument = expression();
      if (!argument) return false;
      adopt(node, std::move(argument));
    } while (take(","));
    return demand(")");
  }

  NodePtr primary() {
    const Token& token = here();
    switch (token.kind) {
      case TokenKind::Int:
      case TokenKind::Uint:
      case TokenKind::Float:
        return number("");
      case TokenKind::String:
      case TokenKind::Bytes: {
        NodePtr node = make(NodeKind::Literal, next().position);
        node->literal =
            token.kind == TokenKind::String ? Value::string(token.content) : Value::bytes(token.content);
        return node;
      }
      case TokenKind::Identifier:
        return word();
      default:
        return bracketed();
    }
  }

  NodePtr bracketed() {
    if (here().is("-") && number_follows()) {
      next();
      return number("-");
    }
    if (here().is(".")) {
      next();
      if (here().kind != TokenKind::Identifier || is_word(here().text)) return mismatched("IDENTIFIER");
      return word();
    }
    if (take("(")) {
      NodePtr node = expression();
      return node && demand(")") ? std::move(node) : nullptr;
    }
    if (here().is("[")) return list();
    if (here().is("{")) return map();
    return mismatched(kOperandExpected);
  }

  NodePtr word() {
    const Token& token = next();
    if (is_word(token.text) && token.text != "in") {
      NodePtr node = make(NodeKind::Literal, token.position);
      if (token.text != "null") node->literal = Value::boolean(token.text == "true");
      return node;
    }
    if (token.text == "in") {
      --at_;
      return mismatched(kOperandExpected);
    }
    if (std::find(kReserved.begin(), kReserved.end(), token.text) != kReserved.end())
      return fault(token.position, "reserved identifier: " + std::string(token.text));
    if (here().is("(")) return call(token, nullptr);
    NodePtr node = make(NodeKind::Ident, token.position);
    node->name = token.text;
    return here().is("{") ? message(std::move(node)) : std::move(node);
  }

  // Message{field: value}: read, so that the checker can say that there is no such type.
  NodePtr message(NodePtr name) {
    NodePtr node = make(NodeKind::Struct, name->position);
    node->name = name->name;
    next();
    while (!here().is("}")) {
      take("?");
      if (here().kind != TokenKind::Identifier) return mismatched("IDENTIFIER");
      next();
      if (!demand(":")) return nullptr;
      NodePtr value = expression();
      if (!value) return nullptr;
      adopt(*node, std::move(value));
      if (!take(",")) break;
    }
    return demand("}") ? std::move(node) : nullptr;
  }

  NodePtr list() {
    NodePtr node = make(NodeKind::List, next().position);
    while (!here().is("]")) {
      node->optional.push_back(take("?"));
      NodePtr element = expression();
      if (!element) return nullptr;
      adopt(*node, std::move(element));
      if (!take(",")) break;
    }
    return demand("]") ? std::move(node) : nullptr;
  }

  NodePtr map() {
    NodePtr node = make(NodeKind::Map, next().position);
    while (!here().is("}")) {
      node->optional.push_back(take("?"));
      NodePtr key = expression();
      if (!key || !demand(":")) return nullptr;
      NodePtr value = expression();
      if (!value) return nullptr;
      adopt(*node, std::move(key));
      adopt(*node, std::move(value));
      if (!take(",")) break;
    }
    return demand("}") ? std::move(node) : nullptr;
  }

  NodePtr number(std::string_view sign) {
    const Token& token = next();
    NodePtr node = make(NodeKind::Literal, token.position);
    std::string digits(token.text);
    if (token.kind == TokenKind::Float) {
      node->literal = Value::number(std::strtod((std::string(sign) + digits).c_str(), nullptr));
      return node;
    }
    const bool is_unsigned = token.kind == TokenKind::Uint;
    if (is_unsigned) digits.pop_back();
    const bool hex = digits.starts_with("0x") || digits.starts_with("0X");
    if (hex) digits.erase(0, 2);
    std::uint64_t size = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), size, hex ? 16 : 10);
    const std::uint64_t most =
        is_unsigned ? UINT64_MAX : static_cast<std::uint64_t>(INT64_MAX) + (sign.empty() ? 0 : 1);
    if (read.ec != std::errc() || size > most)
      return fault(token.position, is_unsigned ? "invalid uint literal" : "invalid int literal");
    node->literal = is_unsigned ? Value::unsigned_integer(size)
                                : Value::integer(static_cast<std::int64_t>(sign.empty() ? size : 0 - size));
    return node;
  }

  std::vector<Token> tokens_;
  Faults& faults_;
  std::size_t at_ = 0;
  std::uint32_t nesting_ = 0;
};

}  // namespace

NodePtr parse_expression(std::string_view expression, Faults& faults) {
  if (expression.size() > kLongest) {
    faults.add(0, "expression code point size exceeds limit: size: " + std::to_string(expression.size()) +
                      ", limit " + std::to_string(kLongest));
    return nullptr;
  }
  std::vector<Token> tokens = read_tokens(expression, faults);
  if (!faults.empty()) return nullptr;
  return Parser(std::move(tokens), faults).run();
}

std::string_view operator_name(Op op) {
  constexpr std::array<std::string_view, 21> kNames = {
      "",     "!_",  "-_",   "_+_", "_-_",  "_*_",  "_/_",   "_%_",  "_==_",  "_!=_", "_<_",
      "_<=_", "_>_", "_>=_", "@in", "_&&_", "_||_", "_?_:_", "_[_]", "_[?_]", "_?._"};
  return kNames[static_cast<std::size_t>(op)];
}

}  // namespace flotilla::cel
