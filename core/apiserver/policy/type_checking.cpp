// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/policy/type_checking.hpp"

#include <map>
#include <set>

#include "core/apiserver/policy/facts.hpp"

namespace flotilla::apiserver {
namespace {

using api::Schema;
using api::SchemaKind;
using cel::Type;
using cel::TypePtr;

constexpr std::size_t kMostKinds = 10;

// Types of built-in kinds and of custom resources; one that leads back to itself is Dyn there.
class TypeMaker {
 public:
  TypePtr make(const Schema& schema) {
    switch (schema.kind()) {
      case SchemaKind::Struct:
        return make_object(schema);
      case SchemaKind::Map:
        return Type::map(Type::string(), make(schema.items()));
      case SchemaKind::List:
        return Type::list(make(schema.items()));
      case SchemaKind::String:
        return schema.format() == "byte" ? Type::bytes() : Type::string();
      case SchemaKind::Quantity:
        return Type::string();
      case SchemaKind::Integer:
        return Type::integer();
      case SchemaKind::Number:
        return Type::number();
      case SchemaKind::Boolean:
        return Type::boolean();
      case SchemaKind::Time:
      case SchemaKind::MicroTime:
        return Type::timestamp();
      default:
        return Type::dyn();
    }
  }

 private:
  TypePtr make_object(const Schema& schema) {
    if (schema.preserve_unknown() || open_.contains(&schema)) return Type::dyn();
    TypePtr& made = made_[&schema];
    if (made) return made;
    open_.insert(&schema);
    std::vector<cel::ObjectField> fields;
    for (const api::Field& field : schema.fields()) {
      TypePtr type = make(*field.schema);
      const std::string key(field.name);
      auto escaped = cel::escape_property(key);
      if (escaped && *escaped != key) fields.push_back({*escaped, key, type});
      fields.push_back({key, key, std::move(type)});
    }
    open_.erase(&schema);
    return made_[&schema] = Type::object("object", std::move(fields));
  }

  std::map<const Schema*, TypePtr> made_;
  std::set<const Schema*> open_;
};

// The kinds that the rules name without a wildcard.
std::vector<api::ResourcePtr> kinds_of(const api::Json& rules, const api::Registry& registry) {
  std::vector<api::ResourcePtr> out;
  for (const api::Json& rule : rules.elements()) {
    for (const api::Json& group : rule["apiGroups"].elements()) {
      for (const api::Json& version : rule["apiVersions"].elements()) {
        for (const api::Json& resource : rule["resources"].elements()) {
          auto found = registry.find_resource(group.as_string(), version.as_string(), resource.as_string());
          if (found && found->schema && out.size() < kMostKinds) out.push_back(std::move(found));
        }
      }
    }
  }
  return out;
}

class Inspection {
 public:
  Inspection(const api::Json& spec, const api::Resource& resource) : spec_(spec) {
    kind_ = resource.group_version() + ", Kind=" + resource.kind;
    choice_.params = spec["paramKind"].is_object();
    object_ = TypeMaker().make(*resource.schema);
    variables();
  }

  void look(const std::string& field, const api::Json& expression,
            std::map<std::string, std::string>& warnings) const {
    if (expression.as_string().empty()) return;
    const auto program = cel::compile(expression.as_string(), environment());
    if (program) return;
    std::string& text = warnings[field];
    text += (text.empty() ? "" : "\n") + kind_ + ": " + program.error().message();
  }

 private:
  cel::Environment environment() const {
    cel::Environment out = facts_environment(choice_);
    out.variables[0].type = object_;
    out.variables[1].type = object_;
    return out;
  }

  void variables() {
    std::vector<cel::ObjectField> known;
    choice_.variables = Type::object("kubernetes.variables", {});
    for (const api::Json& variable : spec_["variables"].elements()) {
      const auto program = cel::compile(variable["expression"].as_string(), environment());
      const std::string name(variable["name"].as_string());
      known.push_back({name, name, program ? (*program)->type() : Type::dyn()});
      choice_.variables = Type::object("kubernetes.variables", known);
    }
  }

  const api::Json& spec_;
  std::string kind_;
  FactChoice choice_;
  TypePtr object_;
};

}  // namespace

api::Json type_checking_of(const api::Json& policy, const api::Registry& registry) {
  const api::Json& spec = policy["spec"];
  std::map<std::string, std::string> warnings;
  for (const api::ResourcePtr& resource : kinds_of(spec["matchConstraints"]["resourceRules"], registry)) {
    const Inspection inspection(spec, *resource);
    const auto all = spec["validations"].elements();
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::string at = "spec.validations[" + std::to_string(i) + "].";
      inspection.look(at + "expression", all[i]["expression"], warnings);
      inspection.look(at + "messageExpression", all[i]["messageExpression"], warnings);
    }
  }
  api::Json out = api::Json::object();
  for (auto& [field, warning] : warnings)
    out["expressionWarnings"].push_back(api::Json::object({{"fieldRef", field}, {"warning", warning}}));
  return out;
}

}  // namespace flotilla::apiserver
