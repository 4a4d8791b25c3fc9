// SPDX-License-Identifier: Apache-2.0
// Parsing with bounds: depth and size are limited, duplicate keys are noticed. The last of two equal keys
// wins, as in Go's encoding/json. nlohmann reads the text; containers are built when they end, each in one
// block of its final size.
#include <algorithm>

#include "core/api/json_nlohmann.hpp"
#include "core/api/json_node.hpp"

namespace flotilla::api {
namespace {

using nlohmann::json;

// Builds the tree and knows at every moment where it is.
class TreeBuilder {
 public:
  using number_integer_t = json::number_integer_t;
  using number_unsigned_t = json::number_unsigned_t;
  using number_float_t = json::number_float_t;
  using string_t = json::string_t;
  using binary_t = json::binary_t;

  TreeBuilder(int max_depth, DuplicateKeys* duplicates) : max_depth_(max_depth), duplicates_(duplicates) {}

  bool null() { return place(nullptr); }
  bool boolean(bool value) { return place(value); }
  bool number_integer(number_integer_t value) { return place(value); }
  bool number_unsigned(number_unsigned_t value) {
    // Kubernetes integers are signed; what does not fit becomes a float, as for encoding/json.
    if (value > static_cast<number_unsigned_t>(INT64_MAX)) return place(static_cast<double>(value));
    return place(static_cast<number_integer_t>(value));
  }
  bool number_float(number_float_t value, const string_t&) { return place(value); }
  bool string(string_t& value) { return place(std::string_view(value)); }
  bool binary(binary_t&) { return false; }
  bool start_object(std::size_t) { return open(true); }
  bool start_array(std::size_t) { return open(false); }
  bool end_object();
  bool end_array();

  bool key(string_t& name) {
    pending_.push_back({JsonNodes::key(name), Json(), ++sequence_});
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) {
    const std::string_view text = error.what();
    const auto end = text.find("] ");
    message_ = end == std::string_view::npos ? text : text.substr(end + 2);
    return false;
  }

  Json take();
  const std::string& message() const { return message_; }

 private:
  struct Pending {
    Json key;
    Json value;
    std::size_t sequence = 0;  // which key of the text it is
  };
  struct Level {
    bool object;
    std::size_t first;  // of `pending_`
  };

  bool place(Json value) {
    if (levels_.empty() || !levels_.back().object) {
      pending_.push_back({Json(), std::move(value), 0});
    } else {
      pending_.back().value = std::move(value);
    }
    return true;
  }

  bool open(bool object) {
    if (static_cast<int>(levels_.size()) >= max_depth_) {
      message_ = "exceeded max depth";
      return false;
    }
    if (levels_.empty() || !levels_.back().object) pending_.push_back({});
    levels_.push_back({object, pending_.size()});
    return true;
  }

  // The finished container goes where open() left room for it.
  bool close(Json container) {
    pending_.resize(levels_.back().first);
    levels_.pop_back();
    pending_.back().value = std::move(container);
    return true;
  }

  void drop_duplicates(std::size_t first);
  std::string path_to(std::string_view name) const;

  std::vector<Pending> pending_;
  std::vector<Level> levels_;
  std::vector<std::pair<std::size_t, std::string>> repeated_;  // sequence, path
  std::size_t sequence_ = 0;
  int max_depth_;
  DuplicateKeys* duplicates_;
  std::string message_;
};

bool TreeBuilder::end_object() {
  const std::size_t first = levels_.back().first;
  const auto begin = pending_.begin() + static_cast<std::ptrdiff_t>(first);
  const auto in_order = [](const Pending& a, const Pending& b) {
    return a.key.as_string() < b.key.as_string();
  };
  const auto not_ascending = [&](const Pending& a, const Pending& b) { return !in_order(a, b); };
  if (std::adjacent_find(begin, pending_.end(), not_ascending) != pending_.end()) {
    std::stable_sort(begin, pending_.end(), in_order);
    drop_duplicates(first);
  }
  const std::size_t count = pending_.size() - first;
  ObjectNode* node = JsonNodes::make_object(count);
  for (std::size_t i = 0; i < count; ++i) {
    node->order[i]->key = std::move(pending_[first + i].key);
    node->order[i]->value = std::move(pending_[first + i].value);
  }
  node->size = static_cast<std::uint32_t>(count);
  Json object;
  JsonNodes::put(object, JsonNodes::Kind::Object, node);
  return close(std::move(object));
}

bool TreeBuilder::end_array() {
  const std::size_t first = levels_.back().first;
  const std::size_t count = pending_.size() - first;
  ArrayNode* node = JsonNodes::make_array(count);
  for (std::size_t i = 0; i < count; ++i)
    new (node->elements() + i) Json(std::move(pending_[first + i].value));
  node->size = static_cast<std::uint32_t>(count);
  Json array;
  JsonNodes::put(array, JsonNodes::Kind::Array, node);
  return close(std::move(array));
}

// Of equal neighbours the last stays.
void TreeBuilder::drop_duplicates(std::size_t first) {
  std::size_t kept = first;
  for (std::size_t i = first; i < pending_.size(); ++i) {
    const bool repeats = i > first && pending_[i].key == pending_[kept - 1].key;
    if (repeats && duplicates_ != nullptr)
      repeated_.emplace_back(pending_[i].sequence, path_to(pending_[i].key.as_string()));
    const std::size_t to = repeats ? kept - 1 : kept++;
    if (to != i) pending_[to] = std::move(pending_[i]);
  }
  pending_.resize(kept);
}

// spec.containers[0].name, as Kubernetes names fields in strict decoding errors.
std::string TreeBuilder::path_to(std::string_view name) const {
  std::string path;
  for (std::size_t i = 1; i < levels_.size(); ++i) {
    const std::size_t at = levels_[i].first - 1;  // of the level around it, where this level will go
    if (levels_[i - 1].object) {
      path += path.empty() ? "" : ".";
      path += pending_[at].key.as_string();
    } else {
      path += "[" + std::to_string(at - levels_[i - 1].first) + "]";
    }
  }
  path += path.empty() ? "" : ".";
  return path.append(name);
}

Json TreeBuilder::take() {
  std::sort(repeated_.begin(), repeated_.end());
  for (auto& [sequence, path] : repeated_) duplicates_->push_back(std::move(path));
  return std::move(pending_.front().value);
}

}  // namespace

Result<Json> Json::parse(std::string_view text, const ParseLimits& limits, DuplicateKeys* duplicates) {
  if (text.size() > limits.max_bytes) {
    return Error(Code::TooLarge, "document of " + std::to_string(text.size()) + " bytes, at most " +
                                     std::to_string(limits.max_bytes) + " are allowed");
  }
  TreeBuilder builder(limits.max_depth, duplicates);
  if (!json::sax_parse(text.data(), text.data() + text.size(), &builder))
    return bad_request(builder.message());
  return builder.take();
}

}  // namespace flotilla::api
