import { type Int64, successor } from '../../base/json/json.ts';
import { semanticEqual } from '../schema/equality.ts';
import type { KubeObject, ObjectMeta } from './object-meta.ts';

/** The generation after an update of `old`: incremented if the update `changed` the desired state. */
export function generationAfter({ generation = 0 }: ObjectMeta, changed: boolean): Int64 {
	return changed ? successor(generation) : generation;
}

/** An object whose generation counts the changes of its spec. */
interface SpecObject extends KubeObject {
	readonly spec: object;
	readonly status: object;
}

/**
 * The next state of `old` by an update that may set the spec and the metadata, but not the status. An equal spec is
 * replaced by the stored one, so that validation can skip it by identity.
 */
export function withNextSpec<T extends SpecObject>(object: T, old: T, spec: T['spec']): T {
	const changed = spec !== old.spec && !semanticEqual(spec, old.spec);
	return {
		...object,
		metadata: { ...object.metadata, generation: generationAfter(old.metadata, changed) },
		spec: changed ? spec : old.spec,
		status: old.status,
	};
}
