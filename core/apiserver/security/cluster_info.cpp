// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/security/cluster_info.hpp"

#include <optional>

#include "core/apiserver/security/bootstrap_token.hpp"
#include "core/apiserver/write/write_options.hpp"
#include "core/base/base64.hpp"
#include "core/base/log.hpp"
#include "core/http/jws.hpp"

namespace flotilla::apiserver {
namespace {

const Logger kLog("cluster-info");
constexpr std::string_view kPublic = "kube-public", kName = "cluster-info", kSystem = "kube-system",
                           kPrefix = "bootstrap-token-", kSignature = "jws-kubeconfig-",
                           kRbac = "rbac.authorization.k8s.io",
                           kReader = "karmada:bootstrap-signer-clusterinfo";
constexpr Duration kLongest = std::chrono::hours(1);

const store::Collection& maps() {
  static const store::Collection kCollection = store::collection_of("", "configmaps");
  return kCollection;
}

const store::Collection& secrets() {
  static const store::Collection kCollection = store::collection_of("", "secrets");
  return kCollection;
}

struct Token {
  std::string id, secret;
  bool signs = false;
  std::optional<WallTime> expires;
};

// Nothing: it is no bootstrap token, or a broken one.
std::optional<Token> read_token(const api::Object& object) {
  if (!object.name().starts_with(kPrefix) || object.deleting()) return std::nullopt;
  const auto content = object.content();
  if ((*content)["type"].as_string() != "bootstrap.kubernetes.io/token") return std::nullopt;
  const auto value = [&](std::string_view key) {
    return base64_decode((*content)["data"][key].as_string()).value_or("");
  };
  Token token{value("token-id"), value("token-secret"), value("usage-bootstrap-signing") == "true", {}};
  if (!is_bootstrap_token(token.id + "." + token.secret)) return std::nullopt;
  if (object.name() != std::string(kPrefix) + token.id) return std::nullopt;
  const std::string until = value("expiration");
  if (until.empty()) return token;
  const auto end = parse_time(until);
  if (!end) return std::nullopt;
  token.expires = *end;
  return token;
}

Json metadata(const Server& server, std::string_view name) {
  return Json::object({{"name", name},
                       {"namespace", kPublic},
                       {"uid", new_uid()},
                       {"creationTimestamp", format_time(server.now())}});
}

Task<void> create_missing(ServerPtr server, store::Collection collection, Json object) {
  if (server->store.get(collection, kPublic, api::name_of(object))) co_return;
  auto creating = server->store.create(collection, std::move(object), store::Durability::Derived);
  (void)co_await std::move(creating);
}

// Everybody, also without credentials, may read this one ConfigMap.
Task<void> publish_reader(ServerPtr server) {
  Json rule = Json::object({{"apiGroups", Json::array({""})},
                            {"resources", Json::array({"configmaps"})},
                            {"resourceNames", Json::array({kName})},
                            {"verbs", Json::array({"get"})}});
  Json role = Json::object({{"apiVersion", "rbac.authorization.k8s.io/v1"},
                            {"kind", "Role"},
                            {"metadata", metadata(*server, kReader)},
                            {"rules", Json::array({std::move(rule)})}});
  auto roles = create_missing(server, store::collection_of(kRbac, "roles"), std::move(role));
  co_await std::move(roles);
  Json subject = Json::object({{"kind", "User"}, {"apiGroup", kRbac}, {"name", "system:anonymous"}});
  Json binding =
      Json::object({{"apiVersion", "rbac.authorization.k8s.io/v1"},
                    {"kind", "RoleBinding"},
                    {"metadata", metadata(*server, kReader)},
                    {"subjects", Json::array({std::move(subject)})},
                    {"roleRef", Json::object({{"apiGroup", kRbac}, {"kind", "Role"}, {"name", kReader}})}});
  auto bindings = create_missing(server, store::collection_of(kRbac, "rolebindings"), std::move(binding));
  co_await std::move(bindings);
}

// `text` null: what is there stays, but for its signatures.
Task<void> settle(ServerPtr server, std::shared_ptr<const std::string> text) {
  constexpr int kTries = 8;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const ObjectPtr have = server->store.get(maps(), kPublic, kName);
    if (!have && !text) co_return;
    Json object =
        have ? *have->content()
             : Json::object(
                   {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", metadata(*server, kName)}});
    Json data = std::as_const(object)["data"].is_object() ? std::as_const(object)["data"] : Json::object();
    if (text) data.set("kubeconfig", *text);
    data = signed_cluster_info(data, server->store.list(secrets(), kSystem).objects, server->now());
    if (have && std::as_const(object)["data"] == data) co_return;
    object.set("data", std::move(data));
    Task<Result<ObjectPtr>> writing;
    if (have) {
      writing = server->store.update(maps(), std::move(object), have->revision(), store::Durability::Derived);
    } else {
      writing = server->store.create(maps(), std::move(object), store::Durability::Derived);
    }
    const auto written = co_await std::move(writing);
    if (written) co_return;
    if (!written.error().is(Code::Conflict) && !written.error().is(Code::AlreadyExists)) {
      kLog.warn("cluster-info is not written", {{"error", written.error().message()}});
      co_return;
    }
  }
}

// Removes what has expired; the answer is how long the others have.
Task<Duration> clean_tokens(ServerPtr server) {
  Duration next = kLongest;
  for (const ObjectPtr& object : server->store.list(secrets(), kSystem).objects) {
    const auto token = read_token(*object);
    if (!token || !token->expires) continue;
    const Duration left = std::chrono::duration_cast<Duration>(*token->expires - server->now());
    if (left > Duration::zero()) {
      next = std::min(next, left);
      continue;
    }
    auto removing =
        server->store.remove(secrets(), object->key(), object->revision(), store::Durability::Derived);
    const auto removed = co_await std::move(removing);
    if (removed) kLog.info("bootstrap token has expired", {{"id", token->id}});
  }
  co_return next;
}

bool concerns_tokens(const std::vector<store::Event>& events) {
  for (const store::Event& event : events) {
    if (!event.object) return true;
    if (event.collection == maps() && event.object->name() == kName) return true;
    if (event.collection == secrets() && event.object->name().starts_with(kPrefix)) return true;
  }
  return false;
}

Task<void> follow(ServerPtr server, store::Collection collection, std::string ns) {
  for (;;) {
    store::WatchRequest request;
    request.collection = collection;
    request.ns = ns;
    request.after = server->store.revision();
    auto subscription = server->store.watch(request);
    if (!subscription) co_return;
    bool due = true;
    Duration patience = kLongest;
    for (;;) {
      if (due) {
        auto cleaning = clean_tokens(server);
        patience = co_await std::move(cleaning);
        auto settling = settle(server, nullptr);
        co_await std::move(settling);
      }
      auto waiting = (*subscription)->next_for(patience);
      const auto events = co_await std::move(waiting);
      if (!events && events.error().is(Code::Cancelled)) co_return;
      if (!events) break;
      if (server->fibers.cancelled()) co_return;
      due = events->empty() || concerns_tokens(*events);
    }
  }
}

}  // namespace

std::string cluster_info_text(std::string_view url, std::string_view authority_pem) {
  return "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: " +
         base64_encode(authority_pem) + "\n    server: " + std::string(url) +
         "\n  name: \"\"\ncontexts: null\ncurrent-context: \"\"\nkind: Config\npreferences: {}\nusers: "
         "null\n";
}

Json signed_cluster_info(const Json& data, const std::vector<ObjectPtr>& secrets, WallTime now) {
  Json out = data;
  for (const std::string& key : data.keys()) {
    if (key.starts_with(kSignature)) out.erase(key);
  }
  const Json& content = data["kubeconfig"];
  if (!content.is_string()) return out;
  for (const ObjectPtr& object : secrets) {
    const auto token = read_token(*object);
    if (!token || !token->signs || (token->expires && *token->expires <= now)) continue;
    out.set(std::string(kSignature) + token->id,
            http::detached_signature(content.as_string(), token->id, token->secret));
  }
  return out;
}

Task<void> run_cluster_info(ServerPtr server, std::string url) {
  auto reading = publish_reader(server);
  co_await std::move(reading);
  std::shared_ptr<const std::string> text;
  if (!url.empty())
    text = std::make_shared<const std::string>(cluster_info_text(url, server->options.client_authority_pem));
  auto settling = settle(server, text);
  co_await std::move(settling);
  server->fibers.spawn(follow(server, maps(), std::string(kPublic)));
  auto following = follow(server, secrets(), std::string(kSystem));
  co_await std::move(following);
}

}  // namespace flotilla::apiserver
