/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
#include "zone/pump.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>

#include "nrd-test.h"
#include "nrd/mem.h"
#include "zone/sys.h"

/* Feeds text in pieces of each size in turn; what came out must always be the same. */
static void
escape_is(const char *in, const char *want, enum zone_escape_action want_action)
{
	size_t len = strlen(in);

	for (size_t piece = 1; piece <= len; piece++) {
		struct zone_escape escape = { .ch = '~' };
		enum zone_escape_action action = ZONE_ESCAPE_NONE;
		char out[256] = "";
		size_t n = 0;

		for (size_t at = 0; at < len && action == ZONE_ESCAPE_NONE;) {
			size_t part = len - at < piece ? len - at : piece, used;

			n += zone_escape_feed(&escape, in + at, part, out + n, &used, &action);
			CHECK(used <= part);
			at += used;
		}
		out[n] = '\0';
		CHECK_STR(out, want);
		CHECK_INT(action, want_action);
	}
}

static void
escapes_at_the_beginning_of_a_line(void)
{
	escape_is("~.", "", ZONE_ESCAPE_DETACH);
	escape_is("ls\r~.rest", "ls\r", ZONE_ESCAPE_DETACH);
	escape_is("ls\n~.rest", "ls\n", ZONE_ESCAPE_DETACH);
	escape_is("ls ~.\r", "ls ~.\r", ZONE_ESCAPE_NONE);
	escape_is("a~~.\r", "a~~.\r", ZONE_ESCAPE_NONE);
	escape_is("~~", "~", ZONE_ESCAPE_NONE);
	escape_is("~~.", "~.", ZONE_ESCAPE_NONE);
	escape_is("~~~.", "~~.", ZONE_ESCAPE_NONE);
	escape_is("~x~.", "~x~.", ZONE_ESCAPE_NONE);
	escape_is("~\r~.", "~\r", ZONE_ESCAPE_DETACH);
	escape_is("a\r\r~.", "a\r\r", ZONE_ESCAPE_DETACH);
	escape_is("\r~\x1a", "\r", ZONE_ESCAPE_SUSPEND);
	escape_is("cd ~\r~", "cd ~\r", ZONE_ESCAPE_NONE);
}

static void
no_escape_when_there_is_none(void)
{
	struct zone_escape escape = { .ch = -1 };
	enum zone_escape_action action;
	char out[16];
	size_t used;

	CHECK_INT(zone_escape_feed(&escape, "~.\xff~.", 5, out, &used, &action), 5);
	CHECK_INT(used, 5);
	CHECK_INT(action, ZONE_ESCAPE_NONE);
	CHECK(memcmp(out, "~.\xff~.", 5) == 0);
}

static void
escape_characters(void)
{
	struct nrd_err err = { 0 };
	int ch = 0;

	CHECK_OK(zone_escape_parse("#", &ch, &err), err);
	CHECK_INT(ch, '#');
	CHECK_OK(zone_escape_parse("^", &ch, &err), err);
	CHECK_INT(ch, '^');
	CHECK_OK(zone_escape_parse("^]", &ch, &err), err);
	CHECK_INT(ch, 0x1d);
	CHECK_OK(zone_escape_parse("\xff", &ch, &err), err);
	CHECK_INT(ch, 0xff);
	CHECK_FAILS(zone_escape_parse("", &ch, &err), err, EINVAL, "Usage");
	CHECK_FAILS(zone_escape_parse("ab", &ch, &err), err, EINVAL, "Usage");
	CHECK_FAILS(zone_escape_parse("^]x", &ch, &err), err, EINVAL, "Usage");
	CHECK_FAILS(zone_escape_parse("^m", &ch, &err), err, EINVAL, "Usage");
	CHECK_FAILS(zone_escape_parse("^M", &ch, &err), err, EINVAL, "Usage");
	CHECK_FAILS(zone_escape_parse("\n", &ch, &err), err, EINVAL, "Usage");
}

/* Two descriptors with a pump between: what is written to `left` is read from `right`. */
struct ends {
	int left, from, to, right;
};

static void
nonblocking(int fd)
{
	CHECK(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0);
}

