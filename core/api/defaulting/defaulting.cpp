// SPDX-License-Identifier: Apache-2.0
#include "core/api/defaulting/defaulting.hpp"

#include <utility>
#include <vector>

#include "core/api/defaulting/rules.hpp"
#include "core/api/quantity.hpp"
#include "core/api/schema/embedded.hpp"
#include "core/base/assert.hpp"

namespace flotilla::api {
namespace {

struct Constant {
  std::string_view field;
  Json value;
};
using Constants = std::unordered_map<const Schema*, std::vector<Constant>>;

std::string_view take(std::string_view& text, char until) {
  const std::size_t end = std::min(text.find(until), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

const Json* parse_ours(std::string_view text, Json& into) {
  auto parsed = Json::parse(text);
  ASSERT(parsed.ok());
  into = *std::move(parsed);
  return &into;
}

// config/schema/defaults.txt, then what types.txt itself gives ("protocol" is "TCP").
const Constants& constants() {
  static const Constants& all = *[] {
    auto* made = new Constants;
    const TypeSet& types = TypeSet::builtin();
    std::string_view text = embedded::defaults();
    std::vector<Constant>* current = nullptr;
    while (!text.empty()) {
      std::string_view line = take(text, '\n');
      if (line.starts_with("type ")) {
        const Schema* schema = types.find("io.k8s." + std::string(line.substr(5)));
        ASSERT(schema != nullptr);
        current = &(*made)[schema];
      } else if (line.starts_with(' ')) {
        line.remove_prefix(1);
        const std::string_view field = take(line, ' ');
        Json value;
        parse_ours(line, value);
        ASSERT(current != nullptr);
        current->push_back({field, std::move(value)});
      }
    }
    for (const Schema* schema : types.named()) {
      for (const Field& field : schema->fields()) {
        const std::string_view preset = field.default_text;
        const bool zero =
            preset.empty() || preset == "{}" || preset == "\"\"" || preset == "0" || preset == "false";
        Json value;
        if (!zero || (field.pointer && preset == "\"\""))
          (*made)[schema].push_back({field.name, *parse_ours(preset, value)});
      }
    }
    return made;
  }();
  return all;
}

bool is_zero_scalar(const Json& value) {
  if (value.is_string()) return value.as_string().empty();
  return value.is_number() && value.as_double() == 0;
}

void fill(const Schema& schema, Json& object) {
  if (const auto rule = defaulting::rules().find(&schema); rule != defaulting::rules().end())
    rule->second(object);
  const auto found = constants().find(&schema);
  if (found == constants().end()) return;
  for (const Constant& one : found->second) {
    const Json* now = std::as_const(object).find(one.field);
    const Field* field = schema.field(one.field);
    // Without a pointer Go cannot tell 0 from unset.
    const bool unset = !now || now->is_null() || (field && !field->pointer && is_zero_scalar(*now));
    if (unset) object.set(one.field, one.value);
  }
}

// Amounts of resources are kept to the thousandth, rounded up.
void round_amounts(Json& amounts) {
  for (const std::string& name : amounts.keys()) {
    Json& amount = *amounts.find(name);
    const auto exact = Quantity::from_json(amount);
    if (!exact) continue;
    const Quantity rounded = Quantity::from_milli(exact->milli_value(), exact->format());
    // What is too large for thousandths is capped by them, and stays as it is.
    const bool away = exact->sign() < 0 ? rounded < *exact : rounded > *exact;
    if (away) amount = rounded.to_string();
  }
}

}  // namespace

void set_defaults(const Schema& schema, Json& object) {
  if (schema.is(SchemaKind::List)) {
    for (Json& element : object.elements()) set_defaults(schema.items(), element);
    return;
  }
  if (!object.is_object()) return;
  if (schema.is(SchemaKind::Struct)) fill(schema, object);
  if (schema.is(SchemaKind::Map) && schema.items().is_scalar()) {
    if (schema.items().is(SchemaKind::Quantity)) round_amounts(object);
    return;
  }
  for (const auto& [key, value] : object.members()) {
    if (!value.is_object() && !value.is_array()) continue;
    if (const Schema* member = schema.member(key)) set_defaults(*member, *object.find(key));
  }
}

void set_custom_defaults(const Schema& schema, Json& value) {
  if (value.is_array() && schema.is(SchemaKind::List)) {
    for (Json& element : value.elements()) set_custom_defaults(schema.items(), element);
    return;
  }
  if (!value.is_object()) return;
  for (const Field& field : schema.fields()) {
    if (!field.has_default()) continue;
    const Json* now = std::as_const(value).find(field.name);
    if (now && !(now->is_null() && !field.schema->nullable())) continue;
    Json preset;
    if (auto parsed = Json::parse(field.default_text)) value.set(field.name, *std::move(parsed));
  }
  for (const std::string& key : value.keys()) {
    const Schema* member = schema.member(key);
    // metadata's type is Kubernetes' own and has Go's defaults, which mean nothing here.
    if (member && !member->name().ends_with(".meta.v1.ObjectMeta"))
      set_custom_defaults(*member, *value.find(key));
  }
}

}  // namespace flotilla::api
