import type { Pod } from '../api/core/pod/schema.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';

/** Whether the object is a Pod; the server does a few things for Pods that it does for nothing else. */
export function isPod(object: KubeObject): object is Pod {
	return object.kind === 'Pod' && object.apiVersion === 'v1';
}
