// SPDX-License-Identifier: Apache-2.0
// An object of the API as the daemon keeps it: its encoded bytes, an index of its metadata, and, while
// somebody needs it, its parsed form. Immutable, shared by pointer between store, watchers and controllers.
#pragma once

#include <array>
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

// Places in an encoded document; 0: it has none.
struct EncodedMarks {
  std::uint32_t revision = 0;  // the text of metadata.resourceVersion
  std::uint32_t api_version = 0;
  std::uint32_t kind = 0;  // this and the former: the quote of the key, at the top level
};

// An encoded document that waits for its resourceVersion: `bytes` has an empty one.
struct EncodedObject {
  std::string bytes;
  EncodedMarks marks;
};

class Object;
using ObjectPtr = std::shared_ptr<const Object>;

// Told of every parse, so that whoever keeps many objects can bound how many parsed forms live.
class ContentKeeper {
 public:
  virtual ~ContentKeeper() = default;
  virtual void parsed(const ObjectPtr& object) = 0;
};

// An object that waits for its revision.
struct ObjectDraft {
  std::shared_ptr<Object> object;
  std::shared_ptr<Json> content;
};

class Object : public std::enable_shared_from_this<Object> {
 public:
  // All that can be done before the revision is known: not under a lock.
  static ObjectDraft draft(Json content);
  // The rest, cheap enough for a lock. The parsed form is kept; the caller tells the keeper of it.
  static ObjectPtr seal(ObjectDraft draft, Revision revision,
                        std::shared_ptr<ContentKeeper> keeper = nullptr);

  // Encodes `content` once, metadata.resourceVersion left out (the store knows it only at commit). Not under
  // a lock.
  static EncodedObject encode(const Json& content);
  // `content` may be null: it is then parsed again when asked for.
  static ObjectPtr make(EncodedObject encoded, Revision revision, std::shared_ptr<const Json> content);
  static ObjectPtr make(const Json& content, Revision revision);
  // From bytes of a storage backend (made by encode, without a resourceVersion); parses the metadata alone.
  // Errors: DataLoss.
  static Result<ObjectPtr> load(std::string_view stored, Revision revision,
                                std::shared_ptr<ContentKeeper> keeper = nullptr);
  // The same object at another revision: what a DELETED event shows.
  ObjectPtr at_revision(Revision revision) const;

  // The whole document with its resourceVersion, ready to be sent.
  std::string_view bytes() const { return bytes_; }
  // The document without apiVersion and kind, in pieces to be sent one behind the other: how items of
  // built-in lists look.
  std::array<std::string_view, 3> untyped() const;
  std::size_t untyped_size() const { return bytes_.size() - type_length_; }
  // What a storage backend keeps: the document without a resourceVersion.
  std::string stored_bytes() const;
  // Parsed at most once while somebody holds it or release_content() was not called. Thread-safe.
  std::shared_ptr<const Json> content() const;
  // Drops the parsed form; the next content() parses again.
  void release_content() const;

  Revision revision() const { return revision_; }
  const ObjectKey& key() const { return index_.key; }
  const std::string& ns() const { return index_.key.ns; }
  const std::string& name() const { return index_.key.name; }
  const std::string& uid() const { return index_.uid; }
  std::int64_t generation() const { return index_.generation; }
  const Labels& labels() const { return index_.labels; }
  bool deleting() const { return index_.deleting; }  // has a deletionTimestamp
  const std::vector<std::string>& owner_uids() const { return index_.owner_uids; }

 private:
  struct Index {
    ObjectKey key;
    std::string uid;
    std::int64_t generation = 0;
    Labels labels;
    std::vector<std::string> owner_uids;
    bool deleting = false;
  };

  Object() = default;
  static Index index_of(const Json& metadata);
  // The same of the text that encode() wrote. False: it has escapes, owners or something else to be parsed
  // for.
  static bool read_index(std::string_view metadata, Index& index);
  static EncodedMarks encode_into(std::string& out, const Json& content);
  // `bytes` have an empty resourceVersion where the marks say.
  void set_bytes(std::string bytes, EncodedMarks marks, Revision revision);

  std::string bytes_;
  EncodedMarks marks_;
  std::uint16_t revision_length_ = 0;
  std::uint16_t type_length_ = 0;  // of what untyped() leaves out
  Revision revision_;
  Index index_;
  std::shared_ptr<ContentKeeper> keeper_;
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
