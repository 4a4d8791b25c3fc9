// SPDX-License-Identifier: Apache-2.0
// Reads config/schema/types.txt into nodes; the grammar is in config/schema/README.md.
#include <algorithm>
#include <charconv>

#include "core/api/schema/embedded.hpp"
#include "core/api/schema/schema.hpp"
#include "core/base/assert.hpp"

namespace flotilla::api {

const Field* Schema::field(std::string_view name) const {
  const auto at = std::lower_bound(fields_.begin(), fields_.end(), name,
                                   [](const Field& f, std::string_view n) { return f.name < n; });
  return at != fields_.end() && at->name == name ? &*at : nullptr;
}

const Schema& Schema::any() {
  static const Schema nothing;
  return nothing;
}

const Schema& Schema::items() const {
  return items_ ? *items_ : any();
}

const Schema* Schema::member(std::string_view key) const {
  if (kind_ == SchemaKind::Map) return &items();
  const Field* declared = field(key);
  return declared ? declared->schema : nullptr;
}

const Schema* TypeSet::find(std::string_view name) const {
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? nullptr : at->second;
}

// The file is ours: a mistake in it is a bug and asserts.
class TypeReader {
 public:
  explicit TypeReader(TypeSet& set) : set_(set) {}

  void read(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (line.starts_with("type ")) {
        read_type(line.substr(5));
      } else if (line.starts_with("extend ")) {
        current_ = type(line.substr(7));
      } else if (line.starts_with(' ')) {
        read_field(line.substr(1));
      }
    }
    for (const auto& [name, node] : declared_) {
      ASSERT(node->kind_ == SchemaKind::Struct || node->kind_ == SchemaKind::Map);
    }
    for (const auto& [copy, target] : granular_) {
      copy->kind_ = target->kind_;
      copy->name_ = target->name_;
      copy->fields_ = target->fields_;
    }
  }

