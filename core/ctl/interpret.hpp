// SPDX-License-Identifier: Apache-2.0
// Resource interpreters by hand: check customizations, ask them one question, hold them against fixtures.
// Nothing here needs a server.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/ctl/session.hpp"
#include "core/interpreter/customization.hpp"
#include "core/interpreter/interpreter.hpp"

namespace flotilla::ctl {

// Files or folders with ResourceInterpreterCustomizations; what else is in them is left alone. Errors:
// Invalid with file and line.
Result<std::vector<interpreter::Customization>> read_customizations(const std::vector<std::string>& paths);

// The customizations; without any, what is built in (bundled scripts, then native). What scripts print goes
// to stderr.
std::shared_ptr<const interpreter::Interpreter> interpreter_of(
    std::vector<interpreter::Customization> customizations);

// What an operation is asked about. Null where it is not given.
struct InterpretInput {
  api::Json desired;
  api::Json observed;
  api::Json items;  // AggregatedStatusItems
  api::Json replicas;
};

// A value from a file: one document of YAML or JSON. Of `list`, all documents, or the elements of the one
// list.
Result<api::Json> read_value(const std::string& path);
Result<api::Json> read_list(const std::string& path);

struct InterpretResult {
  std::string name;
  api::Json value;
};

// The answers to one operation, each with its name: replica and requires, components, revised, retained,
// status, aggregatedStatus, healthy, dependencies.
Result<std::vector<InterpretResult>> interpret(const interpreter::Interpreter& interpreter,
                                               interpreter::Operation operation, const InterpretInput& input);

// What is wrong with the script of an operation: it does not compile, or does not define its function. Empty:
// nothing, or there is none.
std::string fault_of(const interpreter::Customization& customization, interpreter::Operation operation);

// --check: a block per customization on stdout. The answer is the exit code.
int check_customizations(const std::vector<interpreter::Customization>& customizations);

// --test: every tests.yaml in the folder and below. The answer is the exit code.
int test_customizations(const std::string& folder);

// --edit: one customization of a file or of the control plane, in $KUBE_EDITOR or $EDITOR. `session` is null
// for a file. The answer is the exit code.
struct EditTarget {
  std::string file;
  std::string name;
  bool document = false;  // what each function is given stands beside it
};
int edit_customization(const EditTarget& target, Session* session);

}  // namespace flotilla::ctl
