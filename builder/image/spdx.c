/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every licence is NOASSERTION, SPDX's value for "not determined": rackstrap does not
 * examine licences.
 *
 * An element's identifier is unique and consists of letters, digits, '.' and '-', so the
 * elements are numbered in the manifest's order, which is the same in every build.
 */
#include "builder/image/spdx.h"

#include "lib/json.h"

#include <time.h>

#define DOCUMENT  "SPDXRef-DOCUMENT"
#define IMAGE     "SPDXRef-Image"
#define NAMESPACE "https://spdx.org/spdxdocs/rackstrap-"
#define NONE      "NOASSERTION"

static char *id_of(const char *kind, size_t i)
{
	return xasprintf("SPDXRef-%s-%zu", kind, i + 1);
}

static void append_checksum(struct json *j, const char *sha256)
{
	json_open(j, "checksums", '[');
	json_open(j, NULL, '{');
	json_str(j, "algorithm", "SHA256");
	json_str(j, "checksumValue", sha256);
	json_close(j, '}');
	json_close(j, ']');
}

static void append_licences(struct json *j)
{
	json_str(j, "licenseConcluded", NONE);
	json_str(j, "licenseDeclared", NONE);
	json_str(j, "copyrightText", NONE);
}

/* --- package URLs ------------------------------------------------------------------ */

/* Appends a component of a package URL (purl-spec), percent-encoded except for the
 * characters in `plain`. */
static void append_encoded(struct buf *b, const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789.-_~:";

	for (; *s; s++)
		if (strchr(plain, *s))
			buf_add(b, s, 1);
		else
			buf_printf(b, "%%%02X", (unsigned char)*s);
}

/* Returns "pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=bookworm", or the like. Owned.
 */
static char *purl(const struct recipe *r, const char *name, const char *version,
		  const char *arch)
{
	_cleanup_free_ char *vendor = xstrdup(r->base.origin ? r->base.origin : "debian");
	struct buf b = {0};

	for (char *p = vendor; *p; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 'a' - 'A' : *p);
	buf_puts(&b, "pkg:deb/");
	append_encoded(&b, r->base.mirror && !r->base.origin ? "unknown" : vendor);
	buf_puts(&b, "/");
	append_encoded(&b, name);
	buf_puts(&b, "@");
	append_encoded(&b, version);
	buf_puts(&b, "?arch=");
	append_encoded(&b, arch);
	if (r->base.suite) {
		buf_puts(&b, "&distro=");
		append_encoded(&b, r->base.suite);
	}
	return buf_take(&b);
}

static void append_purl(struct json *j, const char *url)
{
	json_open(j, "externalRefs", '[');
	json_open(j, NULL, '{');
	json_str(j, "referenceCategory", "PACKAGE-MANAGER");
	json_str(j, "referenceType", "purl");
	json_str(j, "referenceLocator", url);
	json_close(j, '}');
	json_close(j, ']');
}

/* --- packages ---------------------------------------------------------------------- */

static void begin_package(struct json *j, const char *id, const char *name,
			  const char *version, const char *from)
{
	json_open(j, NULL, '{');
	json_str(j, "SPDXID", id);
	json_str(j, "name", name);
	if (version)
		json_str(j, "versionInfo", version);
	json_str(j, "downloadLocation", from);
	json_bool(j, "filesAnalyzed", false);
	append_licences(j);
}

static void append_image(struct json *j, const struct manifest *m)
{
	begin_package(j, IMAGE, m->r->name, NULL, NONE);
	json_str(j, "primaryPackagePurpose", "OPERATING-SYSTEM");
	if (m->r->summary)
		json_str(j, "summary", m->r->summary);
	json_close(j, '}');
}

static void append_artifact(struct json *j, const struct input *in, const char *id)
{
	const struct recipe_artifact *a = in->artifact;

	begin_package(j, id, a->name, NULL, str_after(a->url, "http") ? a->url : NONE);
	json_str(j, "primaryPackagePurpose",
		 a->use == ARTIFACT_CONTAINER          ? "CONTAINER"
		 : a->n > 0 || a->use == ARTIFACT_BASE ? "ARCHIVE"
						       : "FILE");
	append_checksum(j, in->blob.sha256);
	if (a->standin)
		json_str(j, "comment", "A stand-in for the program of that name.");
	else if (!str_after(a->url, "http"))
		json_str(j, "comment", a->url);
	json_close(j, '}');
}

/* Returns the digest of the package's .deb file, or NULL when the lock does not have it.
 * `f`: name, version, architecture. */
static const char *locked_sha256(const struct manifest *m, char *const *f)
{
	const struct lock_package *p =
		m->lock ? lock_package_find(m->lock, f[0], f[2]) : NULL;

	return p && streq(p->version, f[1]) ? p->sha256 : NULL;
}

/* Appends a package of the base. `f`: name, version, architecture. */
static void append_package(struct json *j, const struct manifest *m, char *const *f,
			   const char *id)
{
	_cleanup_free_ char *url = purl(m->r, f[0], f[1], f[2]);
	const char *sha256 = locked_sha256(m, f);

	begin_package(j, id, f[0], f[1], NONE);
	json_str(j, "primaryPackagePurpose", "LIBRARY");
	if (sha256)
		append_checksum(j, sha256);
	append_purl(j, url);
	json_close(j, '}');
}

/* --- files ------------------------------------------------------------------------- */

