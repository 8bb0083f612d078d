/**
 * Which claims and volumes are in use, and must not be removed yet (upstream:
 * pkg/controller/volume/pvcprotection and pvprotection).
 */

import type { PersistentVolume } from '../../api/core/persistentvolume/schema.ts';
import { CLAIM_FINALIZER, VOLUME_FINALIZER } from '../../api/core/persistentvolumeclaim/protection.ts';
import type { PersistentVolumeClaim } from '../../api/core/persistentvolumeclaim/schema.ts';
import { hasEnded } from '../../api/core/pod/phase.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { controllerOf } from '../../api/meta/controller-reference.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { formatTime } from '../../api/meta/time.ts';

/** The name of the claim of a generic ephemeral volume (upstream: `VolumeClaimName`). */
export function ephemeralClaimName({ metadata }: Pod, volumeName: string): string {
	return `${metadata.name}-${volumeName}`;
}

/** Whether the Pod is the controller of the claim, so that it is the claim of its ephemeral volume. */
export function isOwnClaim(pod: Pod, claim: KubeObject): boolean {
	const owner = controllerOf(claim);
	return claim.metadata.namespace === pod.metadata.namespace && owner?.uid === pod.metadata.uid;
}

/** The names of all claims that the volumes of the Pod refer to. */
export function claimNamesOf(pod: Pod): readonly string[] {
	return (pod.spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
		if (persistentVolumeClaim) return [persistentVolumeClaim.claimName];
		return ephemeral ? [ephemeralClaimName(pod, name)] : [];
	});
}

/** Whether the claim must stay because of this Pod, which is bound to a node and may run or be cleaned up. */
function keepsClaim(pod: Pod, claim: PersistentVolumeClaim): boolean {
	if (!pod.spec.nodeName) return false;
	const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
	const isShutDown = deletionTimestamp !== undefined && Number(deletionGracePeriodSeconds) === 0;
	return refersTo(pod, claim, !isShutDown);
}

/** Whether the Pod refers to the claim; `ephemeral`: also by an ephemeral volume. */
function refersTo(pod: Pod, claim: PersistentVolumeClaim, ephemeral: boolean): boolean {
	const { name: claimName } = claim.metadata;
	return (pod.spec.volumes ?? []).some((volume) => {
		if (volume.persistentVolumeClaim) return volume.persistentVolumeClaim.claimName === claimName;
		const isOfPod = ephemeral && volume.ephemeral && ephemeralClaimName(pod, volume.name) === claimName;
		return isOfPod && isOwnClaim(pod, claim);
	});
}

/** What the protection controllers do with a claim or volume. */
export interface ProtectionPlan {
	readonly finalizers?: readonly string[];
	/** The new condition Unused of a claim, without its time. */
	readonly unused?: { readonly status: 'True' | 'False'; readonly reason: string; readonly message: string };
	readonly because: string;
}

/**
 * Decides about the finalizer and the condition Unused of a claim. `pods` are those that refer to it.
 *
 * 1. The finalizer of a deleted claim is removed only if no Pod with a node refers to the claim. A Pod that has
 *    ended keeps it too, because the node may still unmount.
 * 2. The condition tells about Pods that have not ended, with or without a node.
 */
export function planClaimProtection(claim: PersistentVolumeClaim, pods: readonly Pod[]): ProtectionPlan {
	const { metadata, status } = claim;
	if (metadata.deletionTimestamp || status.phase !== 'Bound') {
		const isKept = pods.some((pod) => keepsClaim(pod, claim));
		return planFinalizer(claim, CLAIM_FINALIZER, isKept);
	}
	const isUsed = pods.some((pod) => !hasEnded(pod) && refersTo(pod, claim, true));
	const before = status.conditions?.find(({ type }) => type === 'Unused')?.status;
	const plan = planFinalizer(claim, CLAIM_FINALIZER, true);
	if (before === (isUsed ? 'False' : 'True')) return plan;
	const unused: NonNullable<ProtectionPlan['unused']> = isUsed
		? { status: 'False', reason: 'PodUsingPVC', message: 'A pod is currently referencing this PVC' }
		: { status: 'True', reason: 'NoPodsUsingPVC', message: 'No pods are currently referencing this PVC' };
	return { ...plan, unused };
}

/** The status of the claim with the planned condition Unused, which begins at `now`. */
export function withUnused(
	{ status }: PersistentVolumeClaim,
	unused: NonNullable<ProtectionPlan['unused']>,
	now: number,
): Pick<PersistentVolumeClaim['status'], 'conditions'> {
	const others = (status.conditions ?? []).filter(({ type }) => type !== 'Unused');
	return { conditions: [...others, { type: 'Unused', lastTransitionTime: formatTime(now), ...unused }] };
}

/** Decides about the finalizer of a volume: a bound one stays until its claim is gone. */
export function planVolumeProtection(volume: PersistentVolume): ProtectionPlan {
	return planFinalizer(volume, VOLUME_FINALIZER, volume.status.phase === 'Bound');
}

function planFinalizer({ metadata }: KubeObject, finalizer: string, isUsed: boolean): ProtectionPlan {
	const { finalizers = [], deletionTimestamp } = metadata;
	const has = finalizers.includes(finalizer);
	if (deletionTimestamp && has && !isUsed) {
		const rest = finalizers.filter((each) => each !== finalizer);
		return { finalizers: rest, because: 'it is deleted and nothing uses it' };
	}
	if (deletionTimestamp || has) return { because: 'its finalizer is as it must be' };
	return { finalizers: [...finalizers, finalizer], because: 'it has no finalizer yet' };
}
