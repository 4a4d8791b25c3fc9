// SPDX-License-Identifier: Apache-2.0
#include "core/api/json_path.hpp"

#include <algorithm>
#include <utility>

namespace flotilla::api {

namespace {

using Step = JsonPath::Step;
using Steps = JsonPath::Steps;
using Kind = JsonPath::Step::Kind;
using Values = std::vector<const Json*>;
using Missing = JsonPath::Missing;

Result<Values> follow(const Steps& steps, Values values, Missing missing);

void collect_below(const Json& value, Values& out) {
  for (auto [key, member] : value.members()) {
    out.push_back(&member);
    collect_below(member, out);
  }
  for (const Json& element : value.elements()) {
    out.push_back(&element);
    collect_below(element, out);
  }
}

Result<Values> apply_field(const Step& step, const Values& values, Missing missing) {
  Values out;
  for (const Json* value : values) {
    if (const Json* member = value->find(step.text)) out.push_back(member);
  }
  if (out.empty() && missing == Missing::IsError) return invalid(step.text + " is not found");
  return out;
}

Status apply_slice(const Step& step, const Json& list, Missing missing, Values& out) {
  if (!list.is_array()) {
    if (missing == Missing::IsNothing) return {};
    return invalid(list.dump() + " is not array or slice");
  }
  auto length = static_cast<std::int64_t>(list.size());
  std::int64_t from = step.from.value_or(0);
  if (from < 0) from += length;
  std::int64_t to = step.single ? from + 1 : step.to.value_or(length);
  if (to < 0) to += length;
  if (step.single && (from < 0 || from >= length)) {
    if (missing == Missing::IsNothing) return {};
    return invalid("array index out of bounds: index " + std::to_string(step.from.value_or(0)) + ", length " +
                   std::to_string(length));
  }
  std::int64_t by = step.by.value_or(1);
  if (by <= 0) return invalid("step must be > 0");
  for (std::int64_t i = std::max<std::int64_t>(from, 0); i < std::min(to, length); i += by) {
    out.push_back(&list.element(static_cast<std::size_t>(i)));
  }
  return {};
}

// Numbers by value, strings by their bytes; nothing where the two cannot be compared.
std::optional<int> order(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) {
    double left = a.as_double();
    double right = b.as_double();
    return left < right ? -1 : left > right ? 1 : 0;
  }
  if (a.is_string() && b.is_string()) return a.as_string().compare(b.as_string());
  if (a == b) return 0;
  return std::nullopt;
}

bool holds(JsonPath::Compare compare, std::optional<int> order) {
  using Compare = JsonPath::Compare;
  if (!order) return compare == Compare::NotEqual;
  switch (compare) {
    case Compare::Exists:
      return true;
    case Compare::Equal:
      return *order == 0;
    case Compare::NotEqual:
      return *order != 0;
    case Compare::Less:
      return *order < 0;
    case Compare::LessOrEqual:
      return *order <= 0;
    case Compare::Greater:
      return *order > 0;
    case Compare::GreaterOrEqual:
      return *order >= 0;
  }
  return false;
}

// The one value of a side of a filter; null where it has none or several.
const Json* operand(const Step& side, const Json& element) {
  if (side.kind == Kind::Literal) return &side.value;
  Result<Values> found = follow(side.inner, {&element}, Missing::IsNothing);
  return found && found->size() == 1 ? found->front() : nullptr;
}

bool passes(const Step& filter, const Json& element) {
  const Json* left = operand(filter.inner.front(), element);
  if (left == nullptr) return false;
  if (filter.compare == JsonPath::Compare::Exists) return true;
  const Json* right = operand(filter.body.front(), element);
  return right != nullptr && holds(filter.compare, order(*left, *right));
}

Result<Values> apply(const Step& step, const Values& values, Missing missing) {
  Values out;
  switch (step.kind) {
    case Kind::Field:
      return apply_field(step, values, missing);
    case Kind::Slice:
      for (const Json* value : values) {
        Status applied = apply_slice(step, *value, missing, out);
        if (!applied) return std::move(applied).error();
      }
      return out;
    case Kind::Wildcard:
      for (const Json* value : values) {
        for (const Json& element : value->elements()) out.push_back(&element);
        for (auto [key, member] : value->members()) out.push_back(&member);
      }
      return out;
    case Kind::Recursive:
      for (const Json* value : values) {
        out.push_back(value);
        collect_below(*value, out);
      }
      return out;
    case Kind::Filter:
      for (const Json* value : values) {
        for (const Json& element : value->elements()) {
          if (passes(step, element)) out.push_back(&element);
        }
      }
      return out;
    case Kind::Union:
      for (const Step& alternative : step.inner) {
        Result<Values> found = follow(alternative.inner, values, missing);
        if (!found) return found;
        out.insert(out.end(), found->begin(), found->end());
      }
      return out;
    case Kind::Path:
      return follow(step.inner, values, missing);
    case Kind::Literal:
      return Values{&step.value};
    case Kind::Text:
    case Kind::Range:
      break;
  }
  return out;
}

Result<Values> follow(const Steps& steps, Values values, Missing missing) {
  for (const Step& step : steps) {
    Result<Values> next = apply(step, values, missing);
    if (!next) return next;
    values = std::move(*next);
  }
  return values;
}

void append_text(const Json& value, std::string& out) {
  if (value.is_string()) {
    out += value.as_string();
  } else if (value.is_null()) {
    out += "<nil>";
  } else {
    value.append_to(out);
  }
}

Status render_steps(const Steps& steps, const Json& root, Missing missing, std::string& out) {
  for (const Step& step : steps) {
    if (step.kind == Kind::Text) {
      out += step.text;
      continue;
    }
    Result<Values> found = follow(step.inner, {&root}, missing);
    if (!found) return std::move(found).error();
    const char* separator = "";
    for (const Json* value : *found) {
      if (step.kind == Kind::Range) {
        Status rendered = render_steps(step.body, *value, missing, out);
        if (!rendered) return rendered;
        continue;
      }
      out += std::exchange(separator, " ");
      append_text(*value, out);
    }
  }
  return {};
}

}  // namespace

Result<std::string> JsonPath::render(const Json& root) const {
  std::string out;
  Status rendered = render_steps(*steps_, root, missing_, out);
  if (!rendered) return std::move(rendered).error();
  return out;
}

Result<std::vector<const Json*>> JsonPath::find(const Json& root) const {
  for (const Step& step : *steps_) {
    if (step.kind == Kind::Path) return follow(step.inner, {&root}, missing_);
  }
  return Values();
}

}  // namespace flotilla::api
