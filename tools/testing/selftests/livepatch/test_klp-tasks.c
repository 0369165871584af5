// SPDX-License-Identifier: GPL-2.0
/*
 * test_klp-tasks N - N tasks that sleep until this one gets SIGTERM. Says "ready"
 * when they are there.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int nr = argc > 1 ? atoi(argv[1]) : 1;

	/* This one is the first of them */
	for (int i = 1; i < nr; i++) {
		switch (fork()) {
		case -1:
			perror("fork");
			return 2;
		case 0:
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
	}

	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
