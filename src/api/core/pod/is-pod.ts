import type { KubeObject } from '../../meta/object-meta.ts';
import type { Pod } from './schema.ts';

/** Whether the object is a Pod, whatever it was read as. */
export function isPod(object: KubeObject): object is Pod {
	return object.kind === 'Pod' && object.apiVersion === 'v1';
}
