// SPDX-License-Identifier: Apache-2.0
#include "core/api/patch/managed_fields.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

#include "core/api/object.hpp"
#include "core/api/patch/patch.hpp"
#include "core/api/patch/typed.hpp"
#include "core/api/schema/decode.hpp"

namespace flotilla::api {
namespace {

constexpr std::size_t kMaxUpdateManagers = 10;
constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

struct Entry {
  std::string manager, operation, api_version, subresource, time;
  FieldSet fields;

  // Who it is: apply entries of one manager are one whatever their version.
  bool same_owner(const Entry& other) const {
    return manager == other.manager && operation == other.operation && subresource == other.subresource &&
           (operation == "Apply" || api_version == other.api_version);
  }
  // Managers are listed in the order of this text.
  std::string identity() const {
    std::string text = "{\"manager\":\"" + manager + "\",\"operation\":\"" + operation + "\"";
    if (operation == "Update") text += ",\"apiVersion\":\"" + api_version + "\"";
    if (!subresource.empty()) text += ",\"subresource\":\"" + subresource + "\"";
    return text + "}";
  }
};
using Entries = std::vector<Entry>;

// What belongs to nobody.
const FieldSet& stripped() {
  static const FieldSet set = FieldSet::of({{"apiVersion"},
                                            {"kind"},
                                            {"metadata"},
                                            {"metadata", "name"},
                                            {"metadata", "namespace"},
                                            {"metadata", "creationTimestamp"},
                                            {"metadata", "selfLink"},
                                            {"metadata", "uid"},
                                            {"metadata", "clusterName"},
                                            {"metadata", "generation"},
                                            {"metadata", "managedFields"},
                                            {"metadata", "resourceVersion"}});
  return set;
}

// False where an entry cannot be read.
bool read_entries(const Json& list, Entries& out) {
  for (const Json& one : list.elements()) {
    const std::string_view operation = one["operation"].as_string();
    if ((operation != "Apply" && operation != "Update") || one["fieldsType"].as_string() != "FieldsV1")
      return false;
    Entry entry;
    entry.manager = one["manager"].as_string();
    entry.operation = operation;
    entry.api_version = one["apiVersion"].as_string();
    entry.subresource = one["subresource"].as_string();
    entry.time = one["time"].as_string();
    entry.fields = FieldSet::from_json(one["fieldsV1"]);
    out.push_back(std::move(entry));
  }
  return true;
}

void sort_entries(Entries& entries) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.operation, a.time, a.manager, a.api_version, a.subresource) <
           std::tie(b.operation, b.time, b.manager, b.api_version, b.subresource);
  });
}

void write_entries(Json& object, Entries entries) {
  sort_entries(entries);
  Json list = Json::array();
  for (const Entry& entry : entries) {
    if (entry.fields.empty()) continue;
    Json one = Json::object({{"manager", entry.manager},
                             {"operation", entry.operation},
                             {"apiVersion", entry.api_version},
                             {"fieldsType", "FieldsV1"},
                             {"fieldsV1", entry.fields.to_json()}});
    if (!entry.time.empty()) one.set("time", entry.time);
    if (!entry.subresource.empty()) one.set("subresource", entry.subresource);
    list.push_back(std::move(one));
  }
  Json& metadata = object["metadata"];
  if (list.empty()) {
    metadata.erase("managedFields");
  } else {
    metadata.set("managedFields", std::move(list));
  }
}

void drop_managed_fields(Json& object) {
  if (Json* metadata = object.find("metadata")) metadata->erase("managedFields");
}

Json without_managed_fields(const Json& object) {
  Json copy = object;
  drop_managed_fields(copy);
  return copy;
}

// The document that a create is compared with: what Go writes of an empty object.
Json empty_object(const Schema& schema, const Json& model, bool typed) {
  Json empty = Json::object({{"apiVersion", model["apiVersion"]}, {"kind", model["kind"]}});
  if (typed) normalise(schema, empty);
  return empty;
}

