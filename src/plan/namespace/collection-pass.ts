/**
 * What remains of the objects of one resource after the namespace controller has deleted the collection: whether
 * that is expected, and when to look again. Follows upstream's `deleteAllContentForGroupVersionResource` and
 * `estimateGracefulTermination` in `pkg/controller/namespace/deletion/namespaced_resources_deleter.go`.
 */

import type { Namespace } from '../../api/core/namespace/schema.ts';
import { isPod } from '../../api/core/pod/is-pod.ts';
import { hasEnded } from '../../api/core/pod/phase.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { timeOf } from '../../api/meta/time.ts';
import { approximate } from '../../base/json/json.ts';
import type { RemainingContent } from './namespace-conditions.ts';

/** Upstream's estimate of the time until a finalizer is removed (`finalizerEstimateSeconds`). */
const FINALIZER_ESTIMATE_SECONDS = 15;

/**
 * Seconds after the end of its grace period until a remaining Pod is reported as a failure. The kubelet kills
 * the containers at the end of the grace period and deletes the Pod only after that. Upstream has no such
 * margin, and so reports a failure for a moment for every Pod that uses up its grace period.
 */
const REMOVAL_SECONDS = 5;

/** The deletion of a collection as the controller has seen it. */
export interface SeenCollection {
	readonly resource: { readonly group: string; readonly version: string; readonly resource: string };
	/** The Namespace under deletion. */
	readonly namespace: Pick<Namespace, 'metadata'>;
	/** The objects of two lists: one before the deletion of the collection, one after it. */
	readonly before: readonly KubeObject[];
	readonly after: readonly KubeObject[];
	/** In ms since the epoch. */
	readonly now: number;
}

/** The result of deleting the objects of one resource. */
export interface CollectionPass extends RemainingContent {
	/** Seconds after which the remaining objects are expected to be gone. */
	readonly estimateSeconds: number;
	/** A message if objects remain for no known reason: no finalizer, and no grace period that still runs. */
	readonly overdue?: string;
}

/** Evaluates a deletion; see the header of this file. */
export function collectionPass(seen: SeenCollection): CollectionPass {
	const { resource: definition, namespace, before, after, now } = seen;
	const { group, version, resource } = definition;
	const finalizers = countsOfFinalizers(after);
	const grace = before.reduce((longest, object) => Math.max(longest, graceSecondsOf(object)), 0);
	const waitedSeconds = (now - (timeOf(namespace.metadata.deletionTimestamp) ?? 0)) / 1000;
	const isExpected = grace > 0 && waitedSeconds < grace + REMOVAL_SECONDS;
	const estimateSeconds = isExpected ? Math.max(grace - waitedSeconds, 0) : FINALIZER_ESTIMATE_SECONDS;
	const pass = { group, resource, count: after.length, finalizers, estimateSeconds };
	if (after.length === 0 || isExpected || finalizers.size > 0) return pass;
	const kind = `${group}/${version}, Resource=${resource}`;
	const overdue = `unexpected items still remain in namespace: ${namespace.metadata.name ?? ''} for gvr: ${kind}`;
	return { ...pass, overdue };
}

/**
 * Milliseconds until the controller looks again, if objects remain: half the longest estimate and a second, as
 * upstream (`worker` in namespace_controller.go). Undefined if none remain.
 */
export function nextLookMs(passes: readonly CollectionPass[]): number | undefined {
	const remaining = passes.filter(({ count }) => count > 0);
	if (remaining.length === 0) return undefined;
	const estimate = Math.max(...remaining.map(({ estimateSeconds }) => estimateSeconds));
	return (Math.floor(estimate / 2) + 1) * 1000;
}

/** The number of objects with each finalizer. */
function countsOfFinalizers(objects: readonly KubeObject[]): ReadonlyMap<string, number> {
	const counts = new Map<string, number>();
	for (const { metadata } of objects) {
		for (const finalizer of metadata.finalizers ?? [])
			counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1);
	}
	return counts;
}

/** The grace period in seconds: that of a Pod which has not ended. Objects of other kinds are deleted at once. */
function graceSecondsOf(object: KubeObject): number {
	if (!isPod(object) || hasEnded(object)) return 0;
	return approximate(object.spec.terminationGracePeriodSeconds ?? 0);
}
