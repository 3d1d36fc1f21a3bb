/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * Frames of links and of files. A VNIC is watched at the node's end, which its machine cannot get at; an etherstub, which
 * is no interface, at all of its ports: what each sends, so that each frame is seen once.
 */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "link/find.h"
#include "link/switch.h"
#include "link/watch.h"
#include "nrd/mem.h"
#include "nrd/str.h"
#include "snoop.h"

#define WAIT_MS 100      /* how long the kernel may gather frames that go to a file */
#define A_TURN 64        /* frames taken from one before the next is looked at */

struct source {
	pcap_t *handle;
	unsigned ifindex;
	int watch;           /* of a VNIC, else -1 */
};

struct live {
	struct snoop *s;
	struct link_switch *sw; /* owned */
	struct source *sources; /* owned */
	size_t n;
	bool several;        /* what is gathered of each would come out of its order */
	int done;            /* 1: enough; negative: what failed */
	struct nrd_err *err;
};

int
signals_hold(int *ret_fd, struct nrd_err *err)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == 0 && sigaction(SIGPIPE, &ignore, NULL) == 0)
		*ret_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return *ret_fd < 0 ? nrd_fail(err, errno, "Signals", "wait for signals: %m") : 0;
}

int
filter_compile(struct snoop *s, pcap_t *handle, struct bpf_program *ret_program, struct nrd_err *err)
{
	const char *text = s->filter != NULL ? s->filter : "";

	if (pcap_compile(handle, ret_program, text, 1, PCAP_NETMASK_UNKNOWN) < 0)
		return nrd_fail(err, EINVAL, "Usage", "expression '%.120s': %s, see pcap-filter(7)", text, pcap_geterr(handle));
	return 0;
}

int
dump_open(struct snoop *s, pcap_t *like, struct nrd_err *err)
{
	if (s->opts->out == NULL)
		return 0;
	s->dump = pcap_dump_open(like, s->opts->out);
	return s->dump != NULL ? 0 : nrd_fail(err, EIO, "SnoopWrite", "write %s: %s", s->opts->out, pcap_geterr(like));
}

int
dump_close(struct snoop *s, struct nrd_err *err)
{
	int r = 0;

	if (s->dump == NULL)
		return 0;
	if (pcap_dump_flush(s->dump) < 0 || ferror(pcap_dump_file(s->dump)))
		r = nrd_fail(err, EIO, "SnoopWrite", "write %s: it could not be written whole", s->opts->out);
	pcap_dump_close(s->dump);
	s->dump = NULL;
	return r;
}

/* ---- opening ---- */

static void
live_cleanup(struct live *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->sources[i].handle != NULL)
			pcap_close(l->sources[i].handle);
		if (l->sources[i].watch >= 0)
			link_watch_stop(l->sw, l->sources[i].ifindex, l->sources[i].watch);
	}
	free(l->sources);
	switch_close(l->sw);
}

static int
failed(const char *name, pcap_t *handle, struct nrd_err *err)
{
	return nrd_fail(err, EIO, "SnoopOpen", "watch %s: %s", name, pcap_geterr(handle));
}

static int
settings(struct live *l, pcap_t *handle, const char *name, bool nic, struct nrd_err *err)
{
	const struct snoop_opts *opts = l->s->opts;

	if (pcap_set_snaplen(handle, opts->snaplen != 0 ? (int)opts->snaplen : SNAPLEN_MAX) != 0 ||
	    pcap_set_promisc(handle, nic && !opts->quiet_nic) != 0 || pcap_set_timeout(handle, WAIT_MS) != 0 ||
	    pcap_set_immediate_mode(handle, opts->out == NULL || l->several) != 0 || pcap_activate(handle) < 0)
		return failed(name, handle, err);
	if (pcap_datalink(handle) != DLT_EN10MB)
		return nrd_fail(err, EPROTO, "SnoopOpen", "watch %s: it is not Ethernet", name);
	return 0;
}

static int
set_filter(struct live *l, pcap_t *handle, const char *name, struct nrd_err *err)
{
	struct bpf_program program;
	int r;

	if (l->s->filter == NULL)
		return 0;
	r = filter_compile(l->s, handle, &program, err);
	if (r < 0)
		return r;
	r = pcap_setfilter(handle, &program);
	pcap_freecode(&program);
	return r < 0 ? failed(name, handle, err) : 0;
}

