// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/driver_adapter.hpp"

#include <flotilla/abi/driver.h>

#include <mutex>
#include <utility>

namespace flotilla::plugin {
namespace {

using api::Gvr;
using api::Json;
using namespace cluster;

flt_str_t borrowed(std::string_view text) {
  return {text.empty() ? nullptr : text.data(), text.size()};
}
flt_gvr_t borrowed(const Gvr& gvr) {
  return {borrowed(gvr.group), borrowed(gvr.version), borrowed(gvr.resource)};
}
std::string text(flt_str_t value) {
  return value.p == nullptr ? std::string() : std::string(value.p, value.n);
}
std::string_view view(flt_bytes_t bytes) {
  return {reinterpret_cast<const char*>(bytes.p), static_cast<std::size_t>(bytes.n)};
}

// What is open towards one member. Disconnects when the last operation has been handed to the plugin.
struct Link {
  Link(std::shared_ptr<Instance> the_instance, flt_conn_t* the_conn)
      : instance(std::move(the_instance)), conn(the_conn) {}
  ~Link() { ops().disconnect(instance->self(), conn); }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  const flt_driver_ops_t& ops() const { return *instance->ops<flt_driver_ops_t>(); }
  void* self() const { return instance->self(); }

  const std::shared_ptr<Instance> instance;
  flt_conn_t* const conn;
};
using LinkPtr = std::shared_ptr<Link>;

Error no_bytes(std::string_view operation) {
  return Error(Code::DataLoss, "the driver gave no object as the result of " + std::string(operation));
}

Result<Json> parse_object(const flt_object_t* object) {
  if (object == nullptr) return no_bytes("the operation");
  const std::string_view bytes = view(object->bytes);
  return Json::parse(bytes, {.max_bytes = bytes.size()});
}

Result<Json> object_of(const Completion& answer) {
  if (!answer.ok()) return answer.error;
  const auto* result = answer.as<flt_object_result_t>();
  if (result == nullptr) return no_bytes("the operation");
  return parse_object(result->object);
}

using KnownHead = std::function<bool(const MemberHead&)>;

bool is_news(const flt_watch_event_t& event, const KnownHead& is_known) {
  if (!is_known || event.object == nullptr || event.type == FLT_EVENT_DELETED) return true;
  const auto& meta = event.object->meta;
  const auto read = [](flt_str_t part) {
    return part.p == nullptr ? std::string_view() : std::string_view(part.p, part.n);
  };
  return !is_known(
      {read(meta.ns), read(meta.name), read(meta.resource_version), event.type == FLT_EVENT_ADDED});
}

Result<MemberEvent> event_of(const flt_watch_event_t& event, const KnownHead& is_known) {
  MemberEvent out;
  switch (is_news(event, is_known) ? event.type : FLT_EVENT_BOOKMARK) {
    case FLT_EVENT_MODIFIED:
      out.type = MemberEvent::Type::Modified;
      break;
    case FLT_EVENT_DELETED:
      out.type = MemberEvent::Type::Deleted;
      break;
    case FLT_EVENT_BOOKMARK:
      out.type = MemberEvent::Type::Bookmark;
      if (event.object != nullptr) {
        out.object.make({"metadata"}).set("resourceVersion", text(event.object->meta.resource_version));
      }
      return out;
    default:
      break;
  }
  auto object = parse_object(event.object);
  if (!object) return std::move(object).error();
  out.object = *std::move(object);
  return out;
}

std::int64_t count_events(const void* batch) {
  return static_cast<std::int64_t>(static_cast<const flt_watch_batch_t*>(batch)->n_events);
}

class PluginWatch final : public MemberWatch {
 public:
  PluginWatch(const std::shared_ptr<HostServices>& services, std::int64_t credit)
      : stream_(services, {.credit = credit, .cost = count_events}) {}

  Stream& stream() { return stream_; }

  void leave_out(KnownHead is_known) override { is_known_ = std::move(is_known); }

  Task<Result<std::vector<MemberEvent>>> next() override {
    std::vector<MemberEvent> events;
    auto reading = stream_.next();
    auto batch = co_await std::move(reading);
    if (!batch) co_return std::move(batch).error();
    if (!*batch) co_return events;
    const auto* raw = (*batch)->as<flt_watch_batch_t>();
    events.reserve(raw->n_events);
    for (std::uint64_t i = 0; i < raw->n_events; ++i) {
      auto event = event_of(*raw->events[i], is_known_);
      if (!event) co_return std::move(event).context("event of a watch");
      events.push_back(*std::move(event));
    }
    co_return events;
  }

