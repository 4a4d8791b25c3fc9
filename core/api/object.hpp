// SPDX-License-Identifier: Apache-2.0
// An object of the API as the daemon keeps it: its encoded bytes, an index of its metadata, and, while
// somebody needs it, its parsed form. Immutable, shared by pointer between store, watchers and controllers.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/named_type.hpp"

namespace flotilla::api {

struct Gvk {
  std::string group;  // empty: the core group
  std::string version;
  std::string kind;
  auto operator<=>(const Gvk&) const = default;

  // "apps/v1", "v1".
  std::string api_version() const { return group.empty() ? version : group + "/" + version; }
  static Gvk from(std::string_view api_version, std::string_view kind);
  static Gvk of(const Json& object) {
    return from(object["apiVersion"].as_string(), object["kind"].as_string());
  }
};

struct Gvr {
  std::string group;
  std::string version;
  std::string resource;  // plural, lower case
  auto operator<=>(const Gvr&) const = default;
};

struct ObjectKey {
  std::string ns;  // empty: cluster-scoped
  std::string name;
  auto operator<=>(const ObjectKey&) const = default;
  std::string text() const { return ns.empty() ? name : ns + "/" + name; }
};

struct Labels {
  std::vector<std::pair<std::string, std::string>> pairs;  // ascending by key
  // Null when absent.
  const std::string* find(std::string_view key) const;
};

// An encoded document that waits for its resourceVersion: `bytes` has an empty one at `revision_at`.
struct EncodedObject {
  std::string bytes;
  std::size_t revision_at = 0;
};

class Object;
using ObjectPtr = std::shared_ptr<const Object>;

class Object {
 public:
  // Encodes `content` once, metadata.resourceVersion left out (the store knows it only at commit). Not under
  // a lock.
  static EncodedObject encode(const Json& content);
  // `content` may be null: it is then parsed again when asked for.
  static ObjectPtr make(EncodedObject encoded, Revision revision, std::shared_ptr<const Json> content);
  static ObjectPtr make(const Json& content, Revision revision);
  // From bytes of a storage backend (made by encode, without a resourceVersion). Errors: DataLoss.
  static Result<ObjectPtr> load(std::string_view stored, Revision revision);
  // The same object at another revision: what a DELETED event shows.
  ObjectPtr at_revision(Revision revision) const;

  // The whole document with its resourceVersion, ready to be sent.
  std::string_view bytes() const { return bytes_; }
  // What a storage backend keeps: the document without a resourceVersion.
  std::string stored_bytes() const;
  // Parsed at most once while somebody holds it or release_content() was not called. Thread-safe.
  std::shared_ptr<const Json> content() const;
  // Drops the parsed form; the next content() parses again.
  void release_content() const;

  Revision revision() const { return revision_; }
  const ObjectKey& key() const { return key_; }
  const std::string& ns() const { return key_.ns; }
  const std::string& name() const { return key_.name; }
  const std::string& uid() const { return uid_; }
  std::int64_t generation() const { return generation_; }
  const Labels& labels() const { return labels_; }
  bool deleting() const { return deleting_; }  // has a deletionTimestamp
  const std::vector<std::string>& owner_uids() const { return owner_uids_; }

 private:
  Object() = default;
  void index(const Json& content);

  std::string bytes_;
  std::size_t revision_at_ = 0;
  std::size_t revision_length_ = 0;
  Revision revision_;
  ObjectKey key_;
  std::string uid_;
  std::int64_t generation_ = 0;
  Labels labels_;
  std::vector<std::string> owner_uids_;
  bool deleting_ = false;
  mutable std::atomic<std::shared_ptr<const Json>> content_;
};

// metadata accessors that every room needs; null-safe.
std::string_view name_of(const Json& object);
std::string_view namespace_of(const Json& object);
std::string_view uid_of(const Json& object);
std::string_view label_of(const Json& object, std::string_view key);
std::string_view annotation_of(const Json& object, std::string_view key);
ObjectKey key_of(const Json& object);
Revision revision_of(const Json& object);  // 0 when absent or not a number
bool has_finalizer(const Json& object, std::string_view finalizer);
bool add_finalizer(Json& object, std::string_view finalizer);     // false if it was there
bool remove_finalizer(Json& object, std::string_view finalizer);  // false if it was not

}  // namespace flotilla::api
