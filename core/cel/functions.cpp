// SPDX-License-Identifier: Apache-2.0
#include "core/cel/functions.hpp"

#include <array>
#include <map>
#include <unordered_map>

#include "core/base/assert.hpp"

namespace flotilla::cel {
namespace {

struct NamedType {
  std::string_view shorthand;  // in signatures
  std::string_view name;       // in expressions
  TypePtr type;
};

const std::vector<NamedType>& named_types() {
  const auto opaque = [](std::string_view shorthand, std::string name) {
    TypePtr type = Type::opaque(std::move(name));
    return NamedType{shorthand, type->name(), type};
  };
  static const std::vector<NamedType> all = {
      {"dyn", "dyn", Type::dyn()},
      {"null", "null_type", Type::null()},
      {"bool", "bool", Type::boolean()},
      {"int", "int", Type::integer()},
      {"uint", "uint", Type::unsigned_integer()},
      {"double", "double", Type::number()},
      {"string", "string", Type::string()},
      {"bytes", "bytes", Type::bytes()},
      {"timestamp", "google.protobuf.Timestamp", Type::timestamp()},
      {"duration", "google.protobuf.Duration", Type::duration()},
      {"", "list", Type::list(Type::dyn())},
      {"", "map", Type::map(Type::dyn(), Type::dyn())},
      {"", "type", Type::type_of(nullptr)},
      {"", "optional_type", Type::optional(Type::dyn())},
      opaque("Quantity", "kubernetes.Quantity"),
      opaque("URL", "kubernetes.URL"),
      opaque("IP", "net.IP"),
      opaque("CIDR", "net.CIDR"),
      opaque("Format", "kubernetes.NamedFormat"),
      opaque("Authorizer", "kubernetes.authorization.Authorizer"),
      opaque("PathCheck", "kubernetes.authorization.PathCheck"),
      opaque("GroupCheck", "kubernetes.authorization.GroupCheck"),
      opaque("ResourceCheck", "kubernetes.authorization.ResourceCheck"),
      opaque("Decision", "kubernetes.authorization.Decision"),
  };
  return all;
}

// Reads the signatures of rows, which are ours: what is malformed is a bug.
class SignatureReader {
 public:
  explicit SignatureReader(std::string_view text) : text_(text) {}

  Overload read() {
    Overload overload;
    const std::size_t start = at_;
    if (TypePtr receiver = try_type(); receiver && take('.')) {
      overload.member = true;
      overload.parameters.push_back(std::move(receiver));
    } else {
      at_ = start;
    }
    const std::size_t open = text_.find('(', at_);
    ASSERT(open != std::string_view::npos);
    overload.name = text_.substr(at_, open - at_);
    at_ = open + 1;
    while (!take(')')) {
      overload.parameters.push_back(type());
      take(',');
      take(' ');
    }
    ASSERT(take(':') && take(' '));
    overload.result = type();
    return overload;
  }

