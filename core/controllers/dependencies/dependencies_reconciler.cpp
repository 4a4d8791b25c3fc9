// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/dependencies/dependencies_reconciler.hpp"

#include <algorithm>

#include "core/controllers/facts.hpp"
#include "core/controllers/give_way.hpp"
#include "core/controllers/interpretation.hpp"

namespace flotilla::controllers {
namespace {

constexpr std::string_view kFinalizer = api::finalizers::kDependenciesDistributor;

bool propagates(const Json& binding) {
  return binding["spec"]["propagateDeps"].as_bool();
}

api::LabelSelector::Lookup labels_of(const ObjectPtr& object) {
  return [object](std::string_view key) -> std::optional<std::string_view> {
    const std::string* value = object->labels().find(key);
    if (value == nullptr) return std::nullopt;
    return *value;
  };
}

// Reads independent bindings for as long as it lives.
class Independents {
 public:
  explicit Independents(const Context& context) : context_(context) {}
  const Json* find(const ObjectKey& key) {
    const ObjectPtr binding = context_.get(kinds::kResourceBinding, key);
    if (!binding) return nullptr;
    return kept_.emplace_back(binding->content()).get();
  }

 private:
  const Context& context_;
  std::vector<std::shared_ptr<const Json>> kept_;
};

// By its text: most bindings propagate no dependencies and need not be parsed to say so.
bool may_propagate(const api::Object& binding) {
  return mentions(binding, "\"propagateDeps\":true") || mentions(binding, kFinalizer);
}

}  // namespace

DependenciesReconciler::DependenciesReconciler(Context& context)
    : LoopController(context, "dependencies-distributor", {.workers = context.options.workers}),
      attached_(context.informers),
      kinds_(context.resources),
      reinterpretation_(context, loop_, {interpreter::Operation::InterpretDependency}) {
  context.informers.on(kinds::kResourceBinding.collection(),
                       [this](const Event& event) { on_binding(event); });
  context.informers.on_any([this](const Event& event) { on_any(event); });
}

void DependenciesReconciler::on_binding(const Event& event) {
  if (!may_propagate(*event.object) && !(event.previous && may_propagate(*event.previous))) return;
  const auto content = event.object->content();
  const bool gone = event.type == Event::Type::Deleted;
  const bool wanted = propagates(*content);
  referrers_.set(event.object->key(), wanted && !gone ? parse_dependencies(api::annotation_of(
                                                            *content, api::annotations::kDependencies))
                                                      : std::vector<Dependency>());
  if (event.type == Event::Type::Modified && event.previous) {
    const bool same = event.previous->generation() == event.object->generation() &&
                      event.previous->deleting() == event.object->deleting();
    if (!same && (wanted || propagates(*event.previous->content()))) enqueue(event);
    return;
  }
  if (gone) {
    if (wanted) enqueue(event);
    return;
  }
  if ((wanted && !(*content)["spec"]["clusters"].empty()) || api::has_finalizer(*content, kFinalizer))
    enqueue(event);
}

void DependenciesReconciler::on_any(const Event& event) {
  const StoredKind* kind = kinds_.find(event.collection);
  if (kind == nullptr) return;
  const std::string api_version = kind->gvk.api_version();
  if (!referrers_.know_kind(api_version, kind->gvk.kind)) return;
  if (!is_change_of_specification(event)) return;
  const bool modified = event.type == Event::Type::Modified && event.previous;
  for (const ObjectKey& binding :
       referrers_.of(api_version, kind->gvk.kind, event.object->key(), event.object->labels(),
                     modified ? &event.previous->labels() : nullptr)) {
    loop_.enqueue({kinds::kResourceBinding.collection(), binding});
  }
}

// 1. Gone, deleting, or no longer distributing: let go. 2. Ask what the template depends on. 3. Note it.
// 4. What it no longer depends on is detached. 5. What it depends on is attached.
Task<Outcome> DependenciesReconciler::reconcile(Key key) {
  if (Reinterpretation::is_key(key)) {
    auto spreading =
        reinterpretation_.spread(key, {kinds::kResourceBinding.collection()}, reinterpretation_.its_own());
    co_await std::move(spreading);
    co_return Outcome::done();
  }
  const ObjectPtr binding = context_.get(kinds::kResourceBinding, key.object);
  const auto content = binding ? binding->content() : nullptr;
  if (!binding || binding->deleting() || !propagates(*content)) {
    auto letting_go = let_go(key.object, binding);
    co_return co_await std::move(letting_go);
  }
  const auto template_ = template_of_binding(context_, *content);
  if (!template_) co_return Outcome::done();
  const auto object = template_->object->content();
  if (!context_.interpreter.supports(*object, interpreter::Operation::InterpretDependency))
    co_return Outcome::done();
  std::function<Result<Json>(const interpreter::Interpreter&)> interpreting =
      [object](const interpreter::Interpreter& interpreter) { return interpreter.dependencies(*object); };
  auto deciding = decide(context_, std::move(interpreting));
  const auto references = co_await std::move(deciding);
  auto dependencies = references ? dependencies_of(*references, key.object.ns)
                                 : Result<std::vector<Dependency>>(references.error());
  if (!dependencies) {
    context_.events.record(*object, reconcile::kWarning, "GetDependenciesFailed",
                           dependencies.error().message());
    co_return Outcome::retry(dependencies.error());
  }
  const std::string text = dependencies_text(*dependencies);
  auto recording = record(key.object, text);
  const Result<bool> recorded = co_await std::move(recording);
  if (!recorded)
    co_return recorded.error().is(Code::NotFound) ? Outcome::done() : Outcome::retry(recorded.error());
  if (*recorded) {
    context_.events.record(*object, reconcile::kNormal, "GetDependenciesSucceed",
                           "Get dependencies(" + text + ") succeed.");
  }
  bool changed = *recorded;
  auto distributing = distribute(binding, *std::move(dependencies), changed);
  const Status done = co_await std::move(distributing);
  if (!done) {
    context_.events.record(*content, reconcile::kWarning, "SyncScheduleResultToDependenciesFailed",
                           done.error().message());
    co_return Outcome::retry(done.error());
  }
  if (changed) {
    context_.events.record(*content, reconcile::kNormal, "SyncScheduleResultToDependenciesSucceed",
                           "Sync schedule results to dependencies succeed.");
  }
  co_return Outcome::done();
}

Task<Outcome> DependenciesReconciler::let_go(ObjectKey key, ObjectPtr binding) {
  Turns turns;
  bool changed = false;
  for (const ObjectKey& attached : attached_.of(depended_by_label(key))) {
    auto waiting = turns.give_way();
    co_await std::move(waiting);
    auto detaching = detach_one(key, attached, changed);
    const Status detached = co_await std::move(detaching);
    if (!detached) co_return Outcome::retry(detached.error());
  }
  if (!binding || !api::has_finalizer(*binding->content(), kFinalizer)) co_return Outcome::done();
  auto freeing = context_.writer.modify(
      kinds::kResourceBinding, Part::Main, key,
      [](Json& object) -> Result<bool> { return api::remove_finalizer(object, kFinalizer); });
  const auto freed = co_await std::move(freeing);
  if (!freed && !freed.error().is(Code::NotFound)) co_return Outcome::retry(freed.error());
  co_return Outcome::done();
}

Task<Result<bool>> DependenciesReconciler::record(ObjectKey binding, std::string text) {
  auto wrote = std::make_shared<bool>(false);
  auto writing = context_.writer.modify(
      kinds::kResourceBinding, Part::Main, std::move(binding),
      [text = std::move(text), wrote](Json& object) -> Result<bool> {
        *wrote = api::add_finalizer(object, kFinalizer);
        if (api::annotation_of(object, api::annotations::kDependencies) != text) {
          object.make({"metadata", "annotations", api::annotations::kDependencies}) = text;
          *wrote = true;
        }
        return *wrote;
      });
  const auto written = co_await std::move(writing);
  if (!written) co_return written.error();
  co_return *wrote;
}

// Each dependency on its own: what fails for one does not hold up the others.
Task<Status> DependenciesReconciler::distribute(ObjectPtr binding, std::vector<Dependency> dependencies,
                                                bool& changed) {
  auto detaching = detach_orphans(binding->key(), dependencies, changed);
  Status all = co_await std::move(detaching);
  for (const Dependency& dependency : dependencies) {
    auto attaching = attach_all(binding->content(), dependency, changed);
    Status done = co_await std::move(attaching);
    if (!done) all = std::move(done).context(dependency.kind + " " + dependency.name);
  }
  co_return all;
}

Task<Status> DependenciesReconciler::detach_orphans(ObjectKey independent,
                                                    std::vector<Dependency> dependencies, bool& changed) {
  Status all;
  for (const ObjectKey& key : attached_.of(depended_by_label(independent))) {
    const ObjectPtr attached = context_.get(kinds::kResourceBinding, key);
    if (!attached || is_meant(*attached->content(), dependencies)) continue;
    auto detaching = detach_one(independent, key, changed);
    Status done = co_await std::move(detaching);
    if (!done) all = std::move(done);
  }
  co_return all;
}

bool DependenciesReconciler::is_meant(const Json& attached,
                                      const std::vector<Dependency>& dependencies) const {
  const Json& resource = attached["spec"]["resource"];
  ObjectPtr object;
  const api::LabelSelector::Lookup labels = [&](std::string_view key) -> std::optional<std::string_view> {
    if (!object) {
      const auto found = template_of_binding(context_, attached);
      if (!found) return std::nullopt;
      object = found->object;
    }
    return labels_of(object)(key);
  };
  return std::any_of(dependencies.begin(), dependencies.end(), [&](const Dependency& one) {
    return resource["apiVersion"].as_string() == one.api_version &&
           resource["kind"].as_string() == one.kind && resource["namespace"].as_string() == one.name_space &&
           one.means(resource["name"].as_string(), labels);
  });
}

Task<Status> DependenciesReconciler::attach_all(std::shared_ptr<const Json> independent,
                                                Dependency dependency, bool& changed) {
  const auto kind = stored_kind(context_, api::Gvk::from(dependency.api_version, dependency.kind));
  if (!kind) {
    co_return not_found("the control plane does not serve " + dependency.api_version + ", kind " +
                        dependency.kind);
  }
  if (!dependency.name.empty()) {
    const ObjectPtr object = context_.get(*kind, {dependency.name_space, dependency.name});
    if (!object) co_return Status();  // it may come later
    auto attaching = attach_one(independent, object, changed);
    co_return co_await std::move(attaching);
  }
  Turns turns;
  Status all;
  const auto objects = context_.store.list(kind->collection(), dependency.name_space).objects;
  for (const ObjectPtr& object : objects) {
    auto waiting = turns.give_way();
    co_await std::move(waiting);
    if (!dependency.means(object->name(), labels_of(object))) continue;
    auto attaching = attach_one(independent, object, changed);
    Status done = co_await std::move(attaching);
    if (!done) all = std::move(done);
  }
  co_return all;
}

Task<Status> DependenciesReconciler::attach_one(std::shared_ptr<const Json> independent, ObjectPtr object,
                                                bool& changed) {
  if (object->deleting()) co_return Status();
  auto desired = std::make_shared<const Json>(build_attached(*independent, *object->content()));
  const ObjectKey key = api::key_of(*desired);
  const ObjectPtr present = context_.get(kinds::kResourceBinding, key);
  if (!present) {
    auto creating = context_.writer.create(kinds::kResourceBinding, *desired);
    const auto created = co_await std::move(creating);
    if (!created) co_return created.error();
    attached_.note(**created);
    changed = true;
    co_return Status();
  }
  if (present->deleting()) co_return Error(Code::Conflict, "binding " + key.text() + " is being deleted");
  auto conflict = std::make_shared<std::string>();
  auto wrote = std::make_shared<bool>(false);
  Context* context = &context_;
  auto writing = context_.writer.modify(
      kinds::kResourceBinding, Part::Main, key,
      [desired, conflict, wrote, context](Json& existing) -> Result<bool> {
        Independents independents(*context);
        auto attached =
            attach(existing, *desired, [&](const ObjectKey& each) { return independents.find(each); });
        if (!attached) return attached.error();
        *conflict = attached->conflict;
        *wrote = !(attached->binding == existing);
        if (*wrote) existing = std::move(attached->binding);
        return *wrote;
      });
  const auto written = co_await std::move(writing);
  if (!written) co_return written.error();
  attached_.note(**written);
  changed |= *wrote;
  if (*wrote) tell_conflict(**written, *conflict);
  co_return Status();
}

Task<Status> DependenciesReconciler::detach_one(ObjectKey independent, ObjectKey attached, bool& changed) {
  auto wrote = std::make_shared<bool>(false);
  Context* context = &context_;
  auto writing = context_.writer.modify(
      kinds::kResourceBinding, Part::Main, attached,
      [independent, wrote, context](Json& existing) -> Result<bool> {
        Independents independents(*context);
        Attached left =
            detach(existing, independent, [&](const ObjectKey& each) { return independents.find(each); });
        *wrote = !(left.binding == existing);
        if (*wrote) existing = std::move(left.binding);
        return *wrote;
      });
  const auto written = co_await std::move(writing);
  changed |= written.ok() && *wrote;
  if (!written && !written.error().is(Code::NotFound)) co_return written.error();
  co_return Status();
}

void DependenciesReconciler::tell_conflict(const api::Object& attached, const std::string& conflict) {
  if (conflict.empty()) return;
  context_.events.record(*attached.content(), reconcile::kWarning, "DependencyPolicyConflict",
                         "Dependency policy conflict detected: " + conflict + ".");
}

}  // namespace flotilla::controllers
