import { fieldForbidden } from '../../errors/field-errors.ts';
import { type FieldError, FieldPath } from '../../errors/field-path.ts';
import { semanticEqual } from '../../schema/equality.ts';

/** An object whose author can declare its data immutable: a ConfigMap or a Secret. */
interface MayBeImmutable {
	readonly immutable?: boolean;
}

/**
 * The errors of an update that changes one of `fields`, or takes back `immutable`, of an object that was
 * immutable. The kubelet relies on it: it stops watching such an object.
 */
export function keptWhileImmutable<T extends MayBeImmutable>(
	given: T,
	old: T,
	fields: readonly (keyof T & string)[],
): readonly FieldError[] {
	if (old.immutable !== true) return [];
	const changed = fields.filter((field) => !semanticEqual(given[field], old[field]));
	const names = given.immutable === true ? changed : ['immutable', ...changed];
	return names.map((name) =>
		fieldForbidden(new FieldPath(name), 'field is immutable when `immutable` is set'),
	);
}
