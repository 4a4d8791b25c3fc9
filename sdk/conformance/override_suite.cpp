// SPDX-License-Identifier: Apache-2.0
#include "sdk/conformance/override_suite.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "sdk/conformance/test_host.hpp"

namespace flotilla::conformance {
namespace {

using Rows = std::vector<bool>;

struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void expect(bool holds, const std::string& otherwise) {
  if (!holds) throw Violation(otherwise);
}

// What a rule answered, copied out of the arena.
struct Group {
  std::uint32_t kind = 0;
  std::string patch;
  Rows rows;
  bool operator==(const Group&) const = default;
};
using Groups = std::vector<Group>;

flt_str_t str(const std::string& text) {
  return {text.data(), text.size()};
}

// An instance and what is asked of it. The operations are plain functions; each runs inside a call only to
// have an arena that lives as long as its answer.
class Subject {
 public:
  explicit Subject(const OverrideSubject& subject)
      : instance_(host_, *subject.component, subject.config_json, ""),
        ops_(*static_cast<const flt_override_ops_t*>(subject.component->ops)) {
    expect(instance_.self() != nullptr, "create failed: " + instance_.created().message);
  }

  // Null: refused; `message` says why.
  void* compile(const std::string& params, std::string& message) {
    flt_override_compiled_t compiled{};
    flt_status_t status = FLT_UNKNOWN;
    const Answer answer = host_.run([&](flt_call_t* call) {
      flt_error_t error = error_of(call);
      compiled.struct_size = sizeof compiled;
      compiled.arena = error.arena;
      status = ops_.compile(instance_.self(), str(params), &compiled, &error);
      finish(call, status, error);
    });
    message = answer.message;
    if (status == FLT_OK) expect(compiled.rule != nullptr, "compile succeeded without a rule");
    if (status != FLT_OK)
      expect(status == FLT_INVALID_ARGUMENT, "compile failed with another status than INVALID_ARGUMENT");
    return status == FLT_OK ? compiled.rule : nullptr;
  }

  void release(void* rule) { ops_.release_rule(instance_.self(), rule); }

  Groups apply(const void* rule, const std::string& manifest, const Rows& wanted) {
    // Longer than we know them, as of a later minor, with bytes behind that nobody may write.
    struct {
      flt_override_result_t known;
      std::array<unsigned char, 64> later;
    } result{};
    result.later.fill(0xA5);
    Groups groups;
    flt_status_t status = FLT_UNKNOWN;
    const Answer answer = host_.run([&](flt_call_t* call) {
      flt_error_t error = error_of(call);
      result.known.struct_size = sizeof result.known;
      result.known.arena = error.arena;
      std::vector<std::uint64_t> bits((wanted.size() + 63) / 64);
      for (std::size_t row = 0; row < wanted.size(); ++row)
        bits[row / 64] |= std::uint64_t{wanted[row]} << (row % 64);
      std::vector<std::int64_t> replicas(wanted.size(), 3);
      flt_override_request_t request{};
      request.struct_size = sizeof request;
      request.media_type = {"application/json", 16};
      request.manifest = {reinterpret_cast<const std::uint8_t*>(manifest.data()), manifest.size()};
      request.clusters = bits.data();
      request.n_rows = wanted.size();
      request.replicas = replicas.data();
      status = ops_.apply(instance_.self(), rule, &request, &result.known, &error);
      if (status == FLT_OK) groups = copy(result.known, wanted);
      finish(call, status, error);
    });
    expect(status == FLT_OK, "apply failed: " + answer.message);
    expect(std::all_of(result.later.begin(), result.later.end(), [](unsigned char c) { return c == 0xA5; }),
           "apply wrote behind the result it was given");
    return groups;
  }

  std::vector<std::string> faults() const { return host_.faults(); }

 private:
  flt_error_t error_of(flt_call_t* call) const {
    flt_error_t error{};
    error.struct_size = sizeof error;
    error.arena = host_.table()->call->arena(call);
    return error;
  }
  void finish(flt_call_t* call, flt_status_t status, const flt_error_t& error) const {
    host_.table()->call->complete(call, status, nullptr, status == FLT_OK ? nullptr : &error);
  }

  static Groups copy(const flt_override_result_t& result, const Rows& wanted) {
    Groups groups;
    Rows taken(wanted.size());
    for (std::uint64_t i = 0; i < result.n_groups; ++i) {
      const flt_override_group_t& from = *result.groups[i];
      expect(from.struct_size >= sizeof from, "a group with a wrong struct_size");
      expect(from.patch_kind >= FLT_PATCH_JSON && from.patch_kind <= FLT_PATCH_FULL,
             "a patch of unknown kind");
      Group group{from.patch_kind, std::string(reinterpret_cast<const char*>(from.patch.p), from.patch.n),
                  wanted};
      for (std::size_t row = 0; from.clusters != nullptr && row < (wanted.size() + 63) / 64 * 64; ++row) {
        const bool set = (from.clusters[row / 64] >> (row % 64) & 1) != 0;
        if (row >= wanted.size()) {
          expect(!set, "a group names a row beyond the last");
          continue;
        }
        expect(!set || wanted[row], "a group names a cluster that was not asked for");
        group.rows[row] = set;
      }
      for (std::size_t row = 0; row < wanted.size(); ++row) {
        if (!group.rows[row]) continue;
        expect(!taken[row], "a cluster is in two groups");
        taken[row] = true;
      }
      groups.push_back(std::move(group));
    }
    return groups;
  }