 private:
  Stream stream_;
  KnownHead is_known_;
};

// Requests own their texts: an operation that waits for a thread may outlive its caller.
struct GetRequest {
  LinkPtr link;
  Gvr gvr;
  std::string ns, name;
  flt_get_request_t raw{};
};
struct ListRequest {
  LinkPtr link;
  Gvr gvr;
  ListSelector selector;
  std::string resource_version, continue_token;
  flt_list_request_t raw{};

  void fill() {
    raw.struct_size = sizeof raw;
    raw.gvr = borrowed(gvr);
    raw.ns = borrowed(selector.ns);
    raw.label_selector = borrowed(selector.label_selector);
    raw.field_selector = borrowed(selector.field_selector);
    raw.resource_version = borrowed(resource_version);
    raw.continue_token = borrowed(continue_token);
    raw.metric_selector = borrowed(selector.metric_selector);
  }
};
struct ApplyRequest {
  LinkPtr link;
  Gvr gvr;
  std::string ns, name, bytes;
  flt_apply_request_t raw{};
};
struct RemoveRequest {
  LinkPtr link;
  Gvr gvr;
  std::string ns, name;
  RemoveOptions options;
  flt_remove_request_t raw{};
};

class PluginConnection final : public ClusterConnection {
 public:
  PluginConnection(LinkPtr link, DriverLimits limits)
      : services_(link->instance->services()), limits_(limits), link_(std::move(link)) {}

  Task<ProbeResult> probe() override;
  Task<Result<Discovery>> discover() override;
  Task<Result<Json>> get(Gvr resource, std::string ns, std::string name) override;
  Task<Result<MemberList>> list(Gvr resource, ListSelector selector) override;
  Task<Result<Json>> apply(Gvr resource, Json object, ApplyMode mode) override;
  Task<Status> remove(Gvr resource, std::string ns, std::string name, RemoveOptions options) override;
  Task<Result<std::unique_ptr<MemberWatch>>> watch(Gvr resource, ListSelector selector,
                                                   std::string resource_version) override;
  void close() override {
    LinkPtr last;  // may disconnect: not under the lock
    std::lock_guard lock(mutex_);
    last.swap(link_);
  }

 private:
  // Null after close().
  LinkPtr link() {
    std::lock_guard lock(mutex_);
    return link_;
  }
  static Error closed() { return Error(Code::Cancelled, "the connection to the member is closed"); }

