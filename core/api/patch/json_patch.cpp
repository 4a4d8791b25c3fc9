// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <optional>

#include "core/api/patch/patch.hpp"

namespace flotilla::api {

namespace {

// What copies may add up to, as kube-apiserver bounds them: a few of the whole document double it each time.
constexpr std::size_t kMaxCopied = 3u << 20;
constexpr std::size_t kMostLookedAt = 10'000'000;  // values, by all steps together
constexpr std::size_t kMostShifted = 200'000'000;  // elements, by all steps together: about a second
constexpr std::size_t kMaxDepth = 512;             // of the result, as ParseLimits has it for what is sent

// True also when the patch looked at too many values in all: ten thousand moves of a large part would take
// minutes.
bool is_deeper(const Json& value, std::size_t depth, std::size_t& looked_at) {
  if (++looked_at > kMostLookedAt) return true;
  if (value.size() == 0) return false;
  if (depth == 0) return true;
  for (const Json& element : value.elements())
    if (is_deeper(element, depth - 1, looked_at)) return true;
  for (const auto& [key, member] : value.members())
    if (is_deeper(member, depth - 1, looked_at)) return true;
  return false;
}

Error rejected() {
  return Error(Code::Invalid, "the server rejected our request due to an error in our request",
               ErrorDetails{});
}

std::string unescape(std::string_view part) {
  std::string out;
  for (std::size_t i = 0; i < part.size(); ++i) {
    const bool escape = part[i] == '~' && i + 1 < part.size() && (part[i + 1] == '0' || part[i + 1] == '1');
    out += escape ? (part[++i] == '0' ? '~' : '/') : part[i];
  }
  return out;
}

// "/a/b" gives a, b. What stands before the first slash is not looked at.
std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  std::size_t at = path.find('/');
  while (at != path.npos) {
    const std::size_t next = path.find('/', at + 1);
    parts.push_back(unescape(path.substr(at + 1, next == path.npos ? path.npos : next - at - 1)));
    at = next;
  }
  return parts;
}

// An existing element's index; negative ones count from the end.
std::optional<std::size_t> index_of(std::string_view text, std::size_t size, bool for_insert) {
  if (for_insert && text == "-") return size;
  long long index = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), index);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  const auto limit = static_cast<long long>(size) + (for_insert ? 1 : 0);
  if (index < 0) index += limit;
  if (index < 0 || index >= limit) return std::nullopt;
  return static_cast<std::size_t>(index);
}

class JsonPatch {
 public:
  explicit JsonPatch(Json document) : document_(std::move(document)) {}

  bool run(const Json& operation) {
    const std::string_view op = operation["op"].as_string();
    const Json* path = operation.find("path");
    if (!path || !path->is_string()) return false;
    const std::string_view at = path->as_string();
    if (op == "add") return operation.contains("value") && add(at, operation["value"]);
    if (op == "replace") return operation.contains("value") && replace(at, operation["value"]);
    if (op == "remove") return take(at).has_value();
    if (op == "test") return test(at, operation["value"]);
    if (op == "move") {
      auto moved = take(operation["from"].as_string());
      return moved && add(at, *std::move(moved));
    }
    if (op == "copy") {
      const Json* source = find(operation["from"].as_string());
      if (!source) return false;
      copied_ += source->dump().size();
      return copied_ <= kMaxCopied && add(at, Json(*source));
    }
    return false;
  }

  Json result() && { return std::move(document_); }

 private:
  Json* container(const std::vector<std::string>& parts) {
    Json* at = &document_;
    for (std::size_t i = 0; i + 1 < parts.size() && at; ++i) at = child(*at, parts[i]);
    return at && (at->is_object() || at->is_array()) ? at : nullptr;
  }

  static Json* child(Json& parent, const std::string& key) {
    if (parent.is_object()) return parent.find(key);
    if (!parent.is_array()) return nullptr;
    const auto index = index_of(key, parent.size(), false);
    return index ? &parent.elements()[*index] : nullptr;
  }

  const Json* find(std::string_view path) {
    if (path.empty()) return &document_;
    const auto parts = split(path);
    Json* parent = parts.empty() ? nullptr : container(parts);
    return parent ? child(*parent, parts.back()) : nullptr;
  }

  // Checked with every step: a few thousand steps could else build what no recursion comes down again.
  bool fits(const std::vector<std::string>& parts, const Json& value) {
    return parts.size() <= kMaxDepth && !is_deeper(value, kMaxDepth - parts.size(), looked_at_);
  }

  // False when the elements that were moved along in lists are too many in all.
  bool shifted(std::size_t elements) {
    shifted_ += elements;
    return shifted_ <= kMostShifted;
  }

