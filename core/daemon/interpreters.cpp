// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/interpreters.hpp"

#include <optional>
#include <utility>

#include "core/api/object.hpp"
#include "core/apiserver/webhook_endpoint.hpp"
#include "core/base/log.hpp"
#include "core/store/metadata_rules.hpp"

namespace flotilla::daemon {

using api::Json;
using interpreter::Answer;
using interpreter::Interpreter;
using interpreter::InterpreterWebhook;
using interpreter::Operation;
using interpreter::Question;

namespace {

const Logger kLog("interpreters");

store::Collection configuration(std::string_view resource) {
  return store::collection_of("config.karmada.io", resource);
}

interpreter::lua::PoolObserver count_pool(Metrics* metrics) {
  const auto get = [&](const char* from) {
    return counter_in(metrics, "pool_get_operation_total", "Lua states taken, from the pool or new.",
                      {{"name", "luavm"}, {"from", from}});
  };
  const auto put = [&](const char* to) {
    return counter_in(metrics, "pool_put_operation_total", "Lua states given back, kept or destroyed.",
                      {{"name", "luavm"}, {"to", to}});
  };
  return {[fresh = get("new"), kept = get("pool")](bool is_new) { (is_new ? fresh : kept)->add(); },
          [kept = put("pool"), gone = put("destroyed")](bool is_kept) { (is_kept ? kept : gone)->add(); }};
}

}  // namespace

// With what reaches them. Connections are kept as long as the configuration stays.
class InterpreterChains::ReachableWebhooks final : public interpreter::WebhookInterpreter {
 public:
  explicit ReachableWebhooks(std::vector<InterpreterWebhook> webhooks)
      : WebhookInterpreter(std::move(webhooks)) {
    for (const InterpreterWebhook& webhook : all()) {
      auto endpoint = std::make_shared<apiserver::WebhookEndpoint>();
      endpoint->read(webhook.client_config);
      endpoint->by_cluster_address = true;
      endpoints_.emplace(webhook.uid, std::move(endpoint));
    }
  }

  std::shared_ptr<const apiserver::WebhookEndpoint> endpoint(const InterpreterWebhook& webhook) const {
    return endpoints_.at(webhook.uid);
  }

 private:
  std::map<std::string, std::shared_ptr<const apiserver::WebhookEndpoint>> endpoints_;
};

class InterpreterChains::Live final : public Interpreter {
 public:
  explicit Live(const InterpreterChains& chains) : chains_(chains) {}

  using Interpreter::supports;
  bool supports(std::string_view api_version, std::string_view kind, Operation operation) const override {
    return chains_.chain()->supports(api_version, kind, operation);
  }
  bool may_block(std::string_view api_version, std::string_view kind, Operation operation) const override {
    return chains_.chain()->may_block(api_version, kind, operation);
  }
  Result<interpreter::Replicas> interpret_replicas(const Json& object) const override {
    return chains_.chain()->interpret_replicas(object);
  }
  Result<Json> interpret_components(const Json& object) const override {
    return chains_.chain()->interpret_components(object);
  }
  Result<Json> revise_replica(const Json& object, std::int64_t replicas) const override {
    return chains_.chain()->revise_replica(object, replicas);
  }
  Result<Json> retain(const Json& desired, const Json& observed) const override {
    return chains_.chain()->retain(desired, observed);
  }
  Result<Json> reflect_status(const Json& object) const override {
    return chains_.chain()->reflect_status(object);
  }
  Result<Json> aggregate_status(const Json& object, std::span<const Json> items,
                                WallTime now) const override {
    return chains_.chain()->aggregate_status(object, items, now);
  }
  Result<bool> interpret_health(const Json& object) const override {
    return chains_.chain()->interpret_health(object);
  }
  Result<Json> dependencies(const Json& object) const override {
    return chains_.chain()->dependencies(object);
  }

