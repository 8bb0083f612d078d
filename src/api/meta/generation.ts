import { type Int64, successor } from '../../base/json/json.ts';
import type { ObjectMeta } from './object-meta.ts';

/** The generation after an update of `old`: incremented if the update `changed` the desired state. */
export function generationAfter({ generation = 0 }: ObjectMeta, changed: boolean): Int64 {
	return changed ? successor(generation) : generation;
}
