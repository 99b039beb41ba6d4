// A client of wolfSSL, for which Debian has the library alone: sends its standard input, prints the answer.
// Arguments: port, server name, version (1.2, 1.3), suite, modes (psk_ke, psk_dhe_ke), identity, key (64 hex; none: "").
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *suite;
static const char *identity;
static unsigned char key[32];

static unsigned int key12(WOLFSSL *ssl, const char *hint, char *id, unsigned int id_size, unsigned char *octets,
                          unsigned int size) {
  if (strlen(identity) >= id_size || sizeof key > size) return 0;
  strcpy(id, identity);
  memcpy(octets, key, sizeof key);
  return sizeof key;
}

static unsigned int key13(WOLFSSL *ssl, const char *hint, char *id, unsigned int id_size, unsigned char *octets,
                          unsigned int size, const char **chosen) {
  *chosen = suite;
  return key12(ssl, hint, id, id_size, octets, size);
}

static int connection(int port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  return connect(fd, (struct sockaddr *)&to, sizeof to) == 0 ? fd : -1;
}

int main(int argc, char **argv) {
  if (argc != 8) return 2;
  const char *name = argv[2], *hex = argv[7];
  int tls12 = strcmp(argv[3], "1.2") == 0;
  suite = argv[4];
  identity = argv[6];
  for (size_t at = 0; *hex && at < sizeof key; at++) sscanf(hex + 2 * at, "%2hhx", key + at);

  wolfSSL_Init();
  WOLFSSL_CTX *ctx = wolfSSL_CTX_new(tls12 ? wolfTLSv1_2_client_method() : wolfTLSv1_3_client_method());
  wolfSSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
  if (wolfSSL_CTX_set_cipher_list(ctx, suite) != SSL_SUCCESS) return 2;
  if (*hex && tls12) wolfSSL_CTX_set_psk_client_callback(ctx, key12);
  if (*hex && !tls12) wolfSSL_CTX_set_psk_client_tls13_callback(ctx, key13);
  if (strcmp(argv[5], "psk_ke") == 0) wolfSSL_CTX_no_dhe_psk(ctx);

  int fd = connection(atoi(argv[1]));
  if (fd < 0) return 2;
  WOLFSSL *ssl = wolfSSL_new(ctx);
  wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, name, strlen(name));
  wolfSSL_set_fd(ssl, fd);
  if (wolfSSL_connect(ssl) != SSL_SUCCESS) {
    printf("no handshake: %d\n", wolfSSL_get_error(ssl, 0));
    return 1;
  }
  char text[4096];
  int length = read(STDIN_FILENO, text, sizeof text);
  wolfSSL_write(ssl, text, length);
  while ((length = wolfSSL_read(ssl, text, sizeof text)) > 0) fwrite(text, 1, length, stdout);
  return 0;
}