  const std::shared_ptr<HostServices> services_;
  const DriverLimits limits_;
  std::mutex mutex_;
  LinkPtr link_;
};

Task<ProbeResult> PluginConnection::probe() {
  ProbeResult out;
  LinkPtr target = link();
  if (!target) co_return out;
  Op op = [target](flt_call_t* call) { target->ops().probe(target->self(), target->conn, call); };
  target.reset();
  auto waiting = services_->call(std::move(op), {.timeout = limits_.probe});
  const Completion answer = co_await std::move(waiting);
  if (!answer.ok()) {
    out.message = answer.error.message();
    co_return out;
  }
  const auto* raw = answer.as<flt_probe_result_t>();
  out.reachable = raw->reachable != 0;
  out.healthy = raw->ready != 0;
  out.version = text(raw->version);
  out.message = text(raw->message);
  out.latency = Duration(raw->latency_ns);
  co_return out;
}

Task<Result<Discovery>> PluginConnection::discover() {
  LinkPtr target = link();
  if (!target) co_return closed();
  Op op = [target](flt_call_t* call) { target->ops().discover(target->self(), target->conn, call); };
  target.reset();
  auto waiting = services_->call(std::move(op), {.timeout = limits_.operation});
  const Completion answer = co_await std::move(waiting);
  if (!answer.ok()) co_return answer.error;
  const auto* raw = answer.as<flt_discover_result_t>();
  Discovery out;
  out.complete = raw->complete != 0;
  out.resources.reserve(raw->n_resources);
  for (std::uint64_t i = 0; i < raw->n_resources; ++i) {
    const flt_resource_t& each = *raw->resources[i];
    DiscoveredResource& resource = out.resources.emplace_back();
    resource.group = text(each.gvr.group);
    resource.version = text(each.gvr.version);
    resource.resource = text(each.gvr.resource);
    resource.kind = text(each.kind);
    resource.namespaced = (each.flags & FLT_RESOURCE_NAMESPACED) != 0;
    for (std::uint64_t verb = 0; verb < each.n_verbs; ++verb) {
      resource.verbs.push_back(text(each.verbs[verb]));
    }
  }
  co_return out;
}

Task<Result<Json>> PluginConnection::get(Gvr resource, std::string ns, std::string name) {
  auto request = std::make_shared<GetRequest>();
  request->link = link();
  if (!request->link) co_return closed();
  request->gvr = std::move(resource);
  request->ns = std::move(ns);
  request->name = std::move(name);
  request->raw = {sizeof request->raw, 0, borrowed(request->gvr), borrowed(request->ns),
                  borrowed(request->name)};
  Op op = [request = std::move(request)](flt_call_t* call) {
    const Link& to = *request->link;
    to.ops().get(to.self(), to.conn, &request->raw, call);
  };
  auto waiting = services_->call(std::move(op), {.timeout = limits_.operation});
  const Completion answer = co_await std::move(waiting);
  co_return object_of(answer);
}

Task<Result<MemberList>> PluginConnection::list(Gvr resource, ListSelector selector) {
  MemberList out;
  std::string token;
  do {
    auto request = std::make_shared<ListRequest>();
    request->link = link();
    if (!request->link) co_return closed();
    request->gvr = resource;
    request->selector = selector;
    request->continue_token = token;
    request->fill();
    Op op = [request = std::move(request)](flt_call_t* call) {
      const Link& to = *request->link;
      to.ops().list(to.self(), to.conn, &request->raw, call);
    };
    auto waiting = services_->call(std::move(op), {.timeout = limits_.list});
    const Completion answer = co_await std::move(waiting);
    if (!answer.ok()) co_return answer.error;
    const auto* raw = answer.as<flt_list_result_t>();
    out.objects.reserve(out.objects.size() + raw->n_objects);
    for (std::uint64_t i = 0; i < raw->n_objects; ++i) {
      auto object = parse_object(raw->objects[i]);
      if (!object) co_return std::move(object).context("list " + resource.resource);
      out.objects.push_back(*std::move(object));
    }
    out.resource_version = text(raw->resource_version);
    token = text(raw->continue_token);
  } while (!token.empty());
  co_return out;
}

Task<Result<Json>> PluginConnection::apply(Gvr resource, Json object, ApplyMode mode) {
  auto request = std::make_shared<ApplyRequest>();
  request->link = link();
  if (!request->link) co_return closed();
  request->gvr = std::move(resource);
  request->ns = api::namespace_of(object);
  request->name = api::name_of(object);
  request->bytes = object.dump();
  flt_apply_request_t& raw = request->raw;
  raw.struct_size = sizeof raw;
  raw.gvr = borrowed(request->gvr);
  raw.ns = borrowed(request->ns);
  raw.name = borrowed(request->name);
  raw.object = {reinterpret_cast<const std::uint8_t*>(request->bytes.data()), request->bytes.size()};
  raw.mode = mode == ApplyMode::Create   ? FLT_APPLY_CREATE
             : mode == ApplyMode::Update ? FLT_APPLY_UPDATE
                                         : FLT_APPLY_SSA;
  if (mode == ApplyMode::ServerSideApply) raw.flags = FLT_APPLY_FORCE;
  raw.field_manager = borrowed("flotilla");
  Op op = [request = std::move(request)](flt_call_t* call) {
    const Link& to = *request->link;
    to.ops().apply(to.self(), to.conn, &request->raw, call);
  };
  auto waiting = services_->call(std::move(op), {.timeout = limits_.operation});
  const Completion answer = co_await std::move(waiting);
  co_return object_of(answer);
}

Task<Status> PluginConnection::remove(Gvr resource, std::string ns, std::string name, RemoveOptions options) {
  auto request = std::make_shared<RemoveRequest>();
  request->link = link();
  if (!request->link) co_return closed();
  request->gvr = std::move(resource);
  request->ns = std::move(ns);
  request->name = std::move(name);
  request->options = std::move(options);
  flt_remove_request_t& raw = request->raw;
  raw.struct_size = sizeof raw;
  raw.gvr = borrowed(request->gvr);
  raw.ns = borrowed(request->ns);
  raw.name = borrowed(request->name);
  raw.uid = borrowed(request->options.uid);
  raw.propagation = borrowed(request->options.propagation);
  Op op = [request = std::move(request)](flt_call_t* call) {
    const Link& to = *request->link;
    to.ops().remove(to.self(), to.conn, &request->raw, call);
  };
  auto waiting = services_->call(std::move(op), {.timeout = limits_.operation});
  const Completion answer = co_await std::move(waiting);
  if (!answer.ok()) co_return answer.error;
  co_return Status();
}

Task<Result<std::unique_ptr<MemberWatch>>> PluginConnection::watch(Gvr resource, ListSelector selector,
                                                                   std::string resource_version) {
  auto request = std::make_shared<ListRequest>();
  request->link = link();
  if (!request->link) co_return closed();
  request->gvr = std::move(resource);
  request->selector = std::move(selector);
  request->resource_version = std::move(resource_version);
  request->fill();
  auto watch = std::make_unique<PluginWatch>(services_, limits_.watch_credit);
  flt_stream_t* const handle = watch->stream().handle();
  Op op = [request = std::move(request), handle](flt_call_t* call) {
    const Link& to = *request->link;
    to.ops().watch(to.self(), to.conn, &request->raw, handle, call);
  };
  auto waiting = services_->call(std::move(op), {.timeout = limits_.operation});
  const Completion answer = co_await std::move(waiting);
  if (!answer.ok()) {
    // A driver that was not heard in time may still start it: it finds the stream closed.
    if (answer.status != FLT_DEADLINE_EXCEEDED && answer.status != FLT_CANCELLED) watch->stream().abandon();
    co_return answer.error;
  }
  co_return std::unique_ptr<MemberWatch>(std::move(watch));
}

class PluginDriver final : public ClusterDriver {
 public:
  PluginDriver(std::shared_ptr<Instance> instance, DriverLimits limits)
      : instance_(std::move(instance)), limits_(limits) {}

