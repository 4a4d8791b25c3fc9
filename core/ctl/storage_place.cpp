// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/storage_place.hpp"

#include <filesystem>

#include "core/base/version.hpp"
#include "core/config/settings.hpp"
#include "core/plugin/storage_adapter.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

Json etcd_config(const std::string& rest) {
  // "https://a:2379,https://b:2379/prefix/": the prefix begins with the first slash that ends no scheme.
  std::size_t slash = 0;
  for (;;) {
    slash = rest.find('/', slash);
    if (slash == std::string::npos || slash == 0 || rest[slash - 1] != ':' || rest[slash + 1] != '/') break;
    slash += 2;
  }
  Json endpoints = Json::array();
  const std::string list = rest.substr(0, slash);
  for (std::size_t from = 0; from <= list.size();) {
    const std::size_t comma = std::min(list.find(',', from), list.size());
    if (comma > from) endpoints.push_back(list.substr(from, comma - from));
    from = comma + 1;
  }
  Json config = Json::object({{"endpoints", std::move(endpoints)}});
  if (slash == std::string::npos || slash + 1 >= rest.size()) return config;
  std::string prefix = rest.substr(slash);
  if (prefix.back() != '/') prefix += '/';
  config.set("prefix", std::move(prefix));
  return config;
}

}  // namespace

Result<StoragePlace> StoragePlace::parse(const std::string& text) {
  const auto colon = text.find(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size()) {
    return Error(Code::BadRequest, "\"" + text +
                                       "\" names no storage: give sqlite:PATH, etcd:ENDPOINTS/PREFIX or "
                                       "NAME:{configuration as JSON}");
  }
  StoragePlace place;
  place.name = text.substr(0, colon);
  const std::string rest = text.substr(colon + 1);
  std::error_code failed;
  place.state_dir = std::filesystem::current_path(failed).string();
  if (rest.front() == '{') {
    auto config = Json::parse(rest);
    if (!config) return std::move(config).context(place.name);
    place.config = *std::move(config);
  } else if (place.name == "etcd") {
    place.config = etcd_config(rest);
  } else {
    std::filesystem::path path = std::filesystem::absolute(rest, failed);
    if (std::filesystem::is_directory(path, failed)) path /= "flotilla.db";
    place.config = Json::object({{"path", path.string()}});
  }
  return place;
}

Result<StoragePlace> storage_of(const DaemonPlace& daemon) {
  config::Settings settings;
  if (!daemon.config.empty()) {
    if (Status read = config::read_settings(daemon.config, settings); !read) return read.error();
  }
  for (const std::string& assignment : daemon.assignments) {
    if (Status set = config::set_setting(assignment, settings); !set) return set.error();
  }
  if (!daemon.storage.empty()) settings.storage.name = daemon.storage;
  if (!daemon.data_dir.empty()) settings.data_dir = daemon.data_dir;
  if (settings.data_dir.empty()) return Error(Code::BadRequest, "name the daemon's --data-dir");
  std::error_code failed;
  StoragePlace place{settings.storage_name(), settings.storage.config,
                     std::filesystem::absolute(settings.data_dir, failed).string()};
  return place;
}

StorageHost::StorageHost()
    : executor_(clock_, {.io_threads = 1, .blocking_threads = 1}),
      environment_(executor_, std::string("flotillactl ") + kVersion),
      plugins_(environment_),
      scope_(executor_.strand(), "storage") {
  plugins_.discover(plugin::plugin_directories());
}

StorageHost::~StorageHost() {
  scope_.cancel();
  scope_.join_blocking();
  executor_.stop();
}

namespace {

Task<Result<bool>> start(store::StorageBackend* backend) {
  auto starting = backend->start();
  const Status started = co_await std::move(starting);
  if (!started) co_return started.error();
  co_return true;
}

Task<Result<bool>> stop(store::StorageBackend* backend) {
  auto stopping = backend->stop();
  co_await std::move(stopping);
  co_return true;
}

}  // namespace

Result<std::unique_ptr<store::StorageBackend>> StorageHost::open(const StoragePlace& place) {
  plugin::InstanceOptions options;
  options.config = place.config;
  options.state_dir = place.state_dir;
  auto instance = plugins_.instantiate(FLT_KIND_STORAGE, place.name, std::move(options));
  if (!instance) return std::move(instance).context("storage");
  auto backend = plugin::make_storage_backend(*std::move(instance));
  if (!backend) return backend;
  const Result<bool> started = run(start(backend->get()));
  if (!started) return Error(started.error()).context("open storage " + place.name);
  return backend;
}

void StorageHost::close(std::unique_ptr<store::StorageBackend> backend) {
  if (backend) static_cast<void>(run(stop(backend.get())));
}

}  // namespace flotilla::ctl
