/**
 * The path of a field in an object, in upstream's notation (field.Path):
 * `spec.template.spec.containers[0].name`.
 */
export class FieldPath {
	readonly text: string;

	constructor(text = '') {
		this.text = text;
	}

	/** The path of a field below this one; each name descends one level. */
	child(...names: readonly string[]): FieldPath {
		let text = this.text;
		for (const name of names) text = text === '' ? name : `${text}.${name}`;
		return new FieldPath(text);
	}

	/** The path of the item at `index` in this list. */
	index(index: number): FieldPath {
		return new FieldPath(`${this.text}[${index}]`);
	}

	/** The path of the value at `key` in this map. */
	key(key: string): FieldPath {
		return new FieldPath(`${this.text}[${key}]`);
	}
}

/** The path of an object's spec. */
export const SPEC = new FieldPath('spec');

/** The reason for refusing a field, as upstream's field.ErrorType. */
export type FieldErrorType =
	| 'Required'
	| 'Invalid'
	| 'NotSupported'
	| 'Forbidden'
	| 'Duplicate'
	| 'TooLong'
	| 'TooMany'
	| 'NotFound';

/** The error of one field. `message` is the whole text after the path (`Invalid value: -1: must be …`). */
export interface FieldError {
	readonly type: FieldErrorType;
	readonly field: string;
	readonly message: string;
}
