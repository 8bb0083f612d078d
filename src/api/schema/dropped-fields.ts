import type { FieldPath } from '../errors/field-path.ts';

/** Why the server drops a field, and what the client can do. */
interface Reason {
	/** The reason, as a clause: `its feature, X, is alpha and therefore off`. */
	readonly because: string;
	/** The alternative, as an imperative: `handle SIGTERM`. */
	readonly instead: string;
	/** Number of further places in the object where the field is set. Default 0. */
	readonly more?: number;
}

/**
 * The text of a Warning header: the server stores the object without the field at `path`, which the client
 * set.
 */
export function leftOut({ text }: FieldPath, { because, instead, more = 0 }: Reason): string {
	const others = more > 0 ? ` (and ${more} more)` : '';
	return `${text}${others}: it is left out: ${because}: ${instead}`;
}
