// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/instance.hpp"

#include "core/base/log.hpp"
#include "core/plugin/host_state.hpp"

namespace flotilla::plugin {
namespace {

const Logger kLog("plugin");

flt_str_t borrowed(std::string_view text) {
  return {text.empty() ? nullptr : text.data(), text.size()};
}

std::string config_text(const api::Json& config) {
  return config.is_null() ? "{}" : config.dump();
}

}  // namespace

Instance::Instance(const flt_component_t& component, std::string name, std::shared_ptr<HostServices> services)
    : component_(component), name_(std::move(name)), services_(std::move(services)) {}

Result<std::shared_ptr<Instance>> Instance::create(HostEnvironment& environment,
                                                   const flt_component_t& component,
                                                   InstanceOptions options) {
  std::string name = options.name.empty() ? std::string(component.name) : std::move(options.name);
  std::string owner = name == component.name ? name : std::string(component.name) + "/" + name;
  auto services = HostServices::make(environment, std::move(owner), component.exec);
  std::shared_ptr<Instance> instance(new Instance(component, std::move(name), std::move(services)));

  const std::string config = config_text(options.config);
  flt_create_args_t args{};
  args.struct_size = sizeof args;
  args.instance = borrowed(instance->name_);
  args.config_json = borrowed(config);
  args.state_dir = borrowed(options.state_dir);
  ErrorSlot error;
  void* self = nullptr;
  const flt_status_t status = component.create(instance->services_->table(), &args, &self, error.get());
  if (status != FLT_OK) {
    return error.take(status).context("create " + std::string(component.kind) + " " + component.name);
  }
  instance->self_ = self;
  return instance;
}

Instance::~Instance() {
  if (self_ == nullptr || services_->state().hung) return;
  if (services_->in_flight() > 0) {
    kLog.error("plugin instance left with operations that never completed",
               {{"instance", services_->owner()}, {"operations", services_->in_flight()}});
    return;
  }
  component_.destroy(self_);
}

Task<Status> Instance::start(Duration timeout) {
  if (!FLT_HAS(&component_, start)) {
    started_ = true;
    co_return Status();
  }
  Op op = [this](flt_call_t* call) { component_.start(self_, call); };
  CallOptions options;
  options.timeout = timeout;
  options.control = true;
  auto starting = services_->call(std::move(op), std::move(options));
  Completion answer = co_await std::move(starting);
  if (!answer.ok()) co_return std::move(answer.error).context("start " + services_->owner());
  started_ = true;
  co_return Status();
}

Task<Status> Instance::stop(Duration timeout) {
  if (services_->state().hung)
    co_return Error(Code::Unavailable, services_->owner() + " is left as it hangs");
  if (!std::exchange(started_, false) || !FLT_HAS(&component_, stop)) co_return Status();
  const SteadyTime due = services_->environment().executor().clock().steady_now() +
                         std::chrono::duration_cast<SteadyTime::duration>(timeout);
  const std::int64_t due_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(due.time_since_epoch()).count();
  Op op = [this, due_ns](flt_call_t* call) { component_.stop(self_, due_ns, call); };
  CallOptions options;
  options.timeout = timeout;
  options.control = true;
  auto stopping = services_->call(std::move(op), std::move(options));
  Completion answer = co_await std::move(stopping);
  if (!answer.ok()) co_return std::move(answer.error).context("stop " + services_->owner());
  co_return Status();
}

Status Instance::reconfigure(const api::Json& config) {
  if (!FLT_HAS(&component_, reconfigure))
    return Error(Code::Conflict, services_->owner() + " needs a restart");
  const std::string text = config_text(config);
  ErrorSlot error;
  const flt_status_t status = component_.reconfigure(self_, borrowed(text), error.get());
  if (status != FLT_OK) return error.take(status).context("reconfigure " + services_->owner());
  return {};
}

Status Instance::health() const {
  if (!FLT_HAS(&component_, health)) return {};
  ErrorSlot error;
  const flt_status_t status = component_.health(self_, error.get());
  if (status != FLT_OK) return error.take(status);
  return {};
}

const void* Instance::query(std::string_view id) const {
  return FLT_HAS(&component_, query) ? component_.query(self_, borrowed(id)) : nullptr;
}

}  // namespace flotilla::plugin
