/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "nrd/buf.h"
#include "nrd/err.h"
#include "nrd/hash.h"

/*
 * Getting and sending things by HTTP: http and https only, certificates checked, at most HTTP_REDIRECTS_MAX
 * redirections and none from https to http. The calls block; proxies are taken from the usual
 * environment variables. User names and passwords in a URL are used but never shown.
 *
 * Errors name what was asked for, the host and the cause:
 *	"HttpUrl" (-EINVAL)          not a URL of http or https
 *	"HttpResolve" (-EHOSTUNREACH) nobody knows the host's name
 *	"HttpConnect" (errno of the cause)
 *	"HttpTls" (-EPROTO)          certificate or protocol
 *	"HttpTimeout" (-ETIMEDOUT)   could not connect in time, or the server fell silent
 *	"HttpNotFound" (-ENOENT)     status 404 or 410
 *	"HttpUnauthorized" (-EACCES) status 401
 *	"HttpRange" (-ERANGE)        the server does not go on where it was asked to
 *	"HttpStatus" (-EPROTO)       any other status but success
 *	"HttpTooBig" (-EFBIG)        more bytes than the caller takes
 *	"HttpBroken" (-EIO)          the transfer ended early, too many redirections, ...
 */
#define HTTP_REDIRECTS_MAX 5

/*
 * Called now and then while bytes come; total is 0 when not known. Negative stops it, with err
 * filled.
 */
typedef int http_progress_fn(void *arg, uint64_t done, uint64_t total, struct nrd_err *err);

/* Told of each header of each answer, redirections included. */
typedef void http_header_fn(void *arg, const char *name, const char *value);

/* All zero: the defaults. */
struct http_opts {
	const char *const *headers; /* "Name: value" ..., NULL terminated, or NULL */
	const char *ca_file;        /* certificates to trust, NULL: the system's */
	unsigned connect_s;         /* to be connected, 0: 20 */
	unsigned silence_s;         /* the longest time without a byte, 0: 30 */
	unsigned total_s;           /* for all of it, 0: no limit */
	http_progress_fn *progress; /* or NULL */
	void *progress_arg;
	http_header_fn *header;     /* or NULL */
	void *header_arg;
	uint64_t from;              /* bytes of the body that are here already */
	const volatile sig_atomic_t *stop; /* once it is set: "Interrupted" (-EINTR); or NULL */
	bool insecure;              /* whoever answers is believed to be the server */
};

/* Appends the body to out, of which out->max is the limit. opts may be NULL. */
int http_get(const char *url, const struct http_opts *opts, struct nrd_buf *out,
	     struct nrd_err *err);

/*
 * Writes the body to fd from where it stands, at most max bytes, hashing it on the way
 * when ret_sha256 is not NULL; ret_bytes may be NULL. "FileWrite" when fd refuses. What came
 * before a failure stays in the file.
 */
int http_get_file(const char *url, const struct http_opts *opts, uint64_t max, int fd,
		  char ret_sha256[NRD_HASH_TEXT], uint64_t *ret_bytes, struct nrd_err *err);

/* What is sent: text, or size bytes of fd from where it stands. */
struct http_body {
	const char *method; /* "POST", "PUT" */
	const char *type;   /* of the contents; NULL: not said */
	const char *text;
	int fd;             /* > 0 */
	uint64_t size;
};

/*
 * Sends and appends what is answered to out. No redirection is followed. What the server says of an
 * error is in "HttpStatus".
 */
int http_send(const char *url, const struct http_opts *opts, const struct http_body *body,
	      struct nrd_buf *out, struct nrd_err *err);

/* "HttpUrl" unless url could be asked for. */
int http_url_check(const char *url, struct nrd_err *err);
