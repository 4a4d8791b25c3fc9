// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/custom/conversion.hpp"

#include "core/api/patch/patch.hpp"
#include "core/apiserver/custom/conversion_webhook.hpp"
#include "core/apiserver/versions.hpp"
#include "core/apiserver/write/write_options.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::int64_t kPatienceSeconds = 30;
constexpr std::size_t kMaxAnswer = 64u << 20;  // a whole list is converted at once

std::shared_ptr<const ConversionWebhook> webhook_of(const Call& call) {
  const Resource& resource = *call.resource;
  if (resource.origin != api::Origin::Custom) return nullptr;
  const auto found = call.served->definitions.find(resource.group_resource());
  return found == call.served->definitions.end() ? nullptr : found->second.conversion;
}

// A converted object may change everything but who it is.
Result<Json> accept_converted(const Json& before, Json after, const std::string& wanted, std::size_t index,
                              const std::string& prefix) {
  const std::string at = " at index " + std::to_string(index) + ": ";
  const auto refuse = [&](const std::string& why) {
    return Error(Code::Internal, prefix + "returned invalid converted object" + at + why);
  };
  const std::string_view version = std::as_const(after)["apiVersion"].as_string(),
                         kind = std::as_const(after)["kind"].as_string();
  if (version != wanted)
    return refuse("invalid groupVersion (expected " + wanted + ", received " + std::string(version) + ")");
  if (kind != before["kind"].as_string()) {
    return refuse("invalid kind (expected " + std::string(before["kind"].as_string()) + ", received " +
                  std::string(kind) + ")");
  }
  const Json& had = before["metadata"];
  for (const std::string_view name : {"name", "namespace", "uid"}) {
    if (std::as_const(after)["metadata"][name] == had[name]) continue;
    return Error(Code::Internal, prefix + "returned invalid metadata" + at + "must have the same " +
                                     std::string(name) + ": " + std::string(had[name].as_string()) + " != " +
                                     std::string(std::as_const(after)["metadata"][name].as_string()));
  }
  Json metadata = had;
  for (const std::string_view name : {"labels", "annotations"}) {
    const Json* made = std::as_const(after)["metadata"].find(name);
    if (made && !made->is_null()) {
      metadata.set(name, *made);
    } else {
      metadata.erase(name);
    }
  }
  after.set("metadata", std::move(metadata));
  return after;
}

Result<std::vector<Json>> read_review(const std::vector<Json>& objects, const std::string& body,
                                      const std::string& uid, const std::string& wanted,
                                      const std::string& prefix) {
  auto review = Json::parse(body);
  if (!review) return Error(Code::Internal, prefix + "failed: " + review.error().message());
  const Json& response = (*review)["response"];
  if (!response.is_object()) return Error(Code::Internal, prefix + "failed: no response provided");
  if (response["uid"].as_string() != uid) {
    return Error(Code::Internal, prefix + "failed: expected response.uid=" + quoted(uid) + ", got " +
                                     quoted(response["uid"].as_string()));
  }
  const std::string_view status = response["result"]["status"].as_string();
  if (status != "Success") {
    const std::string_view message = response["result"]["message"].as_string();
    return Error(Code::Internal, prefix + "failed: " +
                                     (!message.empty() ? std::string(message)
                                                       : "response.result.status was '" +
                                                             std::string(status) + "', not 'Success'"));
  }
  const auto converted = response["convertedObjects"].elements();
  if (response["convertedObjects"].size() != objects.size()) {
    return Error(Code::Internal, prefix + "returned " + std::to_string(response["convertedObjects"].size()) +
                                     " objects, expected " + std::to_string(objects.size()));
  }
  std::vector<Json> out;
  for (const Json& one : converted) {
    auto accepted = accept_converted(objects[out.size()], one, wanted, out.size(), prefix);
    if (!accepted) return std::move(accepted).error();
    out.push_back(*std::move(accepted));
  }
  return out;
}

