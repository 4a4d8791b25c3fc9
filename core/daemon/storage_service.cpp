// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/storage_service.hpp"

#include <map>
#include <utility>
#include <vector>

#include "core/backup/backup_file.hpp"
#include "core/base/log.hpp"
#include "core/base/version.hpp"
#include "core/http/http.hpp"

namespace flotilla::daemon {
namespace {

using api::Json;

const Logger kLog("storage");

// A snapshot in the format of a file. One that fails ends without its end, which whoever reads it notices.
class BackupStream final : public http::BodyStream {
 public:
  BackupStream(std::unique_ptr<store::SnapshotReader> snapshot, backup::BackupHeader header)
      : snapshot_(std::move(snapshot)), header_(std::move(header)) {}

  Task<std::vector<http::Chunk>> next() override {
    std::vector<http::Chunk> chunks;
    if (done_) co_return chunks;
    auto reading = snapshot_->next();
    auto part = co_await std::move(reading);
    if (!part) {
      kLog.error("a backup was given up", {{"error", part.error().message()}});
      done_ = true;
      co_return chunks;
    }
    if (*part && !std::exchange(begun_, true)) {
      header_.revision = (*part)->revision;
      chunks.push_back(http::Chunk::of(encoder_.begin(header_)));
    }
    done_ = !*part;
    chunks.push_back(http::Chunk::of(done_ ? encoder_.end() : encoder_.part((*part)->values)));
    if (done_) {
      kLog.info("backup sent", {{"keys", encoder_.totals().keys}, {"revision", header_.revision.get()}});
    }
    co_return chunks;
  }

 private:
  const std::unique_ptr<store::SnapshotReader> snapshot_;
  backup::BackupHeader header_;
  backup::BackupEncoder encoder_;
  bool begun_ = false;
  bool done_ = false;
};

const char* word_of(store::MaintenanceReport::Kind kind) {
  switch (kind) {
    case store::MaintenanceReport::Kind::Progress:
      return "Progress";
    case store::MaintenanceReport::Kind::Finding:
      return "Finding";
    case store::MaintenanceReport::Kind::Fault:
      return "Fault";
  }
  return "";
}

class ReportStream final : public http::BodyStream {
 public:
  explicit ReportStream(std::unique_ptr<store::MaintenanceReader> reports) : reports_(std::move(reports)) {}

  Task<std::vector<http::Chunk>> next() override {
    std::vector<http::Chunk> chunks;
    if (done_) co_return chunks;
    auto reading = reports_->next();
    const auto report = co_await std::move(reading);
    Json line = Json::object();
    done_ = !report || !*report;
    if (!report) {
      line = Json::object({{"kind", "Error"}, {"text", report.error().message()}});
    } else if (!*report) {
      line = Json::object({{"kind", "End"}});
    } else {
      line = Json::object({{"kind", word_of((*report)->kind)},
                           {"text", (*report)->text},
                           {"done", static_cast<std::int64_t>((*report)->done)},
                           {"total", static_cast<std::int64_t>((*report)->total)}});
    }
    chunks.push_back(http::Chunk::of(line.dump() + "\n"));
    co_return chunks;
  }

 private:
  const std::unique_ptr<store::MaintenanceReader> reports_;
  bool done_ = false;
};

Task<Result<Json>> answer_backup(store::StorageBackend* storage, const Clock* clock, OperatorCallPtr call) {
  backup::BackupHeader header;
  header.version = kVersion;
  header.created = format_time(clock->now());
  header.storage = storage->name();
  call->stream = std::make_unique<BackupStream>(store::save_snapshot(*storage), std::move(header));
  kLog.info("backup begins", {{"user", call->user}});
  co_return Json();
}

Task<Result<Json>> answer_figures(store::StorageBackend* storage) {
  auto stating = storage->status(false);
  const auto status = co_await std::move(stating);
  if (!status) co_return status.error();
  auto asking = store::figures_of(storage);
  const auto figures = co_await std::move(asking);
  if (!figures) co_return figures.error();
  Json list = Json::array();
  for (const store::StorageFigure& figure : *figures)
    list.push_back(Json::object({{"name", figure.name}, {"help", figure.help}, {"value", figure.value}}));
  co_return Json::object({{"kind", "StorageFigures"},
                          {"storage", storage->name()},
                          {"revision", status->revision.get()},
                          {"compacted", status->compacted.get()},
                          {"readOnly", status->read_only},
                          {"alarm", status->alarm},
                          {"figures", std::move(list)}});
}

Task<Result<Json>> answer_storage(store::StorageBackend* storage, OperatorCallPtr call) {
  if (call->method == "GET") {
    auto answering = answer_figures(storage);
    co_return co_await std::move(answering);
  }
  const auto wanted = call->query.find("do");
  const std::string what = wanted == call->query.end() ? std::string() : wanted->second;
  if (what != "check" && what != "compact") co_return Error(Code::BadRequest, "say do=check or do=compact");
  auto reports = store::maintain(
      *storage, what == "check" ? store::Maintenance::Check : store::Maintenance::Compact, false);
  if (!reports) co_return std::move(reports).error();
  call->stream = std::make_unique<ReportStream>(*std::move(reports));
  co_return Json();
}

Task<void> watch_figures(store::StorageBackend* storage, Metrics* metrics) {
  std::map<std::string, std::shared_ptr<Gauge>> gauges;
  for (;;) {
    auto asking = store::figures_of(storage);
    const auto figures = co_await std::move(asking);
    if (figures) {
      for (const store::StorageFigure& figure : *figures) {
        std::shared_ptr<Gauge>& gauge = gauges[figure.name];
        if (!gauge) gauge = metrics->gauge("flotilla_storage_" + figure.name, figure.help);
        gauge->set(figure.value);
      }
    }
    auto sleeping = sleep_for(std::chrono::seconds(5));
    if (!co_await std::move(sleeping)) co_return;
  }
}

}  // namespace

void serve_storage(OperatorEndpoint& endpoint, store::StorageBackend& storage, const Clock& clock) {
  OperatorWord backup{"backups", {{"GET", "create"}}, {}};
  backup.answer = [storage = &storage, clock = &clock](OperatorCallPtr call) {
    return answer_backup(storage, clock, std::move(call));
  };
  endpoint.add("backup", std::move(backup));
  OperatorWord upkeep{"storage", {{"GET", "get"}, {"POST", "update"}}, {}};
  upkeep.answer = [storage = &storage](OperatorCallPtr call) {
    return answer_storage(storage, std::move(call));
  };
  endpoint.add("storage", std::move(upkeep));
}

StorageFigures::StorageFigures(const Executor& executor, store::StorageBackend& storage, Metrics& metrics)
    : scope_(executor.strand(), "storage-figures") {
  scope_.spawn(watch_figures(&storage, &metrics));
}

StorageFigures::~StorageFigures() {
  stop();
}

void StorageFigures::stop() {
  scope_.cancel();
  scope_.join_blocking();
}

}  // namespace flotilla::daemon