Comparison compare_for(const Schema& schema, const Json& left, const Json& right, const FieldSet& ignored) {
  Comparison changes = compare(schema, left, right);
  changes.removed.remove_with_descendants(ignored);
  changes.modified.remove_with_descendants(ignored);
  changes.added.remove_with_descendants(ignored);
  return changes;
}

// Everybody but `self` loses what was changed or removed.
void take_from_others(Entries& entries, const Entry* self, const Comparison& changes) {
  FieldSet taken = changes.modified;
  taken.add(changes.added);
  taken.add(changes.removed);
  for (Entry& entry : entries) {
    if (&entry != self) entry.fields.remove(taken);
  }
  std::erase_if(entries, [](const Entry& entry) { return entry.fields.empty(); });
}

// At most ten update managers; the oldest become one per version.
void cap_updates(Entries& entries) {
  sort_entries(entries);
  std::size_t updates = 0;
  for (const Entry& entry : entries) updates += entry.operation == "Update" ? 1 : 0;
  std::map<std::string, Entry> ancient;
  for (auto at = entries.begin(); at != entries.end() && updates > kMaxUpdateManagers;) {
    if (at->operation != "Update") {
      ++at;
      continue;
    }
    Entry& into = ancient[at->api_version];
    if (into.manager.empty()) {
      into = *at;
      into.manager = "ancient-changes";
      into.subresource.clear();
    } else {
      into.fields.add(at->fields);
      into.time = std::max(into.time, at->time);
      --updates;
    }
    at = entries.erase(at);
  }
  for (auto& [version, entry] : ancient) {
    const auto same =
        std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.same_owner(entry); });
    if (same == entries.end()) {
      entries.push_back(std::move(entry));
    } else {
      same->fields.add(entry.fields);
    }
  }
}

void record(const Schema& schema, const Json& before, const Json& after, const FieldWriter& writer,
            Entries& entries) {
  const Comparison changes = compare_for(schema, before, after, writer.ignored);
  FieldSet gained = changes.modified;
  gained.add(changes.added);
  gained.remove(changes.removed);
  gained.remove(stripped());
  take_from_others(entries, nullptr, changes);
  if (gained.empty()) return;
  Entry self;
  self.manager = writer.manager;
  self.operation = "Update";
  self.api_version = writer.api_version;
  self.subresource = writer.subresource;
  const auto same =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.same_owner(self); });
  Entry& into = same != entries.end() ? *same : entries.emplace_back(std::move(self));
  into.fields.add(gained);
  into.time = format_time(writer.now);
  cap_updates(entries);
}

bool is_reset(const Json& list) {
  return list.size() == 1 && list.element(0).is_object() && list.element(0)["manager"].as_string().empty() &&
         list.element(0)["operation"].as_string().empty() && list.element(0)["fieldsV1"].empty();
}

struct Conflict {
  const Entry* entry;
  FieldSet fields;
};

std::string print_manager(const Entry& entry) {
  std::string text = "\"" + entry.manager + "\"";
  if (!entry.subresource.empty()) text += " with subresource \"" + entry.subresource + "\"";
  if (entry.operation == "Update") text += " using " + entry.api_version;
  return text;
}

Error conflict_error(std::vector<Conflict> conflicts) {
  std::sort(conflicts.begin(), conflicts.end(),
            [](const Conflict& a, const Conflict& b) { return a.entry->identity() < b.entry->identity(); });
  ErrorDetails details;
  std::vector<std::pair<std::string, std::vector<std::string>>> lines;
  for (const Conflict& one : conflicts) {
    const std::string who = print_manager(*one.entry);
    std::vector<std::string> paths = one.fields.paths();
    for (const std::string& path : paths) {
      details.causes.push_back({"FieldManagerConflict", "conflict with " + who, path});
    }
    lines.emplace_back(who, std::move(paths));
  }
  std::string message = "Apply failed with " + std::to_string(details.causes.size()) + " conflict";
  if (details.causes.size() == 1) {
    message += ": conflict with " + lines.front().first + ": " + lines.front().second.front();
    return Error(Code::Conflict, std::move(message), std::move(details));
  }
  message += "s: ";
  for (const auto& [who, paths] : lines) {
    if (who != lines.front().first) message += "\n";
    message += "conflicts with " + who + ":";
    for (const std::string& path : paths) message += "\n- " + path;
  }
  return Error(Code::Conflict, std::move(message), std::move(details));
}

