/* fuzz_json.c: the log of a runc that prints garbage, and files that others have written. */
#include "test.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const char *const names[] = {"msg", "a", "BootID"};
	cleanup_free char *text = strndup((const char *)data, size);

	for (size_t i = 0; i < count_of(names); i++) {
		const char *value = json_member(text, names[i]);
		cleanup_free char *said = json_text(value);

		check(value == NULL || (value > text && value <= text + strlen(text)));
		check(said == NULL || strlen(said) <= strlen(value));
	}
	percent_decode(text);
	return 0;
}