// All in one version, to another.
Task<Result<std::vector<Json>>> convert_all(ServerPtr server,
                                            std::shared_ptr<const ConversionWebhook> webhook,
                                            std::vector<Json> objects, std::string wanted) {
  const std::string uid = new_uid();
  Json list = Json::array();
  for (const Json& one : objects) list.push_back(one);
  Json review = Json::object(
      {{"kind", "ConversionReview"},
       {"apiVersion", "apiextensions.k8s.io/" + webhook->review_version},
       {"request",
        Json::object({{"uid", uid}, {"desiredAPIVersion", wanted}, {"objects", std::move(list)}})}});
  const std::string prefix = "conversion webhook for " +
                             std::string(objects.front()["apiVersion"].as_string()) +
                             ", Kind=" + std::string(objects.front()["kind"].as_string()) + " ";
  std::shared_ptr<const WebhookEndpoint> endpoint(webhook, &webhook->endpoint);
  auto posting =
      post_review(server->executor, server->store, std::move(endpoint), review.dump(), kPatienceSeconds);
  auto answer = co_await std::move(posting);
  if (!answer) co_return api::unknown_error(prefix + "failed: " + std::string(answer.error().message()));
  auto read = read_review(objects, *answer, uid, wanted, prefix);
  if (!read) co_return api::unknown_error(std::string(read.error().message()));
  co_return *std::move(read);
}

// As after decoding: pruned, with defaults.
Json settled(const Resource& resource, Json object) {
  api::refresh(resource, object);
  return object;
}

}  // namespace

std::shared_ptr<const ConversionWebhook> read_conversion(const Json& crd) {
  const Json& conversion = crd["spec"]["conversion"];
  if (conversion["strategy"].as_string() != "Webhook") return nullptr;
  auto made = std::make_shared<ConversionWebhook>();
  made->endpoint.read(conversion["webhook"]["clientConfig"]);
  made->endpoint.max_answer_bytes = kMaxAnswer;
  for (const Json& version : conversion["webhook"]["conversionReviewVersions"].elements()) {
    if (version.as_string() != "v1" && version.as_string() != "v1beta1") continue;
    made->review_version = version.as_string();
    break;
  }
  return made;
}

bool converts(const Call& call) {
  return call.resource->origin == api::Origin::Custom && webhook_of(call) != nullptr;
}

Task<Status> convert_ahead(ServerPtr server, CallPtr call, std::vector<ObjectPtr> objects) {
  const auto webhook = webhook_of(*call);
  if (!webhook) co_return Status();
  const std::string wanted = call->resource->group_version();
  std::map<std::string, std::vector<ObjectPtr>> by_version;
  for (const ObjectPtr& object : objects) {
    if (!object || call->converted.contains(object.get())) continue;
    const std::string version((*object->content())["apiVersion"].as_string());
    if (version != wanted) by_version[version].push_back(object);
  }
  for (const auto& [version, same] : by_version) {
    std::vector<Json> documents;
    for (const ObjectPtr& object : same) documents.push_back(*object->content());
    auto converting = convert_all(server, webhook, std::move(documents), wanted);
    auto converted = co_await std::move(converting);
    if (!converted) co_return std::move(converted).error();
    for (std::size_t i = 0; i < same.size(); ++i)
      call->converted.emplace(same[i].get(),
                              std::pair(same[i], settled(*call->resource, std::move((*converted)[i]))));
  }
  co_return Status();
}

const Json* converted_form(const Call& call, const api::Object& object) {
  const auto found = call.converted.find(&object);
  return found == call.converted.end() ? nullptr : &found->second.second;
}

Task<Result<Json>> convert_for_store(ServerPtr server, CallPtr call, Json object) {
  const ResourcePtr storage = storage_resource(*call->served, call->resource);
  if (storage == call->resource) co_return std::move(object);
  const auto webhook = webhook_of(*call);
  if (!webhook) co_return convert(*storage, std::move(object));
  std::vector<Json> one;
  one.push_back(std::move(object));
  auto converting = convert_all(server, webhook, std::move(one), storage->group_version());
  auto converted = co_await std::move(converting);
  if (!converted) co_return std::move(converted).error();
  co_return settled(*storage, std::move(converted->front()));
}

}  // namespace flotilla::apiserver
