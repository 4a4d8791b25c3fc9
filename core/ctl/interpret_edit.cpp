// SPDX-License-Identifier: Apache-2.0
// flotillactl interpret --edit: a customization goes through the user's editor as one Lua document, as often
// as it takes until it is right or left as it was.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "core/api/object.hpp"
#include "core/config/yaml.hpp"
#include "core/ctl/customization_document.hpp"
#include "core/ctl/interpret.hpp"
#include "core/ctl/terminal.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

constexpr std::string_view kKind = "ResourceInterpreterCustomization";
constexpr std::string_view kQualified = "resourceinterpretercustomization.config.karmada.io";
constexpr std::string_view kCollection =
    "/apis/config.karmada.io/v1alpha1/resourceinterpretercustomizations/";
constexpr std::string_view kHead =
    "Please edit the customization below. Lines beginning with \"--\" above the first rule are ignored, and "
    "so\n"
    "is what stands below a rule that is empty: it has no script then. An empty file ends the edit. If it "
    "cannot\n"
    "be saved, this file is opened again with the reasons.\n";

// Where the customization comes from and goes to.
class Source {
 public:
  virtual ~Source() = default;
  virtual Result<Json> load() = 0;
  // Errors: Invalid where another edit can help.
  virtual Status save(const Json& before, const Json& after) = 0;
  virtual std::string done(const Json& after) const = 0;
};

class FileSource final : public Source {
 public:
  explicit FileSource(std::string path) : path_(std::move(path)) {}

  Result<Json> load() override {
    const Result<std::string> text = read_file(path_);
    if (!text && text.error().is(Code::NotFound)) return start_anew();
    if (!text) return text.error();
    const auto first = text->find_first_not_of(" \t\r\n");
    json_ = first != std::string::npos && (*text)[first] == '{';
    Result<std::vector<Json>> documents = config::parse_yaml_documents(*text);
    if (!documents) return Error(Code::Invalid, path_ + ": " + documents.error().message());
    documents_ = std::move(*documents);
    const auto is_one = [](const Json& document) { return document["kind"].as_string() == kKind; };
    if (std::ranges::count_if(documents_, is_one) > 1)
      return Error(Code::Invalid, path_ + ": only one customization can be edited at a time");
    const auto found = std::ranges::find_if(documents_, is_one);
    place_ = static_cast<std::size_t>(found - documents_.begin());
    return found != documents_.end() ? *found : start_anew();
  }

  Status save(const Json&, const Json& after) override {
    documents_[place_] = after;
    std::string text;
    for (const Json& document : documents_) {
      if (!text.empty()) text += "---\n";
      text += json_ ? document.dump_pretty(4) + "\n" : config::to_yaml(document);
    }
    return write_file(path_, text, 0644);
  }

  std::string done(const Json& after) const override {
    return fmt::format("{}/{} edited", kQualified, api::name_of(after));
  }

 private:
  Json start_anew() {
    documents_.push_back(
        Json::object({{"apiVersion", "config.karmada.io/v1alpha1"}, {"kind", std::string(kKind)}}));
    return documents_.back();
  }

  std::string path_;
  bool json_ = false;
  std::vector<Json> documents_;
  std::size_t place_ = 0;
};

class ServerSource final : public Source {
 public:
  ServerSource(Session& session, const std::string& name)
      : session_(session), target_(std::string(kCollection) + name) {}

  Result<Json> load() override { return session_.get(target_); }

  Status save(const Json& before, const Json& after) override {
    if (api::name_of(before) != api::name_of(after))
      return Error(Code::Invalid, "the name of a customization cannot be changed");
    // Whoever changed it meanwhile is not overwritten: the whole object goes with its resourceVersion.
    const Result<Json> saved = session_.put(target_, after);
    if (!saved) return saved.error();
    return {};
  }

  std::string done(const Json& after) const override {
    return fmt::format("{}/{} edited", kQualified, api::name_of(after));
  }

 private:
  Session& session_;
  std::string target_;
};

