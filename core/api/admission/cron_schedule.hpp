// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace flotilla::api {

// Whether this is a cron expression that a CronFederatedHPA may name: five fields (minute, hour, day, month,
// weekday), a sixth in front for seconds or at the end for years, with lists, ranges, steps and names, L, W
// and #; or one of the names @yearly, @monthly, @weekly, @daily, @hourly and the like.
bool is_cron_schedule(std::string_view text);

}  // namespace flotilla::api
