/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * The first and only program of a guest that boots straight into a kernel (linux.py): says that it is here and which devices it
 * found, then does what it is told by a letter: m asks the metadata service for "hello", w writes files and c reads them
 * (guest-files.h), q switches off; it says others back. Before all that it loads /mod0.ko, /mod1.ko, ..., when it has them.
 *
 * With "addr=10.1.2.3" on the kernel's command line it has that address in a network of 24 bits, and is /wire serve (bench-wire).
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "guest-files.h"

static void
devices(void)
{
	DIR *dir = opendir("/sys/bus/pci/devices");
	const struct dirent *e;
	unsigned n = 0;

	while (dir != NULL && (e = readdir(dir)) != NULL)
		n += e->d_name[0] != '.';
	(void)printf("%u devices\n", n);
}

static void
metadata(void)
{
	int fd = open("/dev/ttyS1", O_RDWR | O_NOCTTY);
	struct termios raw;
	char text[512];
	ssize_t n;

	if (fd < 0 || tcgetattr(fd, &raw) < 0) {
		perror("/dev/ttyS1");
		return;
	}
	cfmakeraw(&raw);
	(void)tcsetattr(fd, TCSANOW, &raw);
	(void)!write(fd, "GET hello\n", 10);
	for (int lines = 0; lines < 3 && (n = read(fd, text, sizeof(text))) > 0;)
		for (ssize_t i = 0; i < n; i++) {
			(void)putchar(text[i]);
			lines += text[i] == '\n';
		}
	(void)close(fd);
}

static void
load_modules(void)
{
	char path[32];
	int fd;

	for (int i = 0; (void)snprintf(path, sizeof(path), "/mod%d.ko", i), (fd = open(path, O_RDONLY)) >= 0; i++) {
		if (syscall(SYS_finit_module, fd, "", 0) < 0)
			perror(path);
		(void)close(fd);
	}
}

static void
have_address(const char *addr)
{
	struct ifreq ifr = { .ifr_name = "eth0" };
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&ifr.ifr_addr;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	in->sin_family = AF_INET;
	(void)inet_pton(AF_INET, addr, &in->sin_addr);
	if (ioctl(fd, SIOCSIFADDR, &ifr) < 0)
		perror(addr);
	(void)inet_pton(AF_INET, "255.255.255.0", &in->sin_addr);
	(void)ioctl(fd, SIOCSIFNETMASK, &ifr);
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	(void)ioctl(fd, SIOCSIFFLAGS, &ifr);
	(void)close(fd);
}

/* The value of "addr=" of the kernel's command line; NULL: there is none. */
static const char *
address(void)
{
	static char line[1024];
	int fd = open("/proc/cmdline", O_RDONLY);
	ssize_t n = read(fd, line, sizeof(line) - 1);
	char *at = n > 0 ? strstr(line, "addr=") : NULL;

	(void)close(fd);
	if (at == NULL)
		return NULL;
	at += strlen("addr=");
	at[strcspn(at, " \n")] = '\0';
	return at;
}

int
main(void)
{
	const char *addr;
	struct termios raw;
	char c;

	(void)mount("dev", "/dev", "devtmpfs", 0, NULL);
	(void)mount("sys", "/sys", "sysfs", 0, NULL);
	(void)mount("proc", "/proc", "proc", 0, NULL);
	(void)tcgetattr(0, &raw);
	cfmakeraw(&raw);
	raw.c_oflag |= OPOST | ONLCR;
	(void)tcsetattr(0, TCSANOW, &raw);
	(void)setvbuf(stdout, NULL, _IONBF, 0);
	(void)puts("the kernel is here");
	load_modules();
	devices();
	addr = address();
	if (addr != NULL) {
		have_address(addr);
		(void)puts("it serves");
		(void)execl("/wire", "wire", "serve", addr, NULL);
		perror("/wire");
	}
	while (read(0, &c, 1) == 1) {
		if (c == 'q')
			(void)reboot(RB_POWER_OFF);
		else if (c == 'm')
			metadata();
		else if (c == 'w')
			files_write();
		else if (c == 'c')
			files_check();
		else
			(void)putchar(c);
	}
	return 0;
}
