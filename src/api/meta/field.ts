/** A place in an object, written as upstream writes it: `spec.template.spec.containers[0].name`. */
export class FieldPath {
	readonly text: string;

	constructor(text = '') {
		this.text = text;
	}

	/** The field `name` of this one (several names descend several steps). */
	child(...names: readonly string[]): FieldPath {
		let text = this.text;
		for (const name of names) text = text === '' ? name : `${text}.${name}`;
		return new FieldPath(text);
	}

	/** The item at `index` of this list. */
	index(index: number): FieldPath {
		return new FieldPath(`${this.text}[${index}]`);
	}

	/** The value at `key` of this map. */
	key(key: string): FieldPath {
		return new FieldPath(`${this.text}[${key}]`);
	}
}

/** Why a field was refused; the words are upstream's field.ErrorType. */
export type FieldErrorType =
	| 'Required'
	| 'Invalid'
	| 'NotSupported'
	| 'Forbidden'
	| 'Duplicate'
	| 'TooLong'
	| 'TooMany'
	| 'NotFound'
	| 'TypeInvalid'
	| 'Internal';

/** One refused field. `message` is the whole text after the path (`Invalid value: -1: must be …`). */
export interface FieldError {
	readonly type: FieldErrorType;
	readonly field: string;
	readonly message: string;
}
