/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * By libseccomp, when Nereid is built: what runs on a node reads the result. Compiling costs more
 * time than all the rest of a zone's start, and more memory than all the rest of its zoneadmd.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nrd/file.h"
#include "nrd/mem.h"
#include "zone/filter-priv.h"
#include "zone/filter.h"

#define UFFD_USER_MODE_ONLY 1
#define LOW32 UINT32_MAX
#define NR_IOCTL_I386 54
#define NR_SOCKETCALL_I386 102
#define NR_SOCKET_I386 359
#define SOCKETCALL_SOCKET 1

static int
failed(struct nrd_err *err, int r, const char *what)
{
	return nrd_fail(err, -r, "ZoneFilter", "make the system call filter: %s: %m", what);
}

/*
 * What libseccomp cannot say, or only at length, before its program. Terminals: pushing input into
 * another's (TIOCSTI) and the console's selection (TIOCLINUX) are EPERM, all other requests are let
 * through ("all but these", of an argument of which the kernel takes the lower half). Sockets: a
 * zone is on its own networks and talks to the kernel about them; the other families are not all
 * bound to a network namespace (a virtual machine's vsock is not), and most are little looked at. Of
 * the one call for all that has to do with sockets, which 32-bit programs have beside the others,
 * the part that makes one is refused: its family is in memory, where a filter cannot look.
 */
static const struct sock_filter first_filter[] = {
	/*  0 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	/*  1 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 3),
	/*  2 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	/*  3 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_ioctl, 5, 0),
	/*  4 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 10, 17),
	/*  5 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	/*  6 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NR_IOCTL_I386, 2, 0),
	/*  7 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NR_SOCKETCALL_I386, 5, 0),
	/*  8 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NR_SOCKET_I386, 6, 13),
	/*  9 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
	/* 10 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TIOCSTI, 1, 0),
	/* 11 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TIOCLINUX, 0, 10),
	/* 12 */ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	/* 13 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
	/* 14 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SOCKETCALL_SOCKET, 6, 7),
	/* 15 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
	/* 16 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 5, 0),
	/* 17 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 4, 0),
	/* 18 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 3, 0),
	/* 19 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 2, 0),
	/* 20 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_PACKET, 1, 0),
	/* 21 */ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
	/* 22: the trees below, then libseccomp's */
};

/* ---- calls that are answered by their number alone ---- */

/*
 * Nearly all. libseccomp compares with each number; here a range of numbers that are answered alike is one
 * comparison in a tree: the kernel translates every instruction for every zone that boots.
 */
#define NRS 512 /* above them the kernels have none; with bit 30 set a number is one of x32 */
#define TREE_MAX 1024

enum answer {
	UNKNOWN,  /* ENOSYS */
	ALLOWED,
	REFUSED,  /* EPERM */
	BY_RULE,  /* its arguments count: libseccomp's program answers */
};

struct range {
	unsigned first;
	enum answer answer;
};

struct tree {
	struct range ranges[NRS];
	size_t n_ranges;
	struct sock_filter insns[TREE_MAX];
	size_t n;
};

static const char *const by_rule[] = { "clone", "clone3", "personality", "unshare", "userfaultfd", NULL };

static void
answer_names(uint32_t arch, const char *const *names, enum answer answer, unsigned char answers[NRS])
{
	for (; *names != NULL; names++) {
		int nr = seccomp_syscall_resolve_name_arch(arch, *names);

		if (nr >= 0 && nr < NRS)
			answers[nr] = (unsigned char)answer;
	}
}

/*
 * 32-bit programs have the parts of socketcall and ipc as calls of their own too, for which libseccomp has
 * no numbers: recvmmsg, sendmmsg, socket to shutdown, semget to msgctl. All of them are allowed.
 */
static const unsigned parts_i386[][2] = { { 337, 337 }, { 345, 345 }, { 359, 373 }, { 393, 402 } };

static void
make_ranges(uint32_t arch, struct tree *t)
{
	unsigned char answers[NRS] = { 0 };

	for (size_t i = 0; arch == SCMP_ARCH_X86 && i < nrd_count(parts_i386); i++)
		memset(answers + parts_i386[i][0], ALLOWED, parts_i386[i][1] - parts_i386[i][0] + 1);
	answer_names(arch, zone_filter_allowed, ALLOWED, answers);
	answer_names(arch, zone_filter_refused, REFUSED, answers);
	answer_names(arch, by_rule, BY_RULE, answers);
	for (unsigned nr = 0; nr < NRS; nr++)
		if (nr == 0 || answers[nr] != answers[nr - 1])
			t->ranges[t->n_ranges++] = (struct range){ nr, answers[nr] };
	t->ranges[t->n_ranges++] = (struct range){ NRS, BY_RULE };
}

static void
emit(struct tree *t, struct sock_filter insn)
{
	if (t->n < TREE_MAX)
		t->insns[t->n++] = insn;
}

static void
emit_answer(struct tree *t, enum answer answer)
{
	static const uint32_t returns[] = {
		[UNKNOWN] = SECCOMP_RET_ERRNO | ENOSYS, [ALLOWED] = SECCOMP_RET_ALLOW,
		[REFUSED] = SECCOMP_RET_ERRNO | EPERM,
	};

	/* Where to is known at the end. */
	if (answer == BY_RULE)
		emit(t, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
	else
		emit(t, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, returns[answer]));
}

