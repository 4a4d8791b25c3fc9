// SPDX-License-Identifier: Apache-2.0
#include "core/http/tls_session.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <cerrno>
#include <utility>

namespace flotilla::http {

namespace {

constexpr std::size_t kRecord = 16u << 10;
constexpr std::size_t kRecordOverhead = 64;

// SSL_get_error wants an empty queue; asking is cheaper than emptying it.
void forget_errors() {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

}  // namespace

BIO_METHOD* TlsSession::bio_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "flotilla socket");
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

TlsSession::TlsSession(SSL_CTX& context, int socket, Side side, TlsSession* carrier)
    : ssl_(SSL_new(&context)), socket_(socket), carrier_(carrier) {
  BIO* const bio = BIO_new(bio_method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_read_ahead(ssl_, 1);
  if (side == Side::Server) {
    SSL_set_accept_state(ssl_);
  } else {
    SSL_set_connect_state(ssl_);
  }
}

TlsSession::~TlsSession() {
  SSL_free(ssl_);
}

int TlsSession::bio_read(BIO* bio, char* into, int room) {
  auto& own = *static_cast<TlsSession*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (own.carrier_ != nullptr) return own.read_carrier(bio, into, room);
  if (std::exchange(own.drained_, false)) {
    BIO_set_retry_read(bio);
    return -1;
  }
  ssize_t count = 0;
  do {
    count = ::recv(own.socket_, into, static_cast<std::size_t>(room), MSG_DONTWAIT);
  } while (count < 0 && errno == EINTR);
  if (count > 0) {
    own.drained_ = count < room;
    return static_cast<int>(count);
  }
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    BIO_set_retry_read(bio);
    return -1;
  }
  own.socket_error_ = count < 0 ? errno : 0;
  own.ended_ = true;
  return static_cast<int>(count);
}

int TlsSession::read_carrier(BIO* bio, char* into, int room) {
  std::size_t count = 0;
  boost::system::error_code error;
  if (!carrier_->read(into, static_cast<std::size_t>(room), count, error)) {
    BIO_set_retry_read(bio);
    return -1;
  }
  if (!error) return static_cast<int>(count);
  if (error.category() == boost::system::system_category()) socket_error_ = error.value();
  ended_ = true;
  return 0;
}

int TlsSession::bio_write(BIO* bio, const char* bytes, int count) {
  static_cast<TlsSession*>(BIO_get_data(bio))->outgoing_.append(bytes, static_cast<std::size_t>(count));
  return count;
}

long TlsSession::bio_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return static_cast<TlsSession*>(BIO_get_data(bio))->ended_ ? 1 : 0;
  return 0;
}

boost::system::error_code TlsSession::failure(int result) {
  const int kind = SSL_get_error(ssl_, result);
  if (socket_error_ != 0) return {socket_error_, boost::system::system_category()};
  if (kind == SSL_ERROR_ZERO_RETURN || ended_) return boost::asio::error::eof;
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return boost::asio::ssl::error::stream_truncated;
  return {static_cast<int>(code), boost::asio::error::get_ssl_category()};
}

bool TlsSession::handshake(boost::system::error_code& error) {
  forget_errors();
  const int result = SSL_do_handshake(ssl_);
  if (result == 1) return true;
  if (SSL_get_error(ssl_, result) == SSL_ERROR_WANT_READ) return false;
  error = failure(result);
  return true;
}

bool TlsSession::read(char* into, std::size_t room, std::size_t& count, boost::system::error_code& error) {
  forget_errors();
  const int result = SSL_read_ex(ssl_, into, room, &count);
  if (result == 1) return true;
  count = 0;
  if (SSL_get_error(ssl_, result) == SSL_ERROR_WANT_READ) return false;
  error = failure(result);
  return true;
}

void TlsSession::write(std::string_view bytes, boost::system::error_code& error) {
  if (bytes.empty()) return;
  forget_errors();
  outgoing_.reserve(outgoing_.size() + bytes.size() + (bytes.size() / kRecord + 1) * kRecordOverhead);
  std::size_t written = 0;
  const int result = SSL_write_ex(ssl_, bytes.data(), bytes.size(), &written);
  if (result != 1) error = failure(result);
}

void TlsSession::shut_down() {
  ERR_clear_error();
  if (SSL_is_init_finished(ssl_)) SSL_shutdown(ssl_);
  ERR_clear_error();
}

std::string_view TlsSession::protocol() const {
  const unsigned char* name = nullptr;
  unsigned int length = 0;
  SSL_get0_alpn_selected(ssl_, &name, &length);
  return {reinterpret_cast<const char*>(name), length};
}

}  // namespace flotilla::http
