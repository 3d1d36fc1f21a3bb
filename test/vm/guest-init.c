/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * The first and only program of a guest that boots straight into a kernel (linux.py): says that it is here and which devices it
 * found, then does what it is told by a letter: m asks the metadata service for "hello", q switches off; it says others back.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <termios.h>
#include <unistd.h>

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

int
main(void)
{
	struct termios raw;
	char c;

	(void)mount("dev", "/dev", "devtmpfs", 0, NULL);
	(void)mount("sys", "/sys", "sysfs", 0, NULL);
	(void)tcgetattr(0, &raw);
	cfmakeraw(&raw);
	raw.c_oflag |= OPOST | ONLCR;
	(void)tcsetattr(0, TCSANOW, &raw);
	(void)setvbuf(stdout, NULL, _IONBF, 0);
	(void)puts("the kernel is here");
	devices();
	while (read(0, &c, 1) == 1) {
		if (c == 'q')
			(void)reboot(RB_POWER_OFF);
		else if (c == 'm')
			metadata();
		else
			(void)putchar(c);
	}
	return 0;
}
