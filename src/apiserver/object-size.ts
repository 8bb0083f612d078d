import { tooLarge } from '../api/meta/api-error.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import { countValues } from '../base/json.ts';
import { BODY_LIMITS } from './body.ts';

/** Upstream: etcd takes no request of more bytes (`--max-request-bytes`). */
const MOST_BYTES = 1.5 * 1024 * 1024;

/**
 * Throws RequestEntityTooLarge where an object is to be stored that is larger than a request for it may be: every
 * later one has to read all of it. `value` is what would be stored, `before` the size in bytes of what it
 * replaces: an object that is too large already may be changed as long as it does not grow.
 */
export function checkSize(object: KubeObject, value: Uint8Array, before = 0): void {
	if (value.length <= before) return;
	if (value.length > MOST_BYTES)
		throw tooLarge(`limit is ${MOST_BYTES}, the object takes ${value.length} bytes`);
	// Each value takes two bytes or more.
	const most = BODY_LIMITS.values;
	if (value.length < 2 * most || countValues(object, most) <= most) return;
	throw tooLarge(`more than ${most} values, with those that the server fills in`);
}
