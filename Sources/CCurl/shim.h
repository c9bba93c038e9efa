// The libcurl that Swift's own toolchain stands on: no package of headers is needed, because these
// few functions and numbers are part of its binary interface and do not change.
#pragma once
#include <stddef.h>

/// A function that takes `size` × `count` bytes; fewer taken end the transfer.
typedef size_t (*CurlReceiver)(char *bytes, size_t size, size_t count, void *owner);

void *curl_easy_init(void);
int curl_easy_setopt(void *easy, int option, ...);
const char *curl_easy_strerror(int code);
void curl_easy_cleanup(void *easy);

void *curl_multi_init(void);
int curl_multi_add_handle(void *multi, void *easy);
int curl_multi_perform(void *multi, int *running);
int curl_multi_poll(void *multi, void *extra, unsigned int count, int milliseconds, int *ready);
int curl_multi_remove_handle(void *multi, void *easy);
int curl_multi_cleanup(void *multi);

/// What libcurl says of a transfer that has ended.
struct CurlMessage {
  int kind;
  void *easy;
  union {
    void *other;
    int code;
  } data;
};
struct CurlMessage *curl_multi_info_read(void *multi, int *left);

enum CurlOption {
  CurlOptionConnectMilliseconds = 156,
  CurlOptionHeaderFunction = 20079,
  CurlOptionHeaderOwner = 10029,
  CurlOptionHidesProxyHeaders = 265,
  CurlOptionLeavesResolver = 322,
  CurlOptionNoSignal = 99,
  CurlOptionProtocols = 181,
  CurlOptionURL = 10002,
  CurlOptionUserAgent = 10018,
  CurlOptionWriteFunction = 20011,
  CurlOptionWriteOwner = 10001,
};

// Swift calls no function of a variable number of arguments.

static inline int curlSetNumber(void *easy, enum CurlOption option, long value) {
  return curl_easy_setopt(easy, option, value);
}

static inline int curlSetText(void *easy, enum CurlOption option, const char *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline int curlSetOwner(void *easy, enum CurlOption option, void *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline int curlSetFunction(void *easy, enum CurlOption option, CurlReceiver value) {
  return curl_easy_setopt(easy, option, value);
}

/// The code of a transfer that has ended, 0 when it went well; -1 when none has.
static inline int curlResult(void *multi) {
  int left;
  struct CurlMessage *message = curl_multi_info_read(multi, &left);
  return message != NULL && message->kind == 1 ? message->data.code : -1;
}
