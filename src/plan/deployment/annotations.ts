/**
 * The annotations by which the Deployment controller records revisions and sizes in its ReplicaSets (upstream:
 * pkg/controller/deployment/util). kubectl reads them for `rollout history` and `rollout undo`.
 */

import type { Deployment } from '../../api/apps/deployment/schema.ts';
import type { ReplicaSet } from '../../api/apps/replicaset/schema.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { maxSurge } from './limits.ts';

/** The number of a rollout, in the Deployment and in the ReplicaSet of its template. */
export const REVISION = 'deployment.kubernetes.io/revision';

/** The earlier revisions of a ReplicaSet whose template was rolled out again, separated by commas. */
const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';

/** The replicas of the Deployment when the ReplicaSet was last scaled. */
const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';

/** The same, with the surge: what the ReplicaSet was a proportion of. */
const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';

/** Annotations of a Deployment that its ReplicaSets do not get, and that a rollback leaves as they are. */
export const NOT_COPIED: ReadonlySet<string> = new Set([
	'kubectl.kubernetes.io/last-applied-configuration',
	...[REVISION, REVISION_HISTORY, DESIRED_REPLICAS, MAX_REPLICAS],
	'deprecated.deployment.rollback.to',
]);

/** Maximum length of the history of a ReplicaSet; the oldest revisions are dropped. */
const MAX_HISTORY_LENGTH = 2000;

type Annotations = Readonly<Record<string, string>>;

/** The revision in the annotations of an object; 0 if there is none, undefined if it is not an int64. */
export function rolloutRevisionOf({ metadata }: KubeObject): bigint | undefined {
	const text = metadata.annotations?.[REVISION];
	if (text === undefined) return 0n;
	// Longer ones are out of range, unless they begin with zeros.
	if (!/^[+-]?0*\d{1,19}$/.test(text)) return undefined;
	const revision = BigInt(text.replace(/^\+/, ''));
	return BigInt.asIntN(64, revision) === revision ? revision : undefined;
}

/** The revision after the highest of the sets; sets without a valid one do not count. */
export function nextRevision(sets: readonly ReplicaSet[]): bigint {
	let highest = 0n;
	for (const set of sets) {
		const revision = rolloutRevisionOf(set) ?? 0n;
		if (revision > highest) highest = revision;
	}
	// As in Go, where the number after the largest one is negative.
	return BigInt.asIntN(64, highest + 1n);
}

/** The replicas of the Deployment when the set was last scaled; undefined if the annotation is missing or invalid. */
export function desiredReplicasOf(set: ReplicaSet): number | undefined {
	return countIn(set, DESIRED_REPLICAS);
}

/** The replicas of the Deployment with its surge when the set was last scaled; undefined as above. */
export function maxReplicasOf(set: ReplicaSet): number | undefined {
	return countIn(set, MAX_REPLICAS);
}

function countIn({ metadata }: ReplicaSet, annotation: string): number | undefined {
	const text = metadata.annotations?.[annotation];
	if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
	const count = Number(text);
	return count < 2 ** 31 ? count : undefined;
}

/** The set with the sizes of the Deployment in its annotations; the set itself if it has them. */
export function withSizes(set: ReplicaSet, deployment: Deployment): ReplicaSet {
	const { replicas = 0 } = deployment.spec;
	return annotated(set, {
		[DESIRED_REPLICAS]: `${replicas}`,
		[MAX_REPLICAS]: `${replicas + maxSurge(deployment)}`,
	});
}

/**
 * The set of the current template with the annotations of the Deployment, and with `revision` if its own is lower: it is
 * rolled out, again or for the first time. The set itself if nothing changes (upstream: SetNewReplicaSetAnnotations).
 */
export function withRolloutRevision(set: ReplicaSet, deployment: Deployment, revision: bigint): ReplicaSet {
	const own = rolloutRevisionOf(set);
	if (own === undefined) return set;
	const copied: Record<string, string> = {};
	for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {}))
		if (!NOT_COPIED.has(key)) copied[key] = value;
	if (own >= revision) return annotated(set, copied);
	const before = set.metadata.annotations?.[REVISION];
	return annotated(set, {
		...copied,
		[REVISION]: `${revision}`,
		...(before !== undefined && historyWith(set.metadata.annotations?.[REVISION_HISTORY] ?? '', before)),
	});
}

/** The annotation with `revision` added to the history; empty if it does not fit into the maximum length. */
function historyWith(history: string, revision: string): Annotations {
	const revisions = history === '' ? [] : history.split(',');
	revisions.push(revision);
	let start = 0;
	let length = revisions.join(',').length;
	while (length > MAX_HISTORY_LENGTH && start < revisions.length - 1) {
		length -= (revisions[start]?.length ?? 0) + 1;
		start++;
	}
	return length > MAX_HISTORY_LENGTH ? {} : { [REVISION_HISTORY]: revisions.slice(start).join(',') };
}

function annotated(set: ReplicaSet, added: Annotations): ReplicaSet {
	const { annotations = {} } = set.metadata;
	const isSame = Object.entries(added).every(([key, value]) => annotations[key] === value);
	if (isSame) return set;
	return { ...set, metadata: { ...set.metadata, annotations: { ...annotations, ...added } } };
}
