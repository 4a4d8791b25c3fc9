// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/policy/facts.hpp"

#include "core/apiserver/versions.hpp"
#include "core/cel/authorization.hpp"

namespace flotilla::apiserver {
namespace {

using cel::ObjectField;
using cel::Type;
using cel::TypePtr;

TypePtr record(std::string name, std::initializer_list<std::pair<std::string_view, TypePtr>> fields) {
  std::vector<ObjectField> all;
  for (const auto& [field, type] : fields) {
    all.push_back({cel::escape_property(field).value_or(std::string(field)), std::string(field), type});
  }
  return Type::object(std::move(name), std::move(all));
}

const TypePtr& text() {
  return Type::string();
}
TypePtr texts() {
  return Type::map(text(), text());
}

const TypePtr& request_type() {
  static const TypePtr type = [] {
    const TypePtr gvk =
        record("kubernetes.GroupVersionKind", {{"group", text()}, {"version", text()}, {"kind", text()}});
    const TypePtr gvr = record("kubernetes.GroupVersionResource",
                               {{"group", text()}, {"version", text()}, {"resource", text()}});
    const TypePtr user = record("kubernetes.UserInfo", {{"username", text()},
                                                        {"uid", text()},
                                                        {"groups", Type::list(text())},
                                                        {"extra", Type::map(text(), Type::list(text()))}});
    TypePtr made = record("kubernetes.AdmissionRequest", {{"kind", gvk},
                                                          {"resource", gvr},
                                                          {"subResource", text()},
                                                          {"requestKind", gvk},
                                                          {"requestResource", gvr},
                                                          {"requestSubResource", text()},
                                                          {"name", text()},
                                                          {"operation", text()},
                                                          {"userInfo", user},
                                                          {"dryRun", Type::boolean()},
                                                          {"options", Type::dyn()}});
    // Reserved words of CEL are plain names here.
    std::vector<ObjectField> fields = made->fields();
    fields.push_back({"namespace", "namespace", text()});
    return Type::object("kubernetes.AdmissionRequest", std::move(fields));
  }();
  return type;
}

const TypePtr& namespace_type() {
  static const TypePtr type = [] {
    TypePtr metadata =
        record("kubernetes.NamespaceMetadata", {{"name", text()},
                                                {"generateName", text()},
                                                {"labels", texts()},
                                                {"annotations", texts()},
                                                {"uid", text()},
                                                {"UID", text()},
                                                {"creationTimestamp", Type::timestamp()},
                                                {"deletionGracePeriodSeconds", Type::integer()},
                                                {"deletionTimestamp", Type::timestamp()},
                                                {"generation", Type::integer()},
                                                {"resourceVersion", text()},
                                                {"finalizers", Type::list(text())}});
    const TypePtr spec = record("kubernetes.NamespaceSpec", {{"finalizers", Type::list(text())}});
    const TypePtr status = record("kubernetes.NamespaceStatus", {{"phase", text()}});
    return record("kubernetes.Namespace", {{"metadata", metadata}, {"spec", spec}, {"status", status}});
  }();
  return type;
}

// Asks in the name of whoever sent the request, or of a service account.
class Asker final : public cel::AccessSource {
 public:
  Asker(UserInfo user, const Authorizer& authorizer) : user_(std::move(user)), authorizer_(authorizer) {}

  cel::AccessDecision check(const cel::AccessQuery& query) const override {
    Attributes attributes;
    attributes.verb = query.verb;
    attributes.is_resource = query.is_resource;
    attributes.path = query.path;
    attributes.group = query.group;
    attributes.resource = query.resource;
    attributes.subresource = query.subresource;
    attributes.ns = query.ns;
    attributes.name = query.name;
    const Decision decision = authorizer_.authorize(asked_for(query), attributes);
    return {decision.allowed, decision.reason, ""};
  }

