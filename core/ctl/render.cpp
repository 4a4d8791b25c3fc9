// SPDX-License-Identifier: Apache-2.0
// flotillactl render: the manifest as a cluster gets it, and who wrote which line.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "core/config/yaml.hpp"
#include "core/ctl/paint.hpp"
#include "core/ctl/reference.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

struct RenderFlags {
  std::vector<std::string> words, clusters;
  std::string output = "yaml";
  bool blame = false;
};

// A line of YAML and the number of the hand that wrote it; 0: the template.
struct Line {
  std::string text;
  int by = 0;
};

// Writes YAML line by line, so that each line is still known by its place in the document.
class Writer {
 public:
  explicit Writer(std::map<std::string, int> blame) : blame_(std::move(blame)) {}

  std::vector<Line> write(const Json& document) {
    members(document, "", 0, blame_.contains("") ? blame_[""] : 0);
    return std::move(lines_);
  }

 private:
  int hand(const std::string& pointer, int above) const {
    const auto it = blame_.find(pointer);
    return it == blame_.end() ? above : it->second;
  }

  static std::string step(std::string_view key) {
    std::string out = "/";
    for (const char c : key)
      out += c == '~' ? std::string("~0") : c == '/' ? std::string("~1") : std::string(1, c);
    return out;
  }

  // What to_yaml makes of a small document, moved to the right.
  void leaf(const Json& document, std::size_t indent, int by) {
    const std::string text = config::to_yaml(document);
    std::size_t from = 0;
    while (from < text.size()) {
      std::size_t end = text.find('\n', from);
      if (end == std::string::npos) end = text.size();
      std::string line = text.substr(from, end - from);
      lines_.push_back({line.empty() ? line : std::string(indent, ' ') + line, by});
      from = end + 1;
    }
  }

  static bool is_container(const Json& value) {
    return (value.is_object() || value.is_array()) && !value.empty();
  }

  void members(const Json& object, const std::string& pointer, std::size_t indent, int above) {
    for (const auto& [key, value] : object.members()) {
      const std::string below = pointer + step(key);
      const int by = hand(below, above);
      if (!is_container(value)) {
        leaf(Json::object({{key, value}}), indent, by);
        continue;
      }
      // The key as to_yaml quotes it.
      std::string head = config::to_yaml(Json::object({{key, Json()}}));
      head = head.substr(0, head.find(": null") + 1);
      lines_.push_back({std::string(indent, ' ') + head, by});
      if (value.is_object()) {
        members(value, below, indent + 2, by);
      } else {
        elements(value, below, indent, by);
      }
    }
  }

  void elements(const Json& list, const std::string& pointer, std::size_t indent, int above) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      const Json& element = list.element(i);
      const std::string below = pointer + "/" + std::to_string(i);
      const int by = hand(below, above);
      if (!is_container(element)) {
        leaf(Json::array({element}), indent, by);
        continue;
      }
      const std::size_t first = lines_.size();
      if (element.is_object()) {
        members(element, below, indent + 2, by);
      } else {
        elements(element, below, indent + 2, by);
      }
      if (first < lines_.size()) lines_[first].text[indent] = '-';
    }
  }

  std::map<std::string, int> blame_;
  std::vector<Line> lines_;
};

std::string hand_text(const Json& hand) {
  const std::string what(hand["what"].as_string());
  return std::string(hand["who"].as_string()) + (what.empty() ? "" : " " + what);
}

void print_blamed(const Json& cluster) {
  std::map<std::string, int> blame;
  for (const Json& part : cluster["blame"].elements())
    blame[std::string(part["pointer"].as_string())] = static_cast<int>(part["by"].as_int());
  const std::vector<Line> lines = Writer(std::move(blame)).write(cluster["manifest"]);
  const auto hands = cluster["hands"].elements();
  std::size_t width = 0;
  for (const Line& line : lines) {
    if (line.by > 0) width = std::max(width, line.text.size());
  }
  width = std::min<std::size_t>(width, 72);
  for (const Line& line : lines) {
    if (line.by <= 0 || static_cast<std::size_t>(line.by) >= hands.size()) {
      fmt::print("{}\n", line.text);
      continue;
    }
    const std::string who = hand_text(hands[static_cast<std::size_t>(line.by)]);
    fmt::print("{:<{}}  {}\n", line.text, width, paint(Colour::Yellow, "# " + who));
  }
  for (const Json& part : cluster["removed"].elements()) {
    const auto by = static_cast<std::size_t>(part["by"].as_int());
    const Json& hand = by < hands.size() ? hands[by] : hands[0];
    // What only the control plane's copy has is nobody's loss.
    if (hand["who"].as_string() == "flotilla") continue;
    fmt::print("{}\n", paint(Colour::Red, fmt::format("# {} was removed by {}", part["pointer"].as_string(),
                                                      hand_text(hand))));
  }
}

int run_render(const GlobalFlags& global, const RenderFlags& flags) {
  std::string query;
  for (const std::string& cluster : flags.clusters) query += (query.empty() ? "?clusters=" : ",") + cluster;
  const Result<Answered> answered = ask_about(global, flags.words, "renders", query);
  if (!answered) return print_error(answered.error());
  if (flags.output == "json") {
    print_as(answered->answer, "json");
    return exit_code::kOk;
  }
  int worst = exit_code::kOk;
  bool first = true;
  for (const Json& cluster : answered->answer["clusters"].elements()) {
    const std::string name(cluster["cluster"].as_string());
    if (cluster.contains("failure")) {
      worst = std::max(worst, print_error(Error(Code::Invalid,
                                                name + ": " + std::string(cluster["failure"].as_string()))));
      continue;
    }
    if (!first) fmt::print("---\n");
    first = false;
    std::string note = "# " + name;
    if (!cluster["target"].as_bool()) note += " (not a target: as it would be)";
    if (cluster["suspended"].as_bool()) note += " (suspended: not sent for now)";
    fmt::print("{}\n", paint(Colour::Dim, note));
    if (flags.blame) {
      print_blamed(cluster);
    } else {
      fmt::print("{}", config::to_yaml(cluster["manifest"]));
    }
  }
  return worst;
}

}  // namespace

void add_render(CLI::App& app, Invocation& invocation) {
  CLI::App* command =
      app.add_subcommand("render", "Show a template as clusters get it: TYPE/NAME -C CLUSTER");
  auto flags = std::make_shared<RenderFlags>();
  command->add_option("TYPE", flags->words, "TYPE/NAME or TYPE NAME")->required()->expected(1, 2);
  command
      ->add_option("-C,--clusters,--cluster", flags->clusters,
                   "Clusters, joined by commas; all targets otherwise")
      ->delimiter(',')
      ->allow_extra_args(false);
  command->add_flag("--blame", flags->blame,
                    "Name the policy and rule behind every line that is not the template's");
  command->add_option("-o,--output", flags->output, "yaml or json")->check(CLI::IsMember({"yaml", "json"}));
  command->callback([&invocation, flags] {
    invocation.run = [&invocation, flags] { return run_render(invocation.flags, *flags); };
  });
}

}  // namespace flotilla::ctl
