// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "core/api/admission/admission.hpp"
#include "core/api/binding_conversion.hpp"
#include "core/api/manifest.hpp"
#include "core/interpreter/lua/syntax.hpp"
#include "tests/compat/topic.hpp"

namespace flotilla::compat {

namespace {

using api::AdmissionVerb;
using api::Json;

// The world that the answers were recorded in: the objects of the question, of which none can be written.
class RecordedWorld final : public api::AdmissionWorld {
 public:
  explicit RecordedWorld(const Json& existing) : existing_(existing) {}

  WallTime now() const override { return SystemClock().now(); }
  std::string new_id() override {
    std::string digits = std::to_string(1000 + ++ids_);
    return "00000000-0000-4000-8000-00000000" + digits;
  }
  std::vector<Json> list(std::string_view, std::string_view kind, std::string_view ns) const override {
    std::vector<Json> found;
    for (const Json& object : existing_.elements()) {
      bool is_there = ns.empty() || object.at({"metadata", "namespace"}).as_string() == ns;
      if (object["kind"].as_string() == kind && is_there) found.push_back(object);
    }
    return found;
  }
  Status update_status(const Json& object) override {
    return not_found("federatedresourcequotas.policy.karmada.io " + object["metadata"]["name"].dump() +
                     " not found");
  }
  Status compile_script(std::string_view script) const override {
    return interpreter::check_lua_syntax(script);
  }
  bool knows_time_zone(std::string_view name) const override { return !name.starts_with("Mars/"); }

 private:
  const Json& existing_;
  int ids_ = 0;
};

AdmissionVerb verb_of(const Json& input) {
  std::string_view operation = input["operation"].as_string();
  return operation == "CREATE"   ? AdmissionVerb::Create
         : operation == "UPDATE" ? AdmissionVerb::Update
                                 : AdmissionVerb::Delete;
}

std::string_view type_of(const Cause& cause) {
  return std::string_view(cause.message).substr(0, cause.message.find(':'));
}

Json fields_of(const Error& error) {
  std::vector<Json> fields;
  if (error.details() != nullptr) {
    for (const Cause& cause : error.details()->causes) {
      Json field = Json::object({{"path", cause.field}, {"type", type_of(cause)}});
      if (std::find(fields.begin(), fields.end(), field) == fields.end()) fields.push_back(std::move(field));
    }
  }
  Json list = Json::array();
  for (Json& field : fields) list.push_back(std::move(field));
  return list;
}

Json denial(const Error& error) {
  std::string reason(error.is(Code::Internal) ? "" : "Forbidden");
  if (error.details() != nullptr && !error.details()->reason.empty()) reason = error.details()->reason;
  Json answer = Json::object(
      {{"allowed", false}, {"message", error.message()}, {"code", error.is(Code::Internal) ? 500 : 403}});
  if (!reason.empty()) answer.set("reason", reason);
  Json fields = fields_of(error);
  if (!fields.empty()) answer.set("fields", std::move(fields));
  return answer;
}

struct Question {
  RecordedWorld world;
  api::AdmissionRequest request;
  api::AdmissionOptions options;

  explicit Question(const Json& input)
      : world(input["existing"]),
        request{verb_of(input), input["namespace"].as_string(), input["object"], input["oldObject"]} {
    options.federated_quota_enforcement = input["featureGates"]["FederatedQuotaEnforcement"].as_bool();
  }
};

Json default_webhook(const Json& input) {
  Question question(input);
  auto object = api::complete(question.request, question.world, question.options);
  if (!object) return denial(object.error());
  return Json::object({{"allowed", true}, {"object", *object}});
}

Json validate_webhook(const Json& input) {
  Question question(input);
  Status reviewed = api::review(question.request, question.world, question.options);
  return reviewed ? Json::object({{"allowed", true}}) : denial(reviewed.error());
}

Json admit_cluster(const Json& input) {
  Question question(input);
  auto object = api::admit(question.request, question.world, question.options);
  if (object) return Json::object({{"allowed", true}, {"object", *object}});
  Json answer = Json::object({{"allowed", false}, {"errors", Json::array()}});
  answer.set("fields", fields_of(object.error()));
  for (const Cause& cause : object.error().details()->causes) {
    answer["errors"].push_back(cause.field + ": " + cause.message);
  }
  return answer;
}

Json convert(const Json& input) {
  auto object = api::convert_binding(input["object"], input["toVersion"].as_string());
  if (object) return Json::object({{"object", *object}});
  return Json::object({{"error", Json::object({{"message", object.error().message()}})}});
}

Json prune(const Json& input) {
  Json object = input["object"];
  api::prune_manifest(object, input["removeJobTTL"].as_bool() ? api::JobTtl::Remove : api::JobTtl::Keep);
  return Json::object({{"object", object}});
}

constexpr std::array kTopics = {
    Topic{"webhook_default", default_webhook},
    Topic{"webhook_validate", validate_webhook},
    Topic{"cluster_admission", admit_cluster},
    Topic{"conversion", convert},
    Topic{"prune", prune},
};

}  // namespace

std::span<const Topic> admission_topics() {
  return kTopics;
}

}  // namespace flotilla::compat