 private:
  UserInfo asked_for(const cel::AccessQuery& query) const {
    if (query.account_name.empty()) return user_;
    UserInfo account;
    account.name = std::string(kServiceAccountPrefix) + query.account_ns + ":" + query.account_name;
    account.groups = {"system:serviceaccounts", "system:serviceaccounts:" + query.account_ns,
                      std::string(kAuthenticated)};
    return account;
  }

  UserInfo user_;
  const Authorizer& authorizer_;
};

Json gvk_json(const api::Gvk& gvk) {
  return Json::object({{"group", gvk.group}, {"version", gvk.version}, {"kind", gvk.kind}});
}

Json gvr_json(const Resource& resource) {
  return Json::object(
      {{"group", resource.group}, {"version", resource.version}, {"resource", resource.resource}});
}

bool is_whole(const AdmissionAttributes& attributes) {
  return attributes.kind == attributes.resource->gvk();
}

Json request_json(const AdmissionAttributes& attributes, const Resource& version) {
  const api::Gvk kind = is_whole(attributes) ? version.gvk() : attributes.kind;
  Json out = Json::object({{"kind", gvk_json(kind)},
                           {"resource", gvr_json(version)},
                           {"requestKind", gvk_json(attributes.kind)},
                           {"requestResource", gvr_json(*attributes.resource)},
                           {"operation", verb_text(attributes.verb)},
                           {"userInfo", user_info(attributes.user)},
                           {"dryRun", attributes.dry_run}});
  if (!attributes.subresource.empty()) {
    out.set("subResource", attributes.subresource);
    out.set("requestSubResource", attributes.subresource);
  }
  if (!attributes.name.empty()) out.set("name", attributes.name);
  if (!attributes.ns.empty()) out.set("namespace", attributes.ns);
  if (!attributes.options.is_null()) out.set("options", attributes.options);
  return out;
}

Json in_version(const AdmissionAttributes& attributes, const Resource& version, const Json& object) {
  const bool same = &version == attributes.resource.get() || !is_whole(attributes) || !object.is_object();
  return same ? object : convert(version, object);
}

}  // namespace

cel::Environment facts_environment(const FactChoice& choice) {
  cel::Environment out{{{"object", Type::dyn()}, {"oldObject", Type::dyn()}, {"request", request_type()}}};
  if (choice.space) out.variables.push_back({"namespaceObject", namespace_type()});
  if (choice.params) out.variables.push_back({"params", Type::dyn()});
  if (choice.authorizer) {
    out.variables.push_back({"authorizer", Type::authorizer()});
    out.variables.push_back({"authorizer.requestResource", cel::resource_check_type()});
  }
  if (choice.variables) out.variables.push_back({"variables", choice.variables});
  return out;
}

Facts::Facts(const AdmissionAttributes& attributes, const Resource& version, const store::Store* store,
             const Authorizer& authorizer)
    : object_(in_version(attributes, version, attributes.object)),
      old_object_(in_version(attributes, version, attributes.old_object)),
      request_(request_json(attributes, version)) {
  const auto asker = std::make_shared<const Asker>(attributes.user, authorizer);
  cel::AccessQuery query;
  query.group = version.group;
  query.resource = version.resource;
  query.subresource = attributes.subresource;
  query.ns = attributes.is_namespace() ? std::string() : attributes.ns;
  query.name = attributes.name;
  authorizer_ = cel::authorizer_value(asker);
  request_resource_ = cel::resource_check_value(asker, std::move(query));
  if (attributes.ns.empty() || store == nullptr) return;
  if (const auto space = store->get(store::collection_of("", "namespaces"), "", attributes.ns))
    space_ = space->content();
}

std::vector<cel::Binding> Facts::bindings(const Json& params) const {
  return {{"object", cel::Value::view(object_)},
          {"oldObject", cel::Value::view(old_object_)},
          {"request", cel::Value::view(request_, *request_type())},
          {"namespaceObject", space_ ? cel::Value::view(*space_, *namespace_type()) : cel::Value()},
          {"params", cel::Value::view(params)},
          {"authorizer", authorizer_},
          {"authorizer.requestResource", request_resource_}};
}

}  // namespace flotilla::apiserver
