import type { PersistentVolumeClaim } from '../../api/core/persistentvolumeclaim/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { controllerReferenceTo } from '../../api/meta/controller-reference.ts';
import { ephemeralClaimName, isOwnClaim } from './protection.ts';

/** What happens to the claim of one ephemeral volume of a Pod. */
export type EphemeralClaim =
	| { readonly kind: 'create'; readonly volumeName: string; readonly claim: PersistentVolumeClaim }
	/** Another claim has its name, which the Pod must not use: it was made for other users. */
	| { readonly kind: 'conflict'; readonly volumeName: string; readonly message: string };

/**
 * The claims to create for the ephemeral volumes of a Pod, and the conflicts, in the order of the volumes
 * (upstream: pkg/controller/volume/ephemeral/controller.go). `claimNamed` finds claims in the Pod's namespace.
 */
export function planEphemeralClaims(
	pod: Pod,
	claimNamed: (name: string) => PersistentVolumeClaim | undefined,
): readonly EphemeralClaim[] {
	if (pod.metadata.deletionTimestamp) return [];
	return (pod.spec.volumes ?? []).flatMap(({ name: volumeName, ephemeral }): readonly EphemeralClaim[] => {
		const template = ephemeral?.volumeClaimTemplate;
		if (!template) return [];
		const name = ephemeralClaimName(pod, volumeName);
		const existing = claimNamed(name);
		if (existing && isOwnClaim(pod, existing)) return [];
		if (existing) return [{ kind: 'conflict', volumeName, message: ownerConflict(pod, name) }];
		const { labels, annotations } = template.metadata ?? {};
		const metadata = {
			name,
			namespace: pod.metadata.namespace ?? '',
			ownerReferences: [controllerReferenceTo(pod)],
			...(labels && { labels }),
			...(annotations && { annotations }),
		};
		const claim = {
			apiVersion: 'v1',
			kind: 'PersistentVolumeClaim',
			metadata,
			spec: template.spec,
			status: {},
		};
		return [{ kind: 'create', volumeName, claim }];
	});
}

/** Upstream's text for a claim that another Pod or a user has made (`VolumeIsForPod`). */
export function ownerConflict({ metadata: { namespace, name } }: Pod, claimName: string): string {
	return `PVC ${namespace}/${claimName} was not created for pod ${namespace}/${name} (pod is not owner)`;
}
