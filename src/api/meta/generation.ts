import { type Int64, successor } from '../../base/json.ts';
import type { ObjectMeta } from './object-meta.ts';

/** The generation of an update of `old`: one more where the update changed what is wanted. */
export function generationAfter({ generation = 0 }: ObjectMeta, changed: boolean): Int64 {
	return changed ? successor(generation) : generation;
}