static struct ends
make_ends(int type)
{
	struct ends e;
	int a[2], b[2];

	if (type == 0) {
		CHECK(pipe2(a, O_CLOEXEC) == 0 && pipe2(b, O_CLOEXEC) == 0);
		e = (struct ends){ .left = a[1], .from = a[0], .to = b[1], .right = b[0] };
		nonblocking(e.from);
		nonblocking(e.to);
		return e;
	}
	CHECK(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, a) == 0);
	CHECK(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, b) == 0);
	return (struct ends){ .left = a[1], .from = a[0], .to = b[1], .right = b[0] };
}

static unsigned char
pattern(size_t i)
{
	return (unsigned char)(i * 2654435761u >> 13);
}

/* A child that has one descriptor of all: what it does not use it does not keep open. */
static pid_t
fork_with(int keep)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	for (int fd = 3; pid == 0 && fd < 100; fd++) {
		if (fd != keep)
			(void)close(fd);
	}
	return pid;
}

/* Writes size bytes of the pattern in pieces of all sizes. */
static pid_t
start_writer(int fd, size_t size)
{
	pid_t pid = fork_with(fd);

	if (pid > 0)
		return pid;
	for (size_t at = 0; at < size;) {
		char piece[5000];
		size_t len = at * 7 % sizeof(piece) + 1;

		if (len > size - at)
			len = size - at;
		for (size_t i = 0; i < len; i++)
			piece[i] = (char)pattern(at + i);
		ssize_t n = write(fd, piece, len);

		if (n < 0)
			_exit(1);
		at += (size_t)n;
	}
	_exit(0);
}

/* Reads to the end, slowly at first; exits 0 when it was the pattern, whole. */
static pid_t
start_reader(int fd, size_t size, unsigned pause_us)
{
	pid_t pid = fork_with(fd);

	if (pid > 0)
		return pid;
	for (size_t at = 0;;) {
		unsigned char piece[70000];
		ssize_t n = read(fd, piece, sizeof(piece));

		if (n <= 0)
			_exit(n == 0 && at == size ? 0 : 1);
		for (ssize_t i = 0; i < n; i++) {
			if (piece[i] != pattern(at + (size_t)i))
				_exit(2);
		}
		at += (size_t)n;
		if (at < size / 50)
			(void)usleep(pause_us);
	}
}

static void
expect_exit(pid_t pid, int want)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status));
	CHECK_INT(WEXITSTATUS(status), want);
}

#define MIB ((size_t)1 << 20)

/* 10 MB one way and 3 MB the other at once, the receivers slow at first. */
static void
carry(int type)
{
	NRD_AUTO(zone_pump) *pump = NULL;
	struct ends there = make_ends(type), back = make_ends(type);
	struct nrd_err err = { 0 };
	pid_t pids[4];

	pids[0] = start_writer(there.left, 10 * MIB);
	pids[1] = start_reader(there.right, 10 * MIB, 1000);
	pids[2] = start_writer(back.left, 3 * MIB);
	pids[3] = start_reader(back.right, 3 * MIB, 3000);
	CHECK(close(there.left) == 0 && close(there.right) == 0);
	CHECK(close(back.left) == 0 && close(back.right) == 0);
	CHECK_OK(zone_pump_new(&pump, &err), err);
	CHECK_OK(zone_pump_lane(pump, there.from, there.to, 0, &err), err);
	CHECK_OK(zone_pump_lane(pump, back.from, back.to, 0, &err), err);

	CHECK_OK(zone_pump_run(pump, &err), err);
	for (int i = 0; i < 4; i++)
		expect_exit(pids[i], 0);
}

static void
carries_much_through_pipes(void)
{
	carry(0);
}

static void
carries_much_through_sockets(void)
{
	carry(SOCK_STREAM);
}

static void
carries_much_through_message_sockets(void)
{
	carry(SOCK_SEQPACKET);
}

static int
tick(void *arg, struct nrd_err *err)
{
	(void)err;
	zone_pump_stop(arg);
	return 1;
}

/* A descriptor that ends after a moment. */
static int
moment(unsigned ms)
{
	int fds[2];

	CHECK(pipe2(fds, O_CLOEXEC) == 0);
	if (fork_with(fds[1]) == 0) {
		(void)usleep(ms * 1000);
		_exit(0);
	}
	CHECK(close(fds[1]) == 0);
	return fds[0];
}

