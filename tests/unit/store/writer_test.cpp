// SPDX-License-Identifier: Apache-2.0
#include "core/store/writer.hpp"

#include "tests/unit/store/store_fixture.hpp"

namespace flotilla::store {
namespace {

const StoredKind kConfigMap{{"", "v1", "ConfigMap"}, "configmaps"};
const StoredKind kPodKind{.gvk = {"", "v1", "Pod"},
                          .resource = "pods",
                          .has_status_subresource = true,
                          .status_metadata = true,
                          .graceful = true};
const StoredKind kNamespace{{"", "v1", "Namespace"}, "namespaces", false, true, false};
const StoredKind kBinding{
    {"work.karmada.io", "v1alpha2", "ResourceBinding"}, "resourcebindings", true, true, true};

class Store_Writer : public StoreFixture {
 protected:
  Store_Writer() {
    open();
    admission_ = [this](const AdmissionRequest& request, Json&) -> Status {
      ++admitted_[static_cast<int>(request.operation)];
      return {};
    };
    writer_ = std::make_unique<Writer>(
        *store_, manual_,
        [this](const AdmissionRequest& request, Json& object) { return admission_(request, object); });
  }

  static Json parsed(std::string_view text) {
    auto value = Json::parse(text);
    EXPECT_TRUE(value.ok()) << text;
    return value ? *std::move(value) : Json();
  }
  Json make(const StoredKind& kind, std::string_view text) {
    auto made = run(writer_->create(kind, parsed(text)));
    EXPECT_TRUE(made.ok()) << (made ? "" : made.error().message());
    return made ? *(*made)->content() : Json();
  }
  Result<ObjectPtr> update(const StoredKind& kind, Json object, Part part = Part::Main) {
    return run(writer_->update(kind, part, std::move(object)));
  }
  Result<Writer::Deleted> remove(const StoredKind& kind, const ObjectKey& key, DeleteOptions options = {}) {
    return run(writer_->remove(kind, key, std::move(options)));
  }

  ManualClock manual_{*parse_time("2026-01-02T03:04:05Z")};
  Admission admission_;
  int admitted_[3] = {};
  std::unique_ptr<Writer> writer_;
};

TEST_F(Store_Writer, create_sets_what_the_server_alone_decides) {
  const Json made = make(kBinding, R"({"metadata":{"name":"a","namespace":"ns","uid":"mine","generation":9,
    "deletionTimestamp":"2020-01-01T00:00:00Z","creationTimestamp":null},"spec":{"x":1},"status":{"y":1}})");
  const Json& metadata = made["metadata"];
  EXPECT_EQ(metadata["creationTimestamp"].as_string(), "2026-01-02T03:04:05Z");
  EXPECT_EQ(metadata["uid"].as_string().size(), 36u);
  EXPECT_EQ(metadata["uid"].as_string()[14], '4');
  EXPECT_EQ(metadata["generation"].as_int(), 1);
  EXPECT_FALSE(metadata.contains("deletionTimestamp"));
  EXPECT_FALSE(made.contains("status"));
  EXPECT_EQ(made["apiVersion"].as_string(), "work.karmada.io/v1alpha2");
  EXPECT_EQ(admitted_[0], 1);
}

TEST_F(Store_Writer, errors_are_worded_as_the_api_words_them) {
  const StoredKind deployment{{"apps", "v1", "Deployment"}, "deployments", true, true, true};
  make(deployment, R"({"metadata":{"name":"x","namespace":"ns"}})");
  const auto exists =
      run(writer_->create(deployment, parsed(R"({"metadata":{"name":"x","namespace":"ns"}})")));
  EXPECT_EQ(exists.error().message(), "deployments.apps \"x\" already exists");
  EXPECT_EQ(exists.error().details()->kind, "deployments");
  EXPECT_EQ(exists.error().details()->group, "apps");
  EXPECT_EQ(exists.error().details()->name, "x");
  const auto stale =
      update(deployment, parsed(R"({"metadata":{"name":"x","namespace":"ns","resourceVersion":"1"}})"));
  EXPECT_EQ(stale.error().code(), Code::Conflict);
  EXPECT_EQ(stale.error().message(),
            "Operation cannot be fulfilled on deployments.apps \"x\": the object has been modified; please "
            "apply your "
            "changes to the latest version and try again");
  EXPECT_EQ(update(deployment, parsed(R"({"metadata":{"name":"y","namespace":"ns"}})")).error().message(),
            "deployments.apps \"y\" not found");
  EXPECT_EQ(remove(kConfigMap, {"ns", "y"}).error().message(), "configmaps \"y\" not found");
  EXPECT_EQ(run(writer_->create(kConfigMap, parsed(R"({"metadata":{"name":"z","resourceVersion":"5"}})")))
                .error()
                .code(),
            Code::BadRequest);
}

