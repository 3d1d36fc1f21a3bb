/* SPDX-License-Identifier: MPL-2.0 */
/* Copyright 2026 The Nereid authors */

/*
 * A client of VNC (RFB 3.8): "vnc SOCKET PASSWORD" says the size of the screen, or why it is not let in; with a third word it then
 * stays until its input ends. A password of "none" asks to be let in without one.
 */
#include <openssl/des.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NO_PASSWORD 1
#define BY_PASSWORD 2

static void
die(const char *what)
{
	(void)printf("%s\n", what);
	exit(1);
}

static void
take(int fd, void *to, size_t len)
{
	if (recv(fd, to, len, MSG_WAITALL) != (ssize_t)len)
		die("refused: it hung up");
}

static void
give(int fd, const void *from, size_t len)
{
	if (send(fd, from, len, MSG_NOSIGNAL) != (ssize_t)len)
		die("refused: it hung up");
}

static uint32_t
take_u32(int fd)
{
	uint8_t b[4];

	take(fd, b, sizeof(b));
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static int
connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)strncpy(addr.sun_path, path, sizeof(addr.sun_path) - 1);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		die("no connection");
	return fd;
}

static void
choose(int fd, uint8_t want)
{
	uint8_t n, types[255];

	take(fd, &n, 1);
	take(fd, types, n);
	if (memchr(types, BY_PASSWORD, n) == NULL)
		die("it asks for no password");
	give(fd, &want, 1);
}

/* VNC has the bits of each byte of its key the other way round. */
static void
answer(int fd, const char *password)
{
	DES_cblock key = { 0 }, challenge[2];
	DES_key_schedule schedule;

	for (size_t i = 0; i < sizeof(key) && password[i] != '\0'; i++)
		for (int bit = 0; bit < 8; bit++)
			key[i] |= (unsigned char)(((unsigned char)password[i] >> bit & 1) << (7 - bit));
	DES_set_key_unchecked(&key, &schedule);
	take(fd, challenge, sizeof(challenge));
	for (int i = 0; i < 2; i++)
		DES_ecb_encrypt(&challenge[i], &challenge[i], &schedule, DES_ENCRYPT);
	give(fd, challenge, sizeof(challenge));
}

int
main(int argc, char **argv)
{
	char version[12], why[256] = "";
	uint8_t shared = 1, screen[24];
	int fd;

	if (argc < 3)
		die("usage: vnc SOCKET PASSWORD [stay]");
	fd = connect_to(argv[1]);
	take(fd, version, sizeof(version));
	give(fd, "RFB 003.008\n", sizeof(version));
	choose(fd, strcmp(argv[2], "none") == 0 ? NO_PASSWORD : BY_PASSWORD);
	if (strcmp(argv[2], "none") != 0)
		answer(fd, argv[2]);
	if (take_u32(fd) != 0) {
		uint32_t len = take_u32(fd);

		take(fd, why, len < sizeof(why) ? len : sizeof(why) - 1);
		(void)printf("refused: %s\n", why);
		return 1;
	}
	give(fd, &shared, 1);
	take(fd, screen, sizeof(screen));
	(void)printf("in: %dx%d\n", screen[0] << 8 | screen[1], screen[2] << 8 | screen[3]);
	(void)fflush(stdout);
	if (argc > 3)
		while (getchar() != EOF)
			;
	return 0;
}
