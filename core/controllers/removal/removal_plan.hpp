// SPDX-License-Identifier: Apache-2.0
// Whether a Work may go from its cluster now, and why it is to go at all. Pure.
// docs/design/guarded-removal.md
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/api/removal_cause.hpp"
#include "core/base/clock.hpp"

namespace flotilla::controllers {

enum class CopyHealth : std::uint8_t { Healthy, Unhealthy, Unknown };

// One Work of a binding that is not being deleted.
struct Copy {
  std::string cluster;
  bool wanted = false;    // the binding still names the cluster as a target
  bool applied = false;   // its manifest was applied, now or at some time before
  bool reported = false;  // its cluster is Ready and has said how it is
  CopyHealth health = CopyHealth::Unknown;
};

// What a Work says of itself. A cluster that is not Ready says nothing that counts.
Copy copy_of(const api::Json& work, std::string_view cluster, bool wanted, bool cluster_ready);

struct RemovalView {
  const api::RemovalCause& cause;
  std::string_view cluster;
  std::span<const Copy> copies;   // all of the binding
  bool has_targets = true;        // the binding names any cluster
  bool facts_known = true;        // everything stored has been seen
  std::string still_required_by;  // who depends on it and is there still; empty: nobody
  Duration undo_window{0};
};

struct Hold {
  std::string_view
      reason;  // FactsUnknown, UndoWindow, NoReplacement, LastHealthyCopy, StillRequired, BudgetSpent
  std::string message;
  Duration look_again_in = std::chrono::seconds(5);  // at the latest

  std::string text() const { return std::string(reason) + ": " + message; }
};

// Nullopt: it may go.
std::optional<Hold> hold_removal(const RemovalView& view, WallTime now);

// Why the binding's Work in `cluster` is to go, as far as binding and cluster know (null: there is none).
// `now` where nobody wrote down since when.
api::RemovalCause removal_cause(const api::Json& binding, std::string_view cluster,
                                const api::Json* cluster_object, WallTime now);

// Why all Works of a binding that is being deleted go.
api::RemovalCause removal_cause_of_deletion(const api::Json& binding, bool template_exists, WallTime now);

}  // namespace flotilla::controllers