TEST_F(Store_Writer, names_are_generated_until_one_is_free) {
  const Json made = make(kConfigMap, R"({"metadata":{"generateName":"pre-","namespace":"ns"}})");
  EXPECT_EQ(made["metadata"]["name"].as_string().size(), 9u);
  EXPECT_EQ(run(writer_->create(kConfigMap, parsed(R"({"metadata":{"namespace":"ns"}})"))).error().message(),
            "ConfigMap \"\" is invalid: metadata.name: Required value: name or generateName is required");
}

TEST_F(Store_Writer, generation_counts_changes_of_spec_alone_and_status_has_its_own_door) {
  Json object = make(kBinding, R"({"metadata":{"name":"a","namespace":"ns"},"spec":{"x":1}})");
  object["spec"].set("x", 2);
  object.set("status", Json::object({{"seen", 1}}));
  object = *(*update(kBinding, object))->content();
  EXPECT_EQ(object["metadata"]["generation"].as_int(), 2);
  EXPECT_FALSE(object.contains("status"));
  object["metadata"].set("labels", Json::object({{"l", "1"}}));
  object = *(*update(kBinding, object))->content();
  EXPECT_EQ(object["metadata"]["generation"].as_int(), 2);
  object["spec"].set("x", 3);
  object["metadata"].erase("labels");
  object.set("status", Json::object({{"seen", 2}}));
  object = *(*update(kBinding, object, Part::Status))->content();
  EXPECT_EQ(object["metadata"]["generation"].as_int(), 2);
  EXPECT_EQ(object["spec"]["x"].as_int(), 2);
  EXPECT_EQ(object["status"]["seen"].as_int(), 2);
  EXPECT_TRUE(object["metadata"].contains("labels"));
}

TEST_F(Store_Writer, what_changes_nothing_writes_nothing) {
  Json object = make(
      kConfigMap,
      R"({"metadata":{"name":"a","namespace":"ns","managedFields":[{"time":"t1","manager":"m"}]},"data":{"k":"v"}})");
  const Revision before = store_->revision();
  object["metadata"].erase("uid");
  object["metadata"].set("managedFields", Json::array({Json::object({{"time", "t2"}, {"manager", "m"}})}));
  const auto same = update(kConfigMap, object);
  ASSERT_TRUE(same.ok());
  EXPECT_EQ((*same)->revision(), before);
  EXPECT_EQ(store_->revision(), before);
}

TEST_F(Store_Writer, modify_tries_again_when_somebody_else_was_faster) {
  make(kConfigMap, R"({"metadata":{"name":"a","namespace":"ns"},"data":{"n":"0"}})");
  int tries = 0;
  const auto changed =
      run(writer_->modify(kConfigMap, Part::Main, {"ns", "a"}, [&](Json& object) -> Result<bool> {
        if (++tries == 1) {
          Json other = object;
          other["data"].set("other", "1");
          begin(store_->update(kConfigMap.collection(), other, Revision(), Durability::Derived))
              .get()
              .value();
        }
        object["data"].set("n", "1");
        return true;
      }));
  ASSERT_TRUE(changed.ok());
  EXPECT_EQ(tries, 2);
  EXPECT_EQ((*(*changed)->content())["data"].dump(), R"({"n":"1","other":"1"})");
}

TEST_F(Store_Writer, finalizers_hold_an_object_until_the_last_is_removed) {
  Json object = make(kBinding, R"({"metadata":{"name":"a","namespace":"ns","finalizers":["a.b/c"]}})");
  const auto marked = remove(kBinding, {"ns", "a"});
  ASSERT_TRUE(marked.ok());
  EXPECT_FALSE(marked->gone);
  object = *marked->object->content();
  EXPECT_EQ(object["metadata"]["deletionTimestamp"].as_string(), "2026-01-02T03:04:05Z");
  EXPECT_EQ(object["metadata"]["deletionGracePeriodSeconds"].as_int(-1), 0);
  EXPECT_EQ(object["metadata"]["generation"].as_int(), 2);
  const Revision before = store_->revision();
  EXPECT_FALSE(remove(kBinding, {"ns", "a"})->gone);
  EXPECT_EQ(store_->revision(), before);
  EXPECT_EQ(run(writer_->create(kBinding, parsed(R"({"metadata":{"name":"a","namespace":"ns"}})")))
                .error()
                .message(),
            "object is being deleted: resourcebindings.work.karmada.io \"a\" already exists");
  Json more = object;
  api::add_finalizer(more, "x/y");
  const auto refused = update(kBinding, more);
  EXPECT_EQ(refused.error().code(), Code::Invalid);
  EXPECT_EQ(refused.error().message(),
            "ResourceBinding.work.karmada.io \"a\" is invalid: metadata.finalizers: Forbidden: no new "
            "finalizers can be "
            "added if the object is being deleted, found new finalizers []string{\"x/y\"}");
  auto watching = store_->watch({kBinding.collection(), {}, store_->revision(), Visibility::Newest, 10});
  api::remove_finalizer(object, "a.b/c");
  const auto gone = update(kBinding, object);
  ASSERT_TRUE(gone.ok());
  EXPECT_EQ(store_->get(kBinding.collection(), "ns", "a"), nullptr);
  const auto events = run((*watching)->next());
  ASSERT_EQ(events->size(), 1u);
  EXPECT_EQ(events->front().type, Event::Type::Deleted);
}

