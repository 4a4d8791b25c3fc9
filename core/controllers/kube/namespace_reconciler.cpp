// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/kube/namespace_reconciler.hpp"

#include "core/api/conditions.hpp"
#include "core/controllers/kube/collections.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;
using api::ObjectKey;
using api::ObjectPtr;
using reconcile::Key;
using reconcile::Outcome;
using store::Event;
using store::Part;

const store::StoredKind& namespace_kind() {
  static const store::StoredKind kind{.gvk = {"", "v1", "Namespace"},
                                      .resource = "namespaces",
                                      .namespaced = false,
                                      .has_status_subresource = true};
  return kind;
}

constexpr int kMostLookedInto = 256;

std::string list_counts(const std::map<std::string, int>& counts, const char* has) {
  std::string text;
  for (const auto& [name, count] : counts) {
    text += (text.empty() ? "" : ", ") + name + has + std::to_string(count) + " resource instances";
  }
  return text;
}

}  // namespace

NamespaceReconciler::NamespaceReconciler(KubeContext& context)
    : context_(context),
      loop_(context.executor, "namespace", *this,
            {.workers = 4, .max_delay = std::chrono::seconds(15), .metrics = context.metrics}) {
  const store::Collection namespaces = namespace_kind().collection();
  context.informers.on(namespaces, [this](const Event& event) {
    if (!event.object->deleting()) return;
    // Finalized before it was deleted: its client may want to see it once more.
    const bool finalized = (*event.object->content())["spec"]["finalizers"].empty();
    constexpr auto kPatience = std::chrono::milliseconds(250);
    loop_.enqueue_after({event.collection, event.object->key()},
                        finalized ? Duration(kPatience) : Duration(0));
  });
  context.informers.on_any([this, namespaces](const Event& event) {
    if (event.type != Event::Type::Deleted || event.object->ns().empty()) return;
    const ObjectPtr ns = context_.store.get(namespaces, "", event.object->ns());
    if (ns && ns->deleting()) loop_.enqueue({namespaces, ns->key()});
  });
}

Task<Outcome> NamespaceReconciler::reconcile(Key key) {
  const ObjectPtr ns = context_.store.get(key.collection, "", key.object.name);
  if (!ns || !ns->deleting()) co_return Outcome::done();
  auto emptying = empty(ns->name());
  const auto left = co_await std::move(emptying);
  if (!left) co_return Outcome::retry(left.error());
  auto reporting = report(ns->name(), *left);
  const Status reported = co_await std::move(reporting);
  if (!reported) co_return Outcome::retry(reported.error());
  if (!left->by_resource.empty())
    co_return Outcome::again_in(std::chrono::seconds(5));  // or when one of them goes
  auto finalizing =
      context_.writer.modify(namespace_kind(), Part::Finalize, key.object, [](Json& object) -> Result<bool> {
        Json* finalizers = object["spec"].find("finalizers");
        if (finalizers == nullptr) return false;
        Json rest = Json::array();
        for (const Json& one : std::as_const(*finalizers).elements()) {
          if (one.as_string() != "kubernetes") rest.push_back(one);
        }
        if (rest.size() == finalizers->size()) return false;
        *finalizers = std::move(rest);
        return true;
      });
  const auto finalized = co_await std::move(finalizing);
  if (!finalized && !finalized.error().is(Code::NotFound)) co_return Outcome::retry(finalized.error());
  co_return Outcome::done();
}

// Rights go last: whoever cleans up here, as the agent of a pull cluster does, has them until there is
// nothing left to clean.
Task<Result<NamespaceReconciler::Content>> NamespaceReconciler::empty(std::string ns) {
  Content left;
  auto emptying = empty_of(ns, false, &left);
  Status emptied = co_await std::move(emptying);
  if (emptied && left.by_resource.empty()) {
    auto finishing = empty_of(ns, true, &left);
    emptied = co_await std::move(finishing);
  }
  if (!emptied) co_return emptied.error();
  co_return left;
}

Task<Status> NamespaceReconciler::empty_of(std::string ns, bool rights, Content* into) {
  Content& left = *into;
  const auto registry = context_.resources();
  for (const store::Collection& collection : context_.store.collections()) {
    const auto kind = kind_of_collection(*registry, collection);
    if (!kind || !kind->namespaced) continue;
    if ((kind->gvk.group == "rbac.authorization.k8s.io") != rights) continue;
    for (const ObjectPtr& object : context_.store.list(collection, ns).objects) {
      if (!object->deleting()) {
        store::DeleteOptions options;
        options.propagation = "Background";
        auto removing = context_.writer.remove(*kind, object->key(), std::move(options));
        const auto removed = co_await std::move(removing);
        if (!removed && !removed.error().is(Code::NotFound)) co_return removed.error();
        if (!removed || removed->gone) continue;
      }
      const ObjectPtr now = context_.store.get(collection, ns, object->name());
      if (!now) continue;
      // Of many the first ones say enough: each that goes brings us here again.
      if (++left.by_resource[kind->resource + "." + kind->gvk.group] > kMostLookedInto) continue;
      for (const Json& finalizer : (*now->content())["metadata"]["finalizers"].elements()) {
        ++left.by_finalizer[std::string(finalizer.as_string())];
      }
    }
  }
  co_return Status();
}

Task<Status> NamespaceReconciler::report(std::string ns, Content left) {
  const WallTime now = context_.writer.clock().now();
  const auto content = std::make_shared<const Content>(std::move(left));
  auto writing = context_.writer.modify(
      namespace_kind(), Part::Status, {"", ns}, [content, now](Json& object) -> Result<bool> {
        Json& conditions = object.make({"status", "conditions"});
        const bool remains = !content->by_resource.empty();
        const bool held = !content->by_finalizer.empty();
        const std::string resources =
            "Some resources are remaining: " + list_counts(content->by_resource, " has ");
        const std::string finalizers = "Some content in the namespace has finalizers remaining: " +
                                       list_counts(content->by_finalizer, " in ");
        bool changed = false;
        changed |= api::set_condition(conditions,
                                      {"NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered",
                                       "All resources successfully discovered"},
                                      now);
        changed |= api::set_condition(conditions,
                                      {"NamespaceDeletionGroupVersionParsingFailure", "False",
                                       "ParsedGroupVersions", "All legacy kube types successfully parsed"},
                                      now);
        changed |= api::set_condition(conditions,
                                      {"NamespaceDeletionContentFailure", "False", "ContentDeleted",
                                       "All content successfully deleted, may be waiting on finalization"},
                                      now);
        changed |= api::set_condition(conditions,
                                      {"NamespaceContentRemaining", remains ? "True" : "False",
                                       remains ? "SomeResourcesRemain" : "ContentRemoved",
                                       remains ? resources : "All content successfully removed"},
                                      now);
        changed |= api::set_condition(conditions,
                                      {"NamespaceFinalizersRemaining", held ? "True" : "False",
                                       held ? "SomeFinalizersRemain" : "ContentHasNoFinalizers",
                                       held ? finalizers : "All content-preserving finalizers finished"},
                                      now);
        return changed;
      });
  const auto written = co_await std::move(writing);
  if (!written && !written.error().is(Code::NotFound)) co_return written.error();
  co_return Status();
}

}  // namespace flotilla::controllers
