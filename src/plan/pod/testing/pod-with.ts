import type { Pod } from '../../../api/core/pod/schema.ts';

/** A Pod `p` in the namespace `ns` with these fields in its spec; by default it has one container `c`. */
export function podWith(spec: object, metadata: object = {}): Pod {
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name: 'p', namespace: 'ns', uid: 'u', ...metadata },
		spec: { containers: [{ name: 'c', image: 'busybox' }], ...spec },
		status: {},
	} as unknown as Pod;
}
