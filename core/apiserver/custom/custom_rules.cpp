// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/custom/custom_rules.hpp"

#include <deque>
#include <map>
#include <mutex>
#include <optional>

#include "core/api/object.hpp"
#include "core/apiserver/custom/rule_definition.hpp"
#include "core/cel/cel.hpp"

namespace flotilla::apiserver {
namespace {

using api::FieldErrors;
using api::FieldView;
using api::Json;

// Rules of a node of the schema and of what lies below it; nodes without either
// are not made.
struct RuleNode {
  std::vector<CompiledRule> rules;
  cel::TypePtr type;
  std::string type_name;  // "object": what errors show in place of the value
  std::map<std::string, RuleNode, std::less<>> properties;
  std::unique_ptr<RuleNode> items, values;
  std::vector<std::string> list_keys;  // of a list of type map
  bool root = false;

  bool empty() const { return rules.empty() && properties.empty() && !items && !values; }
};

bool mentions_rules(const Json& schema) {
  if (!schema["x-kubernetes-validations"].empty()) return true;
  for (const auto& [name, property] : schema["properties"].members()) {
    if (mentions_rules(property)) return true;
  }
  for (const std::string_view name : {"items", "additionalProperties"}) {
    if (schema[name].is_object() && mentions_rules(schema[name])) return true;
  }
  return false;
}

RuleNode compile_node(const Json& schema, bool root) {
  RuleNode node;
  node.root = root;
  node.type_name = schema["type"].as_string();
  if (!schema["x-kubernetes-validations"].empty()) {
    node.type = cel::type_of_schema(schema, root);
    for (const Json& rule : schema["x-kubernetes-validations"].elements()) {
      if (auto compiled = compile_rule(rule, node.type)) node.rules.push_back(*std::move(compiled));
    }
  }
  for (const auto& [name, property] : schema["properties"].members()) {
    RuleNode child = compile_node(property, false);
    if (!child.empty()) node.properties.emplace(name, std::move(child));
  }
  const auto below = [&](std::string_view name, std::unique_ptr<RuleNode>& into) {
    if (!schema[name].is_object()) return;
    RuleNode child = compile_node(schema[name], false);
    if (!child.empty()) into = std::make_unique<RuleNode>(std::move(child));
  };
  below("items", node.items);
  below("additionalProperties", node.values);
  if (schema["x-kubernetes-list-type"].as_string() == "map") {
    for (const Json& key : schema["x-kubernetes-list-map-keys"].elements())
      node.list_keys.emplace_back(key.as_string());
  }
  return node;
}

// What rules at the root of a resource may see of it.
Json visible_root(const Json& object) {
  Json seen = object;
  Json metadata = Json::object();
  for (const char* name : {"name", "generateName"}) {
    if (const Json* value = object["metadata"].find(name)) metadata.set(name, *value);
  }
  seen.set("metadata", std::move(metadata));
  return seen;
}

class Evaluation {
 public:
  explicit Evaluation(FieldErrors& errors) : errors_(errors) {}

  void walk(const RuleNode& node, const Json& value, const Json* old, const std::string& path) {
    if (stopped_) return;
    const bool unchanged = old && *old == value;
    for (const CompiledRule& rule : node.rules) {
      evaluate(node, rule, value, old, unchanged, path);
      if (stopped_) return;
    }
    if (value.is_object()) walk_members(node, value, old, path);
    if (value.is_array() && node.items) walk_elements(node, value, old, path);
  }

 private:
  void walk_members(const RuleNode& node, const Json& value, const Json* old, const std::string& path) {
    for (const auto& [key, member] : value.members()) {
      const Json* before = old && old->is_object() ? old->find(key) : nullptr;
      if (const auto at = node.properties.find(key); at != node.properties.end()) {
        walk(at->second, member, before, api::at_field(path, key));
      } else if (node.values) {
        walk(*node.values, member, before, api::at_key(path, key));
      }
    }
  }

  void walk_elements(const RuleNode& node, const Json& value, const Json* old, const std::string& path) {
    std::size_t index = 0;
    for (const Json& element : value.elements())
      walk(*node.items, element, predecessor(node, old, element), api::at_index(path, index++));
  }

  static const Json* predecessor(const RuleNode& list, const Json* old, const Json& element) {
    if (!old || list.list_keys.empty()) return nullptr;
    for (const Json& one : old->elements()) {
      bool same = true;
      for (const std::string& key : list.list_keys) same = same && one[key] == element[key];
      if (same) return &one;
    }
    return nullptr;
  }