std::string quoted_for_shell(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string editor() {
  for (const char* name : {"KUBE_EDITOR", "EDITOR"}) {
    const char* named = std::getenv(name);
    if (named != nullptr && *named != '\0') return named;
  }
  return "vi";
}

Result<std::string> make_temporary() {
  const char* folder = std::getenv("TMPDIR");
  std::string path =
      std::string(folder != nullptr && *folder != '\0' ? folder : "/tmp") + "/flotillactl-edit-XXXXXX.lua";
  const int file = mkstemps(path.data(), 4);
  if (file < 0) return Error(Code::Internal, "make a temporary file " + path);
  close(file);
  return path;
}

// What the user made of the text.
Result<std::string> let_edit(const std::string& path, const std::string& text) {
  if (Status written = write_file(path, text, 0600); !written) return std::move(written).error();
  const std::string command = editor() + " " + quoted_for_shell(path);
  std::fflush(nullptr);
  const int ended = std::system(command.c_str());  // NOLINT(cert-env33-c): the user's own choice
  if (ended != 0) return Error(Code::Internal, "the editor \"" + editor() + "\" failed");
  return read_file(path);
}

bool same(const Json& a, const Json& b) {
  return a["spec"] == b["spec"] && api::name_of(a) == api::name_of(b);
}

// What stands in the way of saving, each a line.
std::vector<std::string> faults_of(const Json& edited) {
  std::vector<std::string> faults;
  const interpreter::Customization customization = interpreter::read_customization(edited);
  if (customization.name.empty()) faults.emplace_back("---@name: is empty");
  if (customization.api_version.empty()) faults.emplace_back("---@apiVersion: is empty");
  if (customization.kind.empty()) faults.emplace_back("---@kind: is empty");
  for (int i = 0; i < interpreter::kOperations; ++i) {
    const auto operation = static_cast<interpreter::Operation>(i);
    const std::string fault = fault_of(customization, operation);
    if (!fault.empty()) faults.push_back(std::string(to_string(operation)) + ": " + fault);
  }
  return faults;
}

int give_up(const Error& error, const std::string& file) {
  fmt::print(stderr, "A copy of your changes has been stored to \"{}\"\n", file);
  return print_error(error);
}

}  // namespace

int edit_customization(const EditTarget& target, Session* session) {
  std::unique_ptr<Source> source;
  if (session == nullptr)
    source = std::make_unique<FileSource>(target.file);
  else
    source = std::make_unique<ServerSource>(*session, target.name);
  const Result<Json> before = source->load();
  if (!before) return print_error(before.error());
  const Result<std::string> file = make_temporary();
  if (!file) return print_error(file.error());
  std::vector<std::string> said = {std::string(kHead)};
  std::string text = commented(said) + customization_document(*before, target.document);
  bool again = false;
  for (;;) {
    const Result<std::string> edited_text = let_edit(*file, text);
    if (!edited_text) return give_up(edited_text.error(), *file);
    const std::string body(without_head(*edited_text));
    const bool untouched = body == without_head(text);
    if (untouched && again)
      return give_up(Error(Code::Invalid, "Edit cancelled, no valid changes were saved."), *file);
    const bool empty = body.find_first_not_of(" \t\r\n") == std::string::npos;
    const Result<Json> edited = edited_customization(*before, body);
    if (untouched || empty || (edited && same(*before, *edited))) {
      unlink(file->c_str());
      fmt::print(stderr, "Edit cancelled, no changes made.\n");
      return exit_code::kOk;
    }
    std::vector<std::string> faults = edited ? faults_of(*edited) : std::vector{edited.error().message()};
    if (faults.empty()) {
      const Status saved = source->save(*before, *edited);
      if (saved) {
        unlink(file->c_str());
        fmt::print("{}\n", source->done(*edited));
        return exit_code::kOk;
      }
      if (!saved.error().is(Code::Invalid) && !saved.error().is(Code::Forbidden))
        return give_up(saved.error(), *file);
      faults.push_back(saved.error().message());
    }
    said.resize(1);
    said.emplace_back("\nIt was not saved:\n");
    for (std::string& fault : faults) {
      fmt::print(stderr, "error: {}\n", fault);
      said.push_back(std::move(fault) + "\n");
    }
    text = commented(said) + body;
    again = true;
  }
}

}  // namespace flotilla::ctl
