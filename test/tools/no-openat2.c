/* SPDX-License-Identifier: Apache-2.0 */
/*
 * no-openat2 PROGRAM [ARGUMENT...]: runs a program as on a kernel before 5.6, where the
 * system call openat2() does not exist.
 */
#include "../unit/test-no-openat2.h"

#include <string.h>

int main(int argc, char **argv)
{
	int r = argc > 1 ? forbid_openat2() : -EINVAL;

	if (r < 0) {
		fprintf(stderr, "no-openat2: %s\n", strerror(-r));
		return 125;
	}
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}