static void append_file(struct json *j, const char *id, const char *name,
			const char *sha256, const char *comment)
{
	json_open(j, NULL, '{');
	json_str(j, "SPDXID", id);
	json_str(j, "fileName", name);
	append_checksum(j, sha256);
	json_str(j, "licenseConcluded", NONE);
	json_open(j, "licenseInfoInFiles", '[');
	json_str(j, NULL, NONE);
	json_close(j, ']');
	json_str(j, "copyrightText", NONE);
	if (comment)
		json_str(j, "comment", comment);
	json_close(j, '}');
}

static bool is_layer_file(const struct layer_item *item)
{
	return item->type == ENTRY_FILE && !item->implied;
}

static void append_files(struct json *j, const struct manifest *m)
{
	json_open(j, "files", '[');
	for (size_t i = 0; i < m->layer->n; i++) {
		const struct layer_item *item = &m->layer->v[i];
		_cleanup_free_ char *id = id_of("File", i);
		_cleanup_free_ char *name = xasprintf("./%s", item->path);

		if (is_layer_file(item))
			append_file(j, id, name, item->sha256, item->origin);
	}
	for (size_t i = 0; i < m->n_outputs; i++) {
		_cleanup_free_ char *id = id_of("Output", i);
		_cleanup_free_ char *name = xasprintf("./%s", m->outputs[i].path);

		append_file(j, id, name, m->outputs[i].sha256,
			    "an output, beside this file");
	}
	json_close(j, ']');
}

/* --- relationships ----------------------------------------------------------------- */

static void relate(struct json *j, const char *from, const char *how, const char *to)
{
	json_open(j, NULL, '{');
	json_str(j, "spdxElementId", from);
	json_str(j, "relationshipType", how);
	json_str(j, "relatedSpdxElement", to);
	json_close(j, '}');
}

/* Relates file `i` of the layer to the artifact that it was extracted from, if any. */
static void relate_source(struct json *j, const struct manifest *m, size_t i)
{
	const struct input *from = m->layer->v[i].input, *all = m->inputs->v;
	_cleanup_free_ char *file = id_of("File", i), *artifact = NULL;

	if (!from || from < all || from >= all + m->inputs->n)
		return; /* or the archive of a container */
	artifact = id_of("Artifact", (size_t)(from - all));
	relate(j, file, "GENERATED_FROM", artifact);
}

static void append_relationships(struct json *j, const struct manifest *m,
				 size_t packages)
{
	json_open(j, "relationships", '[');
	relate(j, DOCUMENT, "DESCRIBES", IMAGE);
	for (size_t i = 0; i < packages; i++) {
		_cleanup_free_ char *id = id_of("Package", i);

		relate(j, IMAGE, "CONTAINS", id);
	}
	for (size_t i = 0; i < m->inputs->n; i++) {
		_cleanup_free_ char *id = id_of("Artifact", i);

		relate(j, IMAGE, "GENERATED_FROM", id);
	}
	for (size_t i = 0; i < m->layer->n; i++) {
		_cleanup_free_ char *id = id_of("File", i);

		if (!is_layer_file(&m->layer->v[i]))
			continue;
		relate(j, IMAGE, "CONTAINS", id);
		relate_source(j, m, i);
	}
	for (size_t i = 0; i < m->n_outputs; i++) {
		_cleanup_free_ char *id = id_of("Output", i);

		relate(j, id, "GENERATED_FROM", IMAGE);
	}
	json_close(j, ']');
}

/* --- the document ------------------------------------------------------------------ */

static void append_head(struct json *j, const struct manifest *m, const char *sha256)
{
	_cleanup_free_ char *space = xasprintf(NAMESPACE "%s-%s", m->r->name, sha256);
	_cleanup_free_ char *when = lock_time((time_t)m->r->epoch);

	json_str(j, "spdxVersion", "SPDX-2.3");
	json_str(j, "dataLicense", "CC0-1.0");
	json_str(j, "SPDXID", DOCUMENT);
	json_str(j, "name", m->r->name);
	json_str(j, "documentNamespace", space);
	json_open(j, "creationInfo", '{');
	json_str(j, "created", when);
	json_open(j, "creators", '[');
	json_str(j, NULL, "Tool: rackstrap-" RACKSTRAP_VERSION);
	json_close(j, ']');
	json_str(j, "comment",
		 "The time is the recipe's epoch: the same inputs give the same "
		 "document.");
	json_close(j, '}');
}

static size_t append_packages(struct json *j, const struct manifest *m)
{
	_cleanup_strv_ char **lines = strv_split(m->base->packages, "\n");
	size_t n = 0;

	json_open(j, "packages", '[');
	append_image(j, m);
	for (size_t i = 0; i < m->inputs->n; i++) {
		_cleanup_free_ char *id = id_of("Artifact", i);

		append_artifact(j, &m->inputs->v[i], id);
	}
	for (size_t i = 0; lines && lines[i]; i++) {
		_cleanup_strv_ char **f = strv_split(lines[i], " ");
		_cleanup_free_ char *id = id_of("Package", n);

		if (strv_len(f) != 3)
			continue;
		append_package(j, m, f, id);
		n++;
	}
	json_close(j, ']');
	return n;
}

char *spdx_render(const struct manifest *m, const char *manifest_sha256)
{
	struct json j = {0};
	size_t packages;

	json_open(&j, NULL, '{');
	append_head(&j, m, manifest_sha256);
	packages = append_packages(&j, m);
	append_files(&j, m);
	append_relationships(&j, m, packages);
	json_close(&j, '}');
	return json_take(&j);
}