/* only_in: what comes from the other side of it; the node's end of a VNIC hears what its machine sends. */
static int
add(struct live *l, unsigned ifindex, bool nic, bool only_in, struct nrd_err *err)
{
	struct source *grown = reallocarray(l->sources, l->n + 1, sizeof(*grown)), *src;
	char name[IF_NAMESIZE], why[PCAP_ERRBUF_SIZE];
	int r;

	if (grown == NULL)
		return nrd_nomem(err);
	l->sources = grown;
	if (if_indextoname(ifindex, name) == NULL)
		return nrd_fail(err, ENOENT, "LinkNotFound", "watch interface %u: it is not there", ifindex);
	src = &l->sources[l->n];
	*src = (struct source){ .ifindex = ifindex, .watch = -1 };
	src->handle = pcap_create(name, why);
	if (src->handle == NULL)
		return nrd_fail(err, EIO, "SnoopOpen", "watch %s: %s", name, why);
	l->n++;
	r = settings(l, src->handle, name, nic, err);
	if (r == 0)
		r = set_filter(l, src->handle, name, err);
	if (r == 0 && only_in && pcap_setdirection(src->handle, PCAP_D_IN) < 0)
		r = failed(name, src->handle, err);
	if (r == 0 && pcap_setnonblock(src->handle, 1, why) < 0)
		r = nrd_fail(err, EIO, "SnoopOpen", "watch %s: %s", name, why);
	return r;
}

struct stub {
	struct live *l;
	uint32_t segment;
};

static int
add_port(void *arg, const struct switch_port *port, struct nrd_err *err)
{
	const struct stub *stub = arg;

	return port->segment == stub->segment ? add(stub->l, port->ifindex, false, true, err) : 0;
}

static int
add_vnic(struct live *l, const struct link_found *found, struct nrd_err *err)
{
	int r = add(l, found->ifindex, false, false, err);

	return r < 0 ? r : link_watch_start(l->sw, found->ifindex, &l->sources[l->n - 1].watch, err);
}

static int
add_stub(struct live *l, const struct link_found *found, struct nrd_err *err)
{
	struct stub stub = { .l = l };

	l->several = true;
	/* One that nothing was ever over. */
	if (switch_segment_find(l->sw, found->d.name, &stub.segment, NULL) == 0) {
		int r = switch_port_each(l->sw, add_port, &stub, err);

		if (r < 0 || l->n > 0)
			return r;
	}
	return nrd_fail(err, ENOENT, "SnoopWrongState", "watch %s: no VNIC is over this etherstub", found->d.name);
}

static int
open_link(struct live *l, struct nrd_err *err)
{
	const char *device = l->s->opts->device;
	NRD_AUTO(link_found) found = { 0 };
	int r = link_find(l->s->opts->zone, device, &found, err);

	if (r == 0 && found.has_record && (found.d.class_ == DATALINK_VNIC || found.d.class_ == DATALINK_ETHERSTUB)) {
		r = switch_open(NULL, &l->sw, err);
		if (r < 0)
			return r;
		return found.d.class_ == DATALINK_VNIC ? add_vnic(l, &found, err) : add_stub(l, &found, err);
	}
	if (r == 0 && found.ifindex == 0)
		return nrd_fail(err, ENOTSUP, "SnoopOpen", "watch %s: it is no interface", device);
	return r == 0 ? add(l, found.ifindex, true, false, err) : r;
}

/* ---- reading ---- */

static void
take(unsigned char *arg, const struct pcap_pkthdr *header, const unsigned char *bytes)
{
	struct live *l = (struct live *)(void *)arg;
	const struct packet p = { .time = header->ts, .caught = header->caplen, .len = header->len, .bytes = bytes };

	if (l->done == 0)
		l->done = snoop_packet(l->s, &p, l->err);
}

static int
turn(struct live *l, struct source *src, struct nrd_err *err)
{
	int r = pcap_dispatch(src->handle, A_TURN, take, (unsigned char *)l);

	if (r == PCAP_ERROR && l->done == 0)
		return nrd_fail(err, EIO, "SnoopRead", "%s: %s", l->s->opts->device, pcap_geterr(src->handle));
	return l->done;
}

