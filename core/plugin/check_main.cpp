// SPDX-License-Identifier: Apache-2.0
// flotilla-plugin-check FILE.so: what the daemon would say of a plugin, and whether its components live and
// die in order. One line per check; exit code 1 when one failed.
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <future>
#include <string>

#include "core/async/fiber_scope.hpp"
#include "core/base/version.hpp"
#include "core/plugin/elf_check.hpp"
#include "core/plugin/file_check.hpp"
#include "core/plugin/registry.hpp"

namespace {

using namespace flotilla::plugin;
using flotilla::Status;
using flotilla::Task;
namespace fs = std::filesystem;

constexpr int kRounds = 3;
constexpr int kUsage = 64;

class Report {
 public:
  bool check(const std::string& what, const Status& status) {
    if (status) {
      std::printf("ok      %s\n", what.c_str());
    } else {
      std::printf("FAILED  %s: %s\n", what.c_str(), status.error().message().c_str());
      ++failed_;
    }
    return status.ok();
  }
  void notice(const std::string& text) { std::printf("note    %s\n", text.c_str()); }
  int exit_code() const { return failed_ == 0 ? 0 : 1; }

 private:
  int failed_ = 0;
};

Task<void> start_and_stop(std::shared_ptr<Instance> instance, std::promise<Status>* answer) {
  auto starting = instance->start(std::chrono::seconds(10));
  const Status started = co_await std::move(starting);
  if (!started) {
    answer->set_value(started);
    co_return;
  }
  auto stopping = instance->stop(std::chrono::seconds(10));
  answer->set_value(co_await std::move(stopping));
}

class Checker {
 public:
  explicit Checker(Report& report)
      : report_(report), environment_(executor_, "flotilla-plugin-check"), registry_(environment_) {
    std::string pattern = (fs::temp_directory_path() / "flotilla-plugin-check-XXXXXX").string();
    state_dir_ = mkdtemp(pattern.data());
  }
  ~Checker() { fs::remove_all(state_dir_); }

  void run(const fs::path& file) {
    if (const Status status = check_file(file, trusted_owners()); !status) {
      report_.notice("the daemon would refuse it where it lies: " + status.error().message());
    }
    const auto elf = check_elf_file(file);
    if (!report_.check("static", elf ? Status() : Status(elf.error()))) return;
    for (const std::string& notice : elf->notices) report_.notice(notice);
    if (!report_.check("load and handshake", registry_.load(file))) return;
    const PluginRecord& record = registry_.records().back();
    std::printf("        %s %s (%s)\n", record.id.c_str(), record.version.c_str(), record.license.c_str());
    for (const std::string& notice : record.notices) report_.notice(notice);
    for (const ComponentRecord& component : record.components) check_component(component);
  }

 private:
  void check_component(const ComponentRecord& component) {
    const std::string name = component.kind + " " + component.name;
    InstanceOptions options;
    options.state_dir = state_dir_;
    for (int round = 0; round < kRounds; ++round) {
      const auto instance = registry_.instantiate(component.kind, component.name, options);
      if (!report_.check(name + ": create" + of(round), instance ? Status() : Status(instance.error())))
        return;
      if (!report_.check(name + ": start and stop" + of(round), live(*instance))) return;
      Status complete;
      if ((*instance)->services()->in_flight() != 0)
        complete = flotilla::internal("an operation never completed");
      if ((*instance)->services()->misbehaviours() != 0)
        complete = flotilla::internal("it broke the rules of calls; see the log");
      if (!report_.check(name + ": every operation completed once" + of(round), complete)) return;
    }
    const auto first = registry_.instantiate(component.kind, component.name, options);
    options.state_dir += "/second";
    fs::create_directories(options.state_dir);
    options.name = "second";
    const auto second = registry_.instantiate(component.kind, component.name, options);
    report_.check(name + ": two instances at once", second ? Status() : Status(second.error()));
  }

  static std::string of(int round) {
    return " (" + std::to_string(round + 1) + "/" + std::to_string(kRounds) + ")";
  }

  Status live(const std::shared_ptr<Instance>& instance) {
    flotilla::FiberScope scope(executor_.strand(), "check");
    std::promise<Status> answer;
    auto result = answer.get_future();
    scope.spawn(start_and_stop(instance, &answer));
    scope.join_blocking();
    return result.get();
  }

  Report& report_;
  flotilla::SystemClock clock_;
  flotilla::Executor executor_{clock_};
  HostEnvironment environment_;
  Registry registry_;
  std::string state_dir_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || argv[1][0] == '-') {
    std::fprintf(stderr, "usage: flotilla-plugin-check FILE.so\n");
    return kUsage;
  }
  std::error_code failed;
  const fs::path file = fs::canonical(argv[1], failed);
  if (failed) {
    std::fprintf(stderr, "error: %s: %s\n", argv[1], failed.message().c_str());
    return 1;
  }
  Report report;
  Checker(report).run(file);
  return report.exit_code();
}
