import type { RuntimeTraits } from '../../../api/contract/runtime-traits.ts';
import { FIELD_RULES } from './field-rules.ts';

/**
 * The fields that a runtime may declare to honour: those with a row by which a Pod does not run as specified, unless
 * stint itself would have to support the field, or it comes with another one.
 */
export const RUNTIME_FIELDS: ReadonlySet<string> = new Set(
	FIELD_RULES.filter(
		({ effect, byStint, comesWith }) =>
			!byStint && comesWith === undefined && ['held', 'warned', 'unmounted'].includes(effect),
	).map(({ field }) => field),
);

/** The fields that the runtime declares to honour and that mean nothing to the table; empty if the two agree. */
export function unknownFields({ honours }: RuntimeTraits): readonly string[] {
	if (honours === 'everything') return [];
	return [...honours].filter((field) => !RUNTIME_FIELDS.has(field));
}

/** Whether the runtime mounts volumes of the node into containers. One that only simulates containers does not. */
export function mountsVolumes({ honours }: RuntimeTraits): boolean {
	return honours !== 'everything' && honours.has('spec.volumes');
}
