// SPDX-License-Identifier: Apache-2.0
// Resource interpreters by hand: check customizations, ask them one question, hold them against fixtures.
// Nothing here needs a server.
#pragma once

#include <memory>
#include <string>
#include <vector>

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

// --check: a block per customization on stdout. The answer is the exit code.
int check_customizations(const std::vector<interpreter::Customization>& customizations);

// --test: every tests.yaml in the folder and below. The answer is the exit code.
int test_customizations(const std::string& folder);

}  // namespace flotilla::ctl
