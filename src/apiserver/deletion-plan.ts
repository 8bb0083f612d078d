import type { DeleteOptions } from '../api/meta/delete-options.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import type { ResourceDefinition } from '../api/meta/resource.ts';
import { formatTime, timeOf } from '../api/meta/time.ts';
import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER } from '../api/meta/validate-meta.ts';
import { approximate, type Int64, successor } from '../base/json.ts';

/** What a DELETE does to an object. */
export type DeletionAct =
	/** Nothing more than was done already. */
	| { readonly kind: 'pending' }
	/** It stays for now, as `object`. */
	| { readonly kind: 'mark'; readonly object: KubeObject }
	/** It goes; `object` is how the client sees it off. */
	| { readonly kind: 'remove'; readonly object: KubeObject };

/** What a DELETE of an object comes to, by its grace period, its finalizers and the options. */
export function planDeletion(
	definition: ResourceDefinition,
	object: KubeObject,
	options: DeleteOptions,
	now: number,
): DeletionAct {
	const graceful = gracefully(definition, object, options, now);
	if (graceful.pending) return { kind: 'pending' };
	const marked = withFinalizers(graceful.object, propagationFinalizers(definition, object, options));
	if (marked.metadata.finalizers?.length) {
		return { kind: 'mark', object: graceful.changed ? marked : withoutGrace(marked, now) };
	}
	const { deletionGracePeriodSeconds: grace = 0 } = marked.metadata;
	return graceful.changed && grace > 0
		? { kind: 'mark', object: marked }
		: { kind: 'remove', object: marked };
}

/** The object after its grace period was set or shortened, and whether that is so. */
interface Graceful {
	readonly object: KubeObject;
	readonly changed: boolean;
	/** It is being deleted already, and no less time was asked for. */
	readonly pending: boolean;
}

function gracefully(
	{ deletion }: ResourceDefinition,
	object: KubeObject,
	{ gracePeriodSeconds }: DeleteOptions,
	now: number,
): Graceful {
	const untouched = { object, changed: false, pending: false };
	if (!deletion.gracePeriodSeconds) return untouched;
	const requested = gracePeriodSeconds !== undefined && gracePeriodSeconds < 0 ? 1 : gracePeriodSeconds;
	const { deletionTimestamp, deletionGracePeriodSeconds: granted = 0, generation } = object.metadata;
	if (deletionTimestamp === undefined) {
		const grace = deletion.gracePeriodSeconds(object, requested);
		return {
			...untouched,
			object: withDeletion(counted(object, generation), formatTime(now + approximate(grace) * 1000), grace),
			changed: true,
		};
	}
	if (granted === 0) return untouched;
	if (requested === undefined || requested >= granted) return { ...untouched, pending: true };
	// A period beyond the year 9999 has left no trace of when it began.
	const begun = timeOf(deletionTimestamp) - approximate(granted) * 1000;
	const due = formatTime((begun < 0 ? now : begun) + approximate(requested) * 1000);
	return { ...untouched, object: withDeletion(object, due, requested), changed: true };
}

/** Marks an object that only finalizers keep. */
function withoutGrace(object: KubeObject, now: number): KubeObject {
	const { deletionTimestamp, generation } = object.metadata;
	if (deletionTimestamp === undefined) return withDeletion(counted(object, generation), formatTime(now), 0);
	return withDeletion(object, timeOf(deletionTimestamp) > now ? formatTime(now) : deletionTimestamp, 0);
}

function withDeletion(object: KubeObject, deletionTimestamp: string, grace: Int64): KubeObject {
	return {
		...object,
		metadata: { ...object.metadata, deletionTimestamp, deletionGracePeriodSeconds: grace },
	};
}

/** The wish to be gone is a change of the desired state. */
function counted(object: KubeObject, generation: Int64 | undefined): KubeObject {
	if (!generation) return object;
	return { ...object, metadata: { ...object.metadata, generation: successor(generation) } };
}

/** The finalizers after the options had their say on what becomes of dependents. */
function propagationFinalizers(
	definition: ResourceDefinition,
	{ metadata }: KubeObject,
	options: DeleteOptions,
): readonly string[] {
	const own = metadata.finalizers ?? [];
	const wanted = propagationOf(definition, own, options);
	const others = own.filter((one) => one !== ORPHAN_FINALIZER && one !== FOREGROUND_FINALIZER);
	if (wanted === 'Orphan') return [...others, ORPHAN_FINALIZER];
	return wanted === 'Foreground' ? [...others, FOREGROUND_FINALIZER] : others;
}

function propagationOf(
	{ deletion }: ResourceDefinition,
	finalizers: readonly string[],
	{ orphanDependents, propagationPolicy }: DeleteOptions,
): string {
	if (orphanDependents !== undefined) return orphanDependents ? 'Orphan' : 'Background';
	if (propagationPolicy !== undefined) return propagationPolicy;
	if (finalizers.includes(ORPHAN_FINALIZER)) return 'Orphan';
	if (finalizers.includes(FOREGROUND_FINALIZER)) return 'Foreground';
	return deletion.defaultPropagation;
}

function withFinalizers(object: KubeObject, finalizers: readonly string[]): KubeObject {
	const own = object.metadata.finalizers ?? [];
	const wanted = new Set(finalizers);
	if (own.length === finalizers.length && own.every((one) => wanted.has(one))) return object;
	const { finalizers: _own, ...metadata } = object.metadata;
	return { ...object, metadata: { ...metadata, ...(finalizers.length > 0 && { finalizers }) } };
}