// What the applier gave up and nobody else owns goes (k8s-api 5.11, prune in three moves).
Json prune(const Schema& schema, const Json& merged, const FieldSet& last, const Entries& entries) {
  if (last.empty()) return merged;
  const FieldSet last_named = last.with_named_fields(schema);
  const FieldSet all = to_field_set(schema, merged).with_named_fields(schema);
  FieldSet owned;
  for (const Entry& entry : entries) owned.add(entry.fields);
  const auto missing_in = [&](const Json& pruned) {
    FieldSet gone = all;
    gone.remove(to_field_set(schema, pruned).with_named_fields(schema));
    return gone;
  };
  Json pruned = remove_items(schema, merged, last_named);
  FieldSet unowned = missing_in(pruned);
  unowned.remove(owned.with_named_fields(schema));
  pruned = remove_items(schema, merged, unowned);
  return remove_items(schema, merged, missing_in(pruned).intersection(last_named));
}

// Fields that the annotation of client-side apply records and that the live object still has unchanged:
// kubectl takes them over without asking.
FieldSet kubectl_may_take(const Schema& schema, const Json& live) {
  auto last = Json::parse(annotation_of(live, kLastApplied));
  if (!last || (*last)["apiVersion"] != live["apiVersion"]) return {};
  FieldSet fields = to_field_set(schema, *last);
  const Comparison changes = compare(schema, *last, without_managed_fields(live));
  fields.remove(changes.modified);
  fields.remove(changes.added);
  fields.remove(changes.removed);
  return fields;
}

Status settle_conflicts(const Schema& schema, const Json& live, const Comparison& changes, const Entry& self,
                        bool force, bool kubectl, Entries& entries) {
  FieldSet touched = changes.modified;
  touched.add(changes.added);
  std::vector<Conflict> conflicts;
  for (const Entry& entry : entries) {
    if (entry.same_owner(self)) continue;
    FieldSet common = entry.fields.intersection(touched);
    if (!common.empty()) conflicts.push_back({&entry, std::move(common)});
  }
  if (!conflicts.empty() && !force) {
    const FieldSet allowed = kubectl ? kubectl_may_take(schema, live) : FieldSet();
    std::vector<Conflict> real;
    for (const Conflict& one : conflicts) {
      FieldSet rest = one.fields;
      rest.remove(allowed);
      if (!rest.empty()) real.push_back({one.entry, std::move(rest)});
    }
    if (!real.empty()) return conflict_error(std::move(real));
  }
  for (Entry& entry : entries) {
    if (entry.same_owner(self)) continue;
    entry.fields.remove(touched);
    entry.fields.remove(changes.removed);
  }
  return {};
}

Status check_config(const Schema& schema, const Json& config) {
  const auto errors = check_typed(schema, config);
  if (errors.empty()) return {};
  const Gvk gvk = Gvk::of(config);
  std::string text = "failed to create typed patch object (" + std::string(namespace_of(config)) + "/" +
                     std::string(name_of(config)) + "; " + gvk.group + "/" + gvk.version +
                     ", Kind=" + gvk.kind + "): ";
  if (errors.size() == 1) return unknown_error(text + errors.front());
  text += "errors:";
  for (const std::string& one : errors) text += "\n  " + one;
  return unknown_error(std::move(text));
}

