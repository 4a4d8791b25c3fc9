// SPDX-License-Identifier: Apache-2.0
// Parsing with bounds: depth and size are limited, duplicate keys are noticed. The last of two equal keys
// wins, as in Go's encoding/json.
#include "core/api/json_nlohmann.hpp"

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

  bool null() { return place(nullptr), true; }
  bool boolean(bool value) { return place(value), true; }
  bool number_integer(number_integer_t value) { return place(value), true; }
  bool number_unsigned(number_unsigned_t value) {
    // Kubernetes integers are signed; what does not fit becomes a float, as for encoding/json.
    if (value > static_cast<number_unsigned_t>(INT64_MAX)) return place(static_cast<double>(value)), true;
    return place(static_cast<number_integer_t>(value)), true;
  }
  bool number_float(number_float_t value, const string_t&) { return place(value), true; }
  bool string(string_t& value) { return place(std::move(value)), true; }
  bool binary(binary_t&) { return false; }
  bool start_object(std::size_t) { return open(json::object()); }
  bool start_array(std::size_t) { return open(json::array()); }
  bool end_object() { return stack_.pop_back(), true; }
  bool end_array() { return stack_.pop_back(), true; }

  bool key(string_t& name) {
    auto& object = stack_.back().node->get_ref<json::object_t&>();
    const auto [it, fresh] = object.try_emplace(name, nullptr);
    if (!fresh && duplicates_ != nullptr) duplicates_->push_back(path_to(name));
    member_ = &it->second;
    stack_.back().key = &it->first;
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) {
    const std::string_view text = error.what();
    const auto end = text.find("] ");
    message_ = end == std::string_view::npos ? text : text.substr(end + 2);
    return false;
  }

  json take() { return std::move(root_); }
  const std::string& message() const { return message_; }

 private:
  struct Level {
    json* node;
    const std::string* key;
  };

  json* place(json value) {
    if (stack_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    json* parent = stack_.back().node;
    if (parent->is_array()) {
      auto& array = parent->get_ref<json::array_t&>();
      array.push_back(std::move(value));
      return &array.back();
    }
    *member_ = std::move(value);
    return member_;
  }

  bool open(json value) {
    if (static_cast<int>(stack_.size()) >= max_depth_) {
      message_ = "exceeded max depth";
      return false;
    }
    stack_.push_back({place(std::move(value)), nullptr});
    return true;
  }

  // spec.containers[0].name, as Kubernetes names fields in strict decoding errors.
  std::string path_to(const std::string& name) const {
    std::string path;
    for (std::size_t i = 0; i + 1 < stack_.size(); ++i) {
      if (stack_[i].node->is_array()) {
        path += "[" + std::to_string(stack_[i].node->size() - 1) + "]";
      } else {
        path += (path.empty() ? "" : ".") + *stack_[i].key;
      }
    }
    return path + (path.empty() ? "" : ".") + name;
  }

  json root_;
  std::vector<Level> stack_;
  json* member_ = nullptr;
  int max_depth_;
  DuplicateKeys* duplicates_;
  std::string message_;
};

}  // namespace

Result<Json> Json::parse(std::string_view text, const ParseLimits& limits, DuplicateKeys* duplicates) {
  if (text.size() > limits.max_bytes) {
    return Error(Code::TooLarge, "document of " + std::to_string(text.size()) + " bytes, at most " +
                                     std::to_string(limits.max_bytes) + " are allowed");
  }
  TreeBuilder builder(limits.max_depth, duplicates);
  if (!json::sax_parse(text.begin(), text.end(), &builder)) return bad_request(builder.message());
  return from_nlohmann(builder.take());
}

}  // namespace flotilla::api