static void
a_stuck_receiver_stops_its_lane_only(void)
{
	NRD_AUTO(zone_pump) *pump = NULL;
	struct ends stuck = make_ends(0), free_ = make_ends(0);
	struct nrd_err err = { 0 };
	NRD_CLOSE int timer = moment(300);
	char piece[4096] = { 0 };
	size_t sent = 0;
	ssize_t n;

	CHECK_OK(zone_pump_new(&pump, &err), err);
	CHECK_OK(zone_pump_lane(pump, stuck.from, stuck.to, 0, &err), err);
	CHECK_OK(zone_pump_lane(pump, free_.from, free_.to, 0, &err), err);
	CHECK_OK(zone_pump_watch(pump, timer, tick, pump, &err), err);
	nonblocking(stuck.left);
	while ((n = write(stuck.left, piece, sizeof(piece))) > 0)
		sent += (size_t)n;
	CHECK(write(free_.left, "through", 7) == 7);
	CHECK_OK(zone_pump_run(pump, &err), err);
	CHECK_INT(read(free_.right, piece, sizeof(piece)), 7);

	/* It took what its buffers hold, not more, and gives it all back. */
	size_t more = 0;

	while ((n = write(stuck.left, piece, sizeof(piece))) > 0)
		more += (size_t)n;
	CHECK(more > 0);
	CHECK(more < MIB);
	CHECK(sent > 0);
	CHECK(close(stuck.left) == 0 && close(stuck.right) == 0);
	CHECK(close(free_.left) == 0 && close(free_.right) == 0);
}

static void
the_end_is_passed_on_behind_all_bytes(void)
{
	NRD_AUTO(zone_pump) *pump = NULL;
	struct ends e = make_ends(0);
	struct nrd_err err = { 0 };
	char got[16];

	CHECK_OK(zone_pump_new(&pump, &err), err);
	CHECK_OK(zone_pump_lane(pump, e.from, e.to, ZONE_LANE_LAST, &err), err);
	CHECK(write(e.left, "last", 4) == 4);
	CHECK(close(e.left) == 0);
	CHECK_OK(zone_pump_run(pump, &err), err);
	CHECK_INT(read(e.right, got, sizeof(got)), 4);
	CHECK(memcmp(got, "last", 4) == 0);
	CHECK_INT(read(e.right, got, sizeof(got)), 0);
	CHECK(close(e.right) == 0);
}

/* Nobody reads any more: the writer gets to know it. */
static void
a_closed_receiver_closes_the_sender(void)
{
	NRD_AUTO(zone_pump) *pump = NULL;
	struct ends e = make_ends(0);
	struct nrd_err err = { 0 };

	CHECK(sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL) == 0);
	CHECK_OK(zone_pump_new(&pump, &err), err);
	CHECK_OK(zone_pump_lane(pump, e.from, e.to, ZONE_LANE_LAST, &err), err);
	CHECK(close(e.right) == 0);
	CHECK(write(e.left, "x", 1) == 1);
	CHECK_OK(zone_pump_run(pump, &err), err);
	CHECK_INT(write(e.left, "x", 1), -1);
	CHECK_INT(errno, EPIPE);
	CHECK(close(e.left) == 0);
}

static void
detaches_and_hands_on_what_was_before(void)
{
	NRD_AUTO(zone_pump) *pump = NULL;
	struct ends e = make_ends(SOCK_SEQPACKET);
	struct nrd_err err = { 0 };
	char got[16] = "";

	CHECK_OK(zone_pump_new(&pump, &err), err);
	CHECK_OK(zone_pump_lane(pump, e.from, e.to, ZONE_LANE_INPUT, &err), err);
	zone_pump_escape(pump, '~', NULL, NULL);
	CHECK(write(e.left, "exit\r~.no", 9) == 9);
	CHECK_OK(zone_pump_run(pump, &err), err);
	CHECK(zone_pump_detached(pump));
	CHECK_INT(read(e.right, got, sizeof(got)), 5);
	CHECK_STR(got, "exit\r");
	zone_pump_free(NRD_TAKE(pump));
	CHECK_INT(read(e.right, got, sizeof(got)), 0);
	CHECK(close(e.left) == 0 && close(e.right) == 0);
}

static int
count(void *arg, struct nrd_err *err)
{
	unsigned *n = arg;

	(void)err;
	++*n;
	return 0;
}