/* Ranges first to end - 1; half of them are never more than a jump can pass over. */
static void
emit_ranges(struct tree *t, size_t first, size_t end)
{
	size_t middle = first + (end - first) / 2, branch = t->n;

	if (end - first == 1) {
		emit_answer(t, t->ranges[first].answer);
		return;
	}
	emit(t, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, t->ranges[middle].first, 0, 0));
	emit_ranges(t, first, middle);
	if (t->n - branch - 1 > UINT8_MAX)
		t->n = TREE_MAX; /* never with what there is; found below */
	t->insns[branch].jt = (unsigned char)(t->n - branch - 1);
	emit_ranges(t, middle, end);
}

/* For programs of one architecture; those of another, and what rules answer, go on behind it. */
static int
write_tree(uint32_t arch, uint32_t audit_arch, int out, struct nrd_err *err)
{
	struct tree t = { .n_ranges = 0 };

	make_ranges(arch, &t);
	emit(&t, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
	emit(&t, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, audit_arch, 1, 0));
	emit_answer(&t, BY_RULE);
	emit(&t, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
	emit_ranges(&t, 0, t.n_ranges);
	if (t.n >= TREE_MAX)
		return nrd_fail(err, E2BIG, "ZoneFilter", "the tree of system calls is too big");
	for (size_t i = 0; i < t.n; i++)
		if (t.insns[i].code == (BPF_JMP | BPF_JA))
			t.insns[i].k = (uint32_t)(t.n - i - 1);
	return nrd_write_all(out, t.insns, t.n * sizeof(t.insns[0]), err);
}

/* ---- calls whose arguments count ---- */

static int
personalities(scmp_filter_ctx ctx, struct nrd_err *err)
{
	static const unsigned known[] = { PER_LINUX, PER_LINUX32, UNAME26, PER_LINUX32 | UNAME26,
					  ADDR_NO_RANDOMIZE, LOW32 };
	int r = 0;

	for (size_t i = 0; r >= 0 && i < nrd_count(known); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(personality), 1,
				     SCMP_A0(SCMP_CMP_MASKED_EQ, LOW32, known[i]));
	return r < 0 ? failed(err, r, "personality") : 0;
}

/*
 * New user namespaces hand out capabilities over parts of the kernel that were written for root
 * alone, so only zones with nesting may make them. clone3's flags are in memory, where a filter
 * cannot look: ENOSYS, and libraries take clone.
 */
static int
namespaces(scmp_filter_ctx ctx, bool nesting, struct nrd_err *err)
{
	static const int calls[] = { SCMP_SYS(clone), SCMP_SYS(unshare) };
	int r = 0;

	for (size_t i = 0; r >= 0 && i < nrd_count(calls); i++) {
		if (nesting) {
			r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
			continue;
		}
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 1,
				     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, 0));
		if (r >= 0)
			r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), calls[i], 1,
					     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER));
	}
	if (r >= 0 && nesting)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone3), 0);
	return r < 0 ? failed(err, r, "clone") : 0;
}

static int
fill(scmp_filter_ctx ctx, bool lx, bool nesting, struct nrd_err *err)
{
	int r = 0;

	if (lx)
		r = seccomp_arch_add(ctx, SCMP_ARCH_X86);
	if (r >= 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	if (r >= 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0);
	if (r >= 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r < 0)
		return failed(err, r, "options");
	r = personalities(ctx, err);
	if (r >= 0)
		r = namespaces(ctx, nesting, err);
	if (r < 0)
		return r;
	r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(userfaultfd), 1,
			     SCMP_A0(SCMP_CMP_MASKED_EQ, UFFD_USER_MODE_ONLY, UFFD_USER_MODE_ONLY));
	return r < 0 ? failed(err, r, "userfaultfd") : 0;
}

static int
export(scmp_filter_ctx ctx, int out, struct nrd_err *err)
{
	int r = seccomp_export_bpf(ctx, out);

	return r < 0 ? failed(err, r, "export") : 0;
}

static int
compile(bool lx, bool nesting, int out, struct nrd_err *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int r;

	if (ctx == NULL)
		return nrd_nomem(err);
	r = fill(ctx, lx, nesting, err);
	if (r >= 0)
		r = nrd_write_all(out, first_filter, sizeof(first_filter), err);
	if (r >= 0)
		r = write_tree(SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, out, err);
	if (r >= 0 && lx)
		r = write_tree(SCMP_ARCH_X86, AUDIT_ARCH_I386, out, err);
	if (r >= 0)
		r = export(ctx, out, err);
	seccomp_release(ctx);
	return r;
}

/*
 * Threads and no processes; sockets that reach each other alone, as a TPM is talked to by. clone3 has its flags in memory: ENOSYS,
 * and the C library takes clone.
 */
static int
fill_guest(scmp_filter_ctx ctx, struct nrd_err *err)
{
	int r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0);

	if (r >= 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (const char *const *name = zone_filter_guest; r >= 0 && *name != NULL; name++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(*name), 0);
	if (r >= 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_NEWUSER, CLONE_THREAD));
	if (r >= 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	return r < 0 ? failed(err, r, "a guest's") : 0;
}

static int
compile_guest(int out, struct nrd_err *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int r;

	if (ctx == NULL)
		return nrd_nomem(err);
	r = fill_guest(ctx, err);
	if (r >= 0)
		r = export(ctx, out, err);
	seccomp_release(ctx);
	return r;
}

int
zone_filter_make(const struct zone_config *config, struct zone_filter *ret_filter,
		 struct nrd_err *err)
{
	NRD_CLOSE int fd = memfd_create("zone-filter", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return nrd_fail(err, errno, "ZoneFilter", "make room for the filter: %m");
	r = config->brand == ZONE_KVM ? compile_guest(fd, err) : compile(config->brand == ZONE_LX, config->nesting, fd, err);
	return r < 0 ? r : zone_filter_take(fd, ret_filter, err);
}
