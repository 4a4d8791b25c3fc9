// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/member_cache.hpp"

#include <set>

#include "core/api/karmada.hpp"

namespace flotilla::cluster {
namespace {

std::string managed_selector() {
  return std::string(api::labels::kManaged) + "=" + std::string(api::kTrue);
}

}  // namespace

MemberCache::MemberCache(std::string cluster, Gvr resource, std::shared_ptr<ClusterConnection> connection,
                         MemberHandler handler, std::string selector)
    : Following(std::move(cluster), std::move(resource), std::move(connection),
                selector.empty()  ? managed_selector()
                : selector == "*" ? std::string()
                                  : std::move(selector)),
      handler_(std::move(handler)) {}

void MemberCache::replace(std::vector<Json> objects) {
  std::set<api::ObjectKey> present;
  for (Json& object : objects) {
    present.insert(api::key_of(object));
    put(std::move(object));
  }
  std::vector<api::ObjectPtr> gone;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [key, known] : objects_) {
      if (!present.contains(key)) gone.push_back(known.object);
    }
  }
  for (const api::ObjectPtr& object : gone) forget(object->key(), object->content());
}

void MemberCache::put(Json object) {
  const Essence essence = essence_of(object);
  if (const auto change = take(std::make_shared<const Json>(std::move(object)), essence, false))
    handler_(*change);
}

void MemberCache::writing(const api::ObjectKey& key) {
  std::lock_guard lock(mutex_);
  writing_.insert(key);
}

void MemberCache::not_written(const api::ObjectKey& key) {
  std::lock_guard lock(mutex_);
  writing_.erase(key);
}

bool MemberCache::written(const Json& answer, const Json& manifest) {
  const api::ObjectKey key = api::key_of(answer);
  const Essence answered = essence_of(answer);
  const auto change = take(std::make_shared<const Json>(answer), answered, true);
  if (change) handler_(*change);
  const std::size_t body = essence_of(manifest).body;
  std::lock_guard lock(mutex_);
  writing_.erase(key);
  const auto it = objects_.find(key);
  if (it == objects_.end()) return false;
  it->second.written_body = body;
  it->second.answered_body = answered.body;
  return it->second.essence != answered;
}

bool MemberCache::is_as_answered(const Json& manifest) const {
  const std::size_t body = essence_of(manifest).body;
  std::lock_guard lock(mutex_);
  const auto it = objects_.find(api::key_of(manifest));
  return it != objects_.end() && it->second.written_body == body &&
         it->second.answered_body == it->second.essence.body;
}

// Nothing: it is no news.
std::optional<MemberChange> MemberCache::take(std::shared_ptr<const Json> content, const Essence& essence,
                                              bool ours) {
  const Revision revision = api::revision_of(*content);
  api::ObjectPtr made = api::Object::make(api::Object::encode(*content), revision, content);
  MemberChange change{MemberChange::Type::Added, cluster(), resource(), content};
  std::lock_guard lock(mutex_);
  // Without a list there is nothing to add to; and what the watch has gone past may be gone.
  if (ours && (!synced() || revision <= newest_)) return std::nullopt;
  if (!ours) newest_ = std::max(newest_, revision);
  Known& known = objects_[made->key()];
  if (known.object) {
    const bool same_object = known.object->uid() == made->uid();
    if (known.object->revision() == revision && revision.get() != 0 && same_object) return std::nullopt;
    // The watch is behind an answer that we have already.
    if (!ours && same_object && revision < known.object->revision()) return std::nullopt;
    change.type = MemberChange::Type::Modified;
    change.drifted = !same_object || known.essence != essence;
  }
  change.ours = ours;
  if (ours || writing_.contains(made->key())) change.drifted = false;
  known.object = made;
  known.essence = essence;
  known.parsed.reset();
  keep_parsed(made->key(), known, content);
  return change;
}

void MemberCache::keep_parsed(const api::ObjectKey& key, Known& known,
                              std::shared_ptr<const Json> parsed) const {
  if (!known.parsed) {
    api::ObjectKey& place = parsed_[next_parsed_++ % parsed_.size()];
    if (const auto oldest = objects_.find(place); oldest != objects_.end() && place != key)
      oldest->second.parsed.reset();  // thousands of objects are kept encoded
    place = key;
  }
  known.parsed = std::move(parsed);
}

bool MemberCache::is_known(const MemberHead& head) const {
  const api::ObjectKey key{std::string(head.ns), std::string(head.name)};
  std::lock_guard lock(mutex_);
  if (head.added && writing_.contains(key)) return true;  // the answer says it
  const auto it = objects_.find(key);
  return it != objects_.end() && std::to_string(it->second.object->revision().get()) == head.resource_version;
}

void MemberCache::forget(Json last) {
  const api::ObjectKey key = api::key_of(last);
  forget(key, std::make_shared<const Json>(std::move(last)));
}

void MemberCache::forget(const api::ObjectKey& key, std::shared_ptr<const Json> last) {
  {
    std::lock_guard lock(mutex_);
    newest_ = std::max(newest_, api::revision_of(*last));
    if (objects_.erase(key) == 0) return;
  }
  handler_({MemberChange::Type::Deleted, cluster(), resource(), std::move(last)});
}

Result<std::optional<Json>> MemberCache::get(std::string_view ns, std::string_view name) const {
  if (!synced()) {
    return Error(Code::Unavailable,
                 "the " + resource().resource + " of cluster " + cluster() + " are not known yet");
  }
  api::ObjectPtr object;
  {
    std::lock_guard lock(mutex_);
    const auto it = objects_.find({std::string(ns), std::string(name)});
    if (it == objects_.end()) return std::optional<Json>();
    if (it->second.parsed) return std::optional<Json>(*it->second.parsed);
    object = it->second.object;
  }
  auto parsed = Json::parse(object->bytes(), {.max_bytes = object->bytes().size()});
  if (!parsed) return parsed.error();
  return std::optional<Json>(*std::move(parsed));
}

Result<std::vector<Json>> MemberCache::list(const std::string& ns, std::string_view label,
                                            std::string_view value) const {
  if (!synced()) {
    return Error(Code::Unavailable,
                 "the " + resource().resource + " of cluster " + cluster() + " are not known yet");
  }
  std::vector<api::ObjectPtr> found;
  {
    std::lock_guard lock(mutex_);
    for (auto it = objects_.lower_bound({ns, ""}); it != objects_.end() && it->first.ns == ns; ++it) {
      const std::string* known = it->second.object->labels().find(label);
      if (known != nullptr && *known == value) found.push_back(it->second.object);
    }
  }
  std::vector<Json> objects;
  for (const api::ObjectPtr& object : found) {
    auto parsed = Json::parse(object->bytes(), {.max_bytes = object->bytes().size()});
    if (!parsed) return parsed.error();
    objects.push_back(*std::move(parsed));
  }
  return objects;
}

std::size_t MemberCache::size() const {
  std::lock_guard lock(mutex_);
  return objects_.size();
}

}  // namespace flotilla::cluster