  bool add(std::string_view path, Json value) {
    if (path.empty()) return document_ = std::move(value), true;
    const auto parts = split(path);
    Json* parent = parts.empty() || !fits(parts, value) ? nullptr : container(parts);
    if (!parent) return false;
    if (parent->is_object()) return parent->set(parts.back(), std::move(value)), true;
    const auto index = index_of(parts.back(), parent->size(), true);
    if (!index) return false;
    parent->insert_at(*index, std::move(value));
    return shifted(parent->size() - *index);
  }

  bool replace(std::string_view path, Json value) {
    if (path.empty()) return document_ = std::move(value), true;
    const auto parts = split(path);
    Json* parent = parts.empty() || !fits(parts, value) ? nullptr : container(parts);
    if (!parent) return false;
    // The library that kube-apiserver uses makes a missing key.
    if (parent->is_object()) return parent->set(parts.back(), std::move(value)), true;
    Json* old = child(*parent, parts.back());
    if (!old) return false;
    *old = std::move(value);
    return true;
  }

  std::optional<Json> take(std::string_view path) {
    const auto parts = split(path);
    Json* parent = parts.empty() ? nullptr : container(parts);
    Json* old = parent ? child(*parent, parts.back()) : nullptr;
    if (!old) return std::nullopt;
    Json taken = std::move(*old);
    if (parent->is_object()) {
      parent->erase(parts.back());
    } else {
      const std::size_t index = *index_of(parts.back(), parent->size(), false);
      parent->erase_at(index);
      if (!shifted(parent->size() - index)) return std::nullopt;
    }
    return taken;
  }

  bool test(std::string_view path, const Json& expected) {
    const Json* found = find(path);
    return found ? *found == expected : expected.is_null();
  }

  Json document_;
  std::size_t copied_ = 0;     // bytes
  std::size_t shifted_ = 0;    // elements
  std::size_t looked_at_ = 0;  // values
};

std::string_view go_name(const Json& value) {
  if (value.is_string()) return "string";
  if (value.is_bool()) return "bool";
  if (value.is_object()) return "object";
  if (value.is_array()) return "array";
  return "number";
}

}  // namespace

Error unknown_error(std::string message) {
  ErrorDetails details;
  details.reason = "Unknown";
  return Error(Code::Internal, std::move(message), std::move(details));
}

std::string go_json_error(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos || quoted || depth > 0) return "unexpected end of JSON input";
  return "invalid character '" + std::string(1, text[first]) + "' looking for beginning of value";
}

Result<Patched> json_patch(const Json& live, std::string_view patch) {
  auto operations = Json::parse(patch);
  if (!operations) return bad_request("error decoding patch: " + go_json_error(patch));
  Patched out;
  if (operations->is_null()) return out.object = live, out;
  if (!operations->is_array()) {
    return bad_request("error decoding patch: json: cannot unmarshal " + std::string(go_name(*operations)) +
                       " into Go value of type []handlers.jsonPatchOp");
  }
  if (operations->size() > kMaxJsonPatchOperations) {
    return Error(Code::TooLarge, "The allowed maximum operations in a JSON patch is " +
                                     std::to_string(kMaxJsonPatchOperations) + ", got " +
                                     std::to_string(operations->size()));
  }
  JsonPatch run(live);
  std::size_t index = 0;
  for (const Json& operation : operations->elements()) {
    const std::string at = "[" + std::to_string(index++) + "]";
    for (const auto& [key, value] : operation.members()) {
      const bool known = key == "op" || key == "path" || key == "from" || key == "value";
      if (!known) out.problems.push_back("json patch unknown field \"" + at + "." + std::string(key) + "\"");
    }
    if (!run.run(operation)) return rejected();
  }
  out.object = std::move(run).result();
  return out;
}

Result<Patched> merge_patch(const Json& live, std::string_view patch) {
  DuplicateKeys duplicates;
  auto parsed = Json::parse(patch, {}, &duplicates);
  if (!parsed) return bad_request("error decoding patch: " + go_json_error(patch));
  if (parsed->is_null()) return bad_request("Invalid JSON Patch");
  if (!parsed->is_object()) {
    return bad_request("error decoding patch: json: cannot unmarshal " + std::string(go_name(*parsed)) +
                       " into Go value of type map[string]interface {}");
  }
  Patched out;
  out.object = live;
  out.object.apply_merge_patch(*parsed);
  for (const std::string& path : duplicates) out.problems.push_back("duplicate field \"" + path + "\"");
  return out;
}

}  // namespace flotilla::api
