/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */
/*
 * The first program on a node: /init of the boot archive. It makes the root out of what the firmware loaded into
 * RAM and hands over to systemd:
 *
 *	base.squashfs    Debian's part            \
 *	nereid.squashfs  our programs and units    > read-only layers of an overlay, with a small tmpfs on top
 *	/over            what a test rig appended /
 *
 * The layers stay visible below /run/nereid/platform, since zones build their own roots from them. The overlay
 * becomes / by moving it over the initramfs, so pivot_root(2) works in it. A platform that is on trial
 * (nereid.try=1) is watched: if it is not ready in time the node reboots, and the boot loader takes the confirmed one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TRIAL_SECONDS 300 /* a platform on trial must be ready within this; nereid.try_seconds= overrides */
#define ROOT          "/mnt/root"

static char cmdline[4096];

/* Says what failed on the console; the caller returns the false it gets. */
__attribute__((format(printf, 1, 2))) static bool
fail(const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	fprintf(stderr, "nereid: boot: ");
	errno = saved;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return false;
}

/* The value of a boot parameter, copied; "" for a bare word. NULL when it was not given. */
static const char *
boot_param(const char *name, char *value, size_t size)
{
	size_t len = strlen(name);

	for (const char *p = cmdline; (p = strstr(p, name)) != NULL; p += len) {
		if (p != cmdline && p[-1] != ' ')
			continue;
		if (p[len] == '=') {
			snprintf(value, size, "%.*s", (int)strcspn(p + len + 1, " \n"), p + len + 1);
			return value;
		}
		if (p[len] == ' ' || p[len] == '\n' || p[len] == '\0')
			return memset(value, 0, size);
	}
	return NULL;
}

static bool
read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return fail("read %s: %m", path);
	buf[n] = '\0';
	return true;
}

static bool
mount_at(const char *source, const char *target, const char *type, unsigned long flags, const char *data)
{
	(void)mkdir(target, 0755);
	if (mount(source, target, type, flags, data) < 0)
		return fail("mount %s on %s: %m", source, target);
	return true;
}

static bool
load_module(const char *path, const char *params)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	long r = fd < 0 ? -1 : syscall(SYS_finit_module, fd, params, 0);
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return r == 0 || saved == EEXIST;
}

/* The modules that the root needs, in an order in which each finds what it depends on: "name.ko [parameters]". */
static bool
load_modules(void)
{
	char order[2048], path[256], *save = NULL;

	if (!read_file("/modules/order", order, sizeof(order)))
		return false;
	for (char *name = strtok_r(order, "\n", &save); name; name = strtok_r(NULL, "\n", &save)) {
		char *params = strchr(name, ' ');

		if (params)
			*params++ = '\0';
		snprintf(path, sizeof(path), "/modules/%s", name);
		if (!load_module(path, params ? params : ""))
			fail("load module %s: %m", name);
	}
	return true;
}

static void
load_uts(const char *stamp)
{
	char params[64];

	snprintf(params, sizeof(params), "stamp=%s", stamp);
	if (!load_module("/modules/nereid_uts.ko", params) && errno == EKEYREJECTED)
		fail("Secure Boot is on and this platform's module key is not enrolled: ZFS cannot be loaded, so there "
		     "will be no pool. Enrol /usr/share/nereid/module-signing.der (mokutil --import, then reboot) or "
		     "turn Secure Boot off");
}

/* Mounts a file of the initramfs; the loop device goes away with the mount. */
static bool
mount_squashfs(const char *file, const char *target)
{
	struct loop_config config = {
		.block_size = 4096, /* the page size: what direct I/O on a RAM file needs */
		.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO,
	};
	char dev[32];
	int ctl = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int n = ctl < 0 ? -1 : ioctl(ctl, LOOP_CTL_GET_FREE);
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	int loop = -1;
	bool ok = false;

	snprintf(dev, sizeof(dev), "/dev/loop%d", n);
	if (n >= 0)
		loop = open(dev, O_RDONLY | O_CLOEXEC);
	config.fd = (unsigned)fd;
	if (fd < 0)
		fail("open %s: %m; the boot archive is damaged", file);
	else if (loop < 0)
		fail("open %s: %m", dev);
	else if (ioctl(loop, LOOP_CONFIGURE, &config) < 0)
		fail("attach %s to %s: %m", file, dev);
	else
		ok = mount_at(dev, target, "squashfs", MS_RDONLY, NULL);
	if (loop >= 0)
		close(loop);
	if (fd >= 0)
		close(fd);
	if (ctl >= 0)
		close(ctl);
	return ok;
}

static bool
make_root(void)
{
	bool over = access("/over", F_OK) == 0;
	char data[256];

	(void)mkdir("/mnt", 0755);
	if (!mount_squashfs("/base.squashfs", "/mnt/base") || !mount_squashfs("/nereid.squashfs", "/mnt/nereid") ||
	    !mount_at("tmpfs", "/mnt/rw", "tmpfs", 0, "mode=0755,size=25%"))
		return false;
	(void)mkdir("/mnt/rw/upper", 0755);
	(void)mkdir("/mnt/rw/work", 0755);
	snprintf(data, sizeof(data), "lowerdir=%s/mnt/nereid:/mnt/base,upperdir=/mnt/rw/upper,workdir=/mnt/rw/work",
		 over ? "/over:" : "");
	return mount_at("nereid", ROOT, "overlay", 0, data);
}

static bool
move_mount_to(const char *from, const char *to)
{
	if (mount(from, to, NULL, MS_MOVE, NULL) < 0)
		return fail("move %s to %s: %m", from, to);
	return true;
}

