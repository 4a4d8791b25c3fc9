// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/essence.hpp"

#include <functional>
#include <string_view>

namespace flotilla::cluster {
namespace {

using api::Json;

std::size_t mixed(std::size_t seed, std::size_t value) {
  return (seed ^ value) * 0x9e3779b97f4a7c15u + (seed << 6) + (seed >> 2);
}

std::size_t hash_of(const Json& value);

template <typename Skip>
std::size_t hash_of_members(const Json& object, Skip skip) {
  std::size_t hash = static_cast<std::size_t>(Json::Type::Object);
  for (const auto& [key, value] : object.members()) {
    if (!skip(key)) hash = mixed(mixed(hash, std::hash<std::string_view>{}(key)), hash_of(value));
  }
  return hash;
}

std::size_t hash_of(const Json& value) {
  const auto type = static_cast<std::size_t>(value.type());
  switch (value.type()) {
    case Json::Type::Null:
      return type;
    case Json::Type::Bool:
      return mixed(type, value.as_bool() ? 1 : 0);
    case Json::Type::Int:
      return mixed(type, static_cast<std::size_t>(value.as_int()));
    case Json::Type::Float:
      return mixed(type, std::hash<double>{}(value.as_double()));
    case Json::Type::String:
      return mixed(type, std::hash<std::string_view>{}(value.as_string()));
    case Json::Type::Array: {
      std::size_t hash = type;
      for (const Json& element : value.elements()) hash = mixed(hash, hash_of(element));
      return hash;
    }
    case Json::Type::Object:
      return hash_of_members(value, [](std::string_view) { return false; });
  }
  return type;
}

bool is_bookkeeping(std::string_view key) {
  return key == "resourceVersion" || key == "generation" || key == "managedFields";
}

}  // namespace

Essence essence_of(const Json& object) {
  return {.metadata = hash_of_members(object["metadata"], is_bookkeeping),
          .body = hash_of_members(object,
                                  [](std::string_view key) { return key == "status" || key == "metadata"; })};
}

}  // namespace flotilla::cluster