 private:
  static std::string_view word(std::string_view& rest) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    const std::string_view found = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return found;
  }

  Schema* type(std::string_view name) {
    Schema*& node = declared_[name];
    if (!node) {
      node = &set_.nodes_.emplace_back();
      node->name_ = name;
      set_.by_name_.emplace(name, node);
    }
    return node;
  }

  void read_type(std::string_view rest) {
    current_ = type(word(rest));
    current_->kind_ = SchemaKind::Struct;
    set_.named_.push_back(current_);
    while (!rest.empty()) {
      std::string_view part = word(rest);
      if (part.starts_with('(')) read_attributes(part, *current_);
    }
  }

  void read_field(std::string_view rest) {
    Field field;
    field.name = word(rest);
    std::string_view expression = word(rest);
    Schema* node = read_expression(expression);
    field.schema = node;
    while (!rest.empty()) {
      const std::string_view flag = word(rest);
      if (flag == "!") field.required = true;
      if (flag == "*") field.pointer = true;
      if (flag == "~") field.always_written = true;
      if (flag.starts_with('=')) field.default_text = flag.substr(1);
      if (flag.starts_with("pk=")) field.patch.merge_key = flag.substr(3);
      if (flag.starts_with("ps=")) {
        field.patch.merge = flag.find("merge") != flag.npos;
        field.patch.retain_keys = flag.find("retainKeys") != flag.npos;
        field.patch.replace = flag.find("replace") != flag.npos;
      }
    }
    // Where no list type is said, server-side apply follows the patch strategy.
    if (node->kind_ == SchemaKind::List && field.patch.merge && !said_list_type_) {
      node->list_type_ = field.patch.merge_key.empty() ? ListType::Set : ListType::Map;
      if (!field.patch.merge_key.empty()) node->list_keys_ = {field.patch.merge_key};
    }
    auto& fields = current_->fields_;
    fields.insert(std::upper_bound(fields.begin(), fields.end(), field,
                                   [](const Field& a, const Field& b) { return a.name < b.name; }),
                  field);
  }

  Schema* read_expression(std::string_view& text) {
    said_list_type_ = false;
    if (text.starts_with('@')) return read_reference(text);
    Schema& node = set_.nodes_.emplace_back();
    if (text.starts_with('[') || text.starts_with('{')) {
      node.kind_ = text[0] == '[' ? SchemaKind::List : SchemaKind::Map;
      text.remove_prefix(1);
      node.items_ = read_expression(text);
      text.remove_prefix(1);
      said_list_type_ = false;
    } else {
      read_scalar(text, node);
    }
    if (text.starts_with('(')) read_attributes(text, node);
    return &node;
  }

  Schema* read_reference(std::string_view& text) {
    // The names of anonymous structs hold "[]" and "{}"; a reference ends before an unpaired bracket.
    std::size_t end = 1;
    for (; end < text.size() && text[end] != '('; ++end) {
      if (text[end] != ']' && text[end] != '}') continue;
      const char open = text[end] == ']' ? '[' : '{';
      if (text[end - 1] != open) break;
    }
    Schema* target = type(text.substr(1, end - 1));
    text.remove_prefix(end);
    if (!text.starts_with('(')) return target;
    text.remove_prefix(text.find(')') + 1);
    Schema* copy = &set_.nodes_.emplace_back();
    granular_.emplace_back(copy, target);
    return copy;
  }

  void read_scalar(std::string_view& text, Schema& node) {
    struct Scalar {
      std::string_view letters;
      SchemaKind kind;
      std::string_view format;
    };
    static constexpr Scalar kScalars[] = {
        {"any", SchemaKind::Any, ""},          {"bytes", SchemaKind::String, "byte"},
        {"i32", SchemaKind::Integer, "int32"}, {"i64", SchemaKind::Integer, "int64"},
        {"is", SchemaKind::IntOrString, ""},   {"mt", SchemaKind::MicroTime, "date-time"},
        {"b", SchemaKind::Boolean, ""},        {"i", SchemaKind::Integer, ""},
        {"n", SchemaKind::Number, ""},         {"q", SchemaKind::Quantity, ""},
        {"s", SchemaKind::String, ""},         {"t", SchemaKind::Time, "date-time"},
    };
    for (const Scalar& scalar : kScalars) {
      if (!text.starts_with(scalar.letters)) continue;
      node.kind_ = scalar.kind;
      node.format_ = scalar.format;
      text.remove_prefix(scalar.letters.size());
      return;
    }
    ASSERT(!"an expression of config/schema/types.txt has a meaning");
  }

  void read_attributes(std::string_view& text, Schema& node) {
    const std::size_t close = text.find(')');
    std::string_view inside = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
    Facets facets;
    bool any_facet = false;
    while (!inside.empty()) {
      const std::size_t end = std::min(inside.find(';'), inside.size());
      const std::string_view one = inside.substr(0, end);
      inside.remove_prefix(std::min(end + 1, inside.size()));
      const std::size_t equals = std::min(one.find('='), one.size());
      const std::string_view value = one.substr(std::min(equals + 1, one.size()));
      if (!set_attribute(node, one.substr(0, equals), value)) {
        any_facet = true;
        set_facet(facets, one.substr(0, equals), value);
      }
    }
    if (!facets.junctors.empty()) {
      auto parsed = Json::parse(facets.junctors);
      ASSERT(parsed.ok());
      read_junctors(set_, *parsed, facets);
    }
    if (any_facet) node.facets_ = std::make_unique<const Facets>(std::move(facets));
  }

  bool set_attribute(Schema& node, std::string_view name, std::string_view value) {
    if (name == "fmt") {
      node.format_ = value;
    } else if (name == "lt") {
      said_list_type_ = true;
      node.list_type_ = value == "map" ? ListType::Map : value == "set" ? ListType::Set : ListType::Atomic;
    } else if (name == "lk") {
      node.list_keys_ = split(value);
    } else if (name == "mt") {
      node.atomic_map_ = value == "atomic";
    } else if (name == "null") {
      node.nullable_ = true;
    } else if (name == "keep") {
      node.preserve_unknown_ = true;
    } else if (name == "emb") {
      node.embedded_resource_ = true;
    } else if (name == "enum") {
      node.enum_ = elements(value);
    } else {
      return false;
    }
    return true;
  }

  void set_facet(Facets& facets, std::string_view name, std::string_view value) {
    double number = 0;
    std::from_chars(value.data(), value.data() + value.size(), number);
    const auto whole = static_cast<std::int64_t>(number);
    if (name == "min") facets.minimum = number;
    if (name == "max") facets.maximum = number;
    if (name == "mul") facets.multiple_of = number;
    if (name == "xmin") facets.exclusive_minimum = true;
    if (name == "xmax") facets.exclusive_maximum = true;
    if (name == "minlen") facets.min_length = whole;
    if (name == "maxlen") facets.max_length = whole;
    if (name == "minitems") facets.min_items = whole;
    if (name == "maxitems") facets.max_items = whole;
    if (name == "minprops") facets.min_properties = whole;
    if (name == "maxprops") facets.max_properties = whole;
    if (name == "uniq") facets.unique_items = true;
    if (name == "req") facets.required = split(value);
    if (name == "cel") facets.rules = value;
    if (name == "junct") facets.junctors = value;
    if (name == "pat") facets.pattern = unquote(value);
  }

  static std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find(','), text.size());
      parts.push_back(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
  }

  // The elements of a JSON array as texts of their own.
  std::vector<std::string_view> elements(std::string_view array) {
    std::vector<std::string_view> parts;
    auto parsed = Json::parse(array);
    ASSERT(parsed.ok());
    for (const Json& element : parsed->elements()) parts.push_back(set_.texts_.emplace_back(element.dump()));
    return parts;
  }

  std::string_view unquote(std::string_view text) {
    auto parsed = Json::parse(text);
    ASSERT(parsed.ok());
    return set_.texts_.emplace_back(parsed->as_string());
  }

  TypeSet& set_;
  Schema* current_ = nullptr;
  bool said_list_type_ = false;
  std::unordered_map<std::string_view, Schema*> declared_;
  std::vector<std::pair<Schema*, Schema*>> granular_;
};

const TypeSet& TypeSet::builtin() {
  static const TypeSet& set = *[] {
    auto* fresh = new TypeSet;  // lives as long as the process, as the text it points into
    TypeReader(*fresh).read(embedded::types());
    return fresh;
  }();
  return set;
}

}  // namespace flotilla::api
