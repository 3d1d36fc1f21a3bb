/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "mdata.h"
#include "mdata/limits.h"
#include "nrd/buf.h"
#include "nrd/clock.h"
#include "nrd/mem.h"

#define WAIT_MS    60000 /* for the service, all in all */
#define TELL_MS    2000  /* before it is said that there is a wait */
#define PAUSE_MS   100
#define ANSWER_S   45
#define READ_BYTES ((size_t)16 << 10)

static const char *const places[] = {
	"/.zonecontrol/metadata.sock",
	"/native/.zonecontrol/metadata.sock",
};

struct call {
	int fd;
	struct nrd_buf in; /* what came and was not looked at yet */
};

/* -1 with errno of the place that is there but does not answer, else of the last. */
static int
open_service(void)
{
	const struct timeval limit = { .tv_sec = ANSWER_S };
	int why = ENOENT;

	for (size_t i = 0; i < nrd_count(places); i++) {
		NRD_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		struct sockaddr_un addr = { .sun_family = AF_UNIX };

		(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", places[i]);
		if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
		    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 &&
		    connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0)
			return nrd_take_fd(&fd);
		if (errno != ENOENT)
			why = errno;
	}
	errno = why;
	return -1;
}

static bool
send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* The next line; false: there is none any more. Drop it with its end when it was looked at. */
static bool
read_line(struct call *call, struct nrd_str *ret_line)
{
	size_t looked = 0;

	for (;;) {
		const char *text = nrd_buf_str(&call->in);
		const char *end = memchr(text + looked, '\n', call->in.len - looked);
		ssize_t n;

		if (end != NULL) {
			*ret_line = nrd_strn(text, (size_t)(end - text));
			return true;
		}
		looked = call->in.len;
		if (nrd_buf_reserve(&call->in, READ_BYTES) < 0)
			return false;
		n = recv(call->fd, call->in.data + call->in.len, READ_BYTES, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		call->in.len += (size_t)n;
	}
}

static bool
negotiate(struct call *call)
{
	static const char hello[] = "NEGOTIATE V2\n";
	struct nrd_str line;

	if (!send_all(call->fd, hello, sizeof(hello) - 1) || !read_line(call, &line) ||
	    !nrd_str_eq(line, "V2_OK"))
		return false;
	nrd_buf_drop(&call->in, line.len + 1);
	return true;
}

/* False: the service went away or said nothing; it may be asked again, for nothing depends on how often. */
static bool
talk(struct call *call, const struct nrd_buf *request, const char *id, struct mdata_answer *answer)
{
	struct nrd_str line;

	if (!negotiate(call) || !send_all(call->fd, nrd_buf_str(request), request->len))
		return false;
	while (read_line(call, &line)) {
		if (mdata_answer_parse(line, id, answer))
			return true;
		mdata_answer_fini(answer);
		nrd_buf_drop(&call->in, line.len + 1);
	}
	return false;
}

static bool
try_once(const struct nrd_buf *request, const char *id, struct mdata_answer *answer)
{
	NRD_CLOSE int fd = open_service();
	struct call call = { .fd = fd, .in = NRD_BUF_INIT(MDATA_ANSWER_MAX) };
	bool answered;

	if (fd < 0)
		return false;
	errno = ECONNRESET;
	answered = talk(&call, request, id, answer);
	nrd_buf_fini(&call.in);
	return answered;
}

static void
make_id(char ret_id[MDATA_ID_LEN + 1])
{
	uint32_t number = 0;

	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) < 0)
		number = (uint32_t)nrd_now_ms() ^ (uint32_t)getpid() << 16;
	(void)snprintf(ret_id, MDATA_ID_LEN + 1, "%08x", number);
}

int
client_ask(enum mdata_op op, const struct nrd_str *key, const struct nrd_str *value,
	   struct mdata_answer *answer, struct nrd_err *err)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	NRD_AUTO(nrd_buf) request = NRD_BUF_INIT(MDATA_LINE_MAX + 1);
	int64_t start = nrd_now_ms();
	char id[MDATA_ID_LEN + 1];
	bool told = false;

	make_id(id);
	if (mdata_request_format(op, id, key, value, &request) < 0)
		return nrd_nomem(err);
	while (!try_once(&request, id, answer)) {
		int64_t waited = nrd_now_ms() - start;

		if (errno == EACCES || errno == EPERM)
			return nrd_fail(err, errno, "MetadataService",
					"ask the metadata service: only root of the zone may");
		if (waited >= WAIT_MS)
			return nrd_fail(err, errno, "MetadataService",
					"no metadata service in %d s at %s or %s: %m; is this a zone of "
					"Nereid?", WAIT_MS / 1000, places[0], places[1]);
		if (!told && waited >= TELL_MS) {
			told = true;
			(void)fprintf(stderr, "waiting for the metadata service\n");
		}
		(void)nanosleep(&pause, NULL);
	}
	return answer->text.failed < 0 ? nrd_nomem(err) : 0;
}
