// SPDX-License-Identifier: Apache-2.0
// flotilla-storage-check FILE.so [--config JSON] [--component NAME] [--seed N] [--list] [ID...]: the rules of
// flotilla.storage/1 against a storage backend, one line per rule. "{fresh}" in the configuration becomes
// another name for each rule, so that backends that keep their data elsewhere begin with an empty store:
//   flotilla-storage-check storage_etcd.so --config
//   '{"endpoints":["127.0.0.1:2379"],"prefix":"/check/{fresh}/"}'
// Exit codes: 0 all hold, 1 one does not, 64 wrong arguments, 66 no such backend.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>
#include <set>
#include <string>

#include "sdk/conformance/storage_suite.hpp"

namespace {

using namespace flotilla::conformance;

constexpr int kUsage = 64;
constexpr int kNoInput = 66;

struct Arguments {
  std::string file;
  std::string config = "{}";
  std::string component;
  std::uint64_t seed = std::random_device()();
  std::set<std::string> ids;
  bool list = false;
};

bool parse(int argc, char** argv, Arguments& out) {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const bool has_value = i + 1 < argc;
    if (argument == "--list") {
      out.list = true;
    } else if (argument == "--config" && has_value) {
      out.config = argv[++i];
    } else if (argument == "--component" && has_value) {
      out.component = argv[++i];
    } else if (argument == "--seed" && has_value) {
      out.seed = std::strtoull(argv[++i], nullptr, 10);
    } else if (argument.starts_with("-")) {
      return false;
    } else if (out.file.empty()) {
      out.file = argument;
    } else {
      out.ids.insert(argument);
    }
  }
  return out.list || !out.file.empty();
}

const flt_component_t* find(const Arguments& arguments) {
  void* library = ::dlopen(arguments.file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "%s\n", ::dlerror());
    return nullptr;
  }
  const auto* plugin = static_cast<const flt_plugin_v1_t*>(::dlsym(library, FLT_PLUGIN_SYMBOL));
  if (plugin == nullptr || plugin->magic != FLT_PLUGIN_MAGIC) {
    std::fprintf(stderr, "%s is no Flotilla plugin\n", arguments.file.c_str());
    return nullptr;
  }
  for (std::uint64_t i = 0; i < plugin->n_components; ++i) {
    const flt_component_t* component = plugin->components[i];
    if (std::strcmp(component->kind, FLT_KIND_STORAGE) == 0 &&
        (arguments.component.empty() || arguments.component == component->name))
      return component;
  }
  std::fprintf(stderr, "%s has no such storage backend\n", arguments.file.c_str());
  return nullptr;
}

Verdict run(const StorageCheck& check, const flt_component_t& component, const Arguments& arguments) {
  std::string folder = (std::filesystem::temp_directory_path() / "storage-check-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return {Verdict::Failed, "no temporary folder"};
  StorageSubject subject{&component, arguments.config, folder, arguments.seed};
  const std::string fresh = std::filesystem::path(folder).filename().string();
  for (std::size_t at = 0; (at = subject.config_json.find("{fresh}")) != std::string::npos;)
    subject.config_json.replace(at, 7, fresh);
  Verdict verdict = run_check(check, subject);
  std::filesystem::remove_all(folder);
  return verdict;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::fputs(
        "usage: flotilla-storage-check FILE.so [--config JSON] [--component NAME] [--seed N] [--list] "
        "[ID...]\n",
        stderr);
    return kUsage;
  }
  if (arguments.list) {
    for (const StorageCheck& check : storage_checks()) std::printf("%-24s %s\n", check.id, check.rule);
    return 0;
  }
  const flt_component_t* component = find(arguments);
  if (component == nullptr) return kNoInput;
  int counts[3] = {0, 0, 0};
  for (const StorageCheck& check : storage_checks()) {
    if (!arguments.ids.empty() && !arguments.ids.contains(check.id)) continue;
    const Verdict verdict = run(check, *component, arguments);
    ++counts[verdict.outcome];
    if (verdict.outcome == Verdict::Passed) {
      std::printf("ok      %s: %s\n", check.id, check.rule);
    } else {
      std::printf("%s  %s\n", verdict.outcome == Verdict::Failed ? "FAILED" : "n/a   ", verdict.why.c_str());
    }
    std::fflush(stdout);
  }
  std::printf("%s: %d hold, %d do not, %d do not apply; seed %llu\n", component->name,
              counts[Verdict::Passed], counts[Verdict::Failed], counts[Verdict::NotApplicable],
              static_cast<unsigned long long>(arguments.seed));
  return counts[Verdict::Failed] == 0 ? 0 : 1;
}