 private:
  const InterpreterChains& chains_;
};

// Outlives the fiber that asked: the pool may still run it when that is gone.
struct InterpreterChains::Script {
  Chain chain;
  Question question;
  std::optional<Result<Answer>> answer;
};

InterpreterChains::InterpreterChains(const Executor& executor, const store::Store& store,
                                     informer::Informers& informers, interpreter::NativeOptions options,
                                     Metrics* metrics)
    : executor_(executor),
      store_(store),
      pool_(count_pool(metrics)),
      bundled_(interpreter::bundled_interpreter(executor.clock(), {}, pool_)),
      native_(std::make_shared<interpreter::NativeInterpreter>(options)),
      asked_(executor),
      live_(std::make_unique<Live>(*this)) {
  rebuild();
  informers.on(configuration("resourceinterpretercustomizations"),
               [this](const store::Event& event) { on_customization(event); });
  informers.on(configuration("resourceinterpreterwebhookconfigurations"),
               [this](const store::Event& event) { on_webhooks(event); });
}

InterpreterChains::~InterpreterChains() = default;

void InterpreterChains::on_customization(const store::Event& event) {
  const std::string& name = event.object->name();
  if (event.type == store::Event::Type::Deleted) {
    customizations_.erase(name);
  } else {
    customizations_.insert_or_assign(name, interpreter::read_customization(*event.object->content()));
  }
  rebuild();
  kLog.info("interpreters customised", {{"customization", name}});
}

void InterpreterChains::on_webhooks(const store::Event& event) {
  const std::string& name = event.object->name();
  if (event.type == store::Event::Type::Deleted) {
    webhooks_.erase(name);
  } else {
    webhooks_.insert_or_assign(name, interpreter::read_webhooks(*event.object->content()));
  }
  rebuild();
  kLog.info("interpreter webhooks configured", {{"configuration", name}});
}

void InterpreterChains::rebuild() {
  std::vector<std::shared_ptr<const Interpreter>> links;
  if (!customizations_.empty()) {
    std::vector<interpreter::Customization> all;
    for (const auto& [name, customization] : customizations_) all.push_back(customization);
    auto scripts = std::make_shared<interpreter::LuaInterpreter>(executor_.clock(), interpreter::LuaLimits{},
                                                                 std::move(all));
    scripts->watch_pool(pool_);
    links.push_back(std::move(scripts));
  }
  if (!webhooks_.empty()) {
    std::vector<InterpreterWebhook> all;
    for (const auto& [name, webhooks] : webhooks_) all.insert(all.end(), webhooks.begin(), webhooks.end());
    links.push_back(std::make_shared<ReachableWebhooks>(std::move(all)));
  }
  links.push_back(bundled_);
  links.push_back(native_);
  chain_.store(std::make_shared<interpreter::InterpreterChain>(std::move(links)), std::memory_order_release);
}

void InterpreterChains::stop() {
  asked_.stop();
}

Task<Result<Answer>> InterpreterChains::ask(Chain chain, Question question, bool wait) {
  const Interpreter* link = chain->find(question.object, question.operation);
  if (link == nullptr) co_return interpreter::ask(*chain, question);
  const auto* webhooks = dynamic_cast<const ReachableWebhooks*>(link);
  const std::string line = webhooks != nullptr
                               ? "interpreter webhook \"" + webhooks->find(question)->uid + "\""
                               : "the script of " + std::string(question.object["apiVersion"].as_string()) +
                                     ", kind " + std::string(question.object["kind"].as_string()) + ", " +
                                     std::string(to_string(question.operation));
  AskedQuestions::Ask asking = [this, chain, link, webhooks, question] {
    return webhooks != nullptr ? ask_webhook(chain, webhooks, question) : run_script(chain, link, question);
  };
  auto answering = asked_.answer(line, chain, std::move(question), wait, std::move(asking));
  co_return co_await std::move(answering);
}

Task<Result<Answer>> InterpreterChains::run_script(Chain chain, const Interpreter* scripts,
                                                   Question question) {
  const auto* lua = dynamic_cast<const interpreter::LuaInterpreter*>(scripts);
  const bool slow = lua != nullptr && lua->is_slow(question.object, question.operation);
  auto entering = slow ? slow_scripts_.enter() : scripts_.enter();
  const Gate::Pass pass = co_await std::move(entering);
  if (!pass) co_return Error(Code::Cancelled, "stopped while a script was to be run");
  auto script = std::make_shared<Script>();
  script->chain = std::move(chain);
  script->question = std::move(question);
  auto running = run_blocking(
      executor_, [script, scripts] { script->answer = interpreter::ask(*scripts, script->question); });
  co_await std::move(running);
  co_return std::move(*script->answer);
}

Task<Result<Answer>> InterpreterChains::ask_webhook(Chain chain, const ReachableWebhooks* webhooks,
                                                    Question question) {
  const InterpreterWebhook* webhook = webhooks->find(question);
  const std::string uid = store::new_uid();
  const std::string place =
      "interpreter webhook \"" + webhook->uid + "\", " + std::string(to_string(question.operation));
  std::string request = interpreter::webhook_request(question, uid).dump();
  auto posting = apiserver::post_review(executor_, store_, webhooks->endpoint(*webhook), std::move(request),
                                        webhook->timeout_seconds);
  Result<std::string> body = co_await std::move(posting);
  if (!body) co_return std::move(body).context(place);
  Result<Answer> answer = interpreter::read_webhook_response(question, uid, *body);
  if (!answer) co_return std::move(answer).context(place);
  co_return answer;
}

}  // namespace flotilla::daemon
