// SPDX-License-Identifier: Apache-2.0
// flotillactl interpret --test: fixtures in files named tests.yaml, see docs/resource-interpreters.md.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/config/yaml.hpp"
#include "core/ctl/interpret.hpp"
#include "core/ctl/terminal.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;
namespace fs = std::filesystem;

constexpr const char* kFixtures = "tests.yaml";

struct Tally {
  int passed = 0;
  int failed = 0;
  void count(const std::string& name, const std::string& fault) {
    ++(fault.empty() ? passed : failed);
    fmt::print("{} {}{}{}\n", fault.empty() ? "ok" : "not ok", name, fault.empty() ? "" : ": ", fault);
  }
};

bool says_nothing(const Json& value) {
  return value.is_null() || ((value.is_object() || value.is_array()) && value.empty());
}

// The first place where they differ; members that say nothing are as good as absent.
std::string difference(const Json& want, const Json& got, const std::string& place) {
  if (says_nothing(want) && says_nothing(got)) return {};
  if (want.is_object() && got.is_object()) {
    for (const auto& [key, value] : want.members()) {
      std::string found = difference(value, got[key], place + "." + std::string(key));
      if (!found.empty()) return found;
    }
    for (const auto& [key, value] : got.members()) {
      if (!want.contains(key) && !says_nothing(value))
        return fmt::format("{}.{}: unexpected {}", place, key, value.dump());
    }
    return {};
  }
  if (want.is_array() && got.is_array() && want.size() == got.size()) {
    for (std::size_t i = 0; i < want.size(); ++i) {
      std::string found = difference(want.element(i), got.element(i), fmt::format("{}[{}]", place, i));
      if (!found.empty()) return found;
    }
    return {};
  }
  if (want == got) return {};
  return fmt::format("{}: want {}, got {}", place, want.dump(), got.dump());
}

// A text names a file beside the fixtures, all else is the value itself.
Result<Json> input_of(const Json& value, const fs::path& folder, bool list) {
  if (!value.is_string()) return value;
  const std::string path = folder / std::string(value.as_string());
  return list ? read_list(path) : read_value(path);
}

Result<InterpretInput> input_of(const Json& test, const fs::path& folder) {
  InterpretInput input;
  struct Part {
    const char* name;
    Json InterpretInput::*member;
    bool list;
  };
  constexpr Part kParts[] = {{"desired", &InterpretInput::desired, false},
                             {"observed", &InterpretInput::observed, false},
                             {"status", &InterpretInput::items, true}};
  for (const Part& part : kParts) {
    Result<Json> value = input_of(test[part.name], folder, part.list);
    if (!value) return std::move(value).error();
    input.*part.member = std::move(*value);
  }
  input.replicas = test["desiredReplica"];
  return input;
}

// What is wrong; empty: nothing.
std::string run(const interpreter::Interpreter& interpreter, const Json& test, const fs::path& folder) {
  const auto operation = interpreter::parse_operation(test["operation"].as_string());
  if (!operation) return fmt::format("no operation \"{}\"", test["operation"].as_string());
  const Json& expect = test["expect"];
  if (!expect.is_object() || expect.empty()) return "expect says nothing";
  const auto input = input_of(test, folder);
  if (!input) return input.error().message();
  const auto results = interpret(interpreter, *operation, *input);
  if (expect.contains("error")) {
    if (results) return "no error";
    const std::string_view words = expect["error"].as_string();
    return results.error().message().find(words) == std::string::npos
               ? fmt::format("error: want {}, got {}", words, results.error().message())
               : "";
  }
  if (!results) return results.error().message();
  for (const auto& [name, want] : expect.members()) {
    const auto result = std::ranges::find(*results, name, &InterpretResult::name);
    if (result == results->end()) return fmt::format("{} has no result \"{}\"", to_string(*operation), name);
    std::string found = difference(want, result->value, std::string(name));
    if (!found.empty()) return found;
  }
  return {};
}

Status run_file(const fs::path& file, const std::string& shown, Tally& tally) {
  const fs::path folder = file.parent_path();
  const Result<Json> fixtures = read_value(file);
  if (!fixtures) return fixtures.error();
  std::vector<std::string> sources;
  for (const Json& source : (*fixtures)["customizations"].elements())
    sources.push_back(folder / std::string(source.as_string()));
  if (sources.empty() && !(*fixtures)["builtIn"].as_bool()) sources.push_back(folder);
  auto customizations = read_customizations(sources);
  if (!customizations) return customizations.error();
  if (customizations->empty() && !(*fixtures)["builtIn"].as_bool())
    return Error(Code::Invalid, file.string() + ": no ResourceInterpreterCustomization is beside it");
  const auto interpreter = interpreter_of(std::move(*customizations));
  int number = 0;
  for (const Json& test : (*fixtures)["tests"].elements()) {
    ++number;
    const std::string_view name = test["name"].as_string();
    tally.count(fmt::format("{}/{}", shown, name.empty() ? std::to_string(number) : std::string(name)),
                run(*interpreter, test, folder));
  }
  if (number == 0) return Error(Code::Invalid, file.string() + ": no tests");
  return {};
}

}  // namespace

int test_customizations(const std::string& folder) {
  if (!fs::is_directory(folder))
    return print_error(Error(Code::NotFound, folder + " is no folder")), exit_code::kUsage;
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().filename() == kFixtures) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  if (files.empty())
    return print_error(Error(Code::NotFound, fmt::format("no {} in {}", kFixtures, folder))),
           exit_code::kUsage;
  Tally tally;
  for (const fs::path& file : files) {
    const std::string shown = fs::relative(file.parent_path(), folder).string();
    if (Status done = run_file(file, shown, tally); !done)
      return print_error(done.error()), exit_code::kUsage;
  }
  fmt::print("{} passed, {} failed\n", tally.passed, tally.failed);
  return tally.failed == 0 ? exit_code::kOk : exit_code::kFailed;
}

}  // namespace flotilla::ctl