TEST_F(Store_Writer, propagation_policy_becomes_the_garbage_collectors_finalizer) {
  make(kConfigMap, R"({"metadata":{"name":"a","namespace":"ns"}})");
  const auto finalizers = [&](const std::string& policy) {
    DeleteOptions options;
    options.propagation = policy;
    return (*remove(kConfigMap, {"ns", "a"}, options)->object->content())["metadata"]["finalizers"].dump();
  };
  EXPECT_EQ(finalizers("Orphan"), R"(["orphan"])");
  EXPECT_EQ(finalizers(""), R"(["orphan"])");
  EXPECT_EQ(finalizers("Foreground"), R"(["foregroundDeletion"])");
  finalizers("Background");
  EXPECT_EQ(store_->get(kConfigMap.collection(), "ns", "a"), nullptr);
  const StoredKind job{{"batch", "v1", "Job"}, "jobs", true, true, true};
  make(job, R"({"metadata":{"name":"j","namespace":"ns"}})");
  EXPECT_FALSE(remove(job, {"ns", "j"})->gone);
}

TEST_F(Store_Writer, preconditions_of_a_delete_are_checked) {
  const Json object = make(kConfigMap, R"({"metadata":{"name":"a","namespace":"ns"}})");
  DeleteOptions options;
  options.uid = "other";
  EXPECT_EQ(remove(kConfigMap, {"ns", "a"}, options).error().message(),
            "Operation cannot be fulfilled on ConfigMap \"a\": the UID in the precondition (other) does not "
            "match the "
            "UID in record (" +
                std::string(api::uid_of(object)) +
                "). The object might have been deleted and then recreated");
  options.uid = api::uid_of(object);
  options.revision = Revision(1);
  EXPECT_EQ(remove(kConfigMap, {"ns", "a"}, options).error().code(), Code::Conflict);
  options.revision = api::revision_of(object);
  EXPECT_TRUE(remove(kConfigMap, {"ns", "a"}, options)->gone);
}

TEST_F(Store_Writer, a_dry_run_changes_nothing) {
  WriteOptions dry;
  dry.dry_run = true;
  EXPECT_TRUE(
      run(writer_->create(kConfigMap, parsed(R"({"metadata":{"name":"a","namespace":"ns"}})"), dry)).ok());
  Json object = make(kConfigMap, R"({"metadata":{"name":"a","namespace":"ns"}})");
  const Revision before = store_->revision();
  object.set("data", Json::object({{"k", "v"}}));
  const auto updated = run(writer_->update(kConfigMap, Part::Main, object, dry));
  EXPECT_EQ((*(*updated)->content())["data"]["k"].as_string(), "v");
  DeleteOptions options;
  options.dry_run = true;
  EXPECT_TRUE(remove(kConfigMap, {"ns", "a"}, options)->gone);
  EXPECT_EQ(store_->revision(), before);
}

TEST_F(Store_Writer, a_scheduled_pod_leaves_gracefully_and_another_at_once) {
  make(kPodKind, R"({"metadata":{"name":"idle","namespace":"ns"},"spec":{}})");
  const auto idle = remove(kPodKind, {"ns", "idle"});
  EXPECT_TRUE(idle->gone);
  EXPECT_EQ((*idle->object->content())["metadata"]["deletionGracePeriodSeconds"].as_int(-1), 0);
  make(
      kPodKind,
      R"({"metadata":{"name":"busy","namespace":"ns"},"spec":{"nodeName":"n","terminationGracePeriodSeconds":7}})");
  const auto busy = remove(kPodKind, {"ns", "busy"});
  EXPECT_FALSE(busy->gone);
  EXPECT_EQ((*busy->object->content())["metadata"]["deletionTimestamp"].as_string(), "2026-01-02T03:04:12Z");
  EXPECT_FALSE(remove(kPodKind, {"ns", "busy"})->gone);
  DeleteOptions now;
  now.grace_period_seconds = 0;
  EXPECT_TRUE(remove(kPodKind, {"ns", "busy"}, now)->gone);
}

