import { NOT_READY_TAINT, UNREACHABLE_TAINT } from '../../api/core/node/taints.ts';
import { isPod } from '../../api/core/pod/is-pod.ts';
import type { Pod, Toleration } from '../../api/core/pod/schema.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import type { AdmissionPlugin } from './admission.ts';

/**
 * Seconds that a Pod stays bound to a node that is not ready or unreachable, unless it sets its own
 * toleration.
 */
const TOLERATION_SECONDS = 300;

const TAINTS: readonly string[] = [NOT_READY_TAINT, UNREACHABLE_TAINT];

/**
 * Adds tolerations of 300 seconds for the taints not-ready and unreachable to Pods that do not tolerate them
 * (upstream: the DefaultTolerationSeconds plugin). Without them the taint eviction controller would delete
 * every Pod of a node as soon as the node is not ready.
 */
export class PodTolerations implements AdmissionPlugin {
	readonly mutation: AdmissionPlugin['mutation'] = {
		operations: ['CREATE', 'UPDATE'],
		admit: ({ subresource, object }) => (subresource === '' ? withTolerations(object) : object),
	};
}

function withTolerations(object: KubeObject): KubeObject {
	if (!isPod(object)) return object;
	const own = object.spec.tolerations ?? [];
	const missing = TAINTS.filter((taint) => !own.some((toleration) => tolerates(toleration, taint)));
	if (missing.length === 0) return object;
	const added = missing.map(
		(key): Toleration => ({
			key,
			operator: 'Exists',
			effect: 'NoExecute',
			tolerationSeconds: TOLERATION_SECONDS,
		}),
	);
	const changed: Pod = { ...object, spec: { ...object.spec, tolerations: [...own, ...added] } };
	return changed;
}

function tolerates({ key = '', effect }: Toleration, taint: string): boolean {
	return (key === '' || key === taint) && (!effect || effect === 'NoExecute');
}
