// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <map>

#include "core/apiserver/custom/conversion.hpp"
#include "core/apiserver/read/continuation.hpp"
#include "core/apiserver/read/reads.hpp"
#include "core/apiserver/shape.hpp"

namespace flotilla::apiserver {
namespace {

constexpr auto kVersionPatience = std::chrono::seconds(3);

// What a list shows, once its revision is known.
struct Page {
  std::vector<ObjectPtr> objects;
  ListMeta meta;
};

Page cut_page(const Call& call, std::vector<ObjectPtr> all, Revision revision, const Selection& selection,
              const api::ObjectKey* after, std::size_t limit) {
  Page page;
  page.meta.revision = revision;
  auto it = all.begin();
  if (after != nullptr) {
    it = std::partition_point(all.begin(), all.end(),
                              [&](const ObjectPtr& object) { return !(*after < object->key()); });
  }
  if (it == all.begin() && limit == 0 && selection.everything()) {
    page.objects = std::move(all);
    return page;
  }
  for (; it != all.end(); ++it) {
    const bool chosen = selection.matches(**it, converted_form(call, **it));
    if (selection.reads_content()) (*it)->release_content();
    if (!chosen) continue;
    if (limit != 0 && page.objects.size() == limit) {
      page.meta.continue_token = encode_continuation(revision.get(), page.objects.back()->key());
      if (!selection.has_selector()) page.meta.remaining = std::distance(it, all.end());
      break;
    }
    page.objects.push_back(std::move(*it));
  }
  return page;
}

Cause forbidden_match(std::string_view text) {
  return {"FieldValueForbidden", "Forbidden: " + std::string(text), "resourceVersionMatch"};
}

}  // namespace

Result<std::uint64_t> read_version(std::string_view text) {
  if (text.empty()) return std::uint64_t{0};
  std::uint64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code == std::errc() && end == text.data() + text.size()) return value;
  return unexpected("resourceVersion: Invalid value: " + quoted(text) + ": strconv.ParseUint: parsing " +
                    quoted(text) + ": invalid syntax");
}

Status check_list_numbers(const Query& query) {
  for (const std::string_view name : {"timeoutSeconds", "limit"}) {
    if (auto number = query.integer(name); !number) return std::move(number).error();
  }
  return {};
}

