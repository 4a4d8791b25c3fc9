// SPDX-License-Identifier: Apache-2.0
// Cluster drivers in C++. A driver is a class that opens connections:
//
//   class Edge {
//    public:
//     static constexpr flotilla::sdk::DriverInfo kInfo = {.name = "edge", .summary = "Reaches edge sites",
//                                                         .caps = FLT_DRIVER_OBJECTS};
//     Edge(const flt_host_t* host, std::string_view config_json);       // throws Failure
//     std::shared_ptr<flotilla::sdk::DriverConnection> connect(const flt_cluster_ref_t& ref);  // throws
//   };
//   FLT_PLUGIN((flotilla::sdk::PluginInfo{...}), &flotilla::sdk::driver_component<Edge>)
//
// Operations get a Call and complete it now, or move it away and complete it later, from any thread; what
// they throw before completes it as an error. Requests are borrowed until the operation returns.
#pragma once

#include <flotilla/abi/driver.h>
#include <flotilla/sdk/plugin.hpp>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flotilla::sdk {
inline namespace sdk_1 {

struct DriverInfo {
  const char* name;
  const char* summary;
  std::uint64_t caps = FLT_DRIVER_OBJECTS;
  const char* config_schema = nullptr;
  std::uint32_t exec = FLT_EXEC_ASYNC;
};

// An object to hand over: the texts are borrowed until the function that takes it returns.
struct ObjectView {
  std::string_view ns, name, uid, resource_version;
  std::int64_t generation = 0;
  std::string_view bytes;
};

inline const flt_object_t& copy_object(const Arena& arena, const ObjectView& object) {
  auto& out = arena.make<flt_object_t>();
  out.struct_size = sizeof out;
  out.meta = {arena.copy(object.ns), arena.copy(object.name), arena.copy(object.uid),
              arena.copy(object.resource_version), object.generation};
  out.bytes = arena.copy_bytes(object.bytes);
  return out;
}

inline void succeed_with_object(Call& call, const ObjectView& object, int outcome = 0) {
  const Arena arena = call.arena();
  auto& result = arena.make<flt_object_result_t>();
  result.struct_size = sizeof result;
  result.outcome = outcome;
  result.object = &copy_object(arena, object);
  call.succeed(&result);
}

struct WatchEventView {
  std::int32_t type = FLT_EVENT_ADDED;
  ObjectView object;
};

// The plugin's end of a watch stream. One that is dropped ends INTERNAL. Thread: one at a time.
class EventStream {
 public:
  EventStream(const flt_host_t* host, flt_stream_t* stream) : host_(host), stream_(stream) {}
  EventStream(EventStream&& other) noexcept
      : host_(other.host_), stream_(std::exchange(other.stream_, nullptr)) {}
  EventStream& operator=(EventStream&&) = delete;
  ~EventStream() {
    if (stream_ != nullptr) fail(FLT_INTERNAL, "the plugin lost this stream");
  }

  // The credit left; < 0: the host closed the stream, end() is still due.
  std::int64_t push(std::span<const WatchEventView> events) {
    const Arena arena(host_, host_->stream->batch_begin(stream_));
    auto& batch = arena.make<flt_watch_batch_t>();
    const auto pointers = arena.array<const flt_watch_event_t*>(events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
      auto& event = arena.make<flt_watch_event_t>();
      event = {sizeof event, events[i].type, &copy_object(arena, events[i].object)};
      pointers[i] = &event;
    }
    batch = {sizeof batch, 0, pointers.data(), pointers.size()};
    return host_->stream->push(stream_, arena.raw(), &batch);
  }
  // `notify` may run many times, on host threads; it is freed when the stream ended.
  void on_credit(std::function<void()> notify) {
    auto* kept = new std::function<void()>(std::move(notify));
    host_->stream->on_credit(
        stream_, [](void* ctx) { (*static_cast<std::function<void()>*>(ctx))(); }, kept,
        [](void* ctx) { delete static_cast<std::function<void()>*>(ctx); });
  }
  bool closed() const { return stream_ == nullptr || host_->stream->closed(stream_) != 0; }
  void end() {
    if (stream_ != nullptr) host_->stream->end(std::exchange(stream_, nullptr), FLT_OK, nullptr);
  }
  void fail(flt_status_t code, std::string_view message, std::string_view reason = {}, int http_status = 0) {
    if (stream_ == nullptr) return;
    flt_error_t error{};
    error.struct_size = sizeof error;
    error.arena = host_->stream->arena(stream_);
    fill_error(host_, &error, code, message, reason, http_status);
    host_->stream->end(std::exchange(stream_, nullptr), code, &error);
  }
  // When the call that should have started the stream failed: it stays the host's.
  void forget() { stream_ = nullptr; }

 private:
  const flt_host_t* host_;
  flt_stream_t* stream_;
};

// One member. Held by shared_ptr: operations that are under way keep it alive past close().
class DriverConnection {
 public:
  virtual ~DriverConnection() = default;
  virtual void probe(Call& call) = 0;
  virtual void discover(Call& call) = 0;
  virtual void get(const flt_get_request_t& request, Call& call) = 0;
  virtual void list(const flt_list_request_t& request, Call& call) = 0;
  virtual void apply(const flt_apply_request_t& request, Call& call) = 0;
  virtual void remove(const flt_remove_request_t& request, Call& call) = 0;
  // On failure: stream.forget(), then fail the call.
  virtual void watch(const flt_list_request_t& request, EventStream& stream, Call& call) = 0;
  // Cancel what is under way; no operation follows.
  virtual void close() = 0;
};

template <typename Driver>
struct DriverTrampolines {
  struct Instance {
    const flt_host_t* host;
    Driver driver;
  };
  // What flt_conn_t* points at.
  struct Connection {
    const flt_host_t* host;
    std::shared_ptr<DriverConnection> connection;
  };
  static Connection& at(flt_conn_t* conn) { return *reinterpret_cast<Connection*>(conn); }

  static flt_status_t create(const flt_host_t* host, const flt_create_args_t* args, void** self,
                             flt_error_t* err) noexcept {
    return guarded(host, err, [&] { *self = new Instance{host, Driver(host, view(args->config_json))}; });
  }
  static void destroy(void* self) noexcept { delete static_cast<Instance*>(self); }

  static flt_status_t connect(void* self, const flt_cluster_ref_t* ref, flt_conn_t** conn,
                              flt_error_t* err) noexcept {
    auto& instance = *static_cast<Instance*>(self);
    return guarded(instance.host, err, [&] {
      auto made = std::make_unique<Connection>(Connection{instance.host, instance.driver.connect(*ref)});
      *conn = reinterpret_cast<flt_conn_t*>(made.release());
    });
  }
  static void disconnect(void*, flt_conn_t* conn) noexcept {
    const std::unique_ptr<Connection> owned(&at(conn));
    guarded(owned->host, nullptr, [&] { owned->connection->close(); });
  }

  // What `work` throws while the call is still ours completes it.
  template <typename Work>
  static void operation(flt_conn_t* conn, flt_call_t* call, Work&& work) noexcept {
    Connection& target = at(conn);
    const auto keep = target.connection;
    Call owned(target.host, call);
    owned.run([&](Call& ours) { work(*keep, ours); });
  }

  static void probe(void*, flt_conn_t* conn, flt_call_t* call) noexcept {
    operation(conn, call, [](DriverConnection& c, Call& own) { c.probe(own); });
  }
  static void discover(void*, flt_conn_t* conn, flt_call_t* call) noexcept {
    operation(conn, call, [](DriverConnection& c, Call& own) { c.discover(own); });
  }
  static void get(void*, flt_conn_t* conn, const flt_get_request_t* request, flt_call_t* call) noexcept {
    operation(conn, call, [&](DriverConnection& c, Call& own) { c.get(*request, own); });
  }
  static void list(void*, flt_conn_t* conn, const flt_list_request_t* request, flt_call_t* call) noexcept {
    operation(conn, call, [&](DriverConnection& c, Call& own) { c.list(*request, own); });
  }
  static void apply(void*, flt_conn_t* conn, const flt_apply_request_t* request, flt_call_t* call) noexcept {
    operation(conn, call, [&](DriverConnection& c, Call& own) { c.apply(*request, own); });
  }
  static void remove(void*, flt_conn_t* conn, const flt_remove_request_t* request,
                     flt_call_t* call) noexcept {
    operation(conn, call, [&](DriverConnection& c, Call& own) { c.remove(*request, own); });
  }
  static void watch(void*, flt_conn_t* conn, const flt_list_request_t* request, flt_stream_t* stream,
                    flt_call_t* call) noexcept {
    const flt_host_t* host = at(conn).host;
    operation(conn, call, [&](DriverConnection& c, Call& own) {
      EventStream events(host, stream);
      try {
        c.watch(*request, events, own);
      } catch (...) {
        events.forget();
        throw;
      }
    });
  }
};

template <typename Driver>
inline constexpr flt_driver_ops_t driver_ops = {
    .struct_size = sizeof(flt_driver_ops_t),
    ._pad = 0,
    .connect = DriverTrampolines<Driver>::connect,
    .disconnect = DriverTrampolines<Driver>::disconnect,
    .credentials_changed = nullptr,
    .dial = nullptr,
    .request = nullptr,
    .probe = DriverTrampolines<Driver>::probe,
    .discover = DriverTrampolines<Driver>::discover,
    .get = DriverTrampolines<Driver>::get,
    .list = DriverTrampolines<Driver>::list,
    .apply = DriverTrampolines<Driver>::apply,
    .remove = DriverTrampolines<Driver>::remove,
    .watch = DriverTrampolines<Driver>::watch,
    .logs = nullptr,
    .open_channel = nullptr,
    .capacity = nullptr,
};

template <typename Driver>
inline constexpr flt_component_t driver_component = {
    .struct_size = sizeof(flt_component_t),
    .exec = Driver::kInfo.exec,
    .caps = Driver::kInfo.caps,
    .kind = FLT_KIND_DRIVER,
    .name = Driver::kInfo.name,
    .summary = Driver::kInfo.summary,
    .config_schema = Driver::kInfo.config_schema,
    .ops = &driver_ops<Driver>,
    .create = DriverTrampolines<Driver>::create,
    .destroy = DriverTrampolines<Driver>::destroy,
    .start = nullptr,
    .reconfigure = nullptr,
    .health = nullptr,
    .stop = nullptr,
    .query = nullptr,
};

}  // namespace sdk_1
}  // namespace flotilla::sdk
