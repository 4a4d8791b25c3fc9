// SPDX-License-Identifier: Apache-2.0
// TLS of one connection: OpenSSL reads from the socket itself, what it wants to send is gathered so that many
// records go out in one call. Nothing is held for an idle connection but OpenSSL's own state. Internal to
// core/http. Thread: one user at a time.
#pragma once

#include <openssl/ssl.h>

#include <boost/system/error_code.hpp>
#include <cstddef>
#include <string>
#include <string_view>

namespace flotilla::http {

class TlsSession {
 public:
  enum class Side { Server, Client };
  // `socket` does not have to be non-blocking. With a carrier, a session that outlives it, the bytes are
  // those that the carrier decrypts: TLS within TLS.
  TlsSession(SSL_CTX& context, int socket, Side side, TlsSession* carrier = nullptr);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // True: finished, well or with `error`. False: try again when the socket can be read.
  bool handshake(boost::system::error_code& error);
  // The same; `error` is eof at the end of the peer, in order or not.
  bool read(char* into, std::size_t room, std::size_t& count, boost::system::error_code& error);
  // Encrypts into outgoing().
  void write(std::string_view bytes, boost::system::error_code& error);
  // Says good-bye, into outgoing().
  void shut_down();

  // What must be sent; whoever sends it empties it.
  std::string& outgoing() { return outgoing_; }
  SSL* handle() const { return ssl_; }
  // "h2", "http/1.1" or empty.
  std::string_view protocol() const;

 private:
  static BIO_METHOD* bio_method();
  static int bio_read(BIO* bio, char* into, int room);
  int read_carrier(BIO* bio, char* into, int room);
  static int bio_write(BIO* bio, const char* bytes, int count);
  static long bio_control(BIO* bio, int command, long number, void* pointer);
  boost::system::error_code failure(int result);

  SSL* ssl_ = nullptr;
  int socket_;
  TlsSession* carrier_;
  bool drained_ = false;  // the last read took all there was: the next waits
  bool ended_ = false;
  int socket_error_ = 0;
  std::string outgoing_;
};

}  // namespace flotilla::http