 private:
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  TypePtr type() {
    TypePtr read = try_type();
    ASSERT(read != nullptr);
    return read;
  }
  TypePtr try_type() {
    std::size_t end = at_;
    while (end < text_.size() && std::isalpha(static_cast<unsigned char>(text_[end]))) ++end;
    const std::string_view word = text_.substr(at_, end - at_);
    if (word.size() == 1) return at_ = end, Type::param(std::string(word));
    for (const NamedType& named : named_types())
      if (named.shorthand == word && !word.empty()) return at_ = end, named.type;
    if (end >= text_.size() || text_[end] != '(') return nullptr;
    if (word != "list" && word != "map" && word != "optional" && word != "type") return nullptr;
    at_ = end + 1;
    TypePtr first = type();
    TypePtr made;
    if (word == "map") {
      ASSERT(take(',') && take(' '));
      made = Type::map(std::move(first), type());
    } else {
      made = word == "list"   ? Type::list(first)
             : word == "type" ? Type::type_of(first)
                              : Type::optional(first);
    }
    ASSERT(take(')'));
    return made;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

using Table = std::map<std::string, std::vector<Overload>, std::less<>>;

Table read_tables() {
  const std::array<std::span<const FunctionRow>, 14> tables = {
      operator_rows(), conversion_rows(), time_rows(),         optional_rows(),     string_rows(),
      format_rows(),   regex_rows(),      list_rows(),         set_rows(),          url_rows(),
      quantity_rows(), address_rows(),    named_format_rows(), authorization_rows()};
  Table table;
  for (const std::span<const FunctionRow> rows : tables) {
    for (const FunctionRow& row : rows) {
      Overload overload = SignatureReader(row.signature).read();
      overload.run = row.run;
      overload.cost = row.cost;
      auto& all = table[overload.name];
      all.push_back(std::move(overload));
    }
  }
  return table;
}

bool kinds_match(TypeKind type, Value::Kind value) {
  switch (type) {
    case TypeKind::Null:
      return value == Value::Kind::Null;
    case TypeKind::Bool:
      return value == Value::Kind::Bool;
    case TypeKind::Int:
      return value == Value::Kind::Int;
    case TypeKind::Uint:
      return value == Value::Kind::Uint;
    case TypeKind::Double:
      return value == Value::Kind::Double;
    case TypeKind::String:
      return value == Value::Kind::String;
    case TypeKind::Bytes:
      return value == Value::Kind::Bytes;
    case TypeKind::Timestamp:
      return value == Value::Kind::Timestamp;
    case TypeKind::Duration:
      return value == Value::Kind::Duration;
    case TypeKind::List:
      return value == Value::Kind::List;
    case TypeKind::Map:
    case TypeKind::Object:
      return value == Value::Kind::Map;
    case TypeKind::Optional:
      return value == Value::Kind::Optional;
    case TypeKind::TypeType:
      return value == Value::Kind::Type;
    case TypeKind::Opaque:
      return value == Value::Kind::Opaque;
    case TypeKind::Dyn:
    case TypeKind::Param:
      return true;
  }
  return false;
}

// Everything below a value, a tenth of a step for each byte of text.
std::uint64_t cost_of_walking(const Value& value) {
  std::uint64_t cost = 0;
  switch (value.kind()) {
    case Value::Kind::String:
    case Value::Kind::Bytes:
      return value.as_string().size() / 10;
    case Value::Kind::List:
      value.each([&](const Value& element) { return cost += cost_of_walking(element), true; });
      return cost;
    case Value::Kind::Map:
      value.each_entry([&](const Value& key, const Value& content) {
        return cost += cost_of_walking(key) + cost_of_walking(content), true;
      });
      return cost;
    default:
      return 1;
  }
}

}  // namespace

const std::vector<Overload>* find_function(std::string_view name) {
  static const Table table = read_tables();
  const auto it = table.find(name);
  return it == table.end() ? nullptr : &it->second;
}

TypePtr find_type(std::string_view name) {
  for (const NamedType& named : named_types())
    if (named.name == name && name != "dyn") return named.type;
  return nullptr;
}

bool accepts(const Type& parameter, const Value& value) {
  if (!kinds_match(parameter.kind(), value.kind())) return false;
  return !parameter.is(TypeKind::Opaque) || parameter.name() == value.type_name();
}

std::uint64_t cost_of_first(std::span<const Value> arguments, const Value&) {
  return traversal(static_cast<double>(arguments[0].cost_size()));
}

std::uint64_t cost_of_first_twice(std::span<const Value> arguments, const Value&) {
  return traversal(2.0 * static_cast<double>(arguments[0].cost_size()));
}

std::uint64_t cost_of_elements(std::span<const Value> arguments, const Value&) {
  return cost_of_walking(arguments[0]);
}

std::uint64_t cost_of_matching(std::span<const Value> arguments, const Value&) {
  return matching(arguments[0].cost_size(), arguments[1].cost_size());
}

}  // namespace flotilla::cel
