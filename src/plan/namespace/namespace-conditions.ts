/**
 * Computes the conditions that report why a Namespace under deletion still exists, with the five types, reasons
 * and messages of upstream's `pkg/controller/namespace/deletion/status_condition_utils.go`.
 *
 * 1. All five conditions are always written, so that a client can distinguish "no failure" from "not checked
 *    yet".
 * 2. The counts come from a list after the deletion of the collection. They are never estimates.
 */

import type { Namespace } from '../../api/core/namespace/schema.ts';
import { sinceTransition } from '../../api/meta/conditions.ts';
import { formatTime } from '../../api/meta/time.ts';

/** The objects of one resource that remain in the Namespace after the deletion of the collection. */
export interface RemainingContent {
	readonly group: string;
	readonly resource: string;
	/** Number of objects. */
	readonly count: number;
	/** Number of objects with each finalizer. */
	readonly finalizers: ReadonlyMap<string, number>;
}

/** One condition of a Namespace. */
export type NamespaceCondition = NonNullable<Namespace['status']['conditions']>[number];

type Verdict = Pick<NamespaceCondition, 'type' | 'status' | 'reason' | 'message'>;

/** The result of one reconcile of the Namespace's content. */
export interface DeletionPass {
	readonly remaining: readonly RemainingContent[];
	/** At most one error message for each resource. */
	readonly errors: readonly string[];
}

/**
 * The conditions for the status of the Namespace; undefined if it has them already. A condition whose status
 * does not change keeps its transition time. Conditions of other types are kept unchanged.
 */
export function namespaceConditionsAfter(
	{ status }: Pick<Namespace, 'status'>,
	pass: DeletionPass,
	now: number,
): readonly NamespaceCondition[] | undefined {
	const before = status.conditions ?? [];
	const verdicts = [discovered(), parsed(), deleted(pass), emptied(pass), released(pass)];
	if (verdicts.every((verdict) => before.some((one) => isSame(one, verdict)))) return undefined;
	const own = new Map(verdicts.map((verdict) => [verdict.type, verdict]));
	const known = before.map((one) => {
		const verdict = own.get(one.type);
		return verdict ? dated(verdict, one, now) : one;
	});
	const added = verdicts.filter(({ type }) => !before.some((one) => one.type === type));
	return [...known, ...added.map((verdict) => dated(verdict, undefined, now))];
}

function isSame(one: NamespaceCondition, other: Verdict): boolean {
	const { type, status, reason, message } = other;
	return one.type === type && one.status === status && one.reason === reason && one.message === message;
}

function dated(verdict: Verdict, before: NamespaceCondition | undefined, now: number): NamespaceCondition {
	return sinceTransition({ ...verdict, lastTransitionTime: formatTime(now) }, before);
}

/**
 * Always False: the resources are compiled in, so their discovery cannot fail. Clients still expect the
 * condition.
 */
function discovered(): Verdict {
	return {
		type: 'NamespaceDeletionDiscoveryFailure',
		status: 'False',
		reason: 'ResourcesDiscovered',
		message: 'All resources successfully discovered',
	};
}

/** Always False, for the same reason. */
function parsed(): Verdict {
	return {
		type: 'NamespaceDeletionGroupVersionParsingFailure',
		status: 'False',
		reason: 'ParsedGroupVersions',
		message: 'All legacy kube types successfully parsed',
	};
}

function deleted({ errors }: DeletionPass): Verdict {
	const type = 'NamespaceDeletionContentFailure';
	if (errors.length === 0) {
		const message = 'All content successfully deleted, may be waiting on finalization';
		return { type, status: 'False', reason: 'ContentDeleted', message };
	}
	const texts = errors.toSorted().join(', ');
	const message = `Failed to delete all resource types, ${errors.length} remaining: ${texts}`;
	return { type, status: 'True', reason: 'ContentDeletionFailed', message };
}

function emptied({ remaining }: DeletionPass): Verdict {
	const type = 'NamespaceContentRemaining';
	const existing = remaining.filter(({ count }) => count > 0);
	if (existing.length === 0) return allRemoved(type);
	// The core group has an empty name, so upstream's message is `pods. has 1 resource instances`.
	const texts = existing.map(
		({ group, resource, count }) => `${resource}.${group} has ${count} resource instances`,
	);
	const message = `Some resources are remaining: ${texts.toSorted().join(', ')}`;
	return { type, status: 'True', reason: 'SomeResourcesRemain', message };
}

function released({ remaining }: DeletionPass): Verdict {
	const type = 'NamespaceFinalizersRemaining';
	const counts = new Map<string, number>();
	for (const { finalizers } of remaining) {
		for (const [finalizer, count] of finalizers) {
			counts.set(finalizer, (counts.get(finalizer) ?? 0) + count);
		}
	}
	if (counts.size === 0) return allRemoved(type);
	const texts = [...counts].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`);
	const message = `Some finalizers are remaining: ${texts.toSorted().join(', ')}`;
	return { type, status: 'True', reason: 'SomeFinalizerRemain', message };
}

function allRemoved(type: string): Verdict {
	return { type, status: 'False', reason: 'ContentRemoved', message: 'All content successfully removed' };
}
