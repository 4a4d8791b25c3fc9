// SPDX-License-Identifier: Apache-2.0
#include <yaml-cpp/yaml.h>

#include <cmath>
#include <cstdint>

#include "scalar.hpp"
#include "yaml.hpp"

namespace flotilla::plugins::field {
namespace {

using sdk::Json;

// Aliases can make a small text stand for an enormous value.
constexpr int kMostNodes = 1'000'000;
constexpr int kDeepest = 200;

class YamlReader {
 public:
  Json read(const YAML::Node& node, int depth = 0) {
    if (++nodes_ > kMostNodes || depth > kDeepest) sdk::refuse("the YAML text is too large or too deep");
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        return scalar(node);
      case YAML::NodeType::Sequence: {
        Json list = Json::array();
        for (const auto& element : node) list.push_back(read(element, depth + 1));
        return list;
      }
      case YAML::NodeType::Map:
        return map(node, depth);
      default:
        return nullptr;
    }
  }

 private:
  Json map(const YAML::Node& node, int depth) {
    Json object = Json::object();
    Json merged = Json::object();
    for (const auto& entry : node) {
      if (is_plain(entry.first) && resolve_plain(entry.first.Scalar()).type == ScalarType::Merge) {
        merge(read(entry.second, depth + 1), merged);
      } else {
        object[key(entry.first)] = read(entry.second, depth + 1);
      }
    }
    for (const auto& [name, value] : merged.items()) object.emplace(name, value);
    return object;
  }

  // Earlier ones win.
  static void merge(const Json& source, Json& into) {
    if (source.is_array()) {
      for (const Json& each : source) merge(each, into);
      return;
    }
    if (!source.is_object()) sdk::refuse("map merge requires map or sequence of maps as the value");
    for (const auto& [name, value] : source.items()) into.emplace(name, value);
  }

  static bool is_plain(const YAML::Node& node) { return node.IsScalar() && node.Tag() == "?"; }

  static Json scalar(const YAML::Node& node) {
    if (!is_plain(node)) return tagged(node);
    Scalar resolved = resolve_plain(node.Scalar());
    if (resolved.type != ScalarType::Float) return std::move(resolved.value);
    const auto number = resolved.value.get<double>();
    if (!std::isfinite(number)) sdk::refuse("the YAML text holds a number that JSON has no word for");
    constexpr double kBound = 9.2e18;
    if (number == std::trunc(number) && std::abs(number) < kBound) return static_cast<std::int64_t>(number);
    return number;
  }

  static Json tagged(const YAML::Node& node) {
    const std::string& tag = node.Tag();
    if (tag == "!" || tag == "tag:yaml.org,2002:str") return node.Scalar();
    Scalar resolved = resolve_plain(node.Scalar());
    if (tag == "tag:yaml.org,2002:float" && resolved.type == ScalarType::Int)
      return std::move(resolved.value);
    return resolved.type == ScalarType::Float && !std::isfinite(resolved.value.get<double>())
               ? Json(node.Scalar())
               : std::move(resolved.value);
  }

  static std::string key(const YAML::Node& node) {
    if (!node.IsScalar()) sdk::refuse("the YAML text holds a key that is no text");
    if (!is_plain(node)) return node.Scalar();
    const Scalar resolved = resolve_plain(node.Scalar());
    switch (resolved.type) {
      case ScalarType::Bool:
      case ScalarType::Int:
        return resolved.value.dump();
      case ScalarType::Null:
        return "null";
      default:
        return node.Scalar();
    }
  }

  int nodes_ = 0;
};

}  // namespace

Json read_yaml(const std::string& text) {
  try {
    return YamlReader().read(YAML::Load(text));
  } catch (const YAML::Exception& fault) {
    sdk::refuse(std::string("not YAML: ") + fault.what());
  }
}

}  // namespace flotilla::plugins::field