  std::string name() const override { return instance_->name(); }

  Result<std::shared_ptr<ClusterConnection>> connect(ClusterEndpoint endpoint) override {
    HostServices& services = *instance_->services();
    const std::string settings = endpoint.settings.is_null() ? "{}" : endpoint.settings.dump();
    flt_cluster_ref_t ref{};
    ref.struct_size = sizeof ref;
    if (endpoint.insecure_skip_verify) ref.flags = FLT_CLUSTER_INSECURE;
    ref.cluster = borrowed(endpoint.cluster);
    ref.endpoint = borrowed(endpoint.api_endpoint);
    ref.ca_pem = borrowed(endpoint.ca_pem);
    ref.client_certificate_pem = borrowed(endpoint.client_certificate_pem);
    if (!endpoint.client_key_pem.empty()) ref.client_key = services.grant_secret(endpoint.client_key_pem);
    if (!endpoint.bearer_token.empty()) ref.bearer_token = services.grant_secret(endpoint.bearer_token);
    ref.impersonate_user = borrowed(endpoint.impersonate_user);
    ref.proxy_url = borrowed(endpoint.proxy_url);
    ref.settings_json = borrowed(settings);
    flt_conn_t* conn = nullptr;
    ErrorSlot error;
    const flt_status_t status =
        instance_->ops<flt_driver_ops_t>()->connect(instance_->self(), &ref, &conn, error.get());
    if (status != FLT_OK) return error.take(status);
    auto link = std::make_shared<Link>(instance_, conn);
    std::shared_ptr<ClusterConnection> made = std::make_shared<PluginConnection>(std::move(link), limits_);
    return made;
  }

 private:
  const std::shared_ptr<Instance> instance_;
  const DriverLimits limits_;
};

}  // namespace

Result<std::shared_ptr<ClusterDriver>> adapt_driver(std::shared_ptr<Instance> instance, DriverLimits limits) {
  const auto* ops = instance->ops<flt_driver_ops_t>();
  const bool complete = ops != nullptr && FLT_HAS(ops, connect) && FLT_HAS(ops, disconnect) &&
                        FLT_HAS(ops, probe) && FLT_HAS(ops, discover) && FLT_HAS(ops, get) &&
                        FLT_HAS(ops, list) && FLT_HAS(ops, apply) && FLT_HAS(ops, remove) &&
                        FLT_HAS(ops, watch);
  if (!complete) {
    return Error(Code::Unsupported, "driver " + instance->name() + " has no object operations (level 3)");
  }
  std::shared_ptr<ClusterDriver> made = std::make_shared<PluginDriver>(std::move(instance), limits);
  return made;
}

}  // namespace flotilla::plugin
