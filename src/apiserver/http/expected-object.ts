import type { ObjectNode } from '../../api/schema/schema.ts';
import type { JsonLimits } from '../../base/json/json-reader.ts';

/** The object that a request body should contain. */
export interface ExpectedObject {
	readonly kind: string;
	/** Accepted versions; errors name the first. Undefined: any version is accepted. */
	readonly apiVersions: readonly string[] | undefined;
	readonly schema: ObjectNode;
	/** Limits of this body, where they differ from {@link BODY_LIMITS}. */
	readonly limits?: Pick<JsonLimits, 'values' | 'keys'>;
}

/**
 * Limits of a request body in addition to its size in bytes; object-size.ts limits the objects that are
 * stored. Upstream has no limit on values. Here every value costs time in the one thread that all requests
 * share. A manifest of 500 containers has 10,000 values.
 */
export const BODY_LIMITS: JsonLimits = { values: 20_000, depth: 1000 };

/**
 * The bytes are not in the format that the content type claims. The message is that of upstream's decoder.
 */
export class UnreadableError extends Error {
	override readonly name = 'UnreadableError';
}
