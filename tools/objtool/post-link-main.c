// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * "objtool klp post-link" for architectures which have no instruction decoder:
 * everything else that objtool does needs one, this step only moves relocations.
 */

#include <stdio.h>
#include <string.h>
#include <objtool/builtin.h>
#include <objtool/klp.h>
#include <objtool/warn.h>

struct opts opts;
const char *objname;

int main(int argc, const char **argv)
{
	if (argc != 4 || strcmp(argv[1], "klp") || strcmp(argv[2], "post-link")) {
		fprintf(stderr, "usage: objtool klp post-link <file.ko>\n");
		return 1;
	}

	objname = argv[3];

	return cmd_klp_post_link(argc - 2, argv + 2) ? 1 : 0;
}
