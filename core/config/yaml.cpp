// SPDX-License-Identifier: Apache-2.0
#include "core/config/yaml.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>
#include <sstream>

namespace flotilla::config {
namespace {

using api::Json;

constexpr int kMaxDepth = 256;
// Without aliases a text has at most one value per byte; more than that is a bomb.
constexpr std::size_t kAlwaysAllowedNodes = 20'000;

struct Refused {
  int line;
  std::string what;
};

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) {
    if (text == word) return true;
  }
  return false;
}

std::optional<bool> as_bool(std::string_view text) {
  if (is_one_of(text, {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"})) return true;
  if (is_one_of(text, {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N"}))
    return false;
  return std::nullopt;
}

std::optional<Json> as_integer(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != '_') digits += c;
  }
  std::string_view rest = digits;
  bool negative = false;
  if (rest.starts_with('-') || rest.starts_with('+')) {
    negative = rest.front() == '-';
    rest.remove_prefix(1);
  }
  int base = 10;
  if (rest.starts_with("0x") || rest.starts_with("0X")) {
    base = 16;
    rest.remove_prefix(2);
  } else if (rest.starts_with("0o") || rest.starts_with("0b")) {
    base = rest[1] == 'o' ? 8 : 2;
    rest.remove_prefix(2);
  } else if (rest.size() > 1 && rest.front() == '0') {
    base = 8;
    rest.remove_prefix(1);
  }
  if (rest.empty()) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(rest.data(), rest.data() + rest.size(), value, base);
  if (end != rest.data() + rest.size()) return std::nullopt;
  constexpr auto kMost = static_cast<std::uint64_t>(INT64_MAX);
  if (failed == std::errc() && value <= kMost) {
    return Json(negative ? -static_cast<std::int64_t>(value) : static_cast<std::int64_t>(value));
  }
  if (base != 10) return std::nullopt;
  return Json(std::strtod(digits.c_str(), nullptr));
}

std::optional<Json> as_float(const std::string& text) {
  const bool numeric = text.find_first_not_of("0123456789+-.eE_") == std::string::npos &&
                       text.find_first_of("0123456789") != std::string::npos;
  if (!numeric) return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (end != text.c_str() + text.size() || !std::isfinite(value)) return std::nullopt;
  return Json(value);
}

Json plain_scalar(const std::string& text) {
  if (is_one_of(text, {"", "~", "null", "Null", "NULL"})) return Json();
  if (const auto truth = as_bool(text)) return Json(*truth);
  if (auto number = as_integer(text)) return std::move(*number);
  if (auto number = as_float(text)) return std::move(*number);
  return Json(text);
}

// Where our parser says the same as Go's in words of its own.
std::string_view familiar(std::string_view message) {
  if (message == "unknown token") return "found character that cannot start any token";
  if (message == "illegal map value") return "mapping values are not allowed in this context";
  if (message == "end of map not found" || message == "end of sequence not found" ||
      message == "end of map flow not found" || message == "end of sequence flow not found")
    return "did not find expected ',' or '}'";
  if (message == "invalid anchor/alias" || message == "alias not found") return "did not find expected key";
  return message;
}

class Converter {
 public:
  Converter(Lines* lines, std::size_t bytes)
      : lines_(lines), most_nodes_(std::max(bytes, kAlwaysAllowedNodes)) {}

  Json convert(const YAML::Node& node, const std::string& path, int depth) {
    const int line = node.Mark().line + 1;
    if (depth > kMaxDepth) throw Refused{line, "nested too deeply"};
    if (++nodes_ > most_nodes_)
      throw Refused{line, "too many values (aliases counted as what they stand for)"};
    if (lines_ != nullptr) lines_->emplace(path, line);
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        return scalar(node);
      case YAML::NodeType::Sequence: {
        Json array = Json::array();
        std::size_t index = 0;
        for (const YAML::Node& element : node) {
          array.push_back(convert(element, fmt::format("{}[{}]", path, index++), depth + 1));
        }
        return array;
      }
      case YAML::NodeType::Map:
        return mapping(node, path, depth);
      default:
        return {};
    }
  }

 private:
  static Json scalar(const YAML::Node& node) {
    const std::string& text = node.Scalar();
    const std::string& tag = node.Tag();
    if (tag == "!" || tag == "tag:yaml.org,2002:str" || tag == "tag:yaml.org,2002:binary") return Json(text);
    return plain_scalar(text);
  }

  Json mapping(const YAML::Node& node, const std::string& path, int depth) {
    Json object = Json::object();
    std::set<std::string> seen;
    std::vector<YAML::Node> merged;
    for (const auto& entry : node) {
      const int line = entry.first.Mark().line + 1;
      if (!entry.first.IsScalar()) throw Refused{line, "a key must be a plain text"};
      const std::string& key = entry.first.Scalar();
      if (key == "<<" && entry.first.Tag() != "!") {
        merged.push_back(entry.second);
        continue;
      }
      if (!seen.insert(key).second) throw Refused{line, fmt::format("key \"{}\" already set in map", key)};
      object.set(key, convert(entry.second, path.empty() ? key : path + "." + key, depth + 1));
    }
    for (const YAML::Node& base : merged) merge(base, object, path, depth);
    return object;
  }

  // What a merge key brings in yields to what is written.
  void merge(const YAML::Node& base, Json& into, const std::string& path, int depth) {
    if (base.IsSequence()) {
      for (const YAML::Node& element : base) merge(element, into, path, depth + 1);
      return;
    }
    if (!base.IsMap()) throw Refused{base.Mark().line + 1, "<< needs a map"};
    const Json values = convert(base, path, depth + 1);
    for (const auto& [key, value] : values.members()) {
      if (!into.contains(key)) into.set(key, value);
    }
  }

  Lines* lines_;
  std::size_t most_nodes_;
  std::size_t nodes_ = 0;
};

// Lets a text pass by without keeping anything of it.
class Unheard final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
  }
  void OnMapEnd() override {}
};

// The library finds documents without end in some texts that are none ("a: ":":b: 0"), and keeps them all: a
// text has at most one more than it has lines that could begin or end one.
void check_documents(const std::string& text) {
  std::size_t most = 1;
  for (std::size_t at = 0, end = 0; end != std::string::npos; at = end + 1) {
    end = text.find('\n', at);
    if (text.compare(at, 3, "---") == 0 || text.compare(at, 3, "...") == 0) ++most;
  }
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Unheard unheard;
  for (std::size_t found = 0; parser.HandleNextDocument(unheard); ++found) {
    if (found >= most) throw Refused{1, "this is no YAML: something follows the document"};
  }
}

Result<std::vector<Json>> load(std::string_view text, Lines* lines) {
  try {
    check_documents(std::string(text));
    std::vector<Json> documents;
    for (const YAML::Node& node : YAML::LoadAll(std::string(text))) {
      documents.push_back(Converter(lines, text.size()).convert(node, "", 0));
    }
    return documents;
  } catch (const Refused& refused) {
    return Error(Code::BadRequest, fmt::format("line {}: {}", refused.line, refused.what));
  } catch (const YAML::Exception& error) {
    return Error(Code::BadRequest, fmt::format("line {}: {}", error.mark.line + 1, familiar(error.msg)));
  } catch (const std::exception& error) {
    return Error(Code::BadRequest, error.what());
  }
}

}  // namespace

Result<Json> parse_yaml(std::string_view text, Lines* lines) {
  Result<std::vector<Json>> documents = load(text, lines);
  if (!documents) return std::move(documents).error();
  if (documents->empty()) return Json();
  if (documents->size() > 1) return Error(Code::BadRequest, "several documents where one is expected");
  return std::move(documents->front());
}

Result<std::vector<Json>> parse_yaml_documents(std::string_view text) {
  Result<std::vector<Json>> documents = load(text, nullptr);
  if (!documents) return documents;
  std::vector<Json> found;
  for (Json& document : *documents) {
    if (!document.is_null()) found.push_back(std::move(document));
  }
  return found;
}

Json parse_yaml_scalar(std::string_view text) {
  return plain_scalar(std::string(text));
}

}  // namespace flotilla::config
