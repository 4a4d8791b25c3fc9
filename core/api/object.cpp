// SPDX-License-Identifier: Apache-2.0
#include "core/api/object.hpp"

#include <algorithm>
#include <charconv>

namespace flotilla::api {
namespace {

void append_key(std::string& out, std::string_view key, bool& first) {
  if (!first) out += ',';
  first = false;
  Json(key).append_to(out);
  out += ':';
}

// Writes `metadata` with an empty resourceVersion in its place of the key order; returns where its text goes.
std::size_t append_metadata(std::string& out, const Json& metadata) {
  std::size_t revision_at = 0;
  bool first = true;
  out += '{';
  const auto place_revision = [&] {
    append_key(out, "resourceVersion", first);
    out += '"';
    revision_at = out.size();
    out += '"';
  };
  for (const auto& [key, value] : metadata.members()) {
    if (key == "resourceVersion") continue;
    if (revision_at == 0 && key > "resourceVersion") place_revision();
    append_key(out, key, first);
    value.append_to(out);
  }
  if (revision_at == 0) place_revision();
  out += '}';
  return revision_at;
}

}  // namespace

Gvk Gvk::from(std::string_view api_version, std::string_view kind) {
  const auto slash = api_version.find('/');
  if (slash == std::string_view::npos) return {"", std::string(api_version), std::string(kind)};
  return {std::string(api_version.substr(0, slash)), std::string(api_version.substr(slash + 1)),
          std::string(kind)};
}

const std::string* Labels::find(std::string_view key) const {
  const auto it =
      std::lower_bound(pairs.begin(), pairs.end(), key,
                       [](const auto& pair, std::string_view wanted) { return pair.first < wanted; });
  return it != pairs.end() && it->first == key ? &it->second : nullptr;
}

EncodedObject Object::encode(const Json& content) {
  EncodedObject encoded;
  std::string& out = encoded.bytes;
  bool first = true;
  bool metadata_done = false;
  out += '{';
  const auto place_metadata = [&](const Json& metadata) {
    append_key(out, "metadata", first);
    encoded.revision_at = append_metadata(out, metadata);
    metadata_done = true;
  };
  for (const auto& [key, value] : content.members()) {
    if (key == "metadata") {
      place_metadata(value);
      continue;
    }
    if (!metadata_done && key > "metadata") place_metadata(Json::object());
    append_key(out, key, first);
    value.append_to(out);
  }
  if (!metadata_done) place_metadata(Json::object());
  out += '}';
  return encoded;
}

ObjectPtr Object::make(EncodedObject encoded, Revision revision, std::shared_ptr<const Json> content) {
  std::shared_ptr<Object> object(new Object());
  if (!content) {
    auto parsed = Json::parse(encoded.bytes, {.max_bytes = encoded.bytes.size()});
    ASSERT(parsed.ok());
    content = std::make_shared<const Json>(*std::move(parsed));
  }
  object->index(*content);
  const std::string text = std::to_string(revision.get());
  object->bytes_.reserve(encoded.bytes.size() + text.size());
  object->bytes_.append(encoded.bytes, 0, encoded.revision_at);
  object->bytes_ += text;
  object->bytes_.append(encoded.bytes, encoded.revision_at, std::string::npos);
  object->revision_at_ = encoded.revision_at;
  object->revision_length_ = text.size();
  object->revision_ = revision;
  return object;
}

ObjectPtr Object::make(const Json& content, Revision revision) {
  return make(encode(content), revision, std::make_shared<const Json>(content));
}

Result<ObjectPtr> Object::load(std::string_view stored, Revision revision) {
  auto parsed = Json::parse(stored, {.max_bytes = stored.size()});
  if (!parsed || !parsed->is_object()) return Error(Code::DataLoss, "stored object is not a JSON object");
  return make(encode(*parsed), revision, std::make_shared<const Json>(*std::move(parsed)));
}

ObjectPtr Object::at_revision(Revision revision) const {
  return make({stored_bytes(), revision_at_}, revision, nullptr);
}

std::string Object::stored_bytes() const {
  std::string stored = bytes_;
  stored.erase(revision_at_, revision_length_);
  return stored;
}

std::shared_ptr<const Json> Object::content() const {
  std::shared_ptr<const Json> content = content_.load(std::memory_order_acquire);
  if (content) return content;
  auto parsed = Json::parse(bytes_, {.max_bytes = bytes_.size()});
  ASSERT(parsed.ok());
  content = std::make_shared<const Json>(*std::move(parsed));
  content_.store(content, std::memory_order_release);
  return content;
}

void Object::release_content() const {
  content_.store(nullptr, std::memory_order_release);
}

void Object::index(const Json& content) {
  const Json& metadata = content["metadata"];
  key_ = key_of(content);
  uid_ = metadata["uid"].as_string();
  generation_ = metadata["generation"].as_int();
  deleting_ = metadata["deletionTimestamp"].is_string();
  labels_.pairs.reserve(metadata["labels"].size());
  for (const auto& [key, value] : metadata["labels"].members())
    labels_.pairs.emplace_back(key, value.as_string());
  for (const Json& owner : metadata["ownerReferences"].elements())
    owner_uids_.emplace_back(owner["uid"].as_string());
}

std::string_view name_of(const Json& object) {
  return object["metadata"]["name"].as_string();
}
std::string_view namespace_of(const Json& object) {
  return object["metadata"]["namespace"].as_string();
}
std::string_view uid_of(const Json& object) {
  return object["metadata"]["uid"].as_string();
}
std::string_view label_of(const Json& object, std::string_view key) {
  return object["metadata"]["labels"][key].as_string();
}
std::string_view annotation_of(const Json& object, std::string_view key) {
  return object["metadata"]["annotations"][key].as_string();
}
ObjectKey key_of(const Json& object) {
  return {std::string(namespace_of(object)), std::string(name_of(object))};
}

Revision revision_of(const Json& object) {
  const std::string_view text = object["metadata"]["resourceVersion"].as_string();
  std::int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return Revision(parsed.ptr == text.data() + text.size() && value > 0 ? value : 0);
}

bool has_finalizer(const Json& object, std::string_view finalizer) {
  const auto all = object["metadata"]["finalizers"].elements();
  return std::any_of(all.begin(), all.end(), [&](const Json& one) { return one.as_string() == finalizer; });
}

bool add_finalizer(Json& object, std::string_view finalizer) {
  if (has_finalizer(object, finalizer)) return false;
  object.make({"metadata", "finalizers"}).push_back(finalizer);
  return true;
}

bool remove_finalizer(Json& object, std::string_view finalizer) {
  Json* metadata = object.find("metadata");
  Json* finalizers = metadata ? metadata->find("finalizers") : nullptr;
  if (finalizers == nullptr) return false;
  const auto all = std::as_const(*finalizers).elements();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].as_string() != finalizer) continue;
    finalizers->erase_at(i);
    if (finalizers->empty()) metadata->erase("finalizers");
    return true;
  }
  return false;
}

}  // namespace flotilla::api
