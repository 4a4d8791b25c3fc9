// SPDX-License-Identifier: Apache-2.0
// Karmada's webhooks in process: the pure rules of core/api/admission over the store.
#pragma once

#include "core/base/clock.hpp"
#include "core/controllers/options.hpp"
#include "core/store/store.hpp"
#include "core/store/writer.hpp"

namespace flotilla::daemon {

// Store and clock outlive what is returned.
store::Admission make_admission(const store::Store& store, const Clock& clock,
                                const controllers::Options& options);

}  // namespace flotilla::daemon