TEST_F(Store_Writer, a_namespace_goes_when_its_own_finalizer_is_gone) {
  Json object = make(kNamespace, R"({"metadata":{"name":"team"}})");
  EXPECT_EQ(object["status"]["phase"].as_string(), "Active");
  EXPECT_EQ(api::label_of(object, "kubernetes.io/metadata.name"), "team");
  object = *remove(kNamespace, {"", "team"})->object->content();
  EXPECT_EQ(object["status"]["phase"].as_string(), "Terminating");
  object["spec"].erase("finalizers");
  ASSERT_TRUE(update(kNamespace, object).ok());
  EXPECT_NE(store_->get(kNamespace.collection(), "", "team"), nullptr);
  object["metadata"].erase("resourceVersion");
  ASSERT_TRUE(update(kNamespace, object, Part::Finalize).ok());
  EXPECT_EQ(store_->get(kNamespace.collection(), "", "team"), nullptr);
}

TEST_F(Store_Writer, admission_changes_and_refuses) {
  admission_ = [](const AdmissionRequest& request, Json& object) -> Status {
    if (request.operation == AdmissionRequest::Operation::Delete) return Error(Code::Forbidden, "no");
    object.make({"metadata", "labels", "by"}) = "admission";
    return {};
  };
  const Json made = make(kConfigMap, R"({"metadata":{"name":"a","namespace":"ns"}})");
  EXPECT_EQ(api::label_of(made, "by"), "admission");
  EXPECT_EQ(remove(kConfigMap, {"ns", "a"}).error().code(), Code::Forbidden);
}

Task<Result<Json>> note_and_label(std::vector<std::string>* seen, LateWrite write) {
  const char* const names[] = {"create", "update", "delete"};
  seen->push_back(std::string(names[static_cast<int>(write.operation)]) + "/" + write.subresource +
                  (write.old_object.is_object() ? " old" : "") + (write.object.is_object() ? " new" : ""));
  if (write.operation == AdmissionRequest::Operation::Delete)
    co_return Result<Json>(Error(Code::Forbidden, "stay"));
  Json object = std::move(write.object);
  if (object.is_object()) {
    object.make({"metadata", "labels", "late"}) = "yes";
    object.make({"spec", "replicas"}) = 9;
  }
  co_return object;
}

TEST_F(Store_Writer, late_admission_is_asked_of_every_write_that_changes_something) {
  std::vector<std::string> seen;
  LateAdmission late;
  late.wanted = [](const StoredKind& kind, AdmissionRequest::Operation, std::string_view) {
    return kind.resource == "resourcebindings";
  };
  late.run = [&seen](LateWrite write) { return note_and_label(&seen, std::move(write)); };
  writer_->set_late_admission(std::move(late));
  Json object = make(kBinding, R"({"metadata":{"name":"a","namespace":"ns"},"spec":{"replicas":1}})");
  object["spec"].set("replicas", 2);
  auto updated = update(kBinding, object);
  ASSERT_TRUE(updated.ok());
  object = *(*updated)->content();
  EXPECT_EQ(object["spec"]["replicas"].as_int(), 9);
  EXPECT_TRUE(update(kBinding, object).ok());  // changes nothing: nobody is asked
  object["metadata"].erase("resourceVersion");
  object["status"].set("seen", true);
  updated = update(kBinding, object, Part::Status);
  ASSERT_TRUE(updated.ok());
  EXPECT_EQ((*(*updated)->content())["status"]["seen"].as_bool(), true);
  EXPECT_FALSE(remove(kBinding, {"ns", "a"}).ok());
  make(kConfigMap, R"({"metadata":{"name":"a","namespace":"ns"}})");
  EXPECT_EQ(seen, (std::vector<std::string>{"create/ new", "update/ old new", "update/status old new",
                                            "delete/ old"}));
}

TEST_F(Store_Writer, a_change_may_say_what_is_written_beside_it) {
  make(kBinding, R"({"metadata":{"name":"a","namespace":"ns"},"spec":{"x":1}})");
  WriteOptions options;
  options.beside = std::make_shared<SideValues>();
  const auto changed = run(writer_->modify(
      kBinding, Part::Whole, {"ns", "a"},
      [beside = options.beside](Json& object) -> Result<bool> {
        object["spec"].set("x", 2);
        *beside = {{"notes/" + std::string(api::uid_of(object)), "why"}};
        return true;
      },
      options));
  ASSERT_TRUE(changed.ok());
  const auto kept = run(store_->side_values("notes/"));
  ASSERT_EQ(kept->size(), 1u);
  EXPECT_EQ((*kept)[0].revision, (*changed)->revision());
}

}  // namespace
}  // namespace flotilla::store
