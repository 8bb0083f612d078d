import { tooLarge } from '../api/meta/api-error.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import { countValues } from '../base/json.ts';
import { BODY_LIMITS } from './body.ts';

/** How much an object may hold as it is stored. */
interface SizeLimits {
	readonly bytes: number;
	readonly values: number;
}

/** What a client writes. Upstream: etcd takes no request of more bytes (`--max-request-bytes`). */
const WRITTEN: SizeLimits = { bytes: 1.5 * 1024 * 1024, values: BODY_LIMITS.values };

/**
 * What becomes of it through its subresources: the status of an object that was accepted can always be written,
 * a Pod always be bound and evicted. Of a container's status there are three times as many values as of the
 * smallest container.
 */
const WITH_STATUS: SizeLimits = { bytes: 2 * WRITTEN.bytes, values: 5 * WRITTEN.values };

/** A write whose outcome is judged. */
export interface SizedWrite {
	/** Empty for the object itself. */
	readonly subresource: string;
	/** The size in bytes of what it replaces, 0 for a new object. */
	readonly before: number;
}

/**
 * Throws RequestEntityTooLarge where an object would be stored that is too large: every later request has to read
 * all of it. `value` is what would be stored. An object that is too large already may be changed as long as it
 * does not grow.
 */
export function checkSize(object: KubeObject, value: Uint8Array, { subresource, before }: SizedWrite): void {
	if (value.length <= before) return;
	const { bytes, values } = subresource === '' ? WRITTEN : WITH_STATUS;
	if (value.length > bytes) throw tooLarge(`limit is ${bytes}, the object takes ${value.length} bytes`);
	// Each value takes two bytes or more.
	if (value.length < 2 * values || countValues(object, values) <= values) return;
	throw tooLarge(`more than ${values} values, with those that the server fills in`);
}
