/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources of the tables:
 *
 *  - DMTF DSP0134 (System Management BIOS), 7.2.1: a UUID of zeros is not present, one of
 *    ones can be set;
 *  - the defaults of AMI's firmware as dmidecode and lshw print them on boards of many
 *    vendors ("To be filled by O.E.M.", "Default string", 03000200-0400-..., which is
 *    00020003-0004-... when firmware before SMBIOS 2.6 stores it in other byte order);
 *  - Supermicro's, ASUS's and Gigabyte's ("System Serial Number", "0123456789");
 *  - dmidecode's text for a missing string ("Not Specified");
 *  - CapaSystems, "Non-Unique UUID": those that its customers had more than once;
 *  - FOG Project, Host manager: UUIDs and serial numbers that it does not search for;
 *  - FreeBSD, rc.d/hostid: Dell's UUID of a board without a service tag, which is
 *    44454c4c-... in the other byte order.
 */
#include "firstboot/model/placeholder.h"
#include "lib/str.h"

#include <ctype.h>

/* Letters and digits only, in lower case, sorted. */
static const char *const serials[] = {
	"01234567",
	"012345678",
	"0123456789",
	"01234567890",
	"01234567890123456789",
	"01234567890123456789ab",
	"0123456789abcdef",
	"12345",
	"123456",
	"1234567",
	"12345678",
	"123456789",
	"1234567890",
	"123456789012",
	"12345678901234567890",
	"1234567890abcdef",
	"badindex",
	"baseboardserialnumber",
	"boardserialnumber",
	"chassisserialnumber",
	"default",
	"defaultstring",
	"empty",
	"eval",
	"fillbyoem",
	"filledbyoem",
	"invalid",
	"invalidserial",
	"mb1234567890",
	"na",
	"nil",
	"none",
	"noserial",
	"noserialnumber",
	"notapplicable",
	"notavailable",
	"notdefined",
	"notpresent",
	"notprovided",
	"notsettable",
	"notspecified",
	"null",
	"oem",
	"oemserial",
	"outofspec",
	"serial",
	"serialnumber",
	"sernum",
	"sernum0",
	"sn",
	"ssn12345678901234567890",
	"standard",
	"systemproductname",
	"systemserialnumber",
	"tbd",
	"tbdbyoem",
	"tobedetermined",
	"tobefilled",
	"tobefilledbyoem",
	"type2boardserialnumber",
	"undefined",
	"unknown",
	"unspecified",
};

/* 32 digits in lower case. */
static const char *const uuids[] = {
	"00000000000000000000000000000001", "000102030405060708090a0b0c0d0e0f",
	"00020003000400050006000700080009", "00112233445566778899aabbccddeeff",
	"0102030405060708090a0b0c0d0e0f10", "0123456789abcdef0123456789abcdef",
	"03000200040005000006000700080009", "030201000504070608090a0b0c0d0e0f",
	"07090201010303010807060504030201", "11111111222233334444555555555555",
	"12345678123456781234567812345678", "123456781234567890abcddeefaabbcc",
	"44454c4c00001020802080c04f202020", "4c4c454400002010802080c04f202020",
	"890e2d14cacd45d1ae66bc80e8bfeb0f", "8e275844178f44a8aceba7d7e5178c63",
	"dc698397fa544cf282c8b1b5307a6a7f", "deadbeefdeadbeefdeadbeefdeadbeef",
};

/* Copies the letters and digits of `s`, in lower case. Returns false when there is more
 * than `size` holds; what fits is in `out`. */
static bool plain(char *out, size_t size, const char *s)
{
	size_t n = 0;

	for (; *s && n + 1 < size; s++)
		if (isalnum((unsigned char)*s))
			out[n++] = (char)tolower((unsigned char)*s);
	out[n] = '\0';
	return !*s;
}

static bool has(const char *const *list, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (streq(list[i], s))
			return true;
	return false;
}

/* Returns true when `s` repeats its first `unit` characters. */
static bool repeats(const char *s, size_t unit)
{
	size_t len = strlen(s);

	return len <= unit || strncmp(s, s + unit, len - unit) == 0;
}

bool placeholder_serial(const char *s)
{
	char buf[64];
	const char *text = buf;

	if (!plain(buf, sizeof(buf), s))
		return repeats(buf, 1);
	if (has(serials, ARRAY_SIZE(serials), text))
		return true;
	if (str_after(text, "0x"))
		text += 2;
	return repeats(text, 1) && (!*text || strchr("0x", *text) || strlen(text) >= 4);
}

bool placeholder_uuid(const char *s)
{
	static const char ones[] = "ffffffffffffffffffffffff"; /* 12 bytes */
	char text[40];

	if (!plain(text, sizeof(text), s) || strlen(text) != 32 ||
	    text[strspn(text, "0123456789abcdef")])
		return true;
	return repeats(text, 2) || streq(text + 8, ones) ||
	       has(uuids, ARRAY_SIZE(uuids), text);
}