  TestHost host_;
  TestInstance instance_;
  const flt_override_ops_t& ops_;
};

// A compiled rule for the time of a check.
class CompiledRule {
 public:
  CompiledRule(Subject& subject, const std::string& params) : subject_(subject) {
    std::string message;
    rule_ = subject.compile(params, message);
    expect(rule_ != nullptr, "an example does not compile: " + message);
  }
  ~CompiledRule() { subject_.release(rule_); }
  CompiledRule(const CompiledRule&) = delete;
  CompiledRule& operator=(const CompiledRule&) = delete;
  const void* get() const { return rule_; }

 private:
  Subject& subject_;
  void* rule_ = nullptr;
};

constexpr std::size_t kRows = 70;  // more than one word of a bitset

void check_table(const OverrideSubject& subject) {
  const flt_component_t& component = *subject.component;
  expect(std::string(component.kind) == FLT_KIND_OVERRIDE, "the component is of another kind");
  expect((component.exec & FLT_EXEC_COMPUTE) != 0, "the component does not say FLT_EXEC_COMPUTE");
  const auto* ops = static_cast<const flt_override_ops_t*>(component.ops);
  expect(ops != nullptr && ops->struct_size >= sizeof *ops, "the table is shorter than minor 0 has it");
  expect(ops->field != nullptr && *ops->field != '\0', "no field is named");
  expect(ops->compile != nullptr && ops->apply != nullptr && ops->release_rule != nullptr,
         "a function is missing");
  expect(!subject.examples.empty(), "the subject has no example");
}

void check_compile(const OverrideSubject& subject) {
  Subject under(subject);
  for (int i = 0; i < 100; ++i) {
    for (const auto& example : subject.examples) const CompiledRule rule(under, example.params);
  }
}

void check_refuse(const OverrideSubject& subject) {
  Subject under(subject);
  std::string message;
  void* rule = under.compile("[{", message);
  if (rule != nullptr) under.release(rule);
  expect(rule == nullptr, "parameters that are no JSON were accepted");
  expect(!message.empty(), "parameters were refused without a message");
}

void check_pure(const OverrideSubject& subject) {
  Subject under(subject);
  Subject other(subject);
  for (const auto& example : subject.examples) {
    const CompiledRule rule(under, example.params);
    const CompiledRule twin(other, example.params);
    const Groups first = under.apply(rule.get(), example.manifest, Rows(kRows, true));
    expect(under.apply(rule.get(), example.manifest, Rows(kRows, true)) == first,
           "asked again it answers otherwise");
    expect(other.apply(twin.get(), example.manifest, Rows(kRows, true)) == first,
           "another instance answers otherwise");
  }
}

void check_rows(const OverrideSubject& subject) {
  Subject under(subject);
  for (const auto& example : subject.examples) {
    const CompiledRule rule(under, example.params);
    const Groups together = under.apply(rule.get(), example.manifest, Rows(kRows, true));
    for (std::size_t row = 0; row < kRows; ++row) {
      Rows alone(kRows);
      alone[row] = true;
      const Groups one = under.apply(rule.get(), example.manifest, alone);
      const auto mine =
          std::find_if(together.begin(), together.end(), [&](const Group& group) { return group.rows[row]; });
      expect(one.size() <= 1 && one.empty() == (mine == together.end()),
             "alone a cluster gets another answer");
      expect(one.empty() || one[0].patch == mine->patch, "alone a cluster gets another patch");
    }
  }
}

void check_concurrent(const OverrideSubject& subject) {
  Subject under(subject);
  for (const auto& example : subject.examples) {
    const CompiledRule rule(under, example.params);
    const Groups wanted = under.apply(rule.get(), example.manifest, Rows(kRows, true));
    std::array<bool, 4> same{};
    std::vector<std::thread> threads;
    for (bool& result : same) {
      threads.emplace_back([&] {
        result = true;
        for (int i = 0; i < 50; ++i) {
          result = under.apply(rule.get(), example.manifest, Rows(kRows, true)) == wanted && result;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    expect(same == std::array<bool, 4>{true, true, true, true},
           "asked from several threads it answers otherwise");
  }
}

constexpr OverrideCheck kChecks[] = {
    {"OVR-TABLE", "The table has a field and all functions of minor 0.", check_table},
    {"OVR-COMPILE", "Parameters compile and are released, as often as one likes.", check_compile},
    {"OVR-REFUSE", "Parameters that cannot be read are refused with a message.", check_refuse},
    {"OVR-PURE", "Equal questions get equal answers, in any instance.", check_pure},
    {"OVR-ROWS", "What a cluster gets does not depend on which others are asked for.", check_rows},
    {"OVR-CONCURRENT", "One rule may be applied from several threads.", check_concurrent},
};

}  // namespace

std::span<const OverrideCheck> override_checks() {
  return kChecks;
}

std::string run_check(const OverrideCheck& check, const OverrideSubject& subject) {
  try {
    check.run(subject);
    return {};
  } catch (const std::exception& wrong) {
    return wrong.what();
  }
}

}  // namespace flotilla::conformance
