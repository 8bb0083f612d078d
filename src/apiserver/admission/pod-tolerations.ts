import { isPod } from '../../api/core/pod/is-pod.ts';
import type { Pod, Toleration } from '../../api/core/pod/schema.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import type { ResourceRequest } from '../request.ts';
import type { AdmissionPlugin } from './admission.ts';

/** How long a Pod stays on a node that went away, unless it says otherwise. */
const TOLERATION_SECONDS = 300;

const TAINTS: readonly string[] = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/** Pods bear a node's being not ready or unreachable for 300 seconds (upstream: DefaultTolerationSeconds). */
export class PodTolerations implements AdmissionPlugin {
	create(_request: ResourceRequest, object: KubeObject): KubeObject {
		return withTolerations(object);
	}

	update({ subresource }: ResourceRequest, object: KubeObject): KubeObject {
		return subresource === '' ? withTolerations(object) : object;
	}
}

function withTolerations(object: KubeObject): KubeObject {
	if (!isPod(object)) return object;
	const own = object.spec.tolerations ?? [];
	const missing = TAINTS.filter((taint) => !own.some((toleration) => covers(toleration, taint)));
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

function covers({ key = '', effect }: Toleration, taint: string): boolean {
	return (key === '' || key === taint) && (!effect || effect === 'NoExecute');
}
