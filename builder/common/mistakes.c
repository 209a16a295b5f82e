/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/common/mistakes.h"

void mistakes_add(struct mistakes *m, const struct err *e)
{
	diag_add_err(e->code == ERR_CONFIG   ? &m->config
		     : e->code == ERR_UNABLE ? &m->unable
					     : &m->failed,
		     e);
}

int mistakes_err(struct mistakes *m, struct err *e)
{
	_cleanup_diag_ struct diag all = {0};
	enum err_code code = m->config.n > 0   ? ERR_CONFIG
			     : m->failed.n > 0 ? ERR_FAILED
					       : ERR_UNABLE;

	if (m->config.unread && m->config.n > 0)
		code = ERR_FAILED;
	diag_move(&all, &m->config);
	diag_move(&all, &m->failed);
	diag_move(&all, &m->unable);
	if (diag_err(&all, e) == 0)
		return 0;
	if (e)
		e->code = code;
	return -1;
}

void mistakes_done(struct mistakes *m)
{
	diag_done(&m->config);
	diag_done(&m->failed);
	diag_done(&m->unable);
}
