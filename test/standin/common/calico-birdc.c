/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Speaks the protocol of BIRD's control socket like birdc (BIRD 1.6, nest/cli.c). A
 * reply's lines begin with a code of four digits and '-', its last line with the code and
 * ' '; a line that begins with ' ' has the code of the line before it.
 */
#include "test/standin/common/calico-bird.h"

#include "lib/file.h"
#include "lib/str.h"

#include <sys/socket.h>
#include <sys/un.h>

static int connect_bird(FILE **ret)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = CALICO_BIRD_SOCKET};
	const struct timeval limit = {.tv_sec = 5};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0)
		return -errno;
	*ret = fdopen(fd, "re");
	if (!*ret)
		return -errno;
	TAKE_FD(fd);
	return 0;
}

/* Prints the BGP lines of a reply. Returns -1 when it ends too early. */
static int print_reply(FILE *f)
{
	char line[1024];

	while (fgets(line, sizeof(line), f)) {
		bool code = line[0] >= '0' && line[0] <= '9' && strlen(line) > 5;
		const char *text = code ? line + 5 : line + 1;

		if (strstr(text, " BGP ") || str_after(text, "name "))
			fputs(text, stdout);
		if (code && line[4] == ' ')
			return 0;
	}
	return -1;
}

int calico_bird_show(struct err *e)
{
	static const char show[] = "show protocols\n";
	_cleanup_fclose_ FILE *f = NULL;
	int r = connect_bird(&f);

	if (r < 0)
		return err_errno(e, r, "Couldn't connect to bird");
	if (print_reply(f) < 0 || write_all(fileno(f), show, strlen(show)) < 0 ||
	    print_reply(f) < 0)
		return err_set(e, ERR_FAILED, "Couldn't connect to bird: no reply");
	return 0;
}
