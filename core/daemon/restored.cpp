// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/restored.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "core/async/fiber_scope.hpp"
#include "core/backup/transfer.hpp"
#include "core/base/log.hpp"
#include "core/controllers/facts.hpp"
#include "core/controllers/kinds.hpp"
#include "core/planning/fields.hpp"

namespace flotilla::daemon {
namespace {

using api::Json;
using cluster::WriteGate;

const Logger kLog("restore");
constexpr const char* kNamespace = "flotilla-system";
constexpr const char* kName = "restore";
constexpr std::size_t kMostFields = 20;

store::StoredKind config_map_kind() {
  return {{"", "v1", "ConfigMap"}, "configmaps", true, false, false};
}

const char* word_of(WriteGate::Withheld::Kind kind) {
  switch (kind) {
    case WriteGate::Withheld::Kind::Create:
      return "create";
    case WriteGate::Withheld::Kind::Update:
      return "update";
    case WriteGate::Withheld::Kind::Delete:
      return "delete";
  }
  return "";
}

Json place_to_json(const WriteGate::Place& place) {
  return Json::object({{"cluster", place.cluster},
                       {"group", place.resource.group},
                       {"version", place.resource.version},
                       {"resource", place.resource.resource},
                       {"namespace", place.ns},
                       {"name", place.name}});
}

Json change_to_json(const WriteGate::Withheld& withheld) {
  Json out = place_to_json(withheld.place);
  out.set("change", word_of(withheld.kind));
  if (withheld.kind != WriteGate::Withheld::Kind::Update || withheld.before.is_null()) return out;
  const Json before = planning::comparable(withheld.before);
  const Json after = planning::comparable(withheld.after);
  out.set("fields", planning::changes_to_json(planning::field_changes(before, after), kMostFields));
  return out;
}

// One after the other: this is asked by a person, rarely. Kinds that cannot be listed are left out.
Task<void> find_unknown(std::shared_ptr<cluster::Member> member, const store::Store* store, Json* unknown,
                        Json* unread) {
  auto discovery = member->discovery();
  if (!discovery) {
    unread->push_back(member->name());
    co_return;
  }
  for (const cluster::DiscoveredResource& resource : discovery->resources) {
    const bool listable =
        std::find(resource.verbs.begin(), resource.verbs.end(), "list") != resource.verbs.end();
    if (!listable || resource.resource.find('/') != std::string::npos || resource.resource == "events")
      continue;
    const api::Gvr gvr{resource.group, resource.version, resource.resource};
    cluster::ListSelector selector;
    selector.label_selector = std::string(api::labels::kManaged) + "=true";
    auto listing = member->connection().list(gvr, std::move(selector));
    const auto list = co_await std::move(listing);
    if (!list) continue;
    for (const Json& object : list->objects) {
      const auto work = controllers::work_of(object, member->name());
      if (!work || store->get(controllers::kinds::kWork.collection(), work->ns, work->name)) continue;
      unknown->push_back(place_to_json(
          {member->name(), gvr, std::string(api::namespace_of(object)), std::string(api::name_of(object))}));
    }
  }
}

}  // namespace

struct RestoreService::State {
  explicit State(RestoreContext the_context)
      : context(std::move(the_context)), scope(context.executor.strand(), "restore") {}