static void
suspends_or_sends_the_escape(void)
{
	for (int can = 0; can < 2; can++) {
		NRD_AUTO(zone_pump) *pump = NULL;
		struct ends e = make_ends(0);
		struct nrd_err err = { 0 };
		unsigned n = 0;
		char got[16] = "";

		CHECK_OK(zone_pump_new(&pump, &err), err);
		CHECK_OK(zone_pump_lane(pump, e.from, e.to, ZONE_LANE_INPUT | ZONE_LANE_LAST, &err),
			 err);
		zone_pump_escape(pump, '~', can ? count : NULL, &n);
		CHECK(write(e.left, "a\r~\x1a" "b\r~", 7) == 7);
		CHECK(close(e.left) == 0);
		CHECK_OK(zone_pump_run(pump, &err), err);
		CHECK_INT(n, can);
		CHECK(read(e.right, got, sizeof(got)) > 0);
		/* The character held back at the end was no escape. */
		CHECK_STR(got, can ? "a\rb\r~" : "a\r~\x1a" "b\r~");
		CHECK(close(e.right) == 0);
	}
}

static int
ended(void *arg, struct nrd_err *err)
{
	(void)err;
	zone_pump_drain(arg);
	return 1;
}

/* The command has ended, a process it left behind holds the pipe open: its output is handed on. */
static void
drains_what_is_there(void)
{
	NRD_AUTO(zone_pump) *pump = NULL;
	struct ends in = make_ends(0), out = make_ends(0);
	struct nrd_err err = { 0 };
	char text[30000], got[40000];
	size_t n = 0;
	int end[2];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)pattern(i);
	CHECK(pipe2(end, O_CLOEXEC) == 0 && close(end[1]) == 0);
	CHECK_OK(zone_pump_new(&pump, &err), err);
	CHECK_OK(zone_pump_lane(pump, in.from, in.to, ZONE_LANE_INPUT, &err), err);
	CHECK_OK(zone_pump_lane(pump, out.from, out.to, 0, &err), err);
	CHECK_OK(zone_pump_watch(pump, end[0], ended, pump, &err), err);
	CHECK(write(out.left, text, sizeof(text)) == (ssize_t)sizeof(text));
	CHECK_OK(zone_pump_run(pump, &err), err);
	for (ssize_t r; (r = read(out.right, got + n, sizeof(got) - n)) > 0;)
		n += (size_t)r;
	CHECK_INT(n, sizeof(text));
	CHECK(memcmp(got, text, n) == 0);
	CHECK(close(in.left) == 0 && close(in.right) == 0);
	CHECK(close(out.left) == 0 && close(out.right) == 0 && close(end[0]) == 0);
}

/* A process that never stops writing does not keep it from ending. */
static void
drains_not_for_ever(void)
{
	NRD_AUTO(zone_pump) *pump = NULL;
	struct ends out = make_ends(0);
	struct nrd_err err = { 0 };
	int end[2];
	pid_t writer = start_writer(out.left, (size_t)1 << 40);
	pid_t reader = start_reader(out.right, (size_t)1 << 40, 0);

	CHECK(close(out.left) == 0 && close(out.right) == 0);
	CHECK(pipe2(end, O_CLOEXEC) == 0 && close(end[1]) == 0);
	CHECK_OK(zone_pump_new(&pump, &err), err);
	CHECK_OK(zone_pump_lane(pump, out.from, out.to, 0, &err), err);
	CHECK_OK(zone_pump_watch(pump, end[0], ended, pump, &err), err);
	CHECK_OK(zone_pump_run(pump, &err), err);
	CHECK(kill(writer, SIGKILL) == 0 && waitpid(writer, NULL, 0) == writer);
	CHECK(close(end[0]) == 0);
	CHECK(kill(reader, SIGKILL) == 0 && waitpid(reader, NULL, 0) == reader);
}

/* Reads a pty to its end of file, as cat does; exits with the number of bytes. */
static pid_t
start_pty_reader(int slave, bool goes_raw_first)
{
	struct termios modes;
	size_t n = 0;
	pid_t pid = fork_with(slave);

	if (pid > 0)
		return pid;
	if (goes_raw_first) {
		char c;

		/* An end that came before this is a NUL now; the next one is the character itself. */
		(void)usleep(100 * 1000);
		CHECK(tcgetattr(slave, &modes) == 0);
		cfmakeraw(&modes);
		CHECK(tcsetattr(slave, TCSANOW, &modes) == 0);
		while (read(slave, &c, 1) == 1 && c != ('D' & 0x1f))
			n += c != '\0';
		_exit((int)n);
	}
	for (;;) {
		char piece[16];
		ssize_t r = read(slave, piece, sizeof(piece));

		if (r <= 0)
			_exit(r == 0 ? (int)n : 100);
		n += (size_t)r;
	}
}

