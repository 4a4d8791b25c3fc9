// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/webhook.hpp"

#include "core/base/base64.hpp"
#include "tests/unit/interpreter/objects.hpp"

namespace flotilla::interpreter::test {
namespace {

api::Json configuration() {
  return json(R"({"metadata": {"name": "games"}, "webhooks": [
    {"name": "b.example.io", "clientConfig": {"url": "https://b"}, "timeoutSeconds": 3,
     "interpreterContextVersions": ["v1alpha1"],
     "rules": [{"operations": ["*"], "apiGroups": ["example.io"], "apiVersions": ["*"], "kinds": ["Game"]}]},
    {"name": "a.example.io", "clientConfig": {"url": "https://a"}, "interpreterContextVersions": ["v1alpha1"],
     "rules": [{"operations": ["Retain"], "apiGroups": ["*"], "apiVersions": ["v1"], "kinds": ["*"]}]},
    {"name": "old.example.io", "clientConfig": {"url": "https://o"}, "interpreterContextVersions": ["v1"],
     "rules": [{"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "kinds": ["*"]}]},
    {"name": "b.example.io", "clientConfig": {"url": "https://b2"}, "interpreterContextVersions": ["v1alpha1"],
     "rules": []}]})");
}

Question question(Operation operation) {
  Question asked;
  asked.operation = operation;
  asked.object = object("example.io/v1", "Game",
                        R"({"metadata": {"name": "chess", "namespace": "play"}, "spec": {"players": 2}})");
  return asked;
}

Result<Answer> answer(Operation operation, std::string_view response) {
  api::Json context =
      json(R"({"apiVersion": "config.karmada.io/v1alpha1", "kind": "ResourceInterpreterContext"})");
  api::Json body = json(response);
  body.set("uid", "u1");
  context.set("response", std::move(body));
  return read_webhook_response(question(operation), "u1", context.dump());
}

std::string patch(std::string_view operations) {
  return R"({"successful": true, "patchType": "JSONPatch", "patch": ")" + base64_encode(operations) + "\"}";
}

TEST(Interpreter_Webhooks, the_smallest_uid_answers) {
  WebhookInterpreter webhooks(read_webhooks(configuration()));
  EXPECT_EQ(webhooks.find("example.io/v1", "Game", Operation::Retain)->uid, "games/a.example.io");
  EXPECT_EQ(webhooks.find("example.io/v2", "Game", Operation::Retain)->uid, "games/b.example.io");
  EXPECT_EQ(webhooks.find("example.io/v1", "Game", Operation::InterpretHealth)->timeout_seconds, 3);
  EXPECT_EQ(webhooks.find("v1", "Pod", Operation::Retain)->uid, "games/a.example.io");
  EXPECT_FALSE(webhooks.supports("v1", "Pod", Operation::InterpretHealth));
  EXPECT_EQ(webhooks.all().size(), 3u);
  EXPECT_EQ(webhooks.all().back().uid, "games/b.example.io/1");
}

TEST(Interpreter_Webhooks, cannot_be_asked_without_a_network) {
  WebhookInterpreter webhooks(read_webhooks(configuration()));
  EXPECT_TRUE(webhooks.may_block("example.io/v1", "Game", Operation::Retain));
  EXPECT_FALSE(webhooks.retain(question(Operation::Retain).object, {}).ok());
}

TEST(Interpreter_WebhookRequest, says_what_is_asked) {
  Question asked = question(Operation::ReviseReplica);
  asked.replicas = 7;
  EXPECT_EQ(webhook_request(asked, "u1"), json(R"({"apiVersion": "config.karmada.io/v1alpha1",
      "kind": "ResourceInterpreterContext", "request": {"uid": "u1", "operation": "ReviseReplica",
      "kind": {"group": "example.io", "version": "v1", "kind": "Game"}, "name": "chess", "namespace": "play",
      "replicas": 7, "object": {"apiVersion": "example.io/v1", "kind": "Game",
        "metadata": {"name": "chess", "namespace": "play"}, "spec": {"players": 2}}}})"));
  asked = question(Operation::Retain);
  asked.observed = json(R"({"kind": "Game"})");
  EXPECT_EQ(webhook_request(asked, "u1").at({"request", "observedObject"}), asked.observed);
  asked = question(Operation::AggregateStatus);
  asked.items = json(R"([{"clusterName": "m"}])");
  EXPECT_EQ(webhook_request(asked, "u1").at({"request", "aggregatedStatus"}), asked.items);
}

TEST(Interpreter_WebhookResponse, is_read_per_operation) {
  EXPECT_EQ(answer(Operation::InterpretReplica, R"({"successful": true, "replicas": 3,
                   "replicaRequirements": {"resourceRequest": {"cpu": "1"}}})")
                ->replicas.count,
            3);
  EXPECT_TRUE(answer(Operation::InterpretHealth, R"({"successful": true, "healthy": true})")->healthy);
  EXPECT_EQ(answer(Operation::InterpretStatus, R"({"successful": true, "rawStatus": {"a": 1}})")->value,
            json(R"({"a": 1})"));
  EXPECT_EQ(answer(Operation::InterpretDependency, R"({"successful": true})")->value, json("[]"));
  EXPECT_EQ(
      answer(Operation::InterpretComponent, R"({"successful": true, "components": [{"name": "a"}]})")->value,
      json(R"([{"name": "a"}])"));
}

TEST(Interpreter_WebhookResponse, patches) {
  constexpr std::string_view kPatch = R"([{"op": "replace", "path": "/spec/players", "value": 9}])";
  EXPECT_EQ(answer(Operation::ReviseReplica, patch(kPatch))->value.at({"spec", "players"}), json("9"));
  EXPECT_EQ(answer(Operation::Retain, R"({"successful": true})")->value, question(Operation::Retain).object);
  EXPECT_EQ(
      answer(Operation::AggregateStatus, patch(R"([{"op": "add", "path": "/status", "value": {"x": 1}}])"))
          ->value,
      json(R"({"x": 1})"));
  EXPECT_FALSE(answer(Operation::Retain, patch(R"([{"op": "remove", "path": "/nothing"}])")).ok());
  EXPECT_FALSE(answer(Operation::Retain, R"({"successful": true, "patch": "W10="})").ok());
  EXPECT_FALSE(
      answer(Operation::Retain, R"({"successful": true, "patch": "!", "patchType": "JSONPatch"})").ok());
}

TEST(Interpreter_WebhookResponse, is_refused_where_something_is_missing) {
  EXPECT_EQ(answer(Operation::InterpretReplica, R"({"successful": true})").error().message(),
            "webhook returned no response.replicas");
  EXPECT_FALSE(answer(Operation::InterpretHealth, R"({"successful": true})").ok());
  EXPECT_FALSE(answer(Operation::InterpretStatus, R"({"successful": true})").ok());
  EXPECT_FALSE(answer(Operation::InterpretHealth, R"({"successful": false})").ok());
  EXPECT_EQ(answer(Operation::InterpretHealth,
                   R"({"successful": false, "status": {"code": 400, "message": "bad"}})")
                .error()
                .message(),
            "webhook call failed: bad (code 400)");
  EXPECT_FALSE(
      answer(Operation::InterpretDependency, R"({"successful": true, "dependencies": [{"kind": "A"}]})")
          .ok());
  EXPECT_FALSE(read_webhook_response(question(Operation::InterpretHealth), "u1", "nonsense").ok());
  EXPECT_FALSE(read_webhook_response(question(Operation::InterpretHealth), "u1", "{}").ok());
  std::string other = R"({"apiVersion": "config.karmada.io/v1alpha1", "kind": "ResourceInterpreterContext",
                          "response": {"uid": "u2", "successful": true, "healthy": true}})";
  EXPECT_EQ(read_webhook_response(question(Operation::InterpretHealth), "u1", other).error().message(),
            "expected response.uid \"u1\", got \"u2\"");
}

}  // namespace
}  // namespace flotilla::interpreter::test
