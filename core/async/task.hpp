// SPDX-License-Identifier: Apache-2.0
// The two words of Asio that public headers may use: an awaitable and an executor.
//
//   Task<Result<int>> read(std::string path);     // parameters by value: a coroutine outlives its caller's
//   frame
//
// Writing rule (tests/lint/coroutines.py): build the awaitable on its own line, then `co_await
// std::move(it)`. No capturing lambda or brace-built aggregate inside an expression with co_await, no lambda
// coroutines with captures.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace flotilla {

template <typename T>
using Task = boost::asio::awaitable<T>;

using AnyExecutor = boost::asio::any_io_executor;

}  // namespace flotilla