/* The end of input reaches a program that reads a pty, whether or not the last line was whole. */
static void
a_pty_gets_its_end_of_file(void)
{
	static const char *const texts[] = { "line\n", "part", "", "two\nlines\n" };

	for (size_t i = 0; i < 2 * nrd_count(texts); i++) {
		NRD_AUTO(zone_pump) *pump = NULL;
		const char *text = texts[i / 2];
		struct nrd_err err = { 0 };
		struct termios modes;
		int master, slave, in[2];
		ssize_t len = (ssize_t)strlen(text);

		CHECK(openpty(&master, &slave, NULL, NULL, NULL) == 0);
		CHECK(tcgetattr(slave, &modes) == 0);
		modes.c_lflag &= ~(tcflag_t)ECHO;
		CHECK(tcsetattr(slave, TCSANOW, &modes) == 0);
		CHECK(pipe2(in, O_CLOEXEC | O_NONBLOCK) == 0);
		CHECK(write(in[1], text, strlen(text)) == len && close(in[1]) == 0);
		nonblocking(master);
		CHECK_OK(zone_pump_new(&pump, &err), err);
		CHECK_OK(zone_pump_lane(pump, in[0], fcntl(master, F_DUPFD_CLOEXEC, 3),
					ZONE_LANE_INPUT, &err), err);
		zone_pump_eof(pump, slave);
		pid_t reader = start_pty_reader(slave, i % 2 == 1);
		NRD_CLOSE int ended = zone_sys_pidfd_open(reader);

		CHECK_OK(zone_pump_watch(pump, ended, tick, pump, &err), err);
		CHECK_OK(zone_pump_run(pump, &err), err);
		expect_exit(reader, (int)len);
		CHECK(close(master) == 0 && close(slave) == 0);
	}
}

static void
borrowed_descriptors_do_not_change_the_shared_ones(void)
{
	struct nrd_err err = { 0 };
	int fds[2], fd = -1, file;
	char path[] = "/tmp/nrd-pump-XXXXXX", c = '\0';

	CHECK(pipe2(fds, O_CLOEXEC) == 0);
	CHECK_OK(zone_pump_borrow(fds[0], &fd, &err), err);
	CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	CHECK_INT(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
	CHECK(close(fd) == 0 && close(fds[0]) == 0 && close(fds[1]) == 0);

	/* A file goes on where it stands. */
	file = mkstemp(path);
	CHECK(file >= 0 && write(file, "abc", 3) == 3 && lseek(file, 1, SEEK_SET) == 1);
	CHECK_OK(zone_pump_borrow(file, &fd, &err), err);
	CHECK(read(fd, &c, 1) == 1);
	CHECK_INT(c, 'b');
	CHECK(close(fd) == 0 && close(file) == 0 && unlink(path) == 0);
	CHECK_FAILS(zone_pump_borrow(file, &fd, &err), err, EBADF, "Pump");
}

static void
refuses_too_many(void)
{
	NRD_AUTO(zone_pump) *pump = NULL;
	struct nrd_err err = { 0 };
	struct ends e;

	CHECK_OK(zone_pump_new(&pump, &err), err);
	for (int i = 0; i < 4; i++) {
		e = make_ends(0);
		CHECK_OK(zone_pump_lane(pump, e.from, e.to, 0, &err), err);
		CHECK(close(e.left) == 0 && close(e.right) == 0);
	}
	e = make_ends(0);
	CHECK_FAILS(zone_pump_lane(pump, e.from, e.to, 0, &err), err, E2BIG, "Pump");
	CHECK_INT(fcntl(e.from, F_GETFD), -1);
	CHECK_INT(fcntl(e.to, F_GETFD), -1);
	CHECK(close(e.left) == 0 && close(e.right) == 0);
}

TEST_MAIN(escapes_at_the_beginning_of_a_line, no_escape_when_there_is_none, escape_characters,
	  carries_much_through_pipes, carries_much_through_sockets,
	  carries_much_through_message_sockets, a_stuck_receiver_stops_its_lane_only,
	  the_end_is_passed_on_behind_all_bytes, a_closed_receiver_closes_the_sender,
	  detaches_and_hands_on_what_was_before, suspends_or_sends_the_escape,
	  drains_what_is_there, drains_not_for_ever, a_pty_gets_its_end_of_file,
	  borrowed_descriptors_do_not_change_the_shared_ones, refuses_too_many)
