// SPDX-License-Identifier: Apache-2.0
#include "core/api/object.hpp"

#include <algorithm>
#include <charconv>

namespace flotilla::api {
namespace {

constexpr std::size_t kKeptText = 1u << 20;
constexpr std::size_t kUsualSize = 2048;

void append_key(std::string& out, std::string_view key, bool& first) {
  if (!first) out += ',';
  first = false;
  Json::append_string(out, key);
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

// The quote that closes the string whose first character is at `at`; npos when none does.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  const std::size_t first = at;
  for (;;) {
    at = text.find('"', at);
    if (at == std::string_view::npos) return at;
    std::size_t slashes = 0;
    while (at - slashes > first && text[at - slashes - 1] == '\\') ++slashes;
    if (slashes % 2 == 0) return at;
    ++at;
  }
}

// Just behind the JSON value at `at`; npos when quotes or brackets do not close. Content is not checked.
std::size_t skip_value(std::string_view text, std::size_t at) {
  int depth = 0;
  for (std::size_t i = at; i < text.size(); ++i) {
    switch (text[i]) {
      case '"':
        i = end_of_string(text, i + 1);
        if (i == std::string_view::npos) return i;
        break;
      case '{':
      case '[':
        ++depth;
        continue;
      case '}':
      case ']':
        if (depth == 0) return i;  // the end of what contains a bare number or word
        --depth;
        break;
      case ',':
        if (depth == 0) return i;
        continue;
      default:
        continue;
    }
    if (depth == 0) return i + 1;
  }
  return depth == 0 ? text.size() : std::string_view::npos;
}

void marks_of(std::string_view key, std::size_t at, EncodedMarks& marks) {
  if (key == "apiVersion") marks.api_version = static_cast<std::uint32_t>(at);
  if (key == "kind") marks.kind = static_cast<std::uint32_t>(at);
}

// Calls visit(key, text of the value) for the members of `object`, which encode() wrote: no white space.
// False when it is malformed; the whole object is walked, so brackets that do not close are found.
template <typename Visit>
bool walk_members(std::string_view object, const Visit& visit) {
  if (object.size() < 2 || object.front() != '{' || object.back() != '}') return false;
  std::size_t at = 1;
  while (at < object.size() && object[at] == '"') {
    const std::size_t key_end = skip_value(object, at);
    if (key_end == std::string_view::npos || key_end >= object.size() || object[key_end] != ':') return false;
    const std::size_t value_end = skip_value(object, key_end + 1);
    if (value_end == std::string_view::npos || value_end >= object.size()) return false;
    visit(object.substr(at + 1, key_end - at - 2), object.substr(key_end + 1, value_end - key_end - 1));
    at = value_end + 1;
    if (object[value_end] == '}') return at == object.size();
    if (object[value_end] != ',') return false;
  }
  return false;
}

// The same of the elements of a list.
template <typename Visit>
bool walk_elements(std::string_view list, const Visit& visit) {
  if (list == "[]") return true;
  if (list.size() < 2 || list.front() != '[' || list.back() != ']') return false;
  for (std::size_t at = 1; at < list.size();) {
    const std::size_t end = skip_value(list, at);
    if (end == std::string_view::npos || end >= list.size()) return false;
    visit(list.substr(at, end - at));
    at = end + 1;
    if (list[end] == ']') return at == list.size();
    if (list[end] != ',') return false;
  }
  return false;
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
  encoded.bytes.reserve(kUsualSize);
  encoded.marks = encode_into(encoded.bytes, content);
  return encoded;
}

EncodedMarks Object::encode_into(std::string& out, const Json& content) {
  EncodedMarks marks;
  bool first = true;
  bool metadata_done = false;
  out += '{';
  const auto place_metadata = [&](const Json& metadata) {
    append_key(out, "metadata", first);
    marks.revision = static_cast<std::uint32_t>(append_metadata(out, metadata));
    metadata_done = true;
  };
  for (const auto& [key, value] : content.members()) {
    if (key == "metadata") {
      place_metadata(value);
      continue;
    }
    if (!metadata_done && key > "metadata") place_metadata(Json::object());
    marks_of(key, out.size() + (first ? 0 : 1), marks);
    append_key(out, key, first);
    value.append_to(out);
  }
  if (!metadata_done) place_metadata(Json::object());
  out += '}';
  return marks;
}

void Object::set_bytes(std::string bytes, EncodedMarks marks, Revision revision) {
  char text[20];
  const auto written = std::to_chars(text, text + sizeof text, revision.get());
  marks_ = marks;
  revision_length_ = static_cast<std::uint16_t>(written.ptr - text);
  bytes.insert(marks.revision, text, revision_length_);
  bytes_ = std::move(bytes);
  revision_ = revision;
  std::size_t untyped_size = 0;
  for (const std::string_view piece : untyped()) untyped_size += piece.size();
  type_length_ = static_cast<std::uint16_t>(bytes_.size() - untyped_size);
}

ObjectDraft Object::draft(Json content) {
  content["metadata"].set("resourceVersion", "");  // for seal() to fill in
  content.freeze();
  ObjectDraft draft{std::shared_ptr<Object>(new Object()), std::make_shared<Json>(std::move(content))};
  thread_local std::string text;  // grows once
  text.clear();
  draft.object->marks_ = encode_into(text, *draft.content);
  draft.object->bytes_.reserve(text.size() + 12);  // room for the revision
  draft.object->bytes_ = text;
  if (text.capacity() > kKeptText) text = std::string();
  draft.object->index_ = index_of((*draft.content)["metadata"]);
  return draft;
}

ObjectPtr Object::seal(ObjectDraft draft, Revision revision, std::shared_ptr<ContentKeeper> keeper) {
  Object& object = *draft.object;
  object.set_bytes(std::move(object.bytes_), object.marks_, revision);
  (*draft.content)["metadata"].set("resourceVersion", std::to_string(revision.get()));
  draft.content->freeze();
  object.content_.store(std::move(draft.content), std::memory_order_release);
  object.keeper_ = std::move(keeper);
  return std::move(draft.object);
}

ObjectPtr Object::make(EncodedObject encoded, Revision revision, std::shared_ptr<const Json> content) {
  std::shared_ptr<Object> object(new Object());
  if (!content) {
    auto parsed = Json::parse(encoded.bytes, {.max_bytes = encoded.bytes.size()});
    ASSERT(parsed.ok());
    content = std::make_shared<const Json>(*std::move(parsed));
  }
  object->index_ = index_of((*content)["metadata"]);
  object->set_bytes(std::move(encoded.bytes), encoded.marks, revision);
  return object;
}

ObjectPtr Object::make(const Json& content, Revision revision) {
  return make(encode(content), revision, std::make_shared<const Json>(content));
}

Result<ObjectPtr> Object::load(std::string_view stored, Revision revision,
                               std::shared_ptr<ContentKeeper> keeper) {
  std::shared_ptr<Object> object(new Object());
  object->keeper_ = std::move(keeper);
  std::string_view metadata;
  std::string_view version;
  EncodedMarks marks;
  const bool whole = walk_members(stored, [&](std::string_view key, std::string_view value) {
    if (key == "metadata") metadata = value;
    marks_of(key, static_cast<std::size_t>(key.data() - 1 - stored.data()), marks);
  });
  const auto find_version = [&](std::string_view key, std::string_view value) {
    if (key == "resourceVersion") version = value;
  };
  std::string bytes;
  bytes.reserve(stored.size() + 20);
  if (whole && walk_members(metadata, find_version) && version == "\"\"") {
    if (!read_index(metadata, object->index_)) {
      const auto parsed = Json::parse(metadata, {.max_bytes = metadata.size()});
      if (!parsed) return Error(Code::DataLoss, "stored object has broken metadata");
      object->index_ = index_of(*parsed);
    }
    bytes = stored;
    marks.revision = static_cast<std::uint32_t>(version.data() - stored.data()) + 1;
    object->set_bytes(std::move(bytes), marks, revision);
    return ObjectPtr(std::move(object));
  }
  // Not as encode() writes it: by another program, perhaps. Once through the long way.
  auto parsed = Json::parse(stored, {.max_bytes = stored.size()});
  if (!parsed || !parsed->is_object()) return Error(Code::DataLoss, "stored object is not a JSON object");
  EncodedObject encoded = encode(*parsed);
  object->index_ = index_of((*parsed)["metadata"]);
  object->set_bytes(std::move(encoded.bytes), encoded.marks, revision);
  return ObjectPtr(std::move(object));
}

ObjectPtr Object::at_revision(Revision revision) const {
  std::shared_ptr<Object> object(new Object());
  object->index_ = index_;
  object->keeper_ = keeper_;
  object->set_bytes(stored_bytes(), marks_, revision);
  return object;
}

// The first member goes with the comma behind it, any other with the one in front.
std::array<std::string_view, 3> Object::untyped() const {
  const std::string_view bytes = bytes_;
  std::array<std::string_view, 3> pieces;
  std::size_t from = 0;   // of what is kept next
  std::size_t first = 1;  // where the first member that is kept would begin
  std::size_t count = 0;
  for (const std::size_t member : {marks_.api_version, marks_.kind}) {  // in the order of keys
    if (member == 0) continue;
    const std::size_t end = skip_value(bytes, skip_value(bytes, member) + 1);
    const bool leads = member == first;
    pieces[count++] = bytes.substr(from, (leads ? member : member - 1) - from);
    from = leads && bytes[end] == ',' ? end + 1 : end;
    if (leads) first = from;
  }
  pieces[count] = bytes.substr(from);
  return pieces;
}

std::string Object::stored_bytes() const {
  std::string stored;
  stored.reserve(bytes_.size());
  stored.append(bytes_, 0, marks_.revision);
  stored.append(bytes_, marks_.revision + revision_length_, std::string::npos);
  return stored;
}

std::shared_ptr<const Json> Object::content() const {
  std::shared_ptr<const Json> content = content_.load(std::memory_order_acquire);
  if (content) return content;
  auto parsed = Json::parse(bytes_, {.max_bytes = bytes_.size()});
  ASSERT(parsed.ok());
  content = std::make_shared<const Json>(*std::move(parsed));
  content_.store(content, std::memory_order_release);
  if (keeper_) keeper_->parsed(shared_from_this());
  return content;
}

void Object::release_content() const {
  content_.store(nullptr, std::memory_order_release);
}

bool Object::read_index(std::string_view metadata, Index& index) {
  bool plain = true;
  const auto text_of = [&](std::string_view value) {
    plain &= value.size() >= 2 && value.front() == '"' && value.find('\\') == std::string_view::npos;
    return plain ? std::string(value.substr(1, value.size() - 2)) : std::string();
  };
  const auto visit_label = [&](std::string_view key, std::string_view value) {
    plain &= key.find('\\') == std::string_view::npos;
    index.labels.pairs.emplace_back(key, text_of(value));
  };
  const auto visit_owner = [&](std::string_view owner) {
    std::string uid;
    plain &= walk_members(owner, [&](std::string_view key, std::string_view value) {
      if (key == "uid") uid = text_of(value);
    });
    index.owner_uids.push_back(std::move(uid));
  };
  plain &= walk_members(metadata, [&](std::string_view key, std::string_view value) {
    if (key == "name") index.key.name = text_of(value);
    if (key == "namespace") index.key.ns = text_of(value);
    if (key == "uid") index.uid = text_of(value);
    if (key == "deletionTimestamp") index.deleting = value.starts_with('"');
    if (key == "ownerReferences") plain &= walk_elements(value, visit_owner);
    if (key == "labels" && value != "{}") plain &= walk_members(value, visit_label);
    if (key != "generation") return;
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), index.generation);
    plain &= parsed.ec == std::errc() && parsed.ptr == value.data() + value.size();
  });
  if (!plain) index = {};
  return plain;
}

Object::Index Object::index_of(const Json& metadata) {
  Index index;
  index.key = {std::string(metadata["namespace"].as_string()), std::string(metadata["name"].as_string())};
  index.uid = metadata["uid"].as_string();
  index.generation = metadata["generation"].as_int();
  index.deleting = metadata["deletionTimestamp"].is_string();
  index.labels.pairs.reserve(metadata["labels"].size());
  for (const auto& [key, value] : metadata["labels"].members())
    index.labels.pairs.emplace_back(key, value.as_string());
  for (const Json& owner : metadata["ownerReferences"].elements())
    index.owner_uids.emplace_back(owner["uid"].as_string());
  return index;
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
