import { NOT_READY_TAINT, UNREACHABLE_TAINT } from '../../../api/core/node/taints.ts';
import type { Pod, Toleration } from '../../../api/core/pod/schema.ts';

/**
 * Seconds that a Pod stays bound to a node that is not ready or unreachable, unless it sets its own
 * toleration.
 */
const TOLERATION_SECONDS = 300;

const TAINTS: readonly string[] = [NOT_READY_TAINT, UNREACHABLE_TAINT];

/**
 * The Pod with tolerations of 300 seconds for the taints not-ready and unreachable, where it has none of its own
 * (upstream: plugin/pkg/admission/defaulttolerationseconds/admission.go); the same Pod if it has both. Without
 * them the taint eviction controller would delete every Pod of a node as soon as the node is not ready.
 */
export function withDefaultTolerations(pod: Pod): Pod {
	const own = pod.spec.tolerations ?? [];
	const missing = TAINTS.filter((taint) => !own.some((toleration) => tolerates(toleration, taint)));
	if (missing.length === 0) return pod;
	const added = missing.map(
		(key): Toleration => ({
			key,
			operator: 'Exists',
			effect: 'NoExecute',
			tolerationSeconds: TOLERATION_SECONDS,
		}),
	);
	return { ...pod, spec: { ...pod.spec, tolerations: [...own, ...added] } };
}

/** As upstream, without regard to operator and value: a toleration of another value counts as the author's choice. */
function tolerates({ key = '', effect }: Toleration, taint: string): boolean {
	return (key === '' || key === taint) && (!effect || effect === 'NoExecute');
}
