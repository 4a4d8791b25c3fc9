// SPDX-License-Identifier: Apache-2.0
#include "member.hpp"

#include <cstdio>
#include <ctime>

#include "watch.hpp"

namespace flotilla::simulated {

namespace {

using sdk::Failure;
using sdk::member;
using sdk::text;
using sdk::view;

constexpr std::size_t kHistory = 2048;

std::string in_quotes(std::string_view name) {
  return "\"" + std::string(name) + "\"";
}

[[noreturn]] void not_found(const std::string& resource, std::string_view name) {
  throw Failure(FLT_NOT_FOUND, resource + " " + in_quotes(name) + " not found", "NotFound", 404);
}
[[noreturn]] void conflict(const std::string& resource, std::string_view name, const std::string& why) {
  throw Failure(FLT_ABORTED,
                "Operation cannot be fulfilled on " + resource + " " + in_quotes(name) + ": " + why,
                "Conflict", 409);
}
[[noreturn]] void bad_request(const std::string& message) {
  throw Failure(FLT_INVALID_ARGUMENT, message, "BadRequest", 400);
}

Json parse(std::string_view bytes) {
  Json object = Json::parse(bytes, nullptr, false);
  if (!object.is_object()) bad_request("the object is not a JSON object");
  return object;
}

// Everything that counts as a change of what was asked for.
bool same_intent(const Json& a, const Json& b) {
  const auto stripped = [](Json object) {
    object.erase("metadata");
    object.erase("status");
    return object;
  };
  return stripped(a) == stripped(b);
}

Labels labels_of(const Json& object) {
  Labels labels;
  for (const auto& [key, value] : member(member(object, "metadata"), "labels").items())
    labels[key] = text(value);
  return labels;
}

StoredPtr make_stored(const Json& object) {
  const Json& metadata = member(object, "metadata");
  auto stored = std::make_shared<Stored>();
  stored->ns = text(member(metadata, "namespace"));
  stored->name = text(member(metadata, "name"));
  stored->uid = text(member(metadata, "uid"));
  stored->resource_version = text(member(metadata, "resourceVersion"));
  const Json& generation = member(metadata, "generation");
  stored->generation = generation.is_number_integer() ? generation.get<std::int64_t>() : 0;
  stored->labels = labels_of(object);
  stored->bytes = object.dump();
  return stored;
}

}  // namespace

bool Scope::covers(const std::string& of_resource, const Stored& object) const {
  return of_resource == resource && (ns.empty() || object.ns == ns) &&
         (only_name.empty() || object.name == only_name) && labels.matches(object.labels);
}

Member::Member(const flt_host_t* host, std::string name, Settings settings)
    : host_(host), name_(std::move(name)), settings_(std::move(settings)) {
  const Resource namespaces{"", "v1", "namespaces", "Namespace", false, true};
  for (const char* ns : {"default", "kube-node-lease", "kube-public", "kube-system"}) {
    Json object{{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", ns}}}};
    create(namespaces, Key{"namespaces", "", ns}, std::move(object), false);
  }
  history_.clear();
  forgotten_ = revision_;
}

void Member::configure(Settings settings) {
  std::lock_guard lock(mutex_);
  settings_ = std::move(settings);
}

Settings Member::settings() const {
  std::lock_guard lock(mutex_);
  return settings_;
}

void Member::check_reachable() const {
  std::lock_guard lock(mutex_);
  if (settings_.unreachable) throw Failure(FLT_UNAVAILABLE, "simulated member " + name_ + " is unreachable");
}

Resource Member::resource_of(const flt_gvr_t& gvr) const {
  for (const Resource& resource : built_in_resources()) {
    if (resource.resource == view(gvr.resource) && resource.group == view(gvr.group) &&
        resource.version == view(gvr.version)) {
      return resource;
    }
  }
  const auto found = definitions_.find(std::string(view(gvr.resource)) + "." + std::string(view(gvr.group)));
  if (found != definitions_.end() && found->second.version == view(gvr.version))
    return found->second.resource();
  throw Failure(FLT_NOT_FOUND, "the server could not find the requested resource", "NotFound", 404);
}

StoredPtr Member::find(const Key& key) const {
  const auto found = objects_.find(key);
  if (found != objects_.end()) return found->second;
  for (const StoredPtr& object : made_up(key.resource)) {
    if (object->ns == key.ns && object->name == key.name) return object;
  }
  return nullptr;
}

StoredPtr Member::get(const flt_gvr_t& gvr, std::string_view ns, std::string_view name) {
  std::lock_guard lock(mutex_);
  const Resource resource = resource_of(gvr);
  StoredPtr found = find({resource.name(), std::string(ns), std::string(name)});
  if (!found) not_found(resource.name(), name);
  return found;
}

Listed Member::list(const flt_gvr_t& gvr, Scope scope) {
  std::lock_guard lock(mutex_);
  scope.resource = resource_of(gvr).name();
  Listed listed;
  listed.revision = revision_;
  for (auto it = objects_.lower_bound({scope.resource, scope.ns, ""});
       it != objects_.end() && it->first.resource == scope.resource; ++it) {
    if (!scope.ns.empty() && it->first.ns != scope.ns) break;
    if (scope.covers(scope.resource, *it->second)) listed.objects.push_back(it->second);
  }
  for (StoredPtr& object : made_up(scope.resource)) {
    if (scope.covers(scope.resource, *object)) listed.objects.push_back(std::move(object));
  }
  return listed;
}

// Nodes, and the pods that the workloads stand for.
std::vector<StoredPtr> Member::made_up(const std::string& resource) const {
  std::vector<StoredPtr> objects;
  if (resource == "nodes") {
    for (int i = 0; i < settings_.nodes; ++i) objects.push_back(make_stored(make_node(settings_, i)));
  }
  if (resource != "pods") return objects;
  for (const Resource& kind : built_in_resources()) {
    if (kind.group != "apps") continue;
    const std::string name = kind.name();
    for (auto it = objects_.lower_bound({name, "", ""}); it != objects_.end() && it->first.resource == name;
         ++it) {
      for (const Json& pod : make_pods(kind, parse(it->second->bytes), settings_)) {
        objects.push_back(make_stored(pod));
      }
    }
  }
  return objects;
}

Applied Member::apply(const flt_apply_request_t& request) {
  if (request.mode == FLT_APPLY_SSA) {
    throw Failure(FLT_UNIMPLEMENTED, "simulated members know no server-side apply");
  }
  Json object = parse(view(request.object));
  const bool dry_run = (request.flags & FLT_APPLY_DRY_RUN) != 0;
  std::lock_guard lock(mutex_);
  const Resource resource = resource_of(request.gvr);
  Key key{resource.name(), std::string(view(request.ns)), std::string(view(request.name))};
  if (key.name.empty()) bad_request("name is required");
  if (resource.namespaced && key.ns.empty()) bad_request("an empty namespace may not be set during creation");
  if (!resource.namespaced) key.ns.clear();
  const StoredPtr old = find(key);
  if (request.mode == FLT_APPLY_UPDATE && !old) not_found(key.resource, key.name);
  if (old && request.mode == FLT_APPLY_CREATE) {
    throw Failure(FLT_ALREADY_EXISTS, key.resource + " " + in_quotes(key.name) + " already exists",
                  "AlreadyExists", 409);
  }
  if (old) return replace(resource, key, std::move(object), old, dry_run);
  if (resource.namespaced && !objects_.contains({"namespaces", "", key.ns})) not_found("namespaces", key.ns);
  return {create(resource, key, std::move(object), dry_run), FLT_APPLIED_CREATED};
}

StoredPtr Member::create(const Resource& resource, const Key& key, Json object, bool dry_run) {
  Json& metadata = object["metadata"];
  metadata["name"] = key.name;
  if (resource.namespaced) metadata["namespace"] = key.ns;
  metadata["uid"] = new_uid();
  metadata["creationTimestamp"] = now_text();
  metadata["generation"] = 1;
  metadata.erase("deletionTimestamp");
  if (resource.has_status) object.erase("status");
  set_defaults(resource, object, nullptr, uids_);
  if (dry_run) return make_stored(object);
  StoredPtr stored = store(key, object, FLT_EVENT_ADDED);
  schedule(resource, key, stored, std::move(object));
  return stored;
}

Applied Member::replace(const Resource& resource, const Key& key, Json object, const StoredPtr& old,
                        bool dry_run) {
  const Json before = parse(old->bytes);
  const Json& old_metadata = member(before, "metadata");
  Json& metadata = object["metadata"];
  const std::string asked = text(member(metadata, "resourceVersion"));
  if (!asked.empty() && asked != old->resource_version) {
    conflict(key.resource, key.name,
             "the object has been modified; please apply your changes to the latest version and try again");
  }
  const std::string uid = text(member(metadata, "uid"));
  if (!uid.empty() && uid != old->uid) {
    conflict(key.resource, key.name,
             "Precondition failed: UID in precondition: " + uid + ", UID in object meta: " + old->uid);
  }
  metadata["name"] = key.name;
  for (const char* kept :
       {"namespace", "uid", "creationTimestamp", "deletionTimestamp", "generation", "resourceVersion"}) {
    metadata.erase(kept);
    if (old_metadata.contains(kept)) metadata[kept] = old_metadata[kept];
  }
  if (resource.has_status) {
    object.erase("status");
    if (before.contains("status")) object["status"] = before["status"];
  }
  set_defaults(resource, object, &before, uids_);
  if (object == before) return {old, FLT_APPLIED_UNCHANGED};
  const bool changed = !same_intent(object, before);
  if (changed) metadata["generation"] = old->generation + 1;
  if (dry_run) return {make_stored(object), FLT_APPLIED_UPDATED};
  const bool leaves = metadata.contains("deletionTimestamp") && member(metadata, "finalizers").empty();
  StoredPtr stored = store(key, object, FLT_EVENT_MODIFIED);
  if (leaves) {
    erase(key, stored);
  } else if (changed) {
    schedule(resource, key, stored, std::move(object));
  }
  return {stored, FLT_APPLIED_UPDATED};
}

StoredPtr Member::remove(const flt_remove_request_t& request) {
  std::lock_guard lock(mutex_);
  const Resource resource = resource_of(request.gvr);
  const Key key{resource.name(), std::string(view(request.ns)), std::string(view(request.name))};
  const auto found = objects_.find(key);
  if (found == objects_.end()) not_found(key.resource, key.name);
  StoredPtr old = found->second;
  const std::string uid(view(request.uid));
  if (!uid.empty() && uid != old->uid) {
    conflict(key.resource, key.name,
             "Precondition failed: UID in precondition: " + uid + ", UID in object meta: " + old->uid);
  }
  const std::string version(view(request.resource_version));
  if (!version.empty() && version != old->resource_version) {
    conflict(key.resource, key.name,
             "Precondition failed: ResourceVersion in precondition: " + version +
                 ", ResourceVersion in object meta: " + old->resource_version);
  }
  Json object = parse(old->bytes);
  if (!member(member(object, "metadata"), "finalizers").empty()) {
    if (object["metadata"].contains("deletionTimestamp")) return old;
    object["metadata"]["deletionTimestamp"] = now_text();
    object["metadata"]["deletionGracePeriodSeconds"] = 0;
    return store(key, object, FLT_EVENT_MODIFIED);
  }
  if (key.resource == "namespaces") erase_namespace(key.name);
  return erase(key, old);
}

StoredPtr Member::store(const Key& key, Json& object, std::int32_t event_type) {
  object["metadata"]["resourceVersion"] = std::to_string(++revision_);
  if (key.resource == "customresourcedefinitions.apiextensions.k8s.io") define(object);
  StoredPtr stored = make_stored(object);
  objects_[key] = stored;
  record({event_type, revision_, key.resource, stored});
  return stored;
}

StoredPtr Member::erase(const Key& key, const StoredPtr& old) {
  Json last = parse(old->bytes);
  if (key.resource == "customresourcedefinitions.apiextensions.k8s.io") undefine(last);
  last["metadata"]["resourceVersion"] = std::to_string(++revision_);
  objects_.erase(key);
  StoredPtr stored = make_stored(last);
  record({FLT_EVENT_DELETED, revision_, key.resource, stored});
  return stored;
}

void Member::erase_namespace(const std::string& ns) {
  std::vector<std::pair<Key, StoredPtr>> inside;
  for (const auto& [key, object] : objects_) {
    if (key.ns == ns) inside.emplace_back(key, object);
  }
  for (const auto& [key, object] : inside) erase(key, object);
}

void Member::record(Event event) {
  for (const auto& watch : watches_) {
    if (watch->scope.covers(event.resource, *event.object)) watch->offer({event.type, event.object});
  }
  std::erase_if(watches_, [](const auto& watch) { return watch->ended(); });
  history_.push_back(std::move(event));
  if (history_.size() <= kHistory) return;
  forgotten_ = history_.front().revision;
  history_.pop_front();
}

void Member::watch(const flt_gvr_t& gvr, Scope scope, std::string_view from, sdk::EventStream& stream,
                   sdk::Call& call) {
  std::lock_guard lock(mutex_);
  scope.resource = resource_of(gvr).name();
  const std::uint64_t after =
      from.empty() ? revision_ : std::strtoull(std::string(from).c_str(), nullptr, 10);
  if (after < forgotten_) {
    throw Failure(FLT_OUT_OF_RANGE,
                  "too old resource version: " + std::string(from) + " (" + std::to_string(forgotten_) + ")",
                  "Expired", 410);
  }
  auto watch = std::make_shared<Watch>(std::move(scope), std::move(stream));
  watch->listen();
  call.succeed(nullptr);
  for (const Event& event : history_) {
    if (event.revision > after && watch->scope.covers(event.resource, *event.object)) {
      watch->offer({event.type, event.object});
    }
  }
  watches_.push_back(std::move(watch));
}

void Member::end_watches() {
  std::vector<std::shared_ptr<Watch>> watches;
  {
    std::lock_guard lock(mutex_);
    watches.swap(watches_);
  }
  for (const auto& watch : watches) watch->end();
}

std::vector<Resource> Member::custom_resources() const {
  std::lock_guard lock(mutex_);
  std::vector<Resource> resources;
  for (const auto& [name, definition] : definitions_) resources.push_back(definition.resource());
  return resources;
}

void Member::define(const Json& definition) {
  const Json& spec = member(definition, "spec");
  Definition made;
  made.group = text(member(spec, "group"));
  made.plural = text(member(member(spec, "names"), "plural"));
  made.kind = text(member(member(spec, "names"), "kind"));
  made.namespaced = text(member(spec, "scope")) != "Cluster";
  for (const Json& version : member(spec, "versions")) {
    if (!member(version, "storage").is_boolean() || !version["storage"].get<bool>()) continue;
    made.version = text(member(version, "name"));
    made.has_status = member(member(version, "subresources"), "status").is_object();
  }
  definitions_[made.plural + "." + made.group] = std::move(made);
}

void Member::undefine(const Json& definition) {
  definitions_.erase(text(member(member(definition, "metadata"), "name")));
}

void Member::schedule(const Resource& resource, const Key& key, const StoredPtr& object, Json content) {
  if (!has_controller(resource)) return;
  if (settings_.ready_delay_ms <= 0) {
    set_status(resource, key, object, std::move(content));
    return;
  }
  pending_.push_back({host_->clock->monotonic_ns(host_) + settings_.ready_delay_ms * 1'000'000, key, object,
                      std::move(content)});
  arm_timer();
}

void Member::set_status(const Resource& resource, const Key& key, const StoredPtr& known, Json content) {
  const auto found = objects_.find(key);
  if (found == objects_.end()) return;
  if (found->second != known) content = parse(found->second->bytes);
  Json status = status_of(resource, content, settings_, now_text());
  if (member(content, "status") == status) return;
  content["status"] = std::move(status);
  store(key, content, FLT_EVENT_MODIFIED);
}

// One timer per member, for the oldest of what is pending.
void Member::arm_timer() {
  if (timer_armed_ || pending_.empty()) return;
  timer_armed_ = true;
  const std::int64_t wait = pending_.front().due_ns - host_->clock->monotonic_ns(host_);
  auto* self = new std::weak_ptr<Member>(weak_from_this());
  host_->exec->post_after(
      host_, std::max<std::int64_t>(wait, 0),
      [](void* ctx) {
        const std::unique_ptr<std::weak_ptr<Member>> own(static_cast<std::weak_ptr<Member>*>(ctx));
        if (const auto member = own->lock()) member->run_due();
      },
      self);
}

void Member::run_due() {
  std::lock_guard lock(mutex_);
  timer_armed_ = false;
  const std::int64_t now = host_->clock->monotonic_ns(host_);
  while (!pending_.empty() && pending_.front().due_ns <= now) {
    Pending due = std::move(pending_.front());
    pending_.pop_front();
    for (const Resource& resource : built_in_resources()) {
      if (resource.name() != due.key.resource) continue;
      set_status(resource, due.key, due.object, std::move(due.content));
      break;
    }
  }
  arm_timer();
}

// The same in every run: the name of the member and a counter.
std::string Member::new_uid() {
  const std::uint64_t high = std::hash<std::string>()(name_);
  const std::uint64_t low = ++uids_;
  char out[40];
  std::snprintf(out, sizeof out, "%08x-%04x-4%03x-8%03x-%012llx", static_cast<unsigned>(high >> 32),
                static_cast<unsigned>(high >> 16 & 0xffff), static_cast<unsigned>(high & 0xfff),
                static_cast<unsigned>(high >> 12 & 0xfff), static_cast<unsigned long long>(low));
  return out;
}

std::string Member::now_text() const {
  const std::time_t seconds = host_->clock->wall_ns(host_) / 1'000'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char out[32];
  std::strftime(out, sizeof out, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return out;
}

}  // namespace flotilla::simulated
