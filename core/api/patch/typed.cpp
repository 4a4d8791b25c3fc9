// SPDX-License-Identifier: Apache-2.0
#include "core/api/patch/typed.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace flotilla::api {
namespace {

enum class Shape { Leaf, Map, List };

// What a value is to apply: by schema, and where that says nothing by the value.
Shape shape_of(const Schema& schema, const Json& value) {
  switch (schema.kind()) {
    case SchemaKind::Struct:
    case SchemaKind::Map:
      return schema.atomic_map() ? Shape::Leaf : Shape::Map;
    case SchemaKind::List:
      return schema.list_type() == ListType::Atomic ? Shape::Leaf : Shape::List;
    case SchemaKind::Any:
      return value.is_object() && !schema.atomic_map() ? Shape::Map : Shape::Leaf;
    default:
      return Shape::Leaf;
  }
}

const Schema& child_of(const Schema& schema, std::string_view key) {
  const Schema* found = schema.member(key);
  return found ? *found : Schema::any();
}

// Nothing where a key is missing and has no default.
std::optional<std::string> element_of(const Schema& list, const Json& item) {
  if (list.list_type() == ListType::Set) return "v:" + item.dump();
  Json keys = Json::object();
  for (const std::string_view key : list.list_keys()) {
    if (const Json* value = item.find(key)) {
      keys.set(key, *value);
      continue;
    }
    const Field* field = list.items().field(key);
    if (!field || !field->has_default()) return std::nullopt;
    auto preset = Json::parse(field->default_text);
    if (!preset) return std::nullopt;
    keys.set(key, *std::move(preset));
  }
  return "k:" + keys.dump();
}

// The elements of a granular list by path element, in the order of their first occurrence.
struct Index {
  std::vector<std::string> order;
  std::map<std::string, std::vector<const Json*>> items;
  const Json* first(const std::string& element) const {
    const auto at = items.find(element);
    return at == items.end() ? nullptr : at->second.front();
  }
};

Index index_list(const Schema& list, const Json* value) {
  Index index;
  if (!value) return index;
  std::size_t at = 0;
  for (const Json& item : value->elements()) {
    const std::string element = element_of(list, item).value_or("i:" + std::to_string(at));
    ++at;
    auto& same = index.items[element];
    if (same.empty()) index.order.push_back(element);
    same.push_back(&item);
  }
  return index;
}

class Comparer {
 public:
  explicit Comparer(Comparison& out) : out_(out) {}

  void walk(const Schema& schema, const Json* left, const Json* right, std::vector<std::string>& path) {
    const Json& model = right && !right->is_null() ? *right : left ? *left : *right;
    const Shape shape = shape_of(schema, model);
    const bool both_empty = (!left || left->empty()) && (!right || right->empty());
    if (shape == Shape::Leaf || both_empty || !container(left, shape) || !container(right, shape)) {
      return leaf(left, right, path);
    }
    if (shape == Shape::Map) {
      walk_map(schema, left, right, path);
    } else {
      walk_list(schema, left, right, path);
    }
    if (!left) out_.added.insert(path);
    if (!right) out_.removed.insert(path);
  }

 private:
  static bool container(const Json* value, Shape shape) {
    return !value || value->is_null() || (shape == Shape::Map ? value->is_object() : value->is_array());
  }

  void leaf(const Json* left, const Json* right, const std::vector<std::string>& path) {
    if (!left) {
      out_.added.insert(path);
    } else if (!right) {
      out_.removed.insert(path);
    } else if (!(*left == *right)) {
      out_.modified.insert(path);
    }
  }

  void walk_map(const Schema& schema, const Json* left, const Json* right, std::vector<std::string>& path) {
    if (left) {
      for (const auto& [key, value] : left->members()) {
        step(child_of(schema, key), &value, right ? right->find(key) : nullptr, field_element(key), path);
      }
    }
    if (!right) return;
    for (const auto& [key, value] : right->members()) {
      if (!left || !left->contains(key))
        step(child_of(schema, key), nullptr, &value, field_element(key), path);
    }
  }