  void evaluate(const RuleNode& node, const CompiledRule& rule, const Json& value, const Json* old,
                bool unchanged, const std::string& path) {
    const bool transition = rule.program->uses("oldSelf");
    if (transition && !old && !rule.optional_old_self) return;
    // What was so already may stay so.
    if (!transition && unchanged) return;
    const Json seen = node.root ? visible_root(value) : Json();
    const Json seen_old = node.root && old ? visible_root(*old) : Json();
    std::vector<cel::Binding> bindings;
    bindings.push_back({"self", cel::Value::view(node.root ? seen : value, *node.type)});
    if (transition) {
      const cel::Value before =
          old ? cel::Value::view(node.root ? seen_old : *old, *node.type) : cel::Value();
      bindings.push_back({"oldSelf", !rule.optional_old_self ? before
                                     : old                   ? cel::Value::some(before)
                                                             : cel::Value::none()});
    }
    const auto verdict = rule.program->evaluate(bindings, budget_);
    if (!verdict) return fail(node, rule, verdict.error(), path);
    if (verdict->is(cel::Value::Kind::Bool) && verdict->as_bool()) return;
    report(node, rule, message_of(rule, bindings), path);
  }

  std::string message_of(const CompiledRule& rule, std::span<const cel::Binding> bindings) {
    if (rule.message_program) {
      const auto made = rule.message_program->evaluate(bindings, budget_);
      const std::string text =
          made && made->is(cel::Value::Kind::String) ? std::string(made->as_string()) : "";
      constexpr std::size_t kLongest = 5 * 1024;
      if (!text.empty() && text.size() <= kLongest && text.find('\n') == text.npos &&
          text.find_first_not_of(" \t") != text.npos) {
        return text;
      }
    }
    return rule.message.empty() ? "failed rule: " + rule.text : rule.message;
  }

  void report(const RuleNode& node, const CompiledRule& rule, const std::string& detail,
              const std::string& path) {
    const std::string place =
        path +
        (path.empty() && rule.field_path.starts_with('.') ? rule.field_path.substr(1) : rule.field_path);
    const std::string shown = place.empty() ? "<nil>" : place;
    if (rule.reason == "FieldValueForbidden") {
      errors_.forbidden(shown, detail);
    } else if (rule.reason == "FieldValueRequired") {
      errors_.required(shown, detail);
    } else if (rule.reason == "FieldValueDuplicate") {
      errors_.duplicate(shown, node.type_name);
    } else {
      errors_.invalid(shown, node.type_name, detail);
    }
  }

  void fail(const RuleNode& node, const CompiledRule& rule, const Error& error, const std::string& path) {
    const std::string shown = path.empty() ? "<nil>" : path;
    const std::string what(error.message());
    const std::string& about = rule.message.empty() ? rule.text : rule.message;
    if (what == cel::kOutOfBudget) {
      stopped_ = true;
      return errors_.invalid(shown, node.type_name, what);
    }
    if (what.starts_with("no such overload")) {
      return errors_.invalid(shown, node.type_name,
                             "'" + what +
                                 "': call arguments did not match a supported "
                                 "operator, function or macro "
                                 "signature for rule: " +
                                 about);
    }
    if (what.starts_with(cel::kCostLimitExceeded)) {
      stopped_ = true;
      return errors_.invalid(shown, node.type_name,
                             "'" + what + "': call cost exceeds limit for rule: " + about);
    }
    errors_.invalid(shown, node.type_name, what + " evaluating rule: " + about);
  }

  FieldErrors& errors_;
  cel::Budget budget_;
  bool stopped_ = false;
};

// Compiled when the first object is written: most definitions wait for theirs.
class Rules : public api::ObjectRules {
 public:
  explicit Rules(Json schema) : schema_(std::move(schema)) {}

  void check(const Json& object, const Json& live, FieldErrors& errors) const override {
    std::call_once(compiled_, [this] { root_ = compile_node(schema_, true); });
    Evaluation(errors).walk(root_, object, live.is_null() ? nullptr : &live, "");
  }

 private:
  Json schema_;
  mutable std::once_flag compiled_;
  mutable RuleNode root_;
};

class CustomRules : public api::RuleLanguage {
 public:
  std::shared_ptr<const api::ObjectRules> compile(const Json& schema) const override {
    return mentions_rules(schema) ? std::make_shared<const Rules>(schema) : nullptr;
  }
  void check_definition(const FieldView& schema) const override {
    if (mentions_rules(schema.value())) check_rule_definitions(schema);
  }
};

}  // namespace

const api::RuleLanguage& custom_rules() {
  static const CustomRules rules;
  return rules;
}

}  // namespace flotilla::apiserver
