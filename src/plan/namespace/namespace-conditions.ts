/**
 * The conditions by which a Namespace that is being deleted says what still holds it, after upstream's
 * `pkg/controller/namespace/deletion/status_condition_utils.go`: the same five types, reasons and texts.
 *
 * 1. All five are always written, so that a client can tell "nothing failed" from "not looked at yet".
 * 2. Counts are of what a list returned after the deletion was asked for, never an estimate.
 */
import type { Namespace } from '../../api/core/namespace/schema.ts';
import { formatTime } from '../../api/meta/time.ts';

/** What is left of one resource in the namespace after its deletion was asked for. */
export interface RemainingContent {
	readonly group: string;
	readonly resource: string;
	/** Number of objects. */
	readonly count: number;
	/** How many of them carry each finalizer. */
	readonly finalizers: ReadonlyMap<string, number>;
}

/** One condition of a Namespace. */
export type NamespaceCondition = NonNullable<Namespace['status']['conditions']>[number];

type Verdict = Pick<NamespaceCondition, 'type' | 'status' | 'reason' | 'message'>;

/** What one pass over the namespace's content found. */
export interface DeletionPass {
	readonly remaining: readonly RemainingContent[];
	/** What went wrong, one message a resource. */
	readonly errors: readonly string[];
}

/**
 * The conditions that the Namespace should have after a pass, or undefined if it has them already. A
 * condition whose status stays the same keeps its transition time; conditions of other types stay as they are.
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
	const kept = before?.status === verdict.status ? before.lastTransitionTime : undefined;
	return { ...verdict, lastTransitionTime: kept ?? formatTime(now) };
}

/** The resources are compiled in, so finding them cannot fail. Clients wait for this condition all the same. */
function discovered(): Verdict {
	return {
		type: 'NamespaceDeletionDiscoveryFailure',
		status: 'False',
		reason: 'ResourcesDiscovered',
		message: 'All resources successfully discovered',
	};
}

/** Nor can their group and version be misread. */
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
	const left = remaining.filter(({ count }) => count > 0);
	if (left.length === 0) return allRemoved(type);
	// The core group has no name: upstream writes `pods. has 1 resource instances`.
	const texts = left.map(
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
