// SPDX-License-Identifier: Apache-2.0
// RFC 6901, 6902 and 7386. JSON Patch is nlohmann's: a document goes there and back, which only PATCH
// requests and plaintext overriders pay for.
#include "core/api/json_nlohmann.hpp"
#include "core/api/json_node.hpp"

namespace flotilla::api {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 1000;

Result<Json> from_nlohmann(const json& value, int depth) {
  if (depth > kMaxDepth) return invalid("the document is nested deeper than " + std::to_string(kMaxDepth));
  switch (value.type()) {
    case json::value_t::boolean:
      return Json(value.get<bool>());
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
      return Json(value.get<std::int64_t>());
    case json::value_t::number_float:
      return Json(value.get<double>());
    case json::value_t::string:
      return Json(std::string_view(value.get_ref<const std::string&>()));
    case json::value_t::array: {
      Json made = Json::array();
      for (const json& element : value) {
        Result<Json> inner = from_nlohmann(element, depth + 1);
        if (!inner) return inner;
        made.push_back(*std::move(inner));
      }
      return made;
    }
    case json::value_t::object: {
      Json made = Json::object();
      for (const auto& [key, member] : value.get_ref<const json::object_t&>()) {
        Result<Json> inner = from_nlohmann(member, depth + 1);
        if (!inner) return inner;
        made.set(key, *std::move(inner));
      }
      return made;
    }
    case json::value_t::null:
    case json::value_t::binary:
    case json::value_t::discarded:
      break;
  }
  return Json();
}

// One step of a pointer with ~1 and ~0 resolved; false when it is malformed.
bool unescape(std::string_view step, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < step.size(); ++i) {
    if (step[i] != '~') {
      out += step[i];
      continue;
    }
    if (++i == step.size() || (step[i] != '0' && step[i] != '1')) return false;
    out += step[i] == '0' ? '~' : '/';
  }
  return true;
}

const Json* step_into(const Json& value, const std::string& step) {
  if (value.is_object()) return value.find(step);
  const auto elements = value.elements();
  if (step.empty() || step.size() > 9 || (step.size() > 1 && step[0] == '0')) return nullptr;
  std::size_t index = 0;
  for (const char digit : step) {
    if (digit < '0' || digit > '9') return nullptr;
    index = index * 10 + static_cast<std::size_t>(digit - '0');
  }
  return index < elements.size() ? &elements[index] : nullptr;
}

}  // namespace

nlohmann::json to_nlohmann(const Json& value) {
  switch (value.type()) {
    case Json::Type::Null:
      return nullptr;
    case Json::Type::Bool:
      return value.as_bool();
    case Json::Type::Int:
      return value.as_int();
    case Json::Type::Float:
      return value.as_double();
    case Json::Type::String:
      return std::string(value.as_string());
    case Json::Type::Array: {
      json made = json::array();
      for (const Json& element : value.elements()) made.push_back(to_nlohmann(element));
      return made;
    }
    case Json::Type::Object: {
      json made = json::object();
      auto& members = made.get_ref<json::object_t&>();
      for (const auto& [key, member] : value.members())
        members.emplace_hint(members.end(), std::string(key), to_nlohmann(member));
      return made;
    }
  }
  return nullptr;
}

const Json* Json::find_pointer(std::string_view pointer) const {
  const Json* here = this;
  if (!pointer.empty() && pointer[0] != '/') return nullptr;
  std::string step;
  while (here != nullptr && !pointer.empty()) {
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    if (!unescape(pointer.substr(0, end), step)) return nullptr;
    here = step_into(*here, step);
    pointer.remove_prefix(end);
  }
  return here;
}

Json* Json::find_pointer(std::string_view pointer) {
  if (std::as_const(*this).find_pointer(pointer) == nullptr) return nullptr;
  Json* here = this;
  std::string step;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    unescape(pointer.substr(0, end), step);
    if (here->is_object()) {
      here = here->find(step);
    } else {
      const Json* wanted = step_into(std::as_const(*here), step);
      const auto index = wanted - std::as_const(*here).elements().data();
      here = &here->elements()[static_cast<std::size_t>(index)];
    }
    pointer.remove_prefix(end);
  }
  return here;
}

Status Json::apply_json_patch(const Json& patch) {
  if (!patch.is_array()) return invalid("a JSON Patch is a list of operations");
  json patched = to_nlohmann(*this);
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
      patched.patch_inplace(json::array({to_nlohmann(operation)}));
    } catch (const json::exception& error) {
      const std::string_view text = error.what();
      const auto colon = text.find("] ");
      return failed(colon == std::string_view::npos ? text : text.substr(colon + 2));
    }
  }
  Result<Json> back = from_nlohmann(patched, 0);
  if (!back) return std::move(back).error();
  *this = *std::move(back);
  return {};
}

namespace {

// Both are sorted, so one walk over both does what one search and one shift per member would.
Json merged(const Json& live, const Json& patch) {
  Json out = Json::object();
  const auto members = live.members();
  auto kept = members.begin();
  const auto keep_before = [&](std::string_view key) {
    for (; kept != members.end() && (*kept).key < key; ++kept) out.set((*kept).key, (*kept).value);
  };
  for (const auto& [key, change] : patch.members()) {
    keep_before(key);
    Json value;
    if (kept != members.end() && (*kept).key == key) {
      value = (*kept).value;
      ++kept;
    }
    if (change.is_null()) continue;
    value.apply_merge_patch(change);
    out.set(key, std::move(value));
  }
  for (; kept != members.end(); ++kept) out.set((*kept).key, (*kept).value);
  return out;
}

constexpr std::size_t kMany = 64;  // members, from which on merged() is the cheaper way

}  // namespace

void Json::apply_merge_patch(const Json& patch) {
  if (!patch.is_object()) {
    *this = patch;
    return;
  }
  if (!is_object()) *this = object();
  if (size() > kMany && patch.size() > kMany) {
    *this = merged(*this, patch);
    return;
  }
  for (const auto& [key, value] : patch.members()) {
    if (value.is_null()) {
      erase(key);
    } else if (!value.is_object()) {
      set(key, value);
    } else {
      (*this)[key].apply_merge_patch(value);
    }
  }
}

}  // namespace flotilla::api