/* Until there are enough, or a signal. Each is asked each time: a handle may hold frames its descriptor does not tell of. */
static int
run(struct live *l, int signals, struct nrd_err *err)
{
	NRD_FREE struct pollfd *fds = calloc(l->n + 1, sizeof(*fds));
	int r = 0;

	if (fds == NULL)
		return nrd_nomem(err);
	fds[0] = (struct pollfd){ .fd = signals, .events = POLLIN };
	for (size_t i = 0; i < l->n; i++)
		fds[i + 1] = (struct pollfd){ .fd = pcap_get_selectable_fd(l->sources[i].handle), .events = POLLIN };
	while (r == 0) {
		if (poll(fds, l->n + 1, -1) < 0)
			return nrd_fail(err, errno, "SnoopRead", "wait for frames: %m");
		if (fds[0].revents != 0)
			return 0;
		for (size_t i = 0; r == 0 && i < l->n; i++)
			if (fds[i + 1].revents != 0)
				r = turn(l, &l->sources[i], err);
		if (l->s->dump == NULL && fflush(stdout) != 0)
			return nrd_fail(err, errno, "SnoopWrite", "write: %m");
	}
	return r;
}

static unsigned
lost(const struct live *l)
{
	unsigned n = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct pcap_stat stat;

		if (pcap_stats(l->sources[i].handle, &stat) == 0)
			n += stat.ps_drop;
	}
	return n;
}

int
capture_live(struct snoop *s, struct nrd_err *err)
{
	__attribute__((cleanup(live_cleanup))) struct live l = { .s = s, .err = err };
	NRD_CLOSE int signals = -1;
	int closed, r = signals_hold(&signals, err);

	if (r == 0)
		r = open_link(&l, err);
	if (r == 0)
		r = dump_open(s, l.sources[0].handle, err);
	if (r < 0)
		return r;
	if (!s->opts->quiet)
		(void)fprintf(stderr, "Using device %s%s\n", s->opts->device,
			      l.sources[0].watch < 0 && l.sw == NULL && !s->opts->quiet_nic ? " (promiscuous mode)" : "");
	r = run(&l, signals, err);
	closed = dump_close(s, r < 0 ? NULL : err);
	if (!s->opts->quiet && s->opts->out != NULL)
		(void)fprintf(stderr, "%llu packets captured\n", (unsigned long long)s->shown);
	if (!s->opts->quiet && lost(&l) > 0)
		(void)fprintf(stderr, "%u packets came faster than they were taken\n", lost(&l));
	return r < 0 ? r : closed;
}

/* ---- files ---- */

static int
read_file(struct snoop *s, pcap_t *handle, const struct bpf_program *program, struct nrd_err *err)
{
	struct pcap_pkthdr *header;
	const unsigned char *bytes;
	int got, r = 0;

	while (r == 0 && (got = pcap_next_ex(handle, &header, &bytes)) == 1) {
		const struct packet p = { .time = header->ts, .caught = header->caplen, .len = header->len, .bytes = bytes };

		/* Numbers are the file's, as illumos has it: those that are left out have theirs. */
		if (pcap_offline_filter(program, header, bytes) != 0)
			r = snoop_packet(s, &p, err);
		else
			s->seen++;
	}
	if (r == 0 && got == PCAP_ERROR)
		r = nrd_fail(err, EIO, "SnoopRead", "read %s: %s", s->opts->in, pcap_geterr(handle));
	return r;
}

int
capture_file(struct snoop *s, struct nrd_err *err)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	pcap_t *handle = pcap_open_offline(s->opts->in, why);
	struct bpf_program program;
	int closed, r;

	if (handle == NULL)
		return nrd_fail(err, EIO, "SnoopRead", "read %s: %s", s->opts->in,
				nrd_starts(why, s->opts->in) != NULL ? nrd_starts(why, s->opts->in) + 2 : why);
	if (pcap_datalink(handle) != DLT_EN10MB)
		r = nrd_fail(err, EPROTO, "SnoopRead", "read %s: its frames are not of Ethernet", s->opts->in);
	else
		r = filter_compile(s, handle, &program, err);
	if (r == 0) {
		r = dump_open(s, handle, err);
		if (r == 0)
			r = read_file(s, handle, &program, err);
		pcap_freecode(&program);
	}
	closed = dump_close(s, r < 0 ? NULL : err);
	pcap_close(handle);
	return r < 0 ? r : closed;
}