  RestoreContext context;
  FiberScope scope;
};

namespace {

using StatePtr = std::shared_ptr<RestoreService::State>;

Json cluster_to_json(const RestoreContext& context, const store::ObjectPtr& object) {
  const auto member = context.clusters.find(object->name());
  const auto content = object->content();
  const bool pulls = (*content)["spec"]["syncMode"].as_string() == "Pull";
  const bool reached = member && member->discovery() && controllers::is_ready(*content);
  std::size_t works = 0;
  for (const auto& work :
       context.store.list(controllers::kinds::kWork.collection(), api::execution_namespace(object->name()))
           .objects)
    works += work ? 1 : 0;
  return Json::object({{"name", object->name()},
                       {"state", pulls     ? "Pull"
                                 : reached ? "Reached"
                                           : "NotReached"},
                       {"works", static_cast<std::int64_t>(works)},
                       {"create", 0},
                       {"update", 0},
                       {"delete", 0}});
}

Task<Result<Json>> show(StatePtr state, bool unknown) {
  const RestoreContext& context = state->context;
  const WriteGate& gate = context.clusters.gate();
  std::map<std::string, Json> clusters;
  std::int64_t works = 0;
  for (const auto& object : context.store.list(controllers::kinds::kCluster.collection()).objects) {
    Json one = cluster_to_json(context, object);
    if (one["state"].as_string() != "Pull") works += std::as_const(one)["works"].as_int();
    clusters.emplace(object->name(), std::move(one));
  }
  Json changes = Json::array();
  for (const WriteGate::Withheld& withheld : gate.withheld()) {
    changes.push_back(change_to_json(withheld));
    const auto it = clusters.find(withheld.place.cluster);
    if (it == clusters.end()) continue;
    const char* word = word_of(withheld.kind);
    it->second.set(word, std::as_const(it->second)[word].as_int() + 1);
  }
  Json list = Json::array();
  for (auto& [name, one] : clusters) list.push_back(std::move(one));
  Json out = Json::object({{"kind", "Restore"},
                           {"observing", !gate.is_open()},
                           {"backup", context.restored ? *context.restored : Json()},
                           {"works", works},
                           {"examined", static_cast<std::int64_t>(gate.examined_works())},
                           {"clusters", std::move(list)},
                           {"changes", std::move(changes)}});
  if (!unknown) co_return out;
  Json found = Json::array();
  Json unread = Json::array();
  for (const auto& object : context.store.list(controllers::kinds::kCluster.collection()).objects) {
    const auto member = context.clusters.find(object->name());
    if (!member) {
      unread.push_back(object->name());
      continue;
    }
    auto finding = find_unknown(member, &context.store, &found, &unread);
    co_await std::move(finding);
  }
  out.set("unknown", std::move(found));
  out.set("unread", std::move(unread));
  co_return out;
}

Json record_of(const RestoreContext& context, std::string_view state, const std::string& by) {
  const Json& backup = *context.restored;
  Json data = Json::object({{"state", state},
                            {"created", backup["created"]},
                            {"restored", backup["restored"]},
                            {"revision", std::to_string(backup["revision"].as_int())}});
  if (!by.empty()) {
    data.set("acceptedBy", by);
    data.set("accepted", format_time(context.executor.clock().now()));
  }
  return data;
}

// For everybody to see; accepting it removes, in the same commit, what says that it was restored.
Task<Status> write_record(StatePtr state, std::string by) {
  const RestoreContext& context = state->context;
  store::Writer& writer = context.writer;
  const store::StoredKind kind = config_map_kind();
  const Json data = record_of(context, by.empty() ? "Observing" : "Accepted", by);
  if (!context.store.get(kind.collection(), kNamespace, kName)) {
    Json map = Json::object({{"apiVersion", "v1"},
                             {"kind", "ConfigMap"},
                             {"metadata", Json::object({{"name", kName}, {"namespace", kNamespace}})},
                             {"data", Json::object()}});
    auto creating = writer.create(kind, std::move(map));
    const auto created = co_await std::move(creating);
    if (!created && !created.error().is(Code::AlreadyExists)) co_return created.error();
  }
  store::WriteOptions options;
  options.durability = store::Durability::Wait;
  if (!by.empty()) {
    constexpr std::string_view kSide = "/side/";
    options.beside = std::make_shared<store::SideValues>();
    options.beside->push_back({std::string(backup::kRestoreKey).substr(kSide.size()), {}, true});
  }
  store::Writer::Change change = [data](Json& object) -> Result<bool> {
    if (std::as_const(object)["data"] == data) return false;
    object.set("data", data);
    return true;
  };
  auto writing = writer.modify(kind, store::Part::Main, {kNamespace, kName}, std::move(change), options);
  const auto written = co_await std::move(writing);
  if (!written) co_return written.error();
  co_return Status();
}

Task<Result<Json>> accept(StatePtr state, std::string user) {
  WriteGate& gate = state->context.clusters.gate();
  if (!gate.is_open()) {
    auto writing = write_record(state, user);
    const Status written = co_await std::move(writing);
    if (!written) co_return written.error();
    kLog.warn("the restored state was accepted: members are written again", {{"user", user}});
    gate.open();
  }
  auto showing = show(state, false);
  co_return co_await std::move(showing);
}

Task<Result<Json>> answer(StatePtr state, OperatorCallPtr call) {
  if (call->method == "GET") {
    const auto unknown = call->query.find("unknown");
    auto showing = show(state, unknown != call->query.end() && unknown->second == "true");
    co_return co_await std::move(showing);
  }
  if (!std::as_const(call->body)["accept"].as_bool())
    co_return Error(Code::BadRequest, "say {\"accept\": true}");
  if (!state->context.restored)
    co_return Error(Code::Conflict, "this control plane was not restored from a backup");
  auto accepting = accept(state, call->user);
  co_return co_await std::move(accepting);
}

// Another daemon over the same storage may be the one that is told.
Task<void> follow(StatePtr state) {
  auto recording = write_record(state, {});
  const Status recorded = co_await std::move(recording);
  if (!recorded)
    kLog.warn("that the control plane observes is not written down", {{"error", recorded.error().message()}});
  WriteGate& gate = state->context.clusters.gate();
  while (!gate.is_open()) {
    auto sleeping = sleep_for(std::chrono::seconds(1));
    if (!co_await std::move(sleeping)) co_return;
    const auto record = state->context.store.get(config_map_kind().collection(), kNamespace, kName);
    if (!record || (*record->content())["data"]["state"].as_string() != "Accepted") continue;
    auto reading = read_restored(&state->context.storage);
    const auto restored = co_await std::move(reading);
    if (restored && !*restored) gate.open();
  }
}

}  // namespace

Task<Result<std::optional<Json>>> read_restored(store::StorageBackend* storage) {
  for (const char* key : {store::kLoadingKey, backup::kRestoreKey}) {
    auto ranging = storage->range(key, std::string(key) + '\0', Revision(), 1);
    const auto range = co_await std::move(ranging);
    if (!range) co_return range.error();
    if (range->values.empty()) continue;
    if (key == store::kLoadingKey) {
      co_return Error(Code::DataLoss,
                      "storage " + storage->name() +
                          " holds a backup that was restored by half; run flotillactl restore again");
    }
    auto mark = Json::parse(range->values.front().value);
    if (!mark) co_return Error(Code::DataLoss, std::string(key) + " cannot be read");
    co_return std::optional<Json>(*std::move(mark));
  }
  co_return std::optional<Json>();
}

RestoreService::RestoreService(RestoreContext context, OperatorEndpoint& endpoint)
    : state_(std::make_shared<State>(std::move(context))) {
  OperatorWord word{"restores", {{"GET", "get"}, {"POST", "update"}}, {}};
  word.answer = [state = state_](OperatorCallPtr call) { return answer(state, std::move(call)); };
  endpoint.add("restore", std::move(word));
  if (state_->context.clusters.gate().is_open()) return;
  kLog.warn("restored from a backup: this control plane observes and writes nothing to members",
            {{"backup", std::as_const(*state_->context.restored)["created"].as_string()},
             {"next", "flotillactl restore plan"}});
  state_->scope.spawn(follow(state_));
}

RestoreService::~RestoreService() {
  stop();
}

void RestoreService::stop() {
  state_->scope.cancel();
  state_->scope.join_blocking();
}

static Task<http::Response> withhold() {
  http::Response response = status_response(
      503, "ServiceUnavailable", "restored from a backup: Works are withheld until that is accepted");
  response.headers.set("Retry-After", "5");
  co_return response;
}

http::Handler without_works_for_agents(http::Handler handler, const cluster::WriteGate& gate) {
  return [handler = std::move(handler), gate = &gate](http::Request request) {
    const auto& groups = request.peer.organizations;
    if (!gate->is_open() && request.path.starts_with("/apis/work.karmada.io/") &&
        std::find(groups.begin(), groups.end(), "system:karmada:agents") != groups.end())
      return withhold();
    return handler(std::move(request));
  };
}

}  // namespace flotilla::daemon
