// The libcrypto of OpenSSL 3, for SHA-256 alone. libcurl4 stands on it (it depends on libssl3, whose
// package holds both libraries), so it is there wherever libcurl is. No package of headers is
// needed: these functions are part of its binary interface for as long as it is called .so.3.
#pragma once
#include <stddef.h>

/// A context of the library; one that is made here reads no configuration file.
void *OSSL_LIB_CTX_new(void);
/// An algorithm by its name; NULL where no provider of the context has it.
void *EVP_MD_fetch(void *context, const char *algorithm, const char *properties);

// A hash in the making. Each returns 1 when it went well.

void *EVP_MD_CTX_new(void);
int EVP_DigestInit_ex(void *hash, const void *algorithm, void *engine);
int EVP_DigestUpdate(void *hash, const void *bytes, size_t count);
int EVP_DigestFinal_ex(void *hash, unsigned char *digest, unsigned int *count);
void EVP_MD_CTX_free(void *hash);
