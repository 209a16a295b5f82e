/* SPDX-License-Identifier: Apache-2.0 */
/* Serial numbers and UUIDs that vendors leave in all boards of a model. */
#include "firstboot/model/placeholder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_placeholder_serials_are_recognised(void **state _unused_)
{
	static const char *const no[] = {
		"To be filled by O.E.M.",
		"To Be Filled By O.E.M",
		"  System Serial Number ",
		"Default string",
		"Default_String",
		"Not Specified",
		"None",
		"N/A",
		"<BAD INDEX>",
		"0123456789",
		"1234567890",
		"01234567890123456789AB",
		"0",
		"00",
		"000000000000",
		"0000-0000",
		"1111111111",
		"XXXXXXXXXXXX",
		"................",
		"Filled By O.E.M.",
		"No Serial",
		"S/N",
		"SerNum0",
		"TBD by OEM",
		"<OUT OF SPEC>",
		"0x00000000",
		"xxx",
		"MB-1234567890",
		" ",
		"",
		"00000000000000000000000000000000000000000000000000000000000000000000000",
	};
	static const char *const yes[] = {
		"CZ12",
		"CZ 12",
		"7",
		"11",
		"J30A000123",
		"0123456780",
		"node-1",
		"none-1",
		"0x0123af",
		"SN-4711",
		"VMware-56 4d a1 b2 c3 d4 e5 f6-01 02 03 04 05 06 07 08 and some more",
	};

	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (!placeholder_serial(no[i]))
			fail_msg("'%s' identifies no machine", no[i]);
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (placeholder_serial(yes[i]))
			fail_msg("'%s' may be a machine's own", yes[i]);
}

static void test_placeholder_uuids_are_recognised(void **state _unused_)
{
	static const char *const no[] = {
		"00000000-0000-0000-0000-000000000000",
		"FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
		"fefefefe-fefe-fefe-fefe-fefefefefefe",
		"58585858-5858-5858-5858-585858585858",
		"03000200-0400-0500-0006-000700080009",
		"00020003-0004-0005-0006-000700080009",
		"03020100-0504-0706-0809-0A0B0C0D0E0F",
		"12345678-1234-5678-90AB-CDDEEFAABBCC",
		"56F49712-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
		"890E2D14-CACD-45D1-AE66-BC80E8BFEB0F",
		"4c4c4544-0000-2010-8020-80c04f202020",
		"44454C4C-0000-1020-8020-80C04F202020",
		"01234567-89ab-cdef-0123-456789abcdef",
		"Not Settable",
		"",
	};
	static const char *const yes[] = {
		"4c4c4544-0051-3510-8052-b7c04f4e3232",
		"00000000-0000-0000-0000-AC1F6B123456", /* Supermicro's end in the MAC */
		"03000200-0400-0500-0006-000700080008",
	};

	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (!placeholder_uuid(no[i]))
			fail_msg("'%s' identifies no machine", no[i]);
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (placeholder_uuid(yes[i]))
			fail_msg("'%s' may be a machine's own", yes[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_placeholder_serials_are_recognised),
		cmocka_unit_test(test_placeholder_uuids_are_recognised),
	};

	return cmocka_run_group_tests_name("placeholder", tests, NULL, NULL);
}
