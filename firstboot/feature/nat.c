/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules are compared as text, so they are written in the form of iptables-save. An
 * input of iptables-restore that declares a chain flushes it: NAT_CHAIN is declared and
 * gets all its rules, and jumps in POSTROUTING are added or deleted as needed.
 *
 * Limit: only a rule that is the bare jump is recognised. A conditional jump into the
 * chain, from another program, prevents its deletion; then iptables' error is reported.
 */
#include "firstboot/feature/nat.h"
#include "firstboot/feature.h"
#include "firstboot/uplink.h"
#include "lib/log.h"
#include "lib/run.h"
#include "lib/str.h"

#define JUMP "POSTROUTING -j " NAT_CHAIN

struct found {
	bool chain;
	struct strv_builder rules; /* in the chain, in order */
	size_t jumps;
};

static void read_saved(const char *saved, struct found *f)
{
	_cleanup_strv_ char **lines = strv_split(saved, "\n");

	for (size_t i = 0; lines && lines[i]; i++) {
		const char *chain = str_after(lines[i], ":" NAT_CHAIN);
		size_t len = strlen(lines[i]);

		while (len > 0 && lines[i][len - 1] == ' ')
			lines[i][--len] = '\0'; /* 1.4 writes a blank behind each rule */
		if (chain && (*chain == ' ' || !*chain))
			f->chain = true;
		else if (streq(lines[i], "-A " JUMP))
			f->jumps++;
		else if (str_after(lines[i], "-A " NAT_CHAIN " "))
			strv_builder_add(&f->rules, lines[i]);
	}
}

int nat_script(const char *saved, char *const *want, char **ret)
{
	_cleanup_buf_ struct buf b = {0};
	struct found f = {0};
	size_t jumps = want ? 1 : 0;
	bool done;

	read_saved(saved, &f);
	done = f.chain == (want != NULL) && f.jumps == jumps &&
	       strv_equal(f.rules.v, want);
	strv_builder_done(&f.rules);
	if (done)
		return 0;
	buf_puts(&b, "*nat\n");
	if (want || f.chain)
		buf_puts(&b, ":" NAT_CHAIN " - [0:0]\n");
	for (size_t i = f.jumps; i > jumps; i--)
		buf_puts(&b, "-D " JUMP "\n");
	for (size_t i = 0; want && want[i]; i++)
		buf_printf(&b, "%s\n", want[i]);
	if (want && f.jumps == 0)
		buf_puts(&b, "-A " JUMP "\n");
	if (!want && f.chain)
		buf_puts(&b, "-X " NAT_CHAIN "\n");
	buf_puts(&b, "COMMIT\n");
	*ret = buf_take(&b);
	return 1;
}

int nat_apply(char *const *want, struct err *e)
{
	static const char *const save[] = {"iptables-save", "-t", "nat", NULL};
	static const char *const restore[] = {"iptables-restore", "--noflush", NULL};
	const struct run r = {.argv = save, .timeout_ms = 20000};
	_cleanup_free_ char *saved = NULL, *script = NULL;

	/* An image without iptables has no rules to remove. */
	if (!want && !run_have(save[0]))
		return 0;
	if (run_capture(&r, &saved, NULL, e) < 0)
		return err_wrap(e, "NAT");
	if (nat_script(saved, want, &script) == 0)
		return 0;
	if (run_input(restore, script, strlen(script), e) < 0)
		return err_wrap(e, "NAT");
	return 1;
}

/* --- the feature -------------------------------------------------------------------- */

static int apply(const struct firstboot *fb _unused_, const struct plan *p, struct err *e)
{
	_cleanup_strv_ char **rules = nat_rules(p->host, p->uplink);

	return nat_apply(rules, e);
}

static int remove_chain(struct err *e)
{
	return nat_apply(NULL, e);
}

static int heal(const struct firstboot *fb, const struct config *c, struct err *e)
{
	_cleanup_free_ char *uplink = NULL;
	_cleanup_strv_ char **rules = NULL;
	int r;

	if (uplink_wait(fb, &c->host, &uplink, e) < 0)
		return -1;
	rules = nat_rules(&c->host, uplink);
	r = nat_apply(rules, e);
	if (r > 0)
		log_warn("the NAT rules were wrong and have been restored");
	return r < 0 ? -1 : 0;
}

const struct feature_code code_nat = {
	.id = FEATURE_NAT,
	.apply = apply,
	.remove = remove_chain,
	.heal = heal,
};