Status check_list_options(const Query& query, bool watch) {
  const std::string_view match = query.get("resourceVersionMatch");
  const std::string_view version = query.get("resourceVersion");
  const bool initial = query.has("sendInitialEvents");
  std::vector<Cause> causes;
  if (watch && initial) {
    if (match != "NotOlderThan")
      causes.push_back(
          forbidden_match("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
    if (!causes.empty()) return options_invalid("ListOptions", std::move(causes));
    return {};
  }
  if (initial)
    causes.push_back(
        {"FieldValueForbidden", "Forbidden: sendInitialEvents is forbidden for list", "sendInitialEvents"});
  if (!match.empty()) {
    if (watch) causes.push_back(forbidden_match("resourceVersionMatch is forbidden for watch"));
    if (version.empty())
      causes.push_back(
          forbidden_match("resourceVersionMatch is forbidden unless resourceVersion is provided"));
    if (!query.get("continue").empty()) {
      causes.push_back(forbidden_match("resourceVersionMatch is forbidden when continue is provided"));
    }
    if (match != "Exact" && match != "NotOlderThan") {
      causes.push_back(
          {"FieldValueNotSupported",
           "Unsupported value: " + quoted(match) + ": supported values: \"Exact\", \"NotOlderThan\", \"\"",
           "resourceVersionMatch"});
    }
    if (match == "Exact" && version == "0") {
      causes.push_back(
          forbidden_match("resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""));
    }
  }
  if (!causes.empty()) return options_invalid("ListOptions", std::move(causes));
  return {};
}

Task<Status> wait_for_version(ServerPtr server, std::uint64_t version) {
  const SteadyTime give_up = server->executor.clock().steady_now() + kVersionPatience;
  while (static_cast<std::uint64_t>(server->store.revision().get()) < version) {
    if (server->executor.clock().steady_now() >= give_up) {
      co_return version_too_large(version, static_cast<std::uint64_t>(server->store.revision().get()));
    }
    auto pause = sleep_for(std::chrono::milliseconds(20));
    co_await std::move(pause);
  }
  co_return Status();
}

namespace {

// `objects` as they were before `events`: what changed is what its first event replaced. Ascending, as they
// came.
std::vector<ObjectPtr> taken_back(std::vector<ObjectPtr> objects, const std::vector<store::Event>& events) {
  std::map<api::ObjectKey, ObjectPtr> before;
  for (const store::Event& event : events) {
    if (event.object) before.try_emplace(event.object->key(), event.previous);
  }
  if (before.empty()) return objects;
  std::erase_if(objects, [&](const ObjectPtr& object) { return before.contains(object->key()); });
  std::vector<ObjectPtr> restored;
  for (auto& [key, object] : before) {
    if (object) restored.push_back(std::move(object));
  }
  std::vector<ObjectPtr> all;
  all.reserve(objects.size() + restored.size());
  const auto by_key = [](const ObjectPtr& a, const ObjectPtr& b) { return a->key() < b->key(); };
  std::merge(std::make_move_iterator(objects.begin()), std::make_move_iterator(objects.end()),
             std::make_move_iterator(restored.begin()), std::make_move_iterator(restored.end()),
             std::back_inserter(all), by_key);
  return all;
}

}  // namespace

Task<Result<store::Snapshot>> list_at(ServerPtr server, store::Collection collection, std::string ns,
                                      Revision at) {
  store::WatchRequest request;
  request.collection = collection;
  request.ns = ns;
  request.after = at;
  auto subscription = server->store.watch(request);
  if (!subscription) co_return std::move(subscription).error();
  store::Snapshot snapshot = server->store.list(collection, ns);
  std::vector<store::Event> events;
  while ((*subscription)->progress() < snapshot.revision) {
    auto waiting = (*subscription)->next();
    auto some = co_await std::move(waiting);
    if (!some) co_return std::move(some).error();
    for (store::Event& event : *some) {
      if (event.revision <= snapshot.revision) events.push_back(std::move(event));
    }
  }
  snapshot.objects = taken_back(std::move(snapshot.objects), events);
  snapshot.revision = at;
  co_return snapshot;
}

Task<http::Response> serve_list(ServerPtr server, CallPtr call) {
  if (auto fits = check_shape(*call, true); !fits) co_return error_response(*call, fits.error());
  if (auto numbers = check_list_numbers(call->query); !numbers)
    co_return error_response(*call, numbers.error());
  auto selection = Selection::read(*call->resource, call->query);
  if (!selection) co_return error_response(*call, selection.error());
  if (auto valid = check_list_options(call->query, false); !valid)
    co_return error_response(*call, valid.error());
  auto limit = call->query.integer("limit");
  if (!limit) co_return error_response(*call, limit.error());
  auto version = read_version(call->query.get("resourceVersion"));
  if (!version) co_return error_response(*call, version.error());

  const store::Collection collection = collection_of(*call->resource);
  const std::string ns = call->info.ns;
  const std::string_view token = call->query.get("continue");
  std::size_t page_size = limit->value_or(0) > 0 ? static_cast<std::size_t>(**limit) : 0;
  std::optional<Continuation> from;
  std::int64_t exact = 0;
  if (!token.empty()) {
    if (*version != 0) {
      co_return error_response(
          *call, Error(Code::BadRequest, "specifying resource version is not allowed when using continue"));
    }
    auto read = decode_continuation(token, call->resource->namespaced);
    if (!read) co_return error_response(*call, read.error());
    from = *std::move(read);
    exact = from->revision;
  } else if (*version != 0) {
    const bool is_exact = call->query.get("resourceVersionMatch") == "Exact" ||
                          (page_size != 0 && call->query.get("resourceVersionMatch").empty());
    if (is_exact && static_cast<std::uint64_t>(server->store.revision().get()) < *version) {
      co_return error_response(*call, unexpected("etcdserver: mvcc: required revision is a future revision"));
    }
    auto reached = wait_for_version(server, *version);
    if (auto there = co_await std::move(reached); !there) co_return error_response(*call, there.error());
    if (is_exact) exact = static_cast<std::int64_t>(*version);
  }
  if (call->query.get("resourceVersion") == "0") page_size = 0;

  store::Snapshot snapshot = server->store.list(collection, ns);
  if (exact > 0 && exact < static_cast<std::int64_t>(snapshot.revision.get())) {
    auto past = list_at(server, collection, ns, Revision(exact));
    auto found = co_await std::move(past);
    if (!found && from) {
      std::string retry;
      const Error error = compacted_page(*from, retry);
      co_return error_response(*call, error, retry);
    }
    if (!found) {
      co_return error_response(*call,
                               Error(Code::Gone, "The resourceVersion for the provided list is too old."));
    }
    snapshot = *std::move(found);
  }
  auto durable = server->store.durable(std::min(snapshot.revision, server->store.revision()));
  if (auto safe = co_await std::move(durable); !safe) co_return error_response(*call, safe.error());
  if (selection->reads_content() && converts(*call)) {
    // Fields are those of the version that was asked for.
    auto ahead = convert_ahead(server, call, snapshot.objects);
    if (Status there = co_await std::move(ahead); !there) co_return error_response(*call, there.error());
  }
  Page page = cut_page(*call, std::move(snapshot.objects), snapshot.revision, *selection,
                       from ? &from->after : nullptr, page_size);
  if (converts(*call)) {
    auto ahead = convert_ahead(server, call, page.objects);
    if (Status there = co_await std::move(ahead); !there) co_return error_response(*call, there.error());
  }
  co_return list_response(server, call, std::move(page.objects), page.meta);
}

Task<http::Response> serve_get(ServerPtr server, CallPtr call) {
  if (auto fits = check_shape(*call, false); !fits) co_return error_response(*call, fits.error());
  auto version = read_version(call->query.get("resourceVersion"));
  if (!version) co_return error_response(*call, version.error());
  if (*version != 0) {
    auto reached = wait_for_version(server, *version);
    if (auto there = co_await std::move(reached); !there) co_return error_response(*call, there.error());
  }
  const ObjectPtr object = server->store.get(collection_of(*call->resource), call->info.ns, call->info.name);
  if (!object) co_return error_response(*call, object_not_found(call->group_resource(), call->info.name));
  auto durable = server->store.durable(object->revision());
  if (auto safe = co_await std::move(durable); !safe) co_return error_response(*call, safe.error());
  if (converts(*call)) {
    auto ahead = convert_ahead(server, call, {object});
    if (Status there = co_await std::move(ahead); !there) co_return error_response(*call, there.error());
  }
  co_return object_response(*server, *call, 200, object);
}

}  // namespace flotilla::apiserver