void keep_last_applied(Json& object, const Json& config) {
  if (annotation_of(object, kLastApplied).empty()) return;
  Json recorded = without_managed_fields(config);
  if (Json* annotations = recorded["metadata"].find("annotations")) annotations->erase(kLastApplied);
  object.make({"metadata", "annotations"}).set(kLastApplied, recorded.dump() + "\n");
}

}  // namespace

std::string field_manager(std::string_view field_manager, std::string_view user_agent) {
  if (!field_manager.empty()) return std::string(field_manager);
  std::string name;
  for (const char c : user_agent.substr(0, user_agent.find('/'))) {
    if (name.size() < 128 && static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) name += c;
  }
  return name.empty() ? "unknown" : name;
}

bool same_but_times(const Json& managed_fields, const Json& other) {
  if (managed_fields.size() != other.size()) return false;
  for (std::size_t i = 0; i < other.size(); ++i) {
    Json a = managed_fields.element(i), b = other.element(i);
    a.erase("time");
    b.erase("time");
    if (!(a == b)) return false;
  }
  return true;
}

Json record_update(const Schema& schema, const Json& live, Json fresh, const FieldWriter& writer) {
  const Json sent = fresh.at({"metadata", "managedFields"});
  const Json& kept = live.at({"metadata", "managedFields"});
  drop_managed_fields(fresh);
  Entries entries;
  if (!writer.subresource.empty()) {
    if (!read_entries(kept, entries)) entries.clear();
  } else if (!is_reset(sent)) {
    if (!read_entries(sent, entries) || entries.empty()) {
      entries.clear();
      if (!read_entries(kept, entries)) entries.clear();
    }
  }
  // An object that nobody tracks stays so.
  if (entries.empty() && !live.is_null()) return fresh;
  const Json before =
      live.is_null() ? empty_object(schema, fresh, writer.typed) : without_managed_fields(live);
  record(schema, before, fresh, writer, entries);
  write_entries(fresh, std::move(entries));
  return fresh;
}

Result<Applied> apply(const Schema& schema, const Json& live, const Json& config, const FieldWriter& writer,
                      bool force) {
  if (!config.at({"metadata", "managedFields"}).is_null())
    return bad_request("metadata.managedFields must be nil");
  if (Status fits = check_config(schema, config); !fits) return std::move(fits).error();
  Entries entries;
  const Json before =
      live.is_null() ? empty_object(schema, config, writer.typed) : without_managed_fields(live);
  if (!read_entries(live.at({"metadata", "managedFields"}), entries)) entries.clear();
  if (entries.empty() && !live.is_null()) {
    FieldWriter first = writer;
    first.manager = "before-first-apply";
    first.api_version = before["apiVersion"].as_string();
    first.subresource.clear();
    record(schema, empty_object(schema, before, writer.typed), before, first, entries);
  }
  Entry self;
  self.manager = writer.manager;
  self.operation = "Apply";
  self.api_version = writer.api_version;
  self.subresource = writer.subresource;
  self.fields = to_field_set(schema, config);
  self.fields.remove_with_descendants(writer.ignored);
  const auto same =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.same_owner(self); });
  FieldSet last;
  if (same != entries.end()) {
    last = same->fields;
    self.time = same->time;
    entries.erase(same);
  }
  Json merged = merge_typed(schema, before, config);
  entries.push_back(self);
  merged = prune(schema, merged, last, entries);
  const Comparison changes = compare_for(schema, before, merged, writer.ignored);
  const bool kubectl = writer.manager == "kubectl" && writer.subresource.empty();
  if (Status settled = settle_conflicts(schema, before, changes, self, force, kubectl, entries); !settled) {
    return std::move(settled).error();
  }
  Applied out;
  out.unchanged = !live.is_null() && merged == before;
  Entry& own =
      *std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.same_owner(self); });
  own.fields.remove(stripped());
  if (!out.unchanged) own.time = format_time(writer.now);
  if (kubectl && !live.is_null()) keep_last_applied(merged, config);
  write_entries(merged, std::move(entries));
  out.object = std::move(merged);
  return out;
}

}  // namespace flotilla::api
