// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/controllers/controller.hpp"

namespace flotilla::controllers {

// Creates the Work, or renews the one that is there. Errors: Conflict while the old one is being deleted.
Task<Status> put_work(Context& context, Json work);
// In the background, with the cause written down on it: who does it, and one sentence. A Work that is gone
// already is no error.
Task<Status> remove_work(Context& context, ObjectKey key, std::string by, std::string why);

}  // namespace flotilla::controllers
