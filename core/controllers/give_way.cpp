// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/give_way.hpp"

#include <boost/asio/this_coro.hpp>

namespace flotilla::controllers {

Task<void> Turns::give_way() {
  if (--left_ > 0) co_return;
  left_ = kSteps;
  const auto own = co_await boost::asio::this_coro::executor;
  auto hop = resume_on(own);
  co_await std::move(hop);
}

}  // namespace flotilla::controllers
