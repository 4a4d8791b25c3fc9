// SPDX-License-Identifier: Apache-2.0
// flotillactl interpret: --check, --operation, --test and --edit.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "core/config/yaml.hpp"
#include "core/ctl/command.hpp"
#include "core/ctl/interpret.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

struct InterpretFlags {
  std::vector<std::string> files;
  bool check = false;
  std::string operation;
  std::string desired_file, observed_file, status_file;
  std::optional<std::int64_t> desired_replica;
  std::string test;
  bool edit = false;
  bool show_doc = false;
  std::vector<std::string> names;  // of customizations in the control plane
};

Result<InterpretInput> read_input(const InterpretFlags& flags) {
  InterpretInput input;
  if (flags.desired_replica) input.replicas = *flags.desired_replica;
  if (!flags.desired_file.empty()) {
    Result<Json> desired = read_value(flags.desired_file);
    if (!desired) return std::move(desired).error();
    input.desired = std::move(*desired);
  }
  if (!flags.observed_file.empty()) {
    Result<Json> observed = read_value(flags.observed_file);
    if (!observed) return std::move(observed).error();
    input.observed = std::move(*observed);
  }
  if (!flags.status_file.empty()) {
    Result<Json> items = read_list(flags.status_file);
    if (!items) return std::move(items).error();
    input.items = std::move(*items);
  }
  return input;
}

int run_operation(const InterpretFlags& flags, std::vector<interpreter::Customization> customizations) {
  const auto operation = interpreter::parse_operation(flags.operation);
  if (!operation) {
    std::string known;
    for (int i = 0; i < interpreter::kOperations; ++i)
      known += " " + std::string(to_string(static_cast<interpreter::Operation>(i)));
    print_error(Error(Code::BadRequest, "no operation \"" + flags.operation + "\""), "one of" + known);
    return exit_code::kUsage;
  }
  const auto input = read_input(flags);
  if (!input) return print_error(input.error()), exit_code::kUsage;
  const auto interpreter = interpreter_of(std::move(customizations));
  const auto results = interpret(*interpreter, *operation, *input);
  if (!results) {
    print_error(results.error());
    return results.error().is(Code::BadRequest) ? exit_code::kUsage : exit_code::kFailed;
  }
  for (std::size_t i = 0; i < results->size(); ++i) {
    fmt::print("---\n# [{}/{}] {}:\n{}", i + 1, results->size(), (*results)[i].name,
               config::to_yaml((*results)[i].value));
  }
  return exit_code::kOk;
}

int run_edit(const InterpretFlags& flags, const GlobalFlags& global) {
  if (flags.files.size() + flags.names.size() != 1) {
    print_error(Error(Code::BadRequest, "one customization can be edited at a time"), "-f FILE, or its NAME");
    return exit_code::kUsage;
  }
  if (!flags.files.empty()) return edit_customization({flags.files.front(), "", flags.show_doc}, nullptr);
  const Result<std::unique_ptr<Session>> session = open_session(global);
  if (!session) return print_error(session.error());
  return edit_customization({"", flags.names.front(), flags.show_doc}, session->get());
}

int run(const InterpretFlags& flags, const GlobalFlags& global) {
  const int asked = (flags.check ? 1 : 0) + (flags.operation.empty() ? 0 : 1) + (flags.test.empty() ? 0 : 1) +
                    (flags.edit ? 1 : 0);
  if (asked != 1) {
    print_error(Error(Code::BadRequest, "one of --check, --operation, --test and --edit is needed"));
    return exit_code::kUsage;
  }
  if (flags.edit) return run_edit(flags, global);
  if (!flags.names.empty()) {
    print_error(Error(Code::BadRequest, "only --edit takes a NAME"), "-f FILE");
    return exit_code::kUsage;
  }
  if (!flags.test.empty()) return test_customizations(flags.test);
  auto customizations = read_customizations(flags.files);
  if (!customizations) return print_error(customizations.error()), exit_code::kUsage;
  if (customizations->empty() && (flags.check || !flags.files.empty())) {
    print_error(Error(Code::BadRequest, "no ResourceInterpreterCustomization was given"), "-f FILE");
    return exit_code::kUsage;
  }
  return flags.check ? check_customizations(*customizations)
                     : run_operation(flags, std::move(*customizations));
}

}  // namespace

void add_interpret(CLI::App& app, Invocation& invocation) {
  auto flags = std::make_shared<InterpretFlags>();
  CLI::App* command =
      app.add_subcommand("interpret", "Check, try, test and edit resource interpreter customizations");
  command->add_option("NAME", flags->names, "For --edit: a customization of the control plane");
  command
      ->add_option("-f,--filename", flags->files,
                   "Customizations: files or folders; without any, what is built in")
      ->allow_extra_args(false);
  command->add_flag("--check", flags->check, "Compile every script");
  command->add_option("--operation", flags->operation, "Run one: InterpretReplica, InterpretHealth, ...");
  command->add_option("--desired-file", flags->desired_file, "The object as it is wanted");
  command->add_option("--observed-file", flags->observed_file, "The object as a member has it");
  command->add_option("--status-file", flags->status_file,
                      "AggregatedStatusItems, a list or several documents");
  command->add_option("--desired-replica", flags->desired_replica, "Replicas for ReviseReplica");
  command->add_option("--test", flags->test, "Run the fixtures (tests.yaml) of a folder and all below it");
  command->add_flag("--edit", flags->edit, "Edit one customization as a Lua document");
  command->add_flag("--show-doc", flags->show_doc, "With --edit: say what each function is given and gives");
  command->callback([&invocation, flags] {
    invocation.run = [&invocation, flags] { return run(*flags, invocation.flags); };
  });
}

}  // namespace flotilla::ctl