  void walk_list(const Schema& schema, const Json* left, const Json* right, std::vector<std::string>& path) {
    const Index of_left = index_list(schema, left);
    const Index of_right = index_list(schema, right);
    for (const std::string& element : of_left.order) {
      const auto& before = of_left.items.at(element);
      const auto there = of_right.items.find(element);
      const bool doubled = before.size() > 1 || (there != of_right.items.end() && there->second.size() > 1);
      if (doubled && there != of_right.items.end()) {
        const bool equal = before.size() == there->second.size() &&
                           std::equal(before.begin(), before.end(), there->second.begin(),
                                      [](const Json* a, const Json* b) { return *a == *b; });
        path.push_back(element);
        if (!equal) out_.modified.insert(path);
        path.pop_back();
        continue;
      }
      step(schema.items(), before.front(), of_right.first(element), element, path);
    }
    for (const std::string& element : of_right.order) {
      if (!of_left.first(element)) step(schema.items(), nullptr, of_right.first(element), element, path);
    }
  }

  void step(const Schema& schema, const Json* left, const Json* right, std::string element,
            std::vector<std::string>& path) {
    path.push_back(std::move(element));
    walk(schema, left, right, path);
    path.pop_back();
  }

  Comparison& out_;
};

void claim(const Schema& schema, const Json& value, FieldSet& node) {
  const Shape shape = shape_of(schema, value);
  if (shape == Shape::Leaf || (shape == Shape::Map && !value.is_object() && !value.is_null()))
    return node.set_member(true);
  if (shape == Shape::List) {
    for (const auto& [element, items] : index_list(schema, &value).items) {
      FieldSet& child = node.child(element);
      if (items.size() == 1) claim(schema.items(), *items.front(), child);
      child.set_member(true);
    }
    return;
  }
  for (const auto& [key, member] : value.members()) {
    const bool declared = schema.is(SchemaKind::Struct) && schema.field(key);
    FieldSet below;
    claim(child_of(schema, key), member, below);
    if (member.is_null() || (member.is_object() && member.empty()) || !declared) below.set_member(true);
    if (!below.empty()) node.child(field_element(key)) = std::move(below);
  }
}

Json merge(const Schema& schema, const Json* live, const Json* config);

Json merge_list(const Schema& schema, const Json* live, const Json* config) {
  const Index left = index_list(schema, live);
  const Index right = index_list(schema, config);
  std::vector<std::string> shared;
  for (const std::string& element : right.order) {
    if (left.first(element)) shared.push_back(element);
  }
  Json out = Json::array();
  std::size_t l = 0, r = 0, next = 0;
  const auto take = [&](const std::string& element, const Json* a, const Json* b) {
    out.push_back(merge(schema.items(), a, b));
    const auto doubled = left.items.find(element);
    if (b || doubled == left.items.end()) return;
    for (std::size_t i = 1; i < doubled->second.size(); ++i) out.push_back(*doubled->second[i]);
  };
  while (l < left.order.size() || r < right.order.size()) {
    if (l < left.order.size() && r < right.order.size()) {
      const std::string& element = left.order[l];
      if (element == right.order[r]) {
        take(element, left.first(element), right.first(element));
        ++l, ++r, ++next;
        continue;
      }
      // Shared, but not the one that comes next.
      if (right.first(element) && next < shared.size() && shared[next] != element) {
        ++l;
        continue;
      }
    }
    if (l < left.order.size() && !right.first(left.order[l])) {
      take(left.order[l], left.first(left.order[l]), nullptr);
      ++l;
      continue;
    }
    if (r < right.order.size()) {
      const std::string& element = right.order[r++];
      take(element, left.first(element), right.first(element));
      if (next < shared.size() && shared[next] == element) ++next;
    } else {
      ++l;
    }
  }
  return out;
}

Json merge(const Schema& schema, const Json* live, const Json* config) {
  if (!config) return *live;
  if (!live) return *config;
  const Shape shape = shape_of(schema, *config);
  if (shape == Shape::Leaf || live->empty() || config->empty()) {
    const bool keep = shape != Shape::Leaf && config->empty() && !config->is_null() && !live->empty();
    return keep ? *live : *config;
  }
  if (shape == Shape::List) {
    return live->is_array() && config->is_array() ? merge_list(schema, live, config) : *config;
  }
  if (!live->is_object() || !config->is_object()) return *config;
  Json out = *live;
  for (const auto& [key, value] : config->members()) {
    out.set(key, merge(child_of(schema, key), live->find(key), &value));
  }
  return out;
}

// Null when nothing is left.
Json remove_from(const Schema& schema, Json value, const FieldSet& set) {
  const Shape shape = shape_of(schema, value);
  if (value.is_object()) {
    if (shape == Shape::Leaf) return nullptr;
    for (const std::string& key : value.keys()) {
      const FieldSet* below = set.find(field_element(key));
      if (!below) continue;
      if (below->member()) {
        value.erase(key);
        continue;
      }
      Json rest = remove_from(child_of(schema, key), std::move(*value.find(key)), *below);
      if (rest.is_null()) {
        value.erase(key);
      } else {
        value.set(key, std::move(rest));
      }
    }
    return value.empty() ? Json() : value;
  }
  if (!value.is_array()) return value;
  if (shape == Shape::Leaf) return nullptr;
  Json kept = Json::array();
  for (Json& item : value.elements()) {
    const auto element = element_of(schema, item);
    const FieldSet* below = element ? set.find(*element) : nullptr;
    if (!below) {
      kept.push_back(std::move(item));
    } else if (!below->member()) {
      kept.push_back(remove_from(schema.items(), std::move(item), *below));
    }
  }
  return kept.empty() ? Json() : kept;
}

void check(const Schema& schema, const Json& value, const std::string& path,
           std::vector<std::string>& errors) {
  if (value.is_null()) return;
  const auto expected = [&](std::string_view what) {
    errors.push_back((path.empty() ? "" : path + ": ") + "expected " + std::string(what) + ", got " +
                     value.dump());
  };
  switch (schema.kind()) {
    case SchemaKind::Struct:
    case SchemaKind::Map:
      if (!value.is_object()) return expected("map");
      for (const auto& [key, member] : value.members()) {
        const Schema* inner = schema.member(key);
        if (inner) {
          check(*inner, member, path + "." + std::string(key), errors);
        } else if (!schema.preserve_unknown()) {
          errors.push_back(path + "." + std::string(key) + ": field not declared in schema");
        }
      }
      return;
    case SchemaKind::List: {
      if (!value.is_array()) return expected("list");
      std::set<std::string> seen;
      std::size_t index = 0;
      for (const Json& item : value.elements()) {
        std::string place = "[" + std::to_string(index) + "]";
        if (schema.list_type() != ListType::Atomic) {
          const auto element = element_of(schema, item);
          if (!element) {
            std::string_view missing;
            for (const std::string_view key : schema.list_keys()) {
              if (!item.contains(key) && missing.empty()) missing = key;
            }
            errors.push_back(path + ": element " + std::to_string(index) +
                             ": associative list with keys has an element that omits key field \"" +
                             std::string(missing) + "\" (and doesn't have default value)");
            return;
          }
          place = print_element(*element);
          if (!seen.insert(*element).second) {
            errors.push_back(path + ": duplicate entries for key " + place);
          }
        }
        check(schema.items(), item, path + place, errors);
        ++index;
      }
      return;
    }
    case SchemaKind::String:
    case SchemaKind::Time:
    case SchemaKind::MicroTime:
      return value.is_string() ? void() : expected("string");
    case SchemaKind::Integer:
    case SchemaKind::Number:
      return value.is_number() ? void() : expected("numeric (int or float)");
    case SchemaKind::Boolean:
      return value.is_bool() ? void() : expected("boolean");
    default:
      return;
  }
}

}  // namespace

Comparison compare(const Schema& schema, const Json& left, const Json& right) {
  Comparison out;
  std::vector<std::string> path;
  Comparer(out).walk(schema, &left, &right, path);
  return out;
}

FieldSet to_field_set(const Schema& schema, const Json& object) {
  FieldSet set;
  claim(schema, object, set);
  set.set_member(false);
  return set;
}

Json merge_typed(const Schema& schema, const Json& live, const Json& config) {
  return merge(schema, &live, &config);
}

Json remove_items(const Schema& schema, Json object, const FieldSet& set) {
  Json rest = remove_from(schema, std::move(object), set);
  return rest.is_null() ? Json::object() : rest;
}

std::vector<std::string> check_typed(const Schema& schema, const Json& config) {
  std::vector<std::string> errors;
  check(schema, config, "", errors);
  return errors;
}

}  // namespace flotilla::api
