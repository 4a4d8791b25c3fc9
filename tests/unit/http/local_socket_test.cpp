// SPDX-License-Identifier: Apache-2.0
// The Unix socket: who is at the other end, and what becomes of the file.
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>

#include "tests/unit/http/loopback.hpp"

namespace flotilla::http::test {
namespace {

Task<Response> tell_user(Request request) {
  Response response;
  response.body.push_back(
      Chunk::of(request.peer.local_user ? std::to_string(*request.peer.local_user) : std::string("nobody")));
  co_return response;
}

std::string ask(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  std::string answer;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    const std::string text = "GET / HTTP/1.1\r\nConnection: close\r\n\r\n";
    EXPECT_EQ(::send(fd, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    char block[4096];
    for (ssize_t count = 0; (count = ::recv(fd, block, sizeof block, 0)) > 0;) {
      answer.append(block, static_cast<std::size_t>(count));
    }
  }
  ::close(fd);
  return answer;
}

class LocalSocket : public Loopback {
 protected:
  LocalSocket()
      : folder_(std::filesystem::temp_directory_path() / ("flotilla-" + std::to_string(::getpid()))) {
    std::filesystem::create_directory(folder_);
  }
  ~LocalSocket() override { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ / "api.sock"; }
  std::filesystem::path folder_;
};

TEST_F(LocalSocket, knows_the_user_at_the_other_end) {
  ServerOptions options;
  options.socket_path = path();
  serve(tell_user, options);
  const std::string answer = ask(path());
  EXPECT_TRUE(answer.ends_with("\r\n\r\n" + std::to_string(::geteuid()))) << answer;
  struct stat status {};
  ASSERT_EQ(::stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  Client client(executor_, client_options());
  EXPECT_EQ(get(client, "/")->body, "nobody");
  server_->stop(std::chrono::seconds(1));
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(LocalSocket, takes_over_from_a_daemon_that_died_and_not_from_one_that_lives) {
  const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(dead);
  ServerOptions options;
  options.socket_path = path();
  serve(tell_user, options);
  EXPECT_NE(ask(path()), "");
  Server second(executor_, options, tell_user);
  const Status started = second.start();
  ASSERT_FALSE(started.ok());
  EXPECT_NE(started.error().message().find("another process listens there"), std::string::npos);
  EXPECT_NE(ask(path()), "");
}

}  // namespace
}  // namespace flotilla::http::test
