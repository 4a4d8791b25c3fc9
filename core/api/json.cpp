// SPDX-License-Identifier: Apache-2.0
#include "core/api/json.hpp"

#include <cmath>
#include <cstring>
#include <new>

#include "core/api/json_nlohmann.hpp"

namespace flotilla::api {
namespace {

using nlohmann::json;
using ObjectNode = json::object_t::iterator;

static_assert(sizeof(json) == sizeof(Json) && alignof(json) == alignof(Json));
static_assert(sizeof(ObjectNode) == sizeof(void*));

void* pack(json::object_t::const_iterator it) {
  void* node;
  std::memcpy(&node, &it, sizeof node);
  return node;
}

json::object_t::const_iterator unpack(void* node) {
  json::object_t::const_iterator it;
  std::memcpy(static_cast<void*>(&it), &node, sizeof node);
  return it;
}

json& raw(Json* value) {
  return *std::launder(reinterpret_cast<json*>(value));
}
const json& raw(const Json* value) {
  return *std::launder(reinterpret_cast<const json*>(value));
}
Json& wrap(json& value) {
  return reinterpret_cast<Json&>(value);
}
const Json& wrap(const json& value) {
  return reinterpret_cast<const Json&>(value);
}

const Json kNull;

}  // namespace

nlohmann::json& to_nlohmann(Json& value) {
  return raw(&value);
}
const nlohmann::json& to_nlohmann(const Json& value) {
  return raw(&value);
}
Json from_nlohmann(nlohmann::json value) {
  return std::move(wrap(value));
}

Json::Json() noexcept {
  new (value_) json();
}
Json::Json(std::nullptr_t) noexcept : Json() {}
Json::Json(Tag tag, std::int64_t value) noexcept {
  if (tag == Tag::Bool) {
    new (value_) json(value != 0);
  } else {
    new (value_) json(value);
  }
}
Json::Json(double value) noexcept {
  new (value_) json(value);
}
Json::Json(const char* value) {
  new (value_) json(value);
}
Json::Json(std::string_view value) {
  new (value_) json(std::string(value));
}
Json::Json(std::string value) {
  new (value_) json(std::move(value));
}
Json::Json(const Json& other) {
  new (value_) json(raw(&other));
}
Json::Json(Json&& other) noexcept {
  new (value_) json(std::move(raw(&other)));
}
Json& Json::operator=(const Json& other) {
  if (this != &other) raw(this) = raw(&other);
  return *this;
}
Json& Json::operator=(Json&& other) noexcept {
  if (this == &other) return *this;
  // `v = std::move(v["member"])` must work: take the value out before the old tree dies.
  json taken(std::move(raw(&other)));
  raw(this).swap(taken);
  return *this;
}
Json::~Json() {
  raw(this).~json();
}

Json Json::object(std::initializer_list<std::pair<std::string_view, Json>> members) {
  Json made;
  json& value = raw(&made);
  value = json::object();
  for (const auto& [key, member] : members) value[std::string(key)] = raw(&member);
  return made;
}

Json Json::array(std::initializer_list<Json> elements) {
  Json made;
  json& value = raw(&made);
  value = json::array();
  for (const Json& element : elements) value.push_back(raw(&element));
  return made;
}

Json Json::strings(std::span<const std::string> elements) {
  Json made = array();
  for (const std::string& element : elements) made.push_back(element);
  return made;
}

std::string Json::dump() const {
  return raw(this).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string Json::dump_pretty(int indent) const {
  return raw(this).dump(indent, ' ', false, json::error_handler_t::replace);
}

void Json::append_to(std::string& out) const {
  nlohmann::detail::serializer<json> serializer(nlohmann::detail::output_adapter<char>(out), ' ',
                                                json::error_handler_t::replace);
  serializer.dump(raw(this), false, false, 0);
}

Json::Type Json::type() const noexcept {
  switch (raw(this).type()) {
    case json::value_t::null:
    case json::value_t::discarded:
      return Type::Null;
    case json::value_t::boolean:
      return Type::Bool;
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
      return Type::Int;
    case json::value_t::number_float:
      return Type::Float;
    case json::value_t::string:
    case json::value_t::binary:
      return Type::String;
    case json::value_t::array:
      return Type::Array;
    case json::value_t::object:
      return Type::Object;
  }
  return Type::Null;
}

bool Json::as_bool(bool otherwise) const noexcept {
  const auto* value = raw(this).get_ptr<const json::boolean_t*>();
  return value ? *value : otherwise;
}

std::int64_t Json::as_int(std::int64_t otherwise) const noexcept {
  const json& value = raw(this);
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (std::trunc(number) == number && std::abs(number) < 9.2e18) return static_cast<std::int64_t>(number);
  }
  return otherwise;
}

double Json::as_double(double otherwise) const noexcept {
  return raw(this).is_number() ? raw(this).get<double>() : otherwise;
}

std::string_view Json::as_string(std::string_view otherwise) const noexcept {
  const auto* value = raw(this).get_ptr<const json::string_t*>();
  return value ? std::string_view(*value) : otherwise;
}

std::size_t Json::size() const noexcept {
  const json& value = raw(this);
  return value.is_structured() ? value.size() : 0;
}

const Json& Json::operator[](std::string_view key) const noexcept {
  const Json* found = find(key);
  return found ? *found : kNull;
}

Json& Json::operator[](std::string_view key) {
  json& value = raw(this);
  if (!value.is_object()) value = json::object();
  auto& object = value.get_ref<json::object_t&>();
  const auto it = object.lower_bound(key);
  if (it != object.end() && it->first == key) return wrap(it->second);
  return wrap(object.emplace_hint(it, std::string(key), nullptr)->second);
}

const Json* Json::find(std::string_view key) const noexcept {
  const auto* object = raw(this).get_ptr<const json::object_t*>();
  if (object == nullptr) return nullptr;
  const auto it = object->find(key);
  return it == object->end() ? nullptr : &wrap(it->second);
}

Json* Json::find(std::string_view key) noexcept {
  return const_cast<Json*>(std::as_const(*this).find(key));
}

bool Json::erase(std::string_view key) {
  auto* object = raw(this).get_ptr<json::object_t*>();
  if (object == nullptr) return false;
  const auto it = object->find(key);
  if (it == object->end()) return false;
  object->erase(it);
  return true;
}

Json::Members Json::members() const noexcept {
  const auto* object = raw(this).get_ptr<const json::object_t*>();
  if (object == nullptr) return {MemberIterator(), MemberIterator()};
  return {MemberIterator(pack(object->begin())), MemberIterator(pack(object->end()))};
}

Json::Member Json::MemberIterator::operator*() const noexcept {
  const auto it = unpack(node_);
  return {it->first, wrap(it->second)};
}

Json::MemberIterator& Json::MemberIterator::operator++() noexcept {
  auto it = unpack(node_);
  node_ = pack(++it);
  return *this;
}

std::vector<std::string> Json::keys() const {
  std::vector<std::string> names;
  for (const Member member : members()) names.emplace_back(member.key);
  return names;
}

const Json& Json::at(std::initializer_list<std::string_view> path) const noexcept {
  const Json* here = this;
  for (const std::string_view step : path) here = &(*here)[step];
  return *here;
}

Json& Json::make(std::initializer_list<std::string_view> path) {
  Json* here = this;
  for (const std::string_view step : path) here = &(*here)[step];
  return *here;
}

std::span<const Json> Json::elements() const noexcept {
  const auto* array = raw(this).get_ptr<const json::array_t*>();
  if (array == nullptr || array->empty()) return {};
  return {&wrap(array->front()), array->size()};
}

std::span<Json> Json::elements() noexcept {
  auto* array = raw(this).get_ptr<json::array_t*>();
  if (array == nullptr || array->empty()) return {};
  return {&wrap(array->front()), array->size()};
}

const Json& Json::element(std::size_t index) const noexcept {
  const auto all = elements();
  return index < all.size() ? all[index] : kNull;
}

void Json::push_back(Json value) {
  if (!raw(this).is_array()) raw(this) = json::array();
  raw(this).push_back(std::move(raw(&value)));
}

void Json::insert_at(std::size_t index, Json value) {
  if (!raw(this).is_array()) raw(this) = json::array();
  auto& array = raw(this).get_ref<json::array_t&>();
  array.insert(array.begin() + static_cast<std::ptrdiff_t>(std::min(index, array.size())),
               std::move(raw(&value)));
}

void Json::erase_at(std::size_t index) {
  auto* array = raw(this).get_ptr<json::array_t*>();
  if (array && index < array->size()) array->erase(array->begin() + static_cast<std::ptrdiff_t>(index));
}

const Json* Json::find_pointer(std::string_view pointer) const {
  try {
    const json::json_pointer parsed{std::string(pointer)};
    if (!raw(this).contains(parsed)) return nullptr;
    return &wrap(raw(this).at(parsed));
  } catch (const json::exception&) {
    return nullptr;
  }
}

Json* Json::find_pointer(std::string_view pointer) {
  return const_cast<Json*>(std::as_const(*this).find_pointer(pointer));
}

Status Json::apply_json_patch(const Json& patch) {
  if (!patch.is_array()) return invalid("a JSON Patch is a list of operations");
  json patched = raw(this);
  for (const Json& operation : patch.elements()) {
    const std::string path(operation["path"].as_string());
    const auto failed = [&](std::string_view why) {
      return invalid(std::string(operation["op"].as_string()) + " " + path + ": " + std::string(why));
    };
    try {
      // nlohmann takes it for granted that the parent of a path can have members.
      const json::json_pointer pointer(path);
      if (!pointer.empty() && !patched.at(pointer.parent_pointer()).is_structured()) {
        return failed("its parent is neither object nor list");
      }
      patched.patch_inplace(json::array({raw(&operation)}));
    } catch (const json::exception& error) {
      const std::string_view text = error.what();
      const auto colon = text.find("] ");
      return failed(colon == std::string_view::npos ? text : text.substr(colon + 2));
    }
  }
  raw(this).swap(patched);
  return {};
}

void Json::apply_merge_patch(const Json& patch) {
  raw(this).merge_patch(raw(&patch));
}

void Json::swap(Json& other) noexcept {
  raw(this).swap(raw(&other));
}

bool Json::equals(const Json& other) const noexcept {
  return raw(this) == raw(&other);
}

}  // namespace flotilla::api
