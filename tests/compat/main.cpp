// SPDX-License-Identifier: Apache-2.0
// flotilla-compat [--messages] FILE...: asks the production code what another control plane was asked, and
// compares the answers. Exit codes: 0 all right, 1 something differs, 64 the input cannot be read.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "core/api/json.hpp"
#include "tests/compat/compare.hpp"
#include "tests/compat/topic.hpp"

namespace {

using flotilla::api::Json;
namespace compat = flotilla::compat;

constexpr int kDiffers = 1;
constexpr int kUnreadable = 64;
constexpr std::string_view kUsage =
    "usage: flotilla-compat [--messages] FILE...\n"
    "Reads recorded questions and answers (*.jsonl, schema.json) and asks this build the same questions.\n"
    "  --messages  compare the text of errors as well where it stems from libraries of the original\n";

using Topics = std::map<std::string_view, compat::Answer>;

Topics all_topics() {
  Topics topics;
  for (auto list : {compat::scheduler_topics(), compat::override_topics(), compat::propagation_topics(),
                    compat::interpreter_topics(), compat::cluster_topics(), compat::admission_topics(),
                    compat::schema_topics()}) {
    for (const compat::Topic& topic : list) topics.emplace(topic.name, topic.answer);
  }
  return topics;
}

class Run {
 public:
  Run(Topics topics, compat::CompareOptions options) : topics_(std::move(topics)), options_(options) {}

  void check(const Json& line) {
    std::string name(line["name"].as_string("(without a name)"));
    std::string_view topic = line["topic"].as_string();
    auto found = topics_.find(topic);
    std::string reason = found == topics_.end()
                             ? "unknown topic " + std::string(topic)
                             : compat::difference(line, found->second(line["input"]), options_);
    std::replace(reason.begin(), reason.end(), '\n', ' ');
    if (reason.empty()) {
      ++passed_;
      std::printf("ok %s\n", name.c_str());
    } else {
      ++failed_;
      std::printf("not ok %s %s\n", name.c_str(), reason.c_str());
    }
  }

  // Each kind of a schema document is one question: what do you serve under this group and kind?
  void check_schema(const Json& document) {
    for (const Json& kind : document["kinds"].elements()) {
      Json input = Json::object({{"group", kind["group"]}, {"kind", kind["kind"]}});
      std::string name =
          "schema/" + std::string(kind["group"].as_string()) + "/" + std::string(kind["kind"].as_string());
      check(Json::object({{"name", name}, {"topic", "schema"}, {"input", input}, {"expected", kind}}));
    }
  }

  int finish() const {
    std::printf("%d passed, %d failed\n", passed_, failed_);
    return failed_ == 0 ? 0 : kDiffers;
  }

 private:
  Topics topics_;
  compat::CompareOptions options_;
  int passed_ = 0;
  int failed_ = 0;
};

bool complain(const std::string& file, const std::string& cause) {
  std::fprintf(stderr, "flotilla-compat: %s: %s\n", file.c_str(), cause.c_str());
  return false;
}

constexpr flotilla::api::ParseLimits kLimits{.max_bytes = 64u << 20, .max_depth = 512};

bool check_lines(Run& run, const std::string& file, std::string_view text) {
  for (int number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    auto parsed = Json::parse(line, kLimits);
    if (!parsed) return complain(file, "line " + std::to_string(number) + ": " + parsed.error().message());
    if (!parsed->contains("topic")) {
      return complain(file, "line " + std::to_string(number) + ": no member \"topic\"");
    }
    run.check(*parsed);
  }
  return true;
}

bool check_file(Run& run, const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return complain(file, "cannot open it");
  std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (stream.bad() || (text.empty() && !stream.eof() && stream.fail()))
    return complain(file, "cannot read it");
  if (file.ends_with(".jsonl")) return check_lines(run, file, text);
  auto whole = Json::parse(text, kLimits);
  if (!whole || whole->contains("topic")) return check_lines(run, file, text);
  if (!(*whole)["kinds"].is_array()) return complain(file, "neither recorded lines nor a schema document");
  run.check_schema(*whole);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  compat::CompareOptions options;
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    std::string_view argument = argv[i];
    if (argument == "--messages") {
      options.messages = true;
    } else if (argument == "--help" || argument == "-h") {
      std::fputs(kUsage.data(), stdout);
      return 0;
    } else if (argument.starts_with("--")) {
      complain(std::string(argument), "unknown option");
      return kUnreadable;
    } else {
      files.emplace_back(argument);
    }
  }
  if (files.empty()) {
    std::fputs(kUsage.data(), stderr);
    return kUnreadable;
  }
  Run run(all_topics(), options);
  for (const std::string& file : files) {
    if (!check_file(run, file)) return kUnreadable;
  }
  return run.finish();
}
