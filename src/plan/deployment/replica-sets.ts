/** The ReplicaSets of a Deployment: which one has its template, and in which order rules look at the others. */

import type { Deployment } from '../../api/apps/deployment/schema.ts';
import type { ReplicaSet } from '../../api/apps/replicaset/schema.ts';
import { controllerReferenceTo } from '../../api/meta/controller-reference.ts';
import type { LabelSelector } from '../../api/meta/selector.ts';
import { timeOf } from '../../api/meta/time.ts';
import { compareText } from '../../base/compare-text.ts';
import { rolloutRevisionOf } from './annotations.ts';
import { setSize } from './limits.ts';
import { isSameTemplate, TEMPLATE_HASH, templateHash } from './template-hash.ts';

/** Oldest first; of the same second, by name (upstream: ReplicaSetsByCreationTimestamp). */
export function byCreation(a: ReplicaSet, b: ReplicaSet): number {
	const difference =
		(timeOf(a.metadata.creationTimestamp) ?? 0) - (timeOf(b.metadata.creationTimestamp) ?? 0);
	return difference !== 0 ? difference : compareText(a.metadata.name ?? '', b.metadata.name ?? '');
}

/** Largest first, and of the same size the oldest. */
export function bySizeOlder(a: ReplicaSet, b: ReplicaSet): number {
	return setSize(b) - setSize(a) || byCreation(a, b);
}

/** Largest first, and of the same size the newest. */
export function bySizeNewer(a: ReplicaSet, b: ReplicaSet): number {
	return setSize(b) - setSize(a) || byCreation(b, a);
}

/** The earliest revision first; sets without a valid revision by age. */
export function byRevision(a: ReplicaSet, b: ReplicaSet): number {
	const [first, second] = [rolloutRevisionOf(a), rolloutRevisionOf(b)];
	if (first === undefined || second === undefined || first === second) return byCreation(a, b);
	return first < second ? -1 : 1;
}

/** Whether the set should have Pods. */
export function isActiveSet(set: ReplicaSet): boolean {
	return setSize(set) > 0;
}

/** Whether the status of the set is that of its present spec. */
export function isObserved({ metadata, status }: ReplicaSet): boolean {
	return (metadata.generation ?? 0) <= (status.observedGeneration ?? 0);
}

/** The set of the Deployment's template, of several the oldest (upstream: FindNewReplicaSet). */
export function findNewSet(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
	return sets
		.toSorted(byCreation)
		.find(({ spec }) => isSameTemplate(spec.template, deployment.spec.template));
}

/** Longest name of a ReplicaSet, a DNS subdomain. */
const MAX_NAME_LENGTH = 253;

/**
 * A set for the Deployment's template, without Pods and revision. Its name follows from the template, so that a creation
 * whose response was lost meets the same name again.
 */
export function newReplicaSet(deployment: Deployment): ReplicaSet {
	const { name = '', namespace } = deployment.metadata;
	const { template, selector, minReadySeconds } = deployment.spec;
	const hash = templateHash(template, deployment.status.collisionCount);
	const labels = { ...template.metadata?.labels, [TEMPLATE_HASH]: hash };
	return {
		apiVersion: 'apps/v1',
		kind: 'ReplicaSet',
		metadata: {
			name: `${name.slice(0, MAX_NAME_LENGTH - 1 - hash.length)}-${hash}`,
			...(namespace && { namespace }),
			labels,
			ownerReferences: [controllerReferenceTo(deployment)],
		},
		spec: {
			replicas: 0,
			...(minReadySeconds && { minReadySeconds }),
			selector: withHash(selector, hash),
			template: { ...template, metadata: { ...template.metadata, labels } },
		},
		status: { replicas: 0 },
	};
}

function withHash(selector: LabelSelector = {}, hash: string): LabelSelector {
	return { ...selector, matchLabels: { ...selector.matchLabels, [TEMPLATE_HASH]: hash } };
}
