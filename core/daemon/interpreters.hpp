// SPDX-License-Identifier: Apache-2.0
// The chain of interpreters of a running control plane: ResourceInterpreterCustomizations, then
// ResourceInterpreterWebhookConfigurations, then the bundled scripts, then what is natively known. Whenever
// one of the objects changes a new chain takes the place of the old one, at once and as a whole.
//
// Scripts of users run on the blocking pool, a few at a time, and those that took long the last time only one
// by one, so that a script that loops holds up its likes alone. Webhooks are asked without holding a thread.
// Nobody waits for long, see AskedQuestions.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/async/executor.hpp"
#include "core/async/gate.hpp"
#include "core/async/metrics.hpp"
#include "core/controllers/interpretation.hpp"
#include "core/daemon/asked_questions.hpp"
#include "core/informer/informers.hpp"
#include "core/interpreter/lua_interpreter.hpp"
#include "core/interpreter/webhook.hpp"
#include "core/store/store.hpp"

namespace flotilla::apiserver {
struct WebhookEndpoint;
}

namespace flotilla::daemon {

class InterpreterChains final : public controllers::Interpreters {
 public:
  // Before the informers start. All outlive it.
  InterpreterChains(const Executor& executor, const store::Store& store, informer::Informers& informers,
                    interpreter::NativeOptions options, Metrics* metrics = nullptr);
  ~InterpreterChains() override;

  // Always the newest chain.
  const interpreter::Interpreter& live() const { return *live_; }

  Chain chain() const override { return chain_.load(std::memory_order_acquire); }
  Task<Result<interpreter::Answer>> ask(Chain chain, interpreter::Question question, bool wait) override;
  void stop();  // after those who ask, not from an I/O thread

 private:
  class Live;
  class ReachableWebhooks;
  struct Script;

  void on_customization(const store::Event& event);
  void on_webhooks(const store::Event& event);
  void rebuild();
  Task<Result<interpreter::Answer>> ask_webhook(Chain chain, const ReachableWebhooks* webhooks,
                                                interpreter::Question question);
  Task<Result<interpreter::Answer>> run_script(Chain chain, const interpreter::Interpreter* scripts,
                                               interpreter::Question question);

  const Executor& executor_;
  const store::Store& store_;
  const interpreter::lua::PoolObserver pool_;  // Karmada's pool_{get,put}_operation_total
  const std::shared_ptr<const interpreter::Interpreter> bundled_;
  const std::shared_ptr<const interpreter::Interpreter> native_;
  AskedQuestions asked_;
  Gate scripts_{2};
  Gate slow_scripts_{1};
  // By name; on the informers' strand alone.
  std::map<std::string, interpreter::Customization> customizations_;
  std::map<std::string, std::vector<interpreter::InterpreterWebhook>> webhooks_;
  std::atomic<Chain> chain_;
  const std::unique_ptr<const interpreter::Interpreter> live_;
};

}  // namespace flotilla::daemon
