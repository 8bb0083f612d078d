import type { KubeObject } from '../../meta/object-meta.ts';
import type { Pod } from './schema.ts';

/**
 * Whether the object is a v1.Pod, judged by its own kind and apiVersion and not by the resource it was read
 * from.
 */
export function isPod(object: KubeObject): object is Pod {
	return object.kind === 'Pod' && object.apiVersion === 'v1';
}
