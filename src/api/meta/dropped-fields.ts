import type { FieldPath } from './field.ts';

/** Why a field is dropped. */
interface Reason {
	/** In words that complete "it is left out: because". */
	readonly because: string;
	/** What the client can do. */
	readonly instead: string;
	/** In how many further places of the object the field is set. */
	readonly more?: number;
}

/** A text for a Warning header: the object is stored without the field at `path`, which its client has set. */
export function leftOut({ text }: FieldPath, { because, instead, more = 0 }: Reason): string {
	const others = more > 0 ? ` (and ${more} more)` : '';
	return `${text}${others}: it is left out: ${because}: ${instead}`;
}
