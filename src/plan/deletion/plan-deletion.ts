import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import type { DeleteOptions } from '../../api/meta/delete-options.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { formatTime, timeOf } from '../../api/meta/time.ts';
import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER } from '../../api/meta/validate-meta.ts';
import { approximate, type Int64, successor } from '../../base/json/json.ts';

/** What a DELETE does to an object. The decision is pure; delete.ts applies it. */
export type DeletionAct =
	/** The object is being deleted already, and the request changes nothing. */
	| { readonly kind: 'pending' }
	/** The object stays for now, with its deletionTimestamp set: `object` is its new state. */
	| { readonly kind: 'mark'; readonly object: KubeObject }
	/** The object is removed; `object` is the state that the client receives. */
	| { readonly kind: 'remove'; readonly object: KubeObject };

/** The object to delete, with the definition of its resource. */
export interface DeletionSubject {
	readonly definition: ResourceDefinition;
	readonly object: KubeObject;
}

/**
 * Decides what a DELETE does to an object, from its grace period, its finalizers and the options (upstream:
 * BeforeDelete in registry/rest/delete.go, and deletionFinalizersForGarbageCollection in the generic registry
 * store). `now` is in ms since the epoch.
 */
export function planDeletion(
	{ definition, object }: DeletionSubject,
	options: DeleteOptions,
	now: number,
): DeletionAct {
	const graceful = applyGracePeriod({ definition, object }, options, now);
	if (graceful.pending) return { kind: 'pending' };
	const marked = withFinalizers(graceful.object, propagationFinalizers(definition, object, options));
	if (marked.metadata.finalizers?.length) {
		return { kind: 'mark', object: graceful.changed ? marked : markWithoutGrace(marked, now) };
	}
	const { deletionGracePeriodSeconds: grace = 0 } = marked.metadata;
	return graceful.changed && grace > 0
		? { kind: 'mark', object: marked }
		: { kind: 'remove', object: marked };
}

/** The object after the request's grace period was applied. */
interface Graceful {
	readonly object: KubeObject;
	/** Whether the request set or shortened the grace period. */
	readonly changed: boolean;
	/** The object is being deleted already, and the request asks for no shorter grace period. */
	readonly pending: boolean;
}

function applyGracePeriod(
	{ definition: { deletion }, object }: DeletionSubject,
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
			object: withDeletion(
				withNextGeneration(object, generation),
				formatTime(now + approximate(grace) * 1000),
				grace,
			),
			changed: true,
		};
	}
	if (granted === 0) return untouched;
	if (requested === undefined || requested >= granted) return { ...untouched, pending: true };
	// A grace period that would end after the year 9999 was cut, so its start cannot be computed from the
	// deletionTimestamp; then the new one starts now.
	const startedAt = timeOf(deletionTimestamp) - approximate(granted) * 1000;
	const endsAt = formatTime((startedAt < 0 ? now : startedAt) + approximate(requested) * 1000);
	return { ...untouched, object: withDeletion(object, endsAt, requested), changed: true };
}

/** Sets the deletionTimestamp of an object that only its finalizers keep. */
function markWithoutGrace(object: KubeObject, now: number): KubeObject {
	const { deletionTimestamp, generation } = object.metadata;
	if (deletionTimestamp === undefined)
		return withDeletion(withNextGeneration(object, generation), formatTime(now), 0);
	return withDeletion(object, timeOf(deletionTimestamp) > now ? formatTime(now) : deletionTimestamp, 0);
}

function withDeletion(object: KubeObject, deletionTimestamp: string, grace: Int64): KubeObject {
	return {
		...object,
		metadata: { ...object.metadata, deletionTimestamp, deletionGracePeriodSeconds: grace },
	};
}

/** Increments the generation: a deletion is a change of the desired state. */
function withNextGeneration(object: KubeObject, generation: Int64 | undefined): KubeObject {
	if (!generation) return object;
	return { ...object, metadata: { ...object.metadata, generation: successor(generation) } };
}

/** The finalizers, with those of the garbage collector set as the propagation policy requires. */
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