static bool
move_mounts(void)
{
	static const char *const dirs[] = { "/dev", "/proc", "/sys", "/run" };
	char to[64];

	(void)mkdir("/run/nereid", 0755);
	(void)mkdir("/run/nereid/platform", 0755);
	(void)mkdir("/run/nereid/platform/base", 0755);
	(void)mkdir("/run/nereid/platform/nereid", 0755);
	if (!move_mount_to("/mnt/base", "/run/nereid/platform/base") ||
	    !move_mount_to("/mnt/nereid", "/run/nereid/platform/nereid"))
		return false;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(to, sizeof(to), ROOT "%s", dirs[i]);
		if (!move_mount_to(dirs[i], to))
			return false;
	}
	return true;
}

/* Mounts that systemd would make by a child process each, which is slow under emulation. */
static bool
mount_api(void)
{
	return mount_at("tmpfs", ROOT "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=25%,nr_inodes=1m") &&
	       mount_at("debugfs", ROOT "/sys/kernel/debug", "debugfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) &&
	       mount_at("tracefs", ROOT "/sys/kernel/tracing", "tracefs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

/* Gives the initramfs's memory back: every file on it. The squashfs files live on through their loop devices. */
static void
empty_initramfs(int dirfd, dev_t dev, bool top)
{
	DIR *dir = fdopendir(dirfd);
	struct dirent *e;
	struct stat st;

	while (dir && (e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_dev != dev)
			continue;
		if (top && strcmp(e->d_name, "over") == 0)
			continue; /* a layer of the root */
		if (S_ISDIR(st.st_mode)) {
			int sub = openat(dirfd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			if (sub >= 0)
				empty_initramfs(sub, dev, false);
			(void)unlinkat(dirfd, e->d_name, AT_REMOVEDIR);
		} else {
			(void)unlinkat(dirfd, e->d_name, 0);
		}
	}
	if (dir)
		closedir(dir);
}

/* A child that lives in the new root, whose path is gone by the time it runs: true in the child. */
static bool
fork_into_root(void)
{
	int root = open(ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	pid_t pid = root < 0 ? -1 : fork();

	if (pid == 0) {
		if (fchdir(root) < 0 || chroot(".") < 0)
			_exit(127);
		return true;
	}
	if (pid < 0)
		fail("start a process in the new root: %m");
	if (root >= 0)
		close(root);
	return false;
}

/*
 * The watcher of a platform on trial, a process of its own that outlives this program. It holds the hardware
 * watchdog, where there is one, so that a hanging kernel is caught as well.
 */
static void
watch_trial(void)
{
	char value[8];
	long seconds = 0;

	if (boot_param("nereid.try_seconds", value, sizeof(value)))
		for (const char *p = value; *p >= '0' && *p <= '9'; p++)
			seconds = seconds * 10 + (*p - '0');
	if (seconds == 0)
		seconds = TRIAL_SECONDS;
	if (!fork_into_root())
		return;
	setsid();

	int dog = -1;

	for (long passed = 0; passed < seconds; passed++) {
		if (dog < 0)
			dog = open("/dev/watchdog", O_WRONLY | O_CLOEXEC);
		if (dog >= 0 && write(dog, "\n", 1) < 0)
			dog = -1;
		if (access("/run/nereid/confirmed", F_OK) == 0) {
			if (dog >= 0)
				(void)!write(dog, "V", 1); /* the magic close: the watchdog stops */
			_exit(0);
		}
		sleep(1);
	}
	fail("this platform was not ready after %ld seconds: rebooting into the one before", seconds);
	sync();
	reboot(RB_AUTOBOOT);
	_exit(1);
}

static const char *const shell_env[] = { "PATH=/bin", "HOME=/", "TERM=linux", "PS1=initramfs# ", NULL };

static void
rescue_shell(void)
{
	fprintf(stderr, "\nA shell of the boot archive; `exec /init` tries again, `reboot -f` restarts the machine.\n");
	for (;;) {
		pid_t pid = fork();

		if (pid == 0) {
			setsid();

			int tty = open("/dev/console", O_RDWR);

			if (tty >= 0) {
				dup2(tty, 0);
				dup2(tty, 1);
				dup2(tty, 2);
				(void)ioctl(tty, TIOCSCTTY, 1);
			}
			execle("/bin/busybox", "sh", (char *)NULL, shell_env);
			_exit(127);
		}
		while (pid > 0 && waitpid(-1, NULL, 0) != pid)
			;
		sleep(1);
	}
}

static bool
boot(void)
{
	char stamp[64] = "", value[64];
	struct stat st;

	if (!mount_at("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755") ||
	    !mount_at("proc", "/proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL) ||
	    !mount_at("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL) ||
	    !mount_at("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=20%") ||
	    !read_file("/proc/cmdline", cmdline, sizeof(cmdline)) || !read_file("/stamp", stamp, sizeof(stamp)))
		return false;
	stamp[strcspn(stamp, "\n")] = '\0';
	if (!load_modules())
		return false;
	load_uts(stamp);
	if (boot_param("rescue", value, sizeof(value)) && strcmp(value, "initramfs") == 0)
		return fail("rescue=initramfs was given");
	if (!make_root() || !move_mounts() || !mount_api())
		return false;
	if (boot_param("nereid.try", value, sizeof(value)) && strcmp(value, "1") == 0)
		watch_trial();
	if (stat("/", &st) == 0)
		empty_initramfs(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), st.st_dev, true);
	if (chdir(ROOT) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return fail("change to the new root: %m");
	return true;
}

int
main(void)
{
	static const char *const env[] = { "TERM=linux", "PATH=/usr/sbin:/usr/bin", NULL };

	umask(022);
	if (boot()) {
		execle("/sbin/init", "init", (char *)NULL, env);
		fail("start /sbin/init: %m");
	}
	rescue_shell();
	return 1;
}
