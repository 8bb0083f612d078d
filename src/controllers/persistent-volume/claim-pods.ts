import type { Pod } from '../../api/core/pod/schema.ts';
import { type Informer, keyOf } from '../../client/informer.ts';
import { claimNamesOf } from '../../plan/storage/protection.ts';

/** The name of the index of Pods by the claims that they refer to. */
const BY_CLAIM = 'claim';

/** Makes the informer index Pods by the keys of the claims in their volumes. May be called more than once. */
export function indexPodsByClaim(pods: Informer<Pod>): void {
	pods.addIndexes({ [BY_CLAIM]: claimKeysOf });
}

/** The Pods that refer to the claim with this key; requires {@link indexPodsByClaim}. */
export function podsOfClaim(pods: Informer<Pod>, claimKey: string): readonly Pod[] {
	return pods.indexed(BY_CLAIM, claimKey);
}

/** The keys of the claims that the Pod refers to. */
export function claimKeysOf(pod: Pod): readonly string[] {
	if (!pod.spec.volumes) return NONE;
	return claimNamesOf(pod).map((name) => keyOf(pod.metadata.namespace ?? '', name));
}

const NONE: readonly string[] = [];
