// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/authorities.hpp"

#include <array>
#include <filesystem>

#include "core/apiserver/security/signing_key.hpp"
#include "core/base/log.hpp"
#include "core/ctl/kubeconfig.hpp"
#include "core/daemon/leadership.hpp"
#include "core/daemon/pki.hpp"
#include "core/daemon/wait.hpp"
#include "core/store/metadata_rules.hpp"

namespace flotilla::daemon {
namespace {

using api::Json;

const Logger kLog("daemon");
constexpr const char* kKey = "pki/authorities";

struct SharedFile {
  const char* name;
  bool secret;
};
constexpr std::array<SharedFile, 5> kFiles = {{{"ca.crt", false},
                                               {"ca.key", true},
                                               {"front-proxy-ca.crt", false},
                                               {"front-proxy-ca.key", true},
                                               {"service-account.key", true}}};

// Null: the storage has none.
Result<Json> stored(const Executor& executor, const store::Store& store) {
  auto reading = store.side_values(kKey);
  const Result<store::SideValues> found = wait_for(executor, std::move(reading));
  if (!found) return found.error();
  if (found->empty()) return Json();
  Result<Json> document = Json::parse(found->front().value);
  if (!document) return std::move(document).context("authorities in storage");
  return document;
}

// Files that are missing are written; one that differs is an error.
Status take(const std::string& folder, const Json& shared) {
  for (const SharedFile& file : kFiles) {
    const std::string path = folder + "/" + file.name;
    const std::string wanted(shared[file.name].as_string());
    const auto have = ctl::read_file(path);
    if (have && *have == wanted) continue;
    if (have) {
      return Error(Code::Conflict,
                   path +
                       " differs from what the daemons of this storage share. Start with an empty "
                       "data_dir, or remove " +
                       folder + " if this daemon is to join them.");
    }
    if (Status written = ctl::write_file(path, wanted, file.secret ? 0600 : 0644); !written) return written;
  }
  return {};
}

Result<Json> read_own(const std::string& folder) {
  Json all = Json::object();
  for (const SharedFile& file : kFiles) {
    const auto text = ctl::read_file(folder + "/" + file.name);
    if (!text) return text.error();
    all.set(file.name, *text);
  }
  return all;
}

// In a commit of the Lease as it was before storage was asked (null: there was none), so that of several
// first daemons one wins.
Status offer(const Executor& executor, store::Store& store, const api::ObjectPtr& lease, const Json& all) {
  const api::ObjectKey& key = Leadership::key();
  store::SideValues beside;
  beside.push_back({kKey, all.dump(), false, {}});
  Task<Result<api::ObjectPtr>> writing;
  if (lease) {
    writing = store.update(Leadership::collection(), *lease->content(), lease->revision(),
                           store::Durability::Wait, std::move(beside));
  } else {
    Json metadata = Json::object({{"name", key.name},
                                  {"namespace", key.ns},
                                  {"uid", store::new_uid()},
                                  {"creationTimestamp", format_time(executor.clock().now())}});
    Json made = Json::object({{"apiVersion", "coordination.k8s.io/v1"},
                              {"kind", "Lease"},
                              {"metadata", std::move(metadata)},
                              {"spec", Json::object({{"holderIdentity", ""}, {"leaseDurationSeconds", 1}})}});
    writing =
        store.create(Leadership::collection(), std::move(made), store::Durability::Wait, std::move(beside));
  }
  const auto written = wait_for(executor, std::move(writing));
  return written ? Status() : Status(written.error());
}

// All five files of this daemon, made where they are missing.
Result<Json> make_own(const DataDir& directory, const std::string& folder, const Clock& clock) {
  Result<Pki> made = Pki::load_or_make(directory, {}, clock);
  if (!made) return made.error();
  if (made->service_account_key_pem.empty()) {
    auto key = apiserver::SigningKey::generate();
    if (!key) return key.error();
    if (Status kept = Pki::keep_service_account_key(directory, key->pem()); !kept) return kept.error();
  }
  return read_own(folder);
}

Status forget_own(const std::string& folder) {
  for (const SharedFile& file : kFiles) {
    const std::string path = folder + "/" + file.name;
    std::error_code failed;
    std::filesystem::remove(path, failed);
    if (failed) return Error(Code::Internal, "remove " + path + ": " + failed.message());
  }
  return {};
}

}  // namespace

Status share_authorities(const Executor& executor, store::Store& store, const DataDir& directory) {
  constexpr int kMostTries = 8;
  const Result<std::string> folder = directory.folder("pki");
  if (!folder) return folder.error();
  const bool had_own = ctl::read_file(*folder + "/ca.key").ok();
  for (int tried = 1;; ++tried) {
    auto asking = store.fresh();
    if (Status newest = wait_for(executor, std::move(asking)); !newest) return newest;
    const api::ObjectPtr lease =
        store.get(Leadership::collection(), Leadership::key().ns, Leadership::key().name);
    const Result<Json> shared = stored(executor, store);
    if (!shared) return shared.error();
    if (!shared->is_null()) {
      // What was made here a moment ago has signed nothing yet.
      if (tried > 1 && !had_own) {
        if (Status forgotten = forget_own(*folder); !forgotten) return forgotten;
      }
      return take(*folder, *shared);
    }
    const Result<Json> own = make_own(directory, *folder, executor.clock());
    if (!own) return own.error();
    const Status offered = offer(executor, store, lease, *own);
    if (offered) {
      kLog.info("authorities are shared through storage", {{"folder", *folder}});
      return {};
    }
    const bool faster = offered.error().is(Code::AlreadyExists) || offered.error().is(Code::Conflict);
    if (!faster || tried == kMostTries) return offered;
  }
}

}  // namespace flotilla::daemon
