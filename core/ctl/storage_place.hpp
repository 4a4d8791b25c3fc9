// SPDX-License-Identifier: Apache-2.0
// A storage backend that the command line works on by itself, while no daemon does: sqlite:PATH,
// etcd:ENDPOINT[,ENDPOINT...][/PREFIX], NAME:{its configuration as JSON}, or that of a daemon's data
// directory.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/api/json.hpp"
#include "core/async/executor.hpp"
#include "core/async/fiber_scope.hpp"
#include "core/plugin/registry.hpp"
#include "core/store/storage_backend.hpp"

namespace flotilla::ctl {

struct StoragePlace {
  std::string name;       // of the backend
  api::Json config;       // its configuration
  std::string state_dir;  // where its files lie when the configuration does not say

  // Errors: BadRequest.
  static Result<StoragePlace> parse(const std::string& text);
};

// As flotillad's own flags mean it.
struct DaemonPlace {
  std::string data_dir;
  std::string config;  // file
  std::string storage;
  std::vector<std::string> assignments;
};
Result<StoragePlace> storage_of(const DaemonPlace& daemon);

// Plugins and threads for backends. Thread: one that may block.
class StorageHost {
 public:
  StorageHost();
  ~StorageHost();

  // Started. Errors: what the backend says, for example that a daemon has it.
  Result<std::unique_ptr<store::StorageBackend>> open(const StoragePlace& place);
  void close(std::unique_ptr<store::StorageBackend> backend);
  // Runs a coroutine to its end.
  template <typename T>
  Result<T> run(Task<Result<T>> task) {
    Result<T> answer = Error(Code::Internal, "an operation ended without an answer");
    scope_.spawn(keep(std::move(task), &answer));
    scope_.join_blocking();
    return answer;
  }

 private:
  template <typename T>
  static Task<void> keep(Task<Result<T>> task, Result<T>* answer) {
    *answer = co_await std::move(task);
  }

  SystemClock clock_;
  Executor executor_;
  plugin::HostEnvironment environment_;
  plugin::Registry plugins_;
  FiberScope scope_;
};

// An open backend that is closed with this.
class OpenStorage {
 public:
  OpenStorage(StorageHost& host, std::unique_ptr<store::StorageBackend> backend)
      : host_(host), backend_(std::move(backend)) {}
  ~OpenStorage() { host_.close(std::move(backend_)); }
  OpenStorage(const OpenStorage&) = delete;
  OpenStorage& operator=(const OpenStorage&) = delete;
  store::StorageBackend* operator->() { return backend_.get(); }
  store::StorageBackend* get() { return backend_.get(); }

 private:
  StorageHost& host_;
  std::unique_ptr<store::StorageBackend> backend_;
};

}  // namespace flotilla::ctl
