import { hasEnded } from '../../api/core/pod/phase.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { controllerOf } from '../../api/meta/controller-reference.ts';
import { isActiveSet } from './replica-sets.ts';
import type { RolloutDraft } from './rollout-draft.ts';
import { isComplete } from './rollout-status.ts';

/**
 * Ends all Pods of older templates before it creates those of the current one (upstream:
 * pkg/controller/deployment/recreate.go). `pods` are those of all ReplicaSets.
 */
export function recreate(draft: RolloutDraft, pods: readonly Pod[]): void {
	const active = draft.oldSets.filter(isActiveSet);
	for (const set of active) draft.scale(set, 0);
	if (active.length > 0 || oldPodsRun(draft, pods)) return;
	draft.scale(draft.create(), draft.deployment.spec.replicas ?? 0);
	const { deployment } = draft;
	if (isComplete(deployment, deployment.status)) draft.cleanUp();
}

/** Whether a Pod of an older template has not ended; one that is being deleted may still run. */
function oldPodsRun({ oldSets, newSet }: RolloutDraft, pods: readonly Pod[]): boolean {
	if (oldSets.some(({ status }) => status.replicas > 0)) return true;
	const uid = newSet?.metadata.uid;
	return pods.some((pod) => !hasEnded(pod) && (uid === undefined || controllerOf(pod)?.uid !== uid));
}
