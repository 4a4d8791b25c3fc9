// SPDX-License-Identifier: Apache-2.0
#include "core/planning/service.hpp"

#include "core/api/binding.hpp"
#include "core/planning/live.hpp"
#include "core/planning/plan.hpp"
#include "core/planning/render.hpp"
#include "core/planning/rights.hpp"
#include "core/planning/simulation_jobs.hpp"
#include "core/planning/timeline.hpp"
#include "core/planning/why.hpp"

namespace flotilla::planning {
namespace {

using apiserver::ExtensionCall;
using apiserver::ExtensionCallPtr;

constexpr std::size_t kMostManifests = 1'000;
constexpr std::size_t kMostEntries = 500;

std::size_t bounded(const Json& value, std::size_t otherwise, std::size_t most) {
  if (!value.is_int() || value.as_int() < 0) return otherwise;
  return std::min<std::size_t>(static_cast<std::size_t>(value.as_int()), most);
}

}  // namespace

struct Service::State {
  explicit State(Sources given)
      : sources(std::move(given)),
        simulations(sources.executor, waiting),
        worker(sources.executor.clock(), {.io_threads = 1, .blocking_threads = 1}) {
    sources.stopping = &stopping;
  }

  Sources sources;
  std::atomic<bool> stopping{false};
  std::atomic<int> waiting{0};
  SimulationJobs simulations;
  Executor worker;
};

namespace {

using StatePtr = std::shared_ptr<Service::State>;

// What runs on the worker outlives its question: it shares all it needs.
using Work = std::function<Result<Json>(const Sources&)>;

Task<Result<Json>> on_worker(StatePtr state, Work work) {
  if (state->waiting.fetch_add(1) >= kMostQuestionsWaiting) {
    state->waiting.fetch_sub(1);
    co_return Error(Code::ResourceExhausted, "too many questions are waiting: try again");
  }
  auto answer = std::make_shared<Result<Json>>(Error(Code::Cancelled, "the daemon is stopping"));
  // The worker ends before its state: what waits in it must not hold on to that.
  Service::State* own = state.get();
  auto running = run_blocking(state->worker, [own, answer, work = std::move(work)] {
    if (!own->stopping.load()) *answer = work(own->sources);
    own->waiting.fetch_sub(1);
  });
  co_await std::move(running);
  co_return *answer;
}

Task<Result<Change>> change_of(ExtensionCallPtr call, Json manifest) {
  auto admitting = call->admit(manifest);
  auto admitted = co_await std::move(admitting);
  if (!admitted) co_return std::move(admitted).error();
  Change change{std::move(admitted->kind), {}, std::move(admitted->object), std::move(manifest)};
  change.key = api::key_of(change.object);
  co_return change;
}

Result<Change> removal_of(const Sources& sources, const ExtensionCall& call, const Json& manifest) {
  const api::Gvk gvk = api::Gvk::of(manifest);
  const api::ResourcePtr resource = sources.resources()->find_kind(gvk);
  if (!resource)
    return not_found("no matches for kind \"" + gvk.kind + "\" in version \"" + gvk.api_version() + "\"");
  Change change{StoredKind::of(*resource), api::key_of(manifest), {}, manifest};
  if (!resource->namespaced) change.key.ns.clear();
  const Status may =
      call.authorize({"delete", resource->group, resource->resource, {}, change.key.ns, change.key.name});
  if (!may) return may.error();
  return change;
}

// Where the consequences of a change may show.
void add_namespaces(const Change& change, std::set<std::string>& namespaces) {
  namespaces.insert(change.key.ns);
}

Task<Result<Json>> answer_plan(StatePtr state, ExtensionCallPtr call) {
  const Json& manifests = call->body["manifests"];
  const Json& removals = call->body["delete"];
  if (manifests.size() + removals.size() == 0)
    co_return Error(Code::BadRequest, "nothing to plan: give manifests or delete");
  if (manifests.size() + removals.size() > kMostManifests) {
    co_return Error(Code::TooLarge,
                    "a plan takes at most " + std::to_string(kMostManifests) + " manifests at once");
  }
  auto changes = std::make_shared<std::vector<Change>>();
  std::set<std::string> namespaces;
  for (const Json& manifest : manifests.elements()) {
    auto admitting = change_of(call, manifest);
    auto change = co_await std::move(admitting);
    if (!change) {
      co_return std::move(change).context(std::string(manifest["kind"].as_string()) + " " +
                                          api::key_of(manifest).text());
    }
    changes->push_back(*std::move(change));
  }
  for (const Json& manifest : removals.elements()) {
    auto change = removal_of(state->sources, *call, manifest);
    if (!change) co_return std::move(change).error();
    changes->push_back(*std::move(change));
  }
  for (const Change& change : *changes) add_namespaces(change, namespaces);
  if (Status may = may_see_consequences(*call, namespaces); !may) co_return may.error();
  PlanOptions options;
  options.details = bounded(call->body["details"], options.details, 5'000);
  auto planning = on_worker(
      state, [changes, options](const Sources& sources) { return make_plan(sources, *changes, options); });
  co_return co_await std::move(planning);
}

// Manifests as applying would store them, and the namespaces where that may show.
Task<Result<std::vector<Change>>> read_manifests(ExtensionCallPtr call, std::set<std::string>* namespaces) {
  std::vector<Change> changes;
  const Json manifests = call->body["manifests"];
  if (manifests.size() > kMostManifests)
    co_return Error(Code::TooLarge, "at most " + std::to_string(kMostManifests) + " manifests at once");
  for (const Json& manifest : manifests.elements()) {
    auto admitting = change_of(call, manifest);
    auto change = co_await std::move(admitting);
    if (!change) {
      co_return std::move(change).context(std::string(manifest["kind"].as_string()) + " " +
                                          api::key_of(manifest).text());
    }
    add_namespaces(*change, *namespaces);
    changes.push_back(*std::move(change));
  }
  co_return changes;
}

std::string_view query(const ExtensionCall& call, const char* name) {
  const auto it = call.query.find(name);
  return it == call.query.end() ? std::string_view() : std::string_view(it->second);
}

std::vector<std::string> names_in(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const std::string_view name = list.substr(0, list.find(','));
    if (!name.empty()) names.emplace_back(name);
    list.remove_prefix(std::min(list.size(), name.size() + 1));
  }
  return names;
}

// The subject of a question about one object. Errors: NotFound, Forbidden.
Result<Subject> subject_asked(const Sources& sources, const ExtensionCall& call) {
  if (!call.target) return Error(Code::BadRequest, "the path names no object");
  if (Status may = may_read(call, call.target->kind, call.target->key); !may) return may.error();
  auto subject = subject_of(sources, call.target->kind, call.target->key);
  if (!subject) return subject;
  if (Status may = may_read(call, subject->kind, subject->key); !may) return may.error();
  if (Status may = may_see_consequences(call, {subject->key.ns}); !may) return may.error();
  return subject;
}

Task<Result<Json>> answer_diff(StatePtr state, ExtensionCallPtr call, Subject subject) {
  std::vector<std::string> clusters = names_in(query(*call, "clusters"));
  if (clusters.empty() && subject.binding) {
    for (const api::TargetCluster& target : api::targets_of(*subject.binding->content()))
      clusters.push_back(target.name);
  }
  if (clusters.empty()) co_return not_found("it is on no cluster: name some with --clusters");
  for (const std::string& cluster : clusters) {
    if (Status may = may_read_member(*call, cluster); !may) co_return may.error();
  }
  const bool desired = query(*call, "desired") == "true";
  auto reading = read_live(&state->sources, subject, clusters);
  auto live = std::make_shared<const std::vector<LiveObject>>(co_await std::move(reading));
  auto comparing = on_worker(state, [subject, live, desired](const Sources& sources) -> Result<Json> {
    return diff_to_json(sources, subject, *live, desired);
  });
  co_return co_await std::move(comparing);
}

Task<Result<Json>> answer_why(StatePtr state, ExtensionCallPtr call, Subject subject) {
  auto question = std::make_shared<WhyQuestion>();
  question->only = query(*call, "not");
  question->diff = query(*call, "diff") == "true";
  if (subject.binding) {
    auto reading = read_decisions(&state->sources.store, subject.binding);
    auto decisions = co_await std::move(reading);
    if (!decisions) co_return std::move(decisions).error();
    question->decisions = *std::move(decisions);
  }
  auto explaining = on_worker(
      state, [subject, question](const Sources& sources) { return explain(sources, subject, *question); });
  co_return co_await std::move(explaining);
}

// GET of one object's story.
Task<Result<Json>> answer_about(StatePtr state, ExtensionCallPtr call) {
  auto asked = subject_asked(state->sources, *call);
  if (!asked) co_return std::move(asked).error();
  const Subject subject = *std::move(asked);
  Task<Result<Json>> answering;
  if (call->word == "diffs") {
    answering = answer_diff(state, call, subject);
  } else if (call->word == "renders") {
    const std::vector<std::string> clusters = names_in(query(*call, "clusters"));
    answering = on_worker(state, [subject, clusters](const Sources& sources) -> Result<Json> {
      auto rendered = render(sources, subject, clusters);
      if (!rendered) return std::move(rendered).error();
      return Json::object({{"kind", "Render"}, {"clusters", to_json(*rendered)}});
    });
  } else if (call->word == "why") {
    answering = answer_why(state, call, subject);
  } else {
    answering = on_worker(state, [subject](const Sources& sources) -> Result<Json> {
      return Json::object({{"kind", "Timeline"}, {"entries", timeline_of(sources, subject, kMostEntries)}});
    });
  }
  co_return co_await std::move(answering);
}

// POST begins a simulation, GET ?id= asks how far one is. Either answers after a moment at the latest.
Task<Result<Json>> answer_simulation(StatePtr state, ExtensionCallPtr call) {
  if (call->method == "GET") {
    auto looking = state->simulations.look(std::string(query(*call, "id")));
    co_return co_await std::move(looking);
  }
  auto question = read_simulation(call->body);
  if (!question) co_return std::move(question).error();
  std::set<std::string> namespaces;
  if (call->target) {
    if (!call->body.contains("replicas")) co_return Error(Code::BadRequest, "say how many replicas");
    if (Status may = may_read(*call, call->target->kind, call->target->key); !may) co_return may.error();
    question->scaled = call->target->key;
    question->scaled_kind = call->target->kind;
    namespaces.insert(call->target->key.ns);
  } else if (call->body.contains("replicas")) {
    co_return Error(Code::BadRequest, "say whose replicas");
  }
  auto reading = read_manifests(call, &namespaces);
  auto changes = co_await std::move(reading);
  if (!changes) co_return std::move(changes).error();
  question->changes = *std::move(changes);
  const bool clusters = question->lost.size() + question->taints.size() + question->added.size() > 0;
  if (!clusters && question->changes.empty() && !question->scaled && !question->anew) {
    co_return Error(
        Code::BadRequest,
        "nothing to simulate: give manifests, replicas of an object, lose, taints, clusters or anew");
  }
  // Clusters concern everybody, and what is scaled is looked at among all.
  namespaces.insert("");
  if (Status may = may_see_consequences(*call, namespaces); !may) co_return may.error();
  auto beginning = state->simulations.begin(*std::move(question), &state->sources, &state->worker);
  co_return co_await std::move(beginning);
}

bool is_about_one(std::string_view word) {
  return word == "diffs" || word == "renders" || word == "why" || word == "timeline";
}

}  // namespace

Service::Service(Sources sources) : state_(std::make_shared<State>(std::move(sources))) {}

Service::~Service() {
  stop();
}

void Service::stop() {
  state_->stopping.store(true);
  state_->worker.stop();
}

Task<Result<Json>> Service::answer(ExtensionCallPtr call) {
  const StatePtr state = state_;
  const bool posts = call->method == "POST";
  if (call->word == "plans" && posts) {
    auto planning = answer_plan(state, call);
    co_return co_await std::move(planning);
  }
  if (call->word == "simulations" && (posts || call->method == "GET")) {
    auto simulating = answer_simulation(state, call);
    co_return co_await std::move(simulating);
  }
  if (is_about_one(call->word) && call->method == "GET") {
    auto answering = answer_about(state, call);
    co_return co_await std::move(answering);
  }
  co_return not_found("the server could not find the requested resource");
}

}  // namespace flotilla::planning
